"""Films between plugins and the harness: those that a method makes, and those that it, or a judge, is shown."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True, eq=False)
class FaceFilm:
    """A film of a face that a method made for a trial. Its first frame is shown when the voice begins.

    Attributes:
        frames: [T, 3, H, W], RGB, T ≥ 1 and H = W: uint8, or a floating type with values in [0, 1].
        rate: frames a second, 0.1 to 240.
    """

    frames: torch.Tensor
    rate: float


@dataclass(frozen=True, eq=False)
class FilmFace:
    """The face that is followed, in one frame of a film.

    Attributes:
        time: seconds from the first frame.
        pixels: uint8 [size, size, 3] RGB, cut out as the faces of clips are; None where the frame is without the face.
        stretch: numbers the parts of the film in which the face is seen without a gap and without a cut, from 1; 0
            where there is no face.
    """

    time: float
    pixels: np.ndarray | None
    stretch: int


class FilmFile(ABC):
    """A film in a file. Frames are decoded when they are asked for, and few are held at a time, however long it is.

    Attributes:
        rate: frames a second, the mean.
    """

    rate: float

    @abstractmethod
    def frames(self) -> Iterator[tuple[float, np.ndarray]]:
        """All frames: seconds from the first one, and uint8 [H, W, 3] RGB, upright. From the beginning at each call.

        DataError where the file is missing, damaged or truncated; names the file.
        """

    @abstractmethod
    def faces(self, size: int) -> Iterator[FilmFace]:
        """The same frames as one face, `size` pixels a side: followed, and framed as the faces of clips are.

        Raises:
            DataError: as for `frames`.
            NotAvailable: the detector that finds faces is not installed.
        """
