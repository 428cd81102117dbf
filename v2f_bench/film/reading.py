"""A film in a file as plugins are shown it: its frames, or the face in them, from the beginning at each call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from v2f_bench.film.follow import follow, steadied
from v2f_bench.film.source import Frame, open_film
from v2f_bench.interfaces import DataError, FilmFace, FilmFile

BORDER = 0.25  # of a side: MTCNN was trained on faces with surroundings, and misses those that fill the picture


@dataclass(frozen=True, eq=False)
class StoredFilm(FilmFile):
    """The film in `path`. `cropped`: whether it shows a face and little else in a square, as the films do that
    methods make; `faces` raises DataError where it is not square."""

    path: Path
    cropped: bool = False

    @cached_property
    def rate(self) -> float:  # type: ignore[override]
        with open_film(self.path) as film:
            return float(film.rate)

    def frames(self) -> Iterator[tuple[float, np.ndarray]]:
        with open_film(self.path) as film:
            for frame in film.frames:
                yield float(frame.begin * film.tick), frame.pixels

    def faces(self, size: int) -> Iterator[FilmFace]:
        with open_film(self.path) as film:
            if self.cropped and film.height != film.width:
                raise DataError(f"{self.path}: frames of {film.width}×{film.height} pixels, they must be square")
            frames = map(_with_border, film.frames) if self.cropped else film.frames
            for shot in steadied(follow(frames, float(film.tick))):
                yield FilmFace(float(shot.time), shot.crop(size) if shot.take else None, shot.take)


def _with_border(frame: Frame) -> Frame:
    """The frame with its border repeated outwards."""
    wide = round(BORDER * min(frame.pixels.shape[:2]))
    return replace(frame, pixels=np.pad(frame.pixels, ((wide, wide), (wide, wide), (0, 0)), mode="edge"))
