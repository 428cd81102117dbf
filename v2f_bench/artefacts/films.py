"""Films of faces: one MP4 a trial, named for it, without sound."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from v2f_bench.film.source import Colours, Film, Frame, open_film
from v2f_bench.film.writer import SUFFIX, Coding, written_film

if TYPE_CHECKING:
    import torch

    from v2f_bench.interfaces import FaceFilm

# Far better than what is made to be watched, since the frame in the middle is judged beside stills, which lose nothing;
# and by one thread, since what several write depends on their number.
FINE = Coding("6", threads=1)
FINEST_RATE = 1001  # denominator of a rate: 29.97 frames a second are 30000/1001


def film_file(folder: Path, trial: str) -> Path:
    """Where a run keeps the film of a trial."""
    return folder / f"{trial}{SUFFIX}"


def is_film(path: Path) -> bool:
    """Whether what is kept of a trial is a film."""
    return path.suffix.lower() == SUFFIX


def write_film(folder: Path, trial: str, film: FaceFilm) -> None:
    """Write the film of a trial. BenchError where FFmpeg cannot."""
    write_film_file(film_file(folder, trial), film)


def write_film_file(path: Path, film: FaceFilm, sound: tuple[np.ndarray, int] | None = None) -> None:
    """Write a film to a file, perhaps with a sound (see `FilmWriter`). BenchError where FFmpeg cannot."""
    count, _, height, width = film.frames.shape
    rate = Fraction(film.rate).limit_denominator(FINEST_RATE)
    form = Film(height, width, rate, 1 / rate, count, Colours(), iter(()))
    with written_film(path, form, sound, FINE) as writer:
        for number in range(count):
            writer.write(Frame(number, 1, _pixels(film.frames[number])))


def middle_frame(path: Path) -> np.ndarray:
    """Frame ⌊T/2⌋, counted from 0, of the T frames that a film has by its header: uint8 [H, W, 3] RGB, upright.

    DataError where the file cannot be read; names it.
    """
    with open_film(path) as film:
        for frame in islice(film.frames, film.expected // 2 + 1):
            pixels = frame.pixels
    return pixels


def _pixels(frame: torch.Tensor) -> np.ndarray:
    """One frame [3, H, W] as uint8 [H, W, 3]."""
    from v2f_bench.media.picture import to_pixels

    if frame.is_floating_point():
        return np.asarray(to_pixels(frame[None])[0])
    return np.ascontiguousarray(frame.permute(1, 2, 0).numpy())
