"""A film whose face is changed by the method of a finished run, with a voice from any file as its sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from v2f_bench.files import write_whole
from v2f_bench.film.follow import Shot, follow, in_batches, neighbours, steadied, steady_change
from v2f_bench.film.paste import paste
from v2f_bench.film.source import Film, Frame, open_film
from v2f_bench.film.writer import CODECS, SUFFIX, codec_here, even, written_film
from v2f_bench.harness.fitted import FittedMethod, check_needs, read_voice
from v2f_bench.harness.generate import checked_faces
from v2f_bench.harness.prepare import face_size
from v2f_bench.harness.workplace import choose_device
from v2f_bench.interfaces import BenchError, Context, Method, Progress, Trials, UsageError, Voices
from v2f_bench.media.changes import Change, noted
from v2f_bench.media.faces import BATCH
from v2f_bench.media.picture import resize, to_tensor
from v2f_bench.media.sound import read_sound

NOTABLE = 0.05  # seconds by which voice and film differ in length, above which it is said


@dataclass
class Made:
    """What was made of a film: its frames, those without the face that is followed, those whose face the method did not
    draw, and how long it is."""

    frames: int = 0
    faceless: int = 0
    undrawn: int = 0
    seconds: float = 0.0


def generate_film(
    run: Path, voice: Path, source: Path, output: Path, seed: int, device: str, progress: Progress
) -> list[Change]:
    """Change the face in the film `source` by `voice` with the method of the finished run in folder `run`, and write
    `output`, an MP4 as long as the film, with the voice as its sound.

    Returns:
        What was changed in the files when they were read, which frames were passed through, and where the lengths of
        film and voice differ, as (file, sentence).

    Raises:
        UsageError: the method changes no given face, or `output` is no name of a new MP4.
        BenchError: a file cannot be read or written, or no frame shows a face. Nothing is written then.
    """
    _check_output(output, voice, source)
    fitted = FittedMethod.of(run)
    method = fitted.method
    if "source-video" in fitted.needs:
        raise UsageError(f"{method.name} makes whole films of a data set's source films; `run` does, generate cannot")
    check_needs(type(method), fitted.needs)
    if "proposal" not in fitted.needs:
        raise UsageError(f"{method.name} draws a face from the voice alone and changes none: leave --source out")
    voices, changes = read_voice(voice, fitted.protocol)
    sound, rate = read_sound(voice)
    device = choose_device(device)
    painter = Painter(method, voices, fitted, Context(seed, device))
    made = Made()
    with noted() as in_film, open_film(source) as film:
        fitted.restore(device)
        output.parent.mkdir(parents=True, exist_ok=True)

        def write(path: Path) -> None:
            with (
                progress.bar(f"{method.name}: {output.name}", film.expected) as bar,
                written_film(path, film, (sound, rate)) as writer,
            ):
                for frame in _changed(film, painter, made):
                    writer.write(frame)
                    bar.advance()
                made.seconds = writer.seconds
            if made.faceless == made.frames:
                raise BenchError(f"{source}: no face in any of its {made.frames} frames")

        write_whole(output, write)
    changes += [(str(source), change) for _, change in in_film]
    return changes + _remarks(made, film, source, voice, output, len(sound) / rate)


@dataclass(frozen=True)
class Painter:
    """Draws the faces of shots by one voice."""

    method: Method
    voices: Voices
    fitted: FittedMethod
    context: Context

    def draw(self, shots: list[Shot]) -> None:
        """Set `source` and `change` of shots with a face, both of the resolution at which the method draws; they stay
        None where it draws none."""
        size = face_size(self.fitted.protocol.resolution)
        sources = torch.cat([to_tensor(shot.crop(size)[None], self.fitted.side) for shot in shots])
        count = len(shots)
        repeated = Voices(self.voices.samples.repeat(count, 1), self.voices.lengths.repeat(count), self.voices.rate)
        given: dict[str, Any] = {"voice": repeated, "proposal": sources}
        ids = tuple(f"frame {shot.frame.begin}" for shot in shots)
        trials = Trials(ids, {need: given[need] for need in self.fitted.needs}, self.fitted.side)
        torch.manual_seed(self.context.seed)  # the same for all batches: what a method draws at random does not change
        drawn = self.method.generate(trials, self.context)
        if isinstance(drawn, list | tuple):
            raise UsageError(f"{self.method.name} makes films itself and changes no given one: leave --source out")
        drawn = checked_faces(drawn, count, self.method.name)
        sources = resize(sources, drawn.shape[-1])
        for shot, before, after in zip(shots, sources, drawn, strict=True):
            if after.isfinite().all():
                shot.source, shot.change = before.numpy(), (after - before).numpy()


def _changed(film: Film, painter: Painter, made: Made) -> Iterator[Frame]:
    """The frames of a film, those with a face changed; a few dozen are held at a time, however long it is."""
    shots = steadied(follow(film.frames, float(film.tick)))
    for shot, near in neighbours(_drawn(shots, painter)):
        made.frames += 1
        made.faceless += not shot.take
        frame, change = shot.frame, steady_change(shot, near)
        if shot.source is not None and change is not None:
            frame = replace(frame, pixels=paste(frame.pixels, shot.source, change, *shot.steady))
        elif shot.take:
            made.undrawn += 1
        yield frame


def _drawn(shots: Iterable[Shot], painter: Painter) -> Iterator[Shot]:
    for batch in in_batches(shots, BATCH):
        faces = [shot for shot in batch if shot.take]
        if faces:
            painter.draw(faces)
        yield from batch


def _check_output(output: Path, voice: Path, source: Path) -> None:
    if output.suffix.lower() != SUFFIX:
        raise UsageError(f"{output}: the name of a film ends in {SUFFIX}")
    for given in (voice, source):
        if output.exists() and given.exists() and output.samefile(given):
            raise UsageError(f"{output}: is read too; give another name for the film that is made")


def _remarks(made: Made, film: Film, source: Path, voice: Path, output: Path, voice_seconds: float) -> list[Change]:
    """What a user should know of a film that was made."""
    longer = voice_seconds - made.seconds
    remarks = []
    if made.faceless:
        remarks.append((source, f"{made.faceless} of {made.frames} frames without the face: passed through"))
    if made.undrawn:
        remarks.append((source, f"{made.undrawn} of {made.frames} frames whose face was not drawn: passed through"))
    if longer > NOTABLE:
        remarks.append((voice, f"longer than the film: its last {longer:.2f} s were cut"))
    elif longer < -NOTABLE:
        remarks.append((voice, f"shorter than the film: {-longer:.2f} s of silence follow it"))
    if (film.width, film.height) != (even(film.width), even(film.height)):
        size = f"{film.width}×{film.height} became {even(film.width)}×{even(film.height)}"
        remarks.append((output, f"{size}: H.264 has even sides; the last line of pixels is there twice"))
    if codec_here() != next(iter(CODECS)):
        remarks.append((output, f"coded by {codec_here()}, since this FFmpeg has no {next(iter(CODECS))}"))
    return [(str(file), sentence) for file, sentence in remarks]
