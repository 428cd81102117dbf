"""One face followed through a film, and the steady transform that brings it to the crop of a data set."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from v2f_bench.film.source import Frame
from v2f_bench.media.align import DOUBTFUL, TEMPLATE, aligned, similarity
from v2f_bench.media.faces import BATCH, DETECTION_SIDE, OVERLAP, SMALLEST_FACE, shrunk

REACH = 6  # frames before and after one that its transform, and the change of its face, are averaged with
STEADY = 0.08  # seconds: the deviation of the Gaussian weights of these
NEAR = 1.0  # sides of the face: one that is farther from the last place of the face that is followed is another one
ALIKE = 2.0  # times the side: one that is larger or smaller by more is another one
PATIENCE = 1.0  # seconds without the face that is followed, after which the largest face is followed instead
CUT = 30.0  # grey levels by which a frame differs from the one before, in the mean: then the film was cut there
T = TypeVar("T")


@dataclass
class Shot:
    """A frame, the face that is followed in it, and what becomes of it.

    `take` is 0 in a frame without the face; else it numbers the stretches of the film in which the face is seen without
    a gap and without a cut. The crop's places w, complex, from 0 to 1 across and 0 to i down, lie at turn·w + shift in
    the picture, whose left upper corner is 0; `steady` is the same, averaged over time.
    """

    frame: Frame
    time: float  # seconds
    take: int = 0
    turn: complex = 0j
    shift: complex = 0j
    steady: tuple[complex, complex] = (0j, 0j)
    source: np.ndarray | None = None  # float32 [3, R, R] in [0, 1], what the method was given
    change: np.ndarray | None = None  # float32 [3, H, H], what it drew minus what it was given

    def crop(self, size: int) -> np.ndarray:
        """The face, by the steady transform, as `prepare` cuts one out: uint8 [size, size, 3]."""
        turn, shift = self.steady
        places = (TEMPLATE[:, 0] + 1j * TEMPLATE[:, 1]) * turn + shift - 0.5 * (1 + 1j)
        return aligned(self.frame.pixels, np.stack([places.real, places.imag], axis=1), size)


@dataclass
class Follower:
    """Which face of each frame is the one that is followed.

    First it is the largest. Then it is the nearest to its last place, as long as one is near (`NEAR`) and about as
    large (`ALIKE`); otherwise the frame is without it. After a cut, or when it was not seen for `PATIENCE`, the largest
    face of the frame is followed.
    """

    box: np.ndarray | None = None  # float [4], left, top, right, bottom, where it was last seen
    seen: float = 0.0  # seconds, when
    take: int = 0
    gap: bool = True  # whether it was not in the frame before
    before: np.ndarray | None = field(default=None, repr=False)  # the frame before, small

    def choose(self, time: float, small: np.ndarray, boxes: np.ndarray, scores: np.ndarray) -> int | None:
        """The row of the face in boxes float [K, 4], or None; `take` is its stretch.

        Args:
            small: uint8 [h, w, 3], the frame as the detector saw it.
        """
        if self.before is not None and np.abs(small.astype(np.int16) - self.before).mean() > CUT:
            self.box, self.gap = None, True
        self.before = small
        if self.box is not None and time - self.seen > PATIENCE:
            self.box = None
        chosen = _largest(boxes, scores) if self.box is None else _nearest(boxes, self.box)
        if chosen is None:
            self.gap = True
            return None
        self.take += self.gap
        self.gap, self.box, self.seen = False, boxes[chosen], time
        return chosen


def follow(frames: Iterable[Frame], tick: float) -> Iterator[Shot]:
    """The frames, each with its face by MTCNN (without `steady`); `BATCH` frames are held at a time.

    Raises:
        NotAvailable: the detector is not installed.
    """
    import torch

    from v2f_bench.media.mtcnn import find_faces

    follower, networks = Follower(), _networks()
    for batch in in_batches(frames, BATCH):
        seen = [shrunk(frame.pixels, DETECTION_SIDE) for frame in batch]
        pictures = torch.from_numpy(np.stack(seen)).permute(0, 3, 1, 2)
        detected = find_faces(pictures, networks, SMALLEST_FACE, OVERLAP)
        images, boxes, scores, points = (
            part.numpy() for part in (detected.images, detected.boxes, detected.scores, detected.points)
        )
        for number, (frame, small) in enumerate(zip(batch, seen, strict=True)):
            shot, mine = Shot(frame, frame.begin * tick), images == number
            chosen = follower.choose(shot.time, small, boxes[mine], scores[mine])
            if chosen is not None:
                larger = np.array(frame.pixels.shape[1::-1]) / small.shape[1::-1]
                shot.take = follower.take
                shot.turn, shot.shift = similarity(TEMPLATE, (points[mine][chosen] + 0.5) * larger)
            yield shot


def steadied(shots: Iterable[Shot]) -> Iterator[Shot]:
    """The shots with `steady`: the mean of the transforms of the same take, up to `REACH` frames before and after, by
    weights that fall with the distance in time as a Gaussian of `STEADY` seconds. Past and future weigh alike, so that
    a face that moves evenly is not left behind."""
    for shot, near in neighbours(shots):
        if shot.take:
            weights = _weights(shot, near)
            shot.steady = (
                complex(sum(w * other.turn for w, other in zip(weights, near, strict=True))),
                complex(sum(w * other.shift for w, other in zip(weights, near, strict=True))),
            )
        yield shot


def steady_change(shot: Shot, near: list[Shot]) -> np.ndarray | None:
    """The change of a shot's face, averaged as its transform is, over those neighbours that were drawn."""
    if shot.change is None:
        return None
    drawn = [(other, other.change) for other in near if other.change is not None and other.take == shot.take]
    weights = _weights(shot, [other for other, _ in drawn])
    return np.asarray(sum(w * change for w, (_, change) in zip(weights.astype(np.float32), drawn, strict=True)))


