"""Faces in pictures and frames: found, cut out and aligned, and the frame chosen that becomes a clip's face."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from v2f_bench.media.align import aligned, frontality, sharpness, which_face

DETECTION_SIDE = 180  # the shorter side of what the detector sees
SMALLEST_FACE = 30.0  # pixels of these: a sixth of the shorter side
OVERLAP = 0.5  # of two of the detector's candidates, above which they are one: half the work of 0.7, the same faces
BATCH = 8  # pictures that a network sees at once: more take more memory and no less time
POINT_STEP = 64  # parts of a pixel to which points are rounded, so that the last bit of a sum moves no crop
AS_FRONTAL = 0.15  # frames whose frontality is this near the best one's are frontal: the sharpest of them is taken


@dataclass
class Frame:
    """A picture in which a face is looked for, and what was found in it."""

    time: float  # seconds; NaN for a picture
    pixels: np.ndarray  # uint8 [H, W, 3]
    missing: str = ""  # why there is no face
    face: np.ndarray | None = None  # uint8 [size, size, 3], aligned
    score: float = 0.0
    frontality: float = 0.0


def align_faces(frames: list[Frame], size: int) -> None:
    """Find the face in each frame and cut it out, aligned; `missing` says why there is none."""
    import torch

    from v2f_bench.media.mtcnn import find_faces

    networks = _networks()
    seen = [shrunk(frame.pixels, DETECTION_SIDE) for frame in frames]
    for shape in sorted({pixels.shape for pixels in seen}):
        alike = [place for place, pixels in enumerate(seen) if pixels.shape == shape]
        for start in range(0, len(alike), BATCH):
            batch = alike[start : start + BATCH]
            pictures = torch.from_numpy(np.stack([seen[place] for place in batch])).permute(0, 3, 1, 2)
            detected = find_faces(pictures, networks, SMALLEST_FACE, OVERLAP)
            images, boxes, scores, points = (
                part.numpy() for part in (detected.images, detected.boxes, detected.scores, detected.points)
            )
            for number, place in enumerate(batch):
                mine = images == number
                _cut_out(frames[place], shape, boxes[mine], scores[mine], points[mine], size)


def _cut_out(
    frame: Frame, seen: tuple[int, ...], boxes: np.ndarray, scores: np.ndarray, points: np.ndarray, size: int
) -> None:
    chosen = which_face(boxes, scores)
    if isinstance(chosen, str):
        frame.missing = chosen
        return
    larger = np.array([frame.pixels.shape[1] / seen[1], frame.pixels.shape[0] / seen[0]])
    five = (np.round(points[chosen] * POINT_STEP) / POINT_STEP + 0.5) * larger - 0.5
    frame.face = aligned(frame.pixels, five, size)
    frame.score, frame.frontality = float(scores[chosen]), frontality(five)


def choose_frame(frames: list[Frame], strengths: np.ndarray | None) -> tuple[Frame, str]:
    """The frame that becomes the clip's face, and by what: the one that shows the emotion most, else the sharpest of
    the most frontal ones.

    Args:
        frames: those in which a face was found, at least one.
        strengths: how strongly each shows the clip's emotion: float [n], or None where that is not known.
    """
    if strengths is not None and np.isfinite(strengths).any():
        return frames[int(np.nanargmax(strengths))], "emotion"
    most = max(frame.frontality for frame in frames)
    frontal = [frame for frame in frames if frame.frontality >= most - AS_FRONTAL]
    return max(frontal, key=lambda frame: sharpness(frame.face)), "sharpest"  # type: ignore[arg-type]


def why_no_face(frames: list[Frame]) -> str:
    """Why none of the frames gives a face, in words."""
    least = SMALLEST_FACE / min(DETECTION_SIDE, *frames[0].pixels.shape[:2])
    looked_for = f"(looked for: {100 * least:.0f} % of the shorter side or more)"
    if len(frames) == 1:
        return f"no face {looked_for}" if frames[0].missing == "no face" else frames[0].missing
    faceless = sum(frame.missing == "no face" for frame in frames)
    if faceless == len(frames):
        return f"no face in any of {faceless} frames {looked_for}"
    return f"two faces of alike size in {len(frames) - faceless} of {len(frames)} frames, no face in the others"


def shrunk(pixels: np.ndarray, side: int) -> np.ndarray:
    """uint8 [H, W, 3] with a shorter side of at most `side`, by area."""
    height, width = pixels.shape[:2]
    smaller = side / min(height, width)
    if smaller >= 1:
        return pixels
    size = (max(round(width * smaller), 1), max(round(height * smaller), 1))
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))


@contextmanager
def one_thread() -> Iterator[None]:
    """How many threads share a sum may change its last bit, and so a pixel."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


_loaded: list[Any] = []


def _networks() -> list[Any]:
    """The detector's networks, loaded once a process."""
    if not _loaded:
        from v2f_bench.media.mtcnn_networks import load_networks

        _loaded.extend(load_networks("cpu", "finding faces in pictures and videos"))
    return _loaded
