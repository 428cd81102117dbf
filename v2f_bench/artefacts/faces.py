"""Faces, still or moving: one picture or film a trial, named for it. Who asks for the face of a trial gets a still."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from v2f_bench.artefacts.films import is_film, middle_frame
from v2f_bench.film.writer import SUFFIX
from v2f_bench.interfaces import DataError
from v2f_bench.media.picture import pictures_by_stem, read_picture, to_tensor, write_picture
from v2f_bench.media.suffixes import PICTURE_SUFFIXES

if TYPE_CHECKING:
    import torch

FACES = "faces"  # the folder of a run's
FAILURES = "failures.json"  # beside them: why a trial has none, by trial
BATCH = 128


def face_file(folder: Path, trial: str) -> Path:
    """Where a run keeps the still face of a trial."""
    return folder / f"{trial}.png"


def write_face(folder: Path, trial: str, pixels: np.ndarray) -> None:
    """uint8 [H, W, 3] RGB as the face of a trial."""
    write_picture(face_file(folder, trial), pixels)


def read_still(path: Path) -> np.ndarray:
    """The face that a picture shows, or a film in its middle frame: uint8 [H, W, 3] RGB.

    DataError where the file cannot be read; names it.
    """
    return middle_frame(path) if is_film(path) else read_picture(path)


@dataclass(frozen=True, eq=False)
class Faces:
    """A folder of faces, made by a run or elsewhere: its pictures and films, by trial, and why trials have none."""

    folder: Path
    pictures: dict[str, Path]
    failures: dict[str, str]

    @classmethod
    def of(cls, folder: Path) -> Faces:
        """The pictures and films (.mp4) of a folder, by their names without ending.

        Raises:
            DataError: two of them have one name but for the ending; or the list of failures is damaged.
        """
        pictures = pictures_by_stem(folder, PICTURE_SUFFIXES | {SUFFIX})
        try:
            failures = json.loads((folder / FAILURES).read_text(encoding="utf-8"))
            reasons = {str(trial): str(reason) for trial, reason in failures.items()}
        except FileNotFoundError:
            reasons = {}
        except (ValueError, AttributeError) as error:
            raise DataError(f"{folder / FAILURES}: not readable as reasons by trial ({error})") from None
        return cls(folder, pictures, reasons)

    def film(self, trial: str) -> Path | None:
        """The film of a trial; None where it has a still face, or none."""
        path = self.pictures.get(trial)
        return path if path is not None and is_film(path) else None

    @cached_property
    def content(self) -> str:
        """A sha256 over all that a number may rest on: names and bytes of the files, and the reasons."""
        digest = hashlib.sha256()
        for name, path in sorted(self.pictures.items()):
            picture = path.read_bytes()
            digest.update(f"{name} {len(picture)}\n".encode() + picture)
        digest.update(json.dumps(self.failures, sort_keys=True).encode())
        return digest.hexdigest()


def read_faces(
    faces: Faces, trials: Sequence[str], resolution: int
) -> Iterator[tuple[list[str], torch.Tensor, dict[str, str]]]:
    """The faces of trials, in batches: the trials, float32 [N, 3, resolution, resolution] with NaN where there is none,
    and the reason for each of these. Of a film it is the middle frame."""
    import torch

    def read(trial: str) -> np.ndarray | str:
        if trial in faces.failures:
            return faces.failures[trial]
        if trial not in faces.pictures:
            return "missing"
        try:
            pixels = read_still(faces.pictures[trial])
        except DataError:
            return "unreadable"
        return pixels if pixels.shape[0] == pixels.shape[1] else "not square"

    with ThreadPoolExecutor() as readers:
        for start in range(0, len(trials), BATCH):
            names = list(trials[start : start + BATCH])
            batch = torch.full((len(names), 3, resolution, resolution), torch.nan)
            failures = {}
            by_size: dict[int, list[tuple[int, np.ndarray]]] = {}
            for place, picture in enumerate(readers.map(read, names)):
                if isinstance(picture, str):
                    failures[names[place]] = picture
                else:
                    by_size.setdefault(len(picture), []).append((place, picture))
            for same_size in by_size.values():
                places, pixels = zip(*same_size, strict=True)
                batch[list(places)] = to_tensor(np.stack(pixels), resolution)
            yield names, batch, failures