def in_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of `size`; the last may be shorter."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


def neighbours(shots: Iterable[Shot]) -> Iterator[tuple[Shot, list[Shot]]]:
    """Each shot, with those up to `REACH` before and after it, itself among them."""
    window: deque[Shot] = deque()
    waiting: deque[Shot] = deque()
    for shot in shots:
        window.append(shot)
        waiting.append(shot)
        if len(waiting) > REACH:
            yield waiting.popleft(), list(window)
            if len(window) > 2 * REACH:
                window.popleft()
    while waiting:
        yield waiting.popleft(), list(window)
        if len(window) > len(waiting) + REACH:
            window.popleft()


def _weights(shot: Shot, near: list[Shot]) -> np.ndarray:
    apart = np.array([other.time - shot.time for other in near])
    weights = np.exp(-0.5 * (apart / STEADY) ** 2) * np.array([other.take == shot.take for other in near])
    return np.asarray(weights / weights.sum())


def _largest(boxes: np.ndarray, scores: np.ndarray) -> int | None:
    """The largest of those that the detector is sure of, or else of all."""
    if not len(boxes):
        return None
    sure = scores >= DOUBTFUL if (scores >= DOUBTFUL).any() else np.ones(len(scores), bool)
    return int(np.where(sure, _sides(boxes), 0.0).argmax())


def _nearest(boxes: np.ndarray, last: np.ndarray) -> int | None:
    side = _sides(last[None])[0]
    ratio = np.maximum(_sides(boxes) / side, side / _sides(boxes))
    away = np.linalg.norm((boxes[:, :2] + boxes[:, 2:] - last[:2] - last[2:]) / 2, axis=1) / side
    away[(away > NEAR) | (ratio > ALIKE)] = np.inf
    return int(away.argmin()) if np.isfinite(away).any() else None


def _sides(boxes: np.ndarray) -> np.ndarray:
    return np.sqrt((boxes[:, 2:] - boxes[:, :2]).clip(1e-6).prod(axis=1))


@cache
def _networks() -> list[Any]:
    from v2f_bench.media.mtcnn_networks import load_networks

    return load_networks("cpu", "following a face in a film")
