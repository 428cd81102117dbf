"""A face, or a sheet of faces, for a voice from any file, by the method of a finished run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from v2f_bench.artefacts import is_film, write_film_file
from v2f_bench.data.protocol import Protocol
from v2f_bench.files import write_whole
from v2f_bench.harness.fitted import FittedMethod, check_needs, read_voice
from v2f_bench.harness.generate import Drawn, as_stills, checked
from v2f_bench.harness.sheet import draw_variation, write_table
from v2f_bench.harness.workplace import choose_device
from v2f_bench.interfaces import BenchError, Context, Method, Trials, UsageError
from v2f_bench.interfaces.options import did_you_mean
from v2f_bench.media.changes import Change, noted
from v2f_bench.media.picture import picture_format, read_picture, resize, square, to_pixels, to_tensor, write_picture


class NoProposal(UsageError):
    """The method changes a given face, and none is given."""


@dataclass(frozen=True)
class Wanted:
    """What to draw: one face, `samples` faces that differ only in their seed, or the sheet of a variation."""

    samples: int = 1
    variation: str = ""


def generate_one(
    run: Path, voice: Path, proposal: Path | None, output: Path, seed: int, device: str, wanted: Wanted
) -> list[Change]:
    """Draw with the method of the finished run in folder `run` for `voice`, and write `output`, a PNG or JPEG; of a
    method that makes films also an MP4, whose sound is what the method heard of the voice.

    Returns:
        What was changed in the voice and the proposal when they were read.
    """
    if is_film(output) and wanted != Wanted():
        raise UsageError(f"{output}: a film is one draw; several, or a variation, make a picture: .png or .jpg")
    form = "MP4" if is_film(output) else picture_format(output)
    fitted = FittedMethod.of(run)
    method, protocol = fitted.method, fitted.protocol
    if wanted.variation and wanted.variation not in method.variations:
        hint = did_you_mean(wanted.variation, method.variations)
        offers = f" It has: {', '.join(method.variations)}." if method.variations else " It has none."
        raise UsageError(f"{method.name} has no variation {wanted.variation!r}{hint}{offers}")
    given, changes = _given(type(method), fitted.needs, protocol, fitted.side, voice, proposal)
    trials = Trials(("one",), {need: given[need] for need in fitted.needs}, fitted.side)
    device = choose_device(device)
    fitted.restore(device)
    output.parent.mkdir(parents=True, exist_ok=True)
    if wanted.variation:
        draw_variation(method, wanted.variation, trials, Context(seed, device), output)
        return changes
    if form == "MP4":
        film = _draw(method, trials, Context(seed, device))
        if isinstance(film, torch.Tensor):
            raise UsageError(f"{method.name} draws stills, not films: {output} must end in .png or .jpg")
        if not film[0].frames.isfinite().all():
            raise BenchError(f"{method.name} made no film of {voice}: its output is not finite")
        heard = given["voice"]  # by some protocols a part of the recording: the mouth goes with that
        sound = heard.samples[0, : int(heard.lengths[0])].numpy(), heard.rate
        write_whole(output, lambda path: write_film_file(path, film[0], sound))
        return changes
    drawn = [as_stills(_draw(method, trials, Context(number, device))) for number in range(seed, seed + wanted.samples)]
    if not torch.stack(drawn).isfinite().all():
        raise BenchError(f"{method.name} made no face of {voice}: its output is not finite")
    if wanted.samples > 1:
        captions = tuple(f"seed {number}" for number in range(seed, seed + wanted.samples))
        write_table(torch.stack(drawn, dim=1), captions, method.name, output)
        return changes
    shown = resize(drawn[0], max(protocol.resolution, drawn[0].shape[-1]))
    write_whole(output, lambda path: write_picture(path, to_pixels(shown)[0], form))
    return changes


def _draw(method: Method, trials: Trials, context: Context) -> Drawn:
    torch.manual_seed(context.seed)
    return checked(method.generate(trials, context), 1, method.name)


def _given(
    cls: type[Method], needs: frozenset[str], protocol: Protocol, side: int, voice: Path, proposal: Path | None
) -> tuple[dict[str, Any], list[Change]]:
    """The voice and, where it is given, the proposal, read from the files, and what was changed when they were read.

    NoProposal where the method needs a face that is not given, UsageError where it needs what no file can give.
    """
    check_needs(cls, needs)
    if "proposal" in needs and proposal is None:
        raise NoProposal(f"{cls.name} changes a given face: give a proposal, a picture cropped as the data set's are")
    voices, changes = read_voice(voice, protocol)
    given: dict[str, Any] = {"voice": voices}
    if proposal is not None:
        with noted() as in_proposal:
            pixels = read_picture(proposal)
        given["proposal"] = to_tensor(square(pixels, min(pixels.shape[:2]))[None], side)
        changes += [(str(proposal), change) for _, change in in_proposal]
    return given, changes
