"""From a found face to a crop that is framed as all others: five points brought to the same places."""

from __future__ import annotations

import numpy as np
from PIL import Image

# Left eye, right eye, nose, corners of the mouth, in parts of the crop's side: the mean over 88 pictures of
# VGG_ALL_FRONTAL, whose framing the field trains on, with left and right made mirror images.
TEMPLATE = np.array([(0.35, 0.467), (0.65, 0.467), (0.5, 0.648), (0.366, 0.765), (0.634, 0.765)])
CLEARLY_BIGGER = 1.5  # times the side of any other face: then it is the one that is meant
DOUBTFUL = 0.9  # a face below this score is none beside one above it


def which_face(boxes: np.ndarray, scores: np.ndarray) -> int | str:
    """The row of the face that a picture shows, or why there is none: "no face" or "two faces of alike size".

    Args:
        boxes: float [K, 4], left, top, right, bottom.
        scores: float [K].
    """
    if not len(boxes):
        return "no face"
    sure = scores >= DOUBTFUL if (scores >= DOUBTFUL).any() else np.ones(len(scores), bool)
    sides = np.where(sure, np.sqrt((boxes[:, 2:] - boxes[:, :2]).clip(0).prod(axis=1)), 0.0)
    biggest = int(sides.argmax())
    others = np.delete(sides, biggest)
    if len(others) and others.max() * CLEARLY_BIGGER > sides[biggest]:
        return "two faces of alike size"
    return biggest


def frontality(points: np.ndarray) -> float:
    """How frontal a face is, from 1 (nose and mouth in the middle) to 0 (a profile), by its points float [5, 2].

    The mean, over eyes and corners of the mouth, of the nose's distance to the nearer one in parts of that to the
    farther one, measured along the line of the eyes.
    """
    left, right, nose, mouth_left, mouth_right = points
    along = (right - left) / max(float(np.linalg.norm(right - left)), 1e-9)
    ratios = []
    for one, other in ((left, right), (mouth_left, mouth_right)):
        distances = sorted((float((nose - one) @ along), float((other - nose) @ along)))
        ratios.append(max(distances[0], 0.0) / distances[1] if distances[1] > 0 else 0.0)
    return float(np.mean(ratios))


def sharpness(face: np.ndarray) -> float:
    """Variance of the Laplacian of uint8 [H, W, 3] (Pech-Pacheco et al. 2000); comparable among crops of one size."""
    grey = face.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    middle = grey[1:-1, 1:-1]
    return float((grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * middle).var())


def similarity(points: np.ndarray, places: np.ndarray) -> tuple[complex, complex]:
    """Turn, scale and shift that bring `points` closest to `places`, both float [n, 2]: z → a·z + b with z = x + iy.

    The least-squares solution of Umeyama (PAMI 1991), in the plane, where complex numbers say it in one line.
    """
    start, end = points[:, 0] + 1j * points[:, 1], places[:, 0] + 1j * places[:, 1]
    centred = start - start.mean()
    turn = (centred.conj() @ (end - end.mean())) / (centred.conj() @ centred)
    return complex(turn), complex(end.mean() - turn * start.mean())


def aligned(pixels: np.ndarray, points: np.ndarray, size: int) -> np.ndarray:
    """The face with these five `points` (a pixel's centre has whole coordinates) in uint8 [H, W, 3], cut out so that
    they come to lie at `TEMPLATE`: uint8 [size, size, 3]. Beyond the picture its edge is repeated."""
    turn, shift = similarity(TEMPLATE * size, points + 0.5)  # from the crop to the picture
    corners = np.array([0, size, size * 1j, size + size * 1j]) * turn + shift
    left, top = int(np.floor(corners.real.min())) - 2, int(np.floor(corners.imag.min())) - 2
    right, bottom = int(np.ceil(corners.real.max())) + 2, int(np.ceil(corners.imag.max())) + 2
    region = Image.fromarray(_region(pixels, left, top, right, bottom))
    shrink = max(abs(turn), 1.0)  # first without aliasing to the crop's scale, then turned
    width, height = (max(round(side / shrink), 1) for side in region.size)
    across, down = width / region.width, height / region.height
    if shrink > 1:
        region = region.resize((width, height), Image.Resampling.BICUBIC)
    turning = (
        *(turn.real * across, -turn.imag * across, (shift.real - left) * across),
        *(turn.imag * down, turn.real * down, (shift.imag - top) * down),
    )
    return np.array(region.transform((size, size), Image.Transform.AFFINE, turning, Image.Resampling.BICUBIC))


def _region(pixels: np.ndarray, left: int, top: int, right: int, bottom: int) -> np.ndarray:
    """The part of a picture between these columns and rows; beyond the picture its edge is repeated."""
    height, width = pixels.shape[:2]
    if left >= 0 and top >= 0 and right <= width and bottom <= height:
        return pixels[top:bottom, left:right]
    rows, columns = np.arange(top, bottom).clip(0, height - 1), np.arange(left, right).clip(0, width - 1)
    return pixels[rows[:, None], columns]
