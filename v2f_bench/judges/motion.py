"""How a face moves in a film, as a judge's output: its mouth against a voice, and flicker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from v2f_bench.interfaces import FilmJudge
from v2f_bench.media.mtcnn_networks import load_networks

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


class Motion(FilmJudge):
    """The face is followed by MTCNN and cut out as the faces of clips are; three numbers say how it moves.

    *Opening of the mouth.* In each crop, the luminance between the corners of the mouth, averaged over `COLUMNS`, is a
    vertical profile. By how many pixels its part below the mouth (`JAW`: lower lip and chin) lies lower than in the
    mean profile of the stretch, minus the same of the nose, is the opening: nodding and the tremor of the alignment
    move both parts alike. The shift is the one with the least squared difference, contrast aside, to a part of a pixel.

    *Correlation and lag.* Pearson's, between the opening and the envelope of the voice: the root mean square over
    `WINDOW` around the frame's time less a lag. The highest over the `LAGS` counts, so that even a wrong voice scores
    above 0: what it scores is the floor. A mouth that does not move, and a silent voice, have the correlation 0.

    *Flicker.* Of the crop in 8×8 cells, the mean of |x(t−1) − 2·x(t) + x(t+1)| / 2 over cells and frames, where x is a
    cell's mean luminance from 0 to 255. An even motion or change of light has 0; brightness that jumps by d and back
    with every frame has d. It is per frame, so films of one frame rate are comparable.
    """

    name = "motion"
    version = "1"
    kind = "motion"
    summary = "how mouth and brightness of a followed face move in a film; by MTCNN's points, without a network of lips"
    people = "WIDER FACE and CelebA (Zhang et al. 2016, section III)"
    met = frozenset({"wider-face", "celeba"})
    licence = "MIT"

    def start(self, device: str) -> None:
        load_networks("cpu", self.name)  # NotAvailable now, not at the first film

    def watch(self, film: FilmFile) -> np.ndarray:
        """Time, number of the stretch (0: no face), opening (NaN: no face), and the cells' luminance, of each frame."""
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
        opening = _openings(np.array(profiles), numbers)
        return np.column_stack([times, numbers, opening, np.array(cells)])

    def compare(self, seen: np.ndarray, voice: np.ndarray, rate: int) -> np.ndarray:
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
