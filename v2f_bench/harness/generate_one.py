"""One face for one voice from outside, by the method of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from v2f_bench.data.protocol import Protocol
from v2f_bench.data.store import pad
from v2f_bench.files import write_whole
from v2f_bench.harness.fit import CHECKPOINT, MODEL, read_tensors
from v2f_bench.harness.generate import checked_faces
from v2f_bench.harness.workplace import choose_device
from v2f_bench.hashing import source_key
from v2f_bench.interfaces import BenchError, Context, Method, Trials, UsageError
from v2f_bench.interfaces.options import options_from
from v2f_bench.leaderboard.record import read_record
from v2f_bench.media.clips import usable_recording
from v2f_bench.media.picture import read_picture, resize, square, to_pixels, to_tensor, write_picture
from v2f_bench.media.sound import read_sound
from v2f_bench.plugins import registry


def generate_one(run: Path, voice: Path, proposal: Path | None, output: Path, seed: int, device: str) -> None:
    """Write to `output`, a PNG, the face that the method of the finished run in folder `run` draws for `voice`."""
    record = read_record(run)
    cls: type[Method] = registry().find("method", record["method"]["name"]).cls
    if source_key(cls) != record["method"]["source_hash"]:
        raise BenchError(
            f"{run}: made by another version of {cls.name} ({record['method']['version']}); run it again with this one"
        )
    protocol = Protocol.read(run / "protocol.json")
    trials = Trials(("one",), _given(cls, protocol, voice, proposal), protocol.resolution)
    device = choose_device(device)
    method = cls(options_from(cls.options, record["options"]))
    method.restore(read_tensors(run / CHECKPOINT / MODEL), device)
    torch.manual_seed(seed)
    faces = checked_faces(method.generate(trials, Context(seed, device)), 1, cls.name)
    if not faces.isfinite().all():
        raise BenchError(f"{cls.name} made no face of {voice}: its output is not finite")
    shown = resize(faces, max(protocol.resolution, faces.shape[-1]))
    output.parent.mkdir(parents=True, exist_ok=True)
    write_whole(output, lambda path: write_picture(path, to_pixels(shown)[0]))


def _given(cls: type[Method], protocol: Protocol, voice: Path, proposal: Path | None) -> dict[str, Any]:
    """What the method needs, from the files; UsageError where something it needs is not given or cannot be."""
    beyond = cls.needs - {"voice", "proposal"}
    if beyond:
        raise UsageError(f"{cls.name} needs {', '.join(sorted(beyond))} of a test speaker; it cannot draw from a file")
    if "proposal" in cls.needs and proposal is None:
        raise UsageError(f"{cls.name} changes a given face: add --proposal PICTURE (a crop, framed as the data set's)")
    silence = protocol.dataset["options"].get("silence", 0.0)
    recording = usable_recording(*read_sound(voice), str(voice), protocol.sample_rate, silence)
    given: dict[str, Any] = {"voice": pad([recording], protocol.sample_rate)}
    if proposal is not None:
        pixels = read_picture(proposal)
        given["proposal"] = to_tensor(square(pixels, min(pixels.shape[:2]))[None], protocol.resolution)
    return {need: given[need] for need in cls.needs}
