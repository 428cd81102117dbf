"""How aligned crops of a face move: how far the mouth is open, how that goes with a voice, and flicker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from v2f_bench.interfaces import FilmFile

SIDE = 128  # pixels of the aligned crop that is measured
COLUMNS = (0.40, 0.60)  # of the crop's side: between the corners of the mouth
JAW, NOSE = (0.78, 0.96), (0.50, 0.68)  # rows: lower lip and chin below the corners of the mouth; nose
REACH, STEP = 8.0, 0.5  # pixels: by how much a part may have moved, and the grid on which that is searched
BLUR = 1.0  # pixels: the deviation of the Gaussian that a profile is smoothed by
CELLS = 8  # a side: the crop in cells of 16×16 pixels, whose mean luminance is watched for flicker
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
FACES_NEEDED = 10  # frames with a face, below which nothing is said, and half of all frames
STILL = 0.05  # pixels: the deviation of an opening below which the mouth does not move
WINDOW = 0.08  # seconds over which the energy of the voice is taken
LAGS = np.arange(-10, 11) * 0.02  # seconds that the mouth may come later than the voice
SHARED = 0.5  # of the frames with a face: as many must fall into the time of the voice


def watched(film: FilmFile) -> np.ndarray:
    """Time, number of the stretch, opening, and the cells' luminance, of each frame: float [T, 3 + 64]; NaN without a
    face, whose stretch is 0."""
    times, stretches, profiles, cells = [], [], [], []
    for face in film.faces(SIDE):
        times.append(face.time)
        stretches.append(face.stretch)
        grey = np.full((SIDE, SIDE), np.nan) if face.pixels is None else face.pixels @ LUMA
        profiles.append(grey[:, _part(COLUMNS)].mean(axis=1))
        cells.append(grey.reshape(CELLS, SIDE // CELLS, CELLS, SIDE // CELLS).mean(axis=(1, 3)).ravel())
    if not times:
        return np.empty((0, 3 + CELLS**2))
    numbers = np.array(stretches)
    return np.column_stack([times, numbers, _openings(np.array(profiles), numbers), np.array(cells)])


def compared(seen: np.ndarray, voice: np.ndarray, rate: int) -> np.ndarray:
    """Correlation, lag and flicker of what `watched` gives, against a voice: float32 [3]; NaN where too few frames have
    a face."""
    faces = seen[:, 1] > 0
    if faces.sum() < max(FACES_NEEDED, len(seen) / 2):
        return np.full(3, np.nan, np.float32)
    best, lag = best_correlation(seen[faces, 0], seen[faces, 2], voice, rate)
    return np.array([best, lag, flicker(seen[:, 3:], seen[:, 1])], np.float32)


def best_correlation(times: np.ndarray, opening: np.ndarray, voice: np.ndarray, rate: int) -> tuple[float, float]:
    """The highest correlation over `LAGS` of an opening at these times with a voice's envelope, and the lag.

    0 and 0 where mouth or voice never move; NaN where too little of the film falls into the time of the voice.
    """
    energy = np.concatenate([[0.0], np.cumsum(voice.astype(np.float64) ** 2)])
    length = len(voice) / rate
    best, at, said = -np.inf, 0.0, False
    for lag in LAGS:
        heard = times - lag
        within = (heard >= 0) & (heard <= length)
        if within.sum() < max(FACES_NEEDED, SHARED * len(times)):
            continue
        said = True
        ends = [np.clip(np.round((heard[within] + side) * rate), 0, len(voice)) for side in (-WINDOW / 2, WINDOW / 2)]
        first, last = (end.astype(int) for end in ends)
        envelope = np.sqrt((energy[last] - energy[first]) / np.maximum(last - first, 1))
        mouth = opening[within]
        if mouth.std() >= STILL and envelope.std() > 0:
            here = float(np.corrcoef(mouth, envelope)[0, 1])
            if here > best:
                best, at = here, float(lag)
    if not said:
        return np.nan, np.nan
    return (best, at) if np.isfinite(best) else (0.0, 0.0)


def flicker(cells: np.ndarray, stretches: np.ndarray) -> float:
    """The mean second difference of cells float [T, C] within stretches int [T], halved; NaN without three frames in a
    row."""
    second = np.abs(cells[:-2] - 2 * cells[1:-1] + cells[2:]) / 2
    within = (stretches[1:-1] > 0) & (stretches[:-2] == stretches[1:-1]) & (stretches[2:] == stretches[1:-1])
    return float(second[within].mean()) if within.any() else float("nan")


def _openings(profiles: np.ndarray, stretches: np.ndarray) -> np.ndarray:
    """The opening in each frame, in pixels of the crop: float [T] of profiles float [T, SIDE]."""
    from scipy.ndimage import gaussian_filter1d

    openings = np.full(len(profiles), np.nan)
    for number in np.unique(stretches[stretches > 0]):
        mine = stretches == number
        smooth = gaussian_filter1d(profiles[mine], BLUR, axis=1)
        openings[mine] = _shifts(smooth, JAW) - _shifts(smooth, NOSE)
    return openings


def _shifts(profiles: np.ndarray, rows: tuple[float, float]) -> np.ndarray:
    """By how many pixels a part of each profile [T, SIDE] lies lower than in their mean: float [T]."""
    part = np.arange(SIDE)[_part(rows)]
    wanted = profiles.mean(axis=0)[part]
    wanted = wanted - wanted.mean()
    shifts = np.arange(-REACH, REACH + STEP / 2, STEP)
    errors = np.empty((len(profiles), len(shifts)))
    for column, shift in enumerate(shifts):
        low = np.floor(part + shift).astype(int)
        share = part + shift - low
        low, high = low.clip(0, SIDE - 1), (low + 1).clip(0, SIDE - 1)
        moved = (1 - share) * profiles[:, low] + share * profiles[:, high]
        errors[:, column] = ((moved - moved.mean(axis=1, keepdims=True) - wanted) ** 2).mean(axis=1)
    least = errors.argmin(axis=1).clip(1, len(shifts) - 2)
    before, there, after = (errors[np.arange(len(errors)), least + step] for step in (-1, 0, 1))
    bend = before - 2 * there + after  # a parabola through the three has its lowest point between them
    beside = np.divide(before - after, 2 * bend, out=np.zeros_like(bend), where=bend > 0)
    return np.asarray(shifts[least] + beside.clip(-1, 1) * STEP)


def _part(ends: tuple[float, float]) -> slice:
    return slice(int(ends[0] * SIDE), int(ends[1] * SIDE))
