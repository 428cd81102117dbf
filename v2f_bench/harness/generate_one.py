"""A face, or a sheet of faces, for a voice from any file, by the method of a finished run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from v2f_bench.data.protocol import Protocol
from v2f_bench.data.store import pad
from v2f_bench.data.voices import length_of
from v2f_bench.files import write_whole
from v2f_bench.harness.fit import CHECKPOINT, MODEL
from v2f_bench.harness.generate import checked_faces
from v2f_bench.harness.recording import PROTOCOL
from v2f_bench.harness.sheet import draw_variation, write_table
from v2f_bench.harness.tensors import read_tensors
from v2f_bench.harness.trial_voices import loudest_stretch
from v2f_bench.harness.workplace import choose_device
from v2f_bench.interfaces import BenchError, Context, Method, Trials, UsageError
from v2f_bench.interfaces.options import did_you_mean, options_from
from v2f_bench.media.changes import Change, noted
from v2f_bench.media.clips import usable_recording
from v2f_bench.media.picture import picture_format, read_picture, resize, square, to_pixels, to_tensor, write_picture
from v2f_bench.media.sound import read_sound
from v2f_bench.plugins import registry
from v2f_bench.record import read_record
from v2f_bench.sources import source_key


@dataclass(frozen=True)
class Wanted:
    """What to draw: one face, `samples` faces that differ only in their seed, or the sheet of a variation."""

    samples: int = 1
    variation: str = ""


def generate_one(
    run: Path, voice: Path, proposal: Path | None, output: Path, seed: int, device: str, wanted: Wanted
) -> list[Change]:
    """Draw with the method of the finished run in folder `run` for `voice`, and write `output`, a PNG or JPEG.

    Returns:
        What was changed in the voice and the proposal when they were read.
    """
    form = picture_format(output)
    record = read_record(run)
    cls: type[Method] = registry().find("method", record.method.name).cls
    if source_key(cls) != record.method.source_hash:
        raise BenchError(
            f"{run}: made by another version of {cls.name} ({record.method.version}); run it again with this one"
        )
    if wanted.variation and wanted.variation not in cls.variations:
        offers = f" It has: {', '.join(cls.variations)}." if cls.variations else " It has none."
        raise UsageError(
            f"{cls.name} has no variation {wanted.variation!r}{did_you_mean(wanted.variation, cls.variations)}{offers}"
        )
    options: Any = options_from(cls.options, record.options)
    protocol = Protocol.read(run / PROTOCOL)
    side = cls.resolution(options, protocol.resolution)
    given, changes = _given(cls, cls.needs_with(options), protocol, side, voice, proposal)
    trials = Trials(("one",), given, side)
    device = choose_device(device)
    method = cls(options)
    method.restore(read_tensors(run / CHECKPOINT / MODEL), device)
    output.parent.mkdir(parents=True, exist_ok=True)
    if wanted.variation:
        draw_variation(method, wanted.variation, trials, Context(seed, device), output)
        return changes
    drawn = [_draw(method, trials, Context(number, device)) for number in range(seed, seed + wanted.samples)]
    if not torch.stack(drawn).isfinite().all():
        raise BenchError(f"{cls.name} made no face of {voice}: its output is not finite")
    if wanted.samples > 1:
        captions = tuple(f"seed {number}" for number in range(seed, seed + wanted.samples))
        write_table(torch.stack(drawn, dim=1), captions, cls.name, output)
        return changes
    shown = resize(drawn[0], max(protocol.resolution, drawn[0].shape[-1]))
    write_whole(output, lambda path: write_picture(path, to_pixels(shown)[0], form))
    return changes


def _draw(method: Method, trials: Trials, context: Context) -> torch.Tensor:
    torch.manual_seed(context.seed)
    return checked_faces(method.generate(trials, context), 1, method.name)


def _given(
    cls: type[Method], needs: frozenset[str], protocol: Protocol, side: int, voice: Path, proposal: Path | None
) -> tuple[dict[str, Any], list[Change]]:
    """What the method needs, read from the files, and what was changed when they were read.

    UsageError where the method needs something that is not given, or that no file can give.
    """
    beyond = needs - {"voice", "proposal"}
    if beyond:
        raise UsageError(f"{cls.name} needs {', '.join(sorted(beyond))} of a test speaker; it cannot draw from a file")
    if "proposal" in needs and proposal is None:
        raise UsageError(f"{cls.name} changes a given face: give a proposal, a picture cropped as the data set's are")
    silence = protocol.dataset["options"].get("silence", 0.0)
    with noted() as in_voice:
        recording = usable_recording(*read_sound(voice), str(voice), protocol.sample_rate, silence)
    changes = [(str(voice), change) for _, change in in_voice]
    if seconds := length_of(protocol.voices):
        recording = loudest_stretch(recording, round(seconds * protocol.sample_rate))
        changes.append((str(voice), f"cut to its loudest {protocol.voices}, as the voices of the run's protocol are"))
    given: dict[str, Any] = {"voice": pad([recording], protocol.sample_rate)}
    if proposal is not None:
        with noted() as in_proposal:
            pixels = read_picture(proposal)
        given["proposal"] = to_tensor(square(pixels, min(pixels.shape[:2]))[None], side)
        changes += [(str(proposal), change) for _, change in in_proposal]
    return {need: given[need] for need in needs}, changes
