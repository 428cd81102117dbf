"""Pauses in recordings, by their energy.

Rabiner and Sambur, An Algorithm for Determining the Endpoints of Isolated Utterances, Bell System Technical Journal
54(2), 1975, section III: with the energy of the background IMN and of the loudest frame IMX, the lower threshold is
ITL = min(0.03 (IMX - IMN) + IMN, 4 IMN) and the upper one ITU = 5 ITL; speech is a stretch above ITL that somewhere
rises above ITU. As there, energy is the mean magnitude, not its square. Other than there, the background is taken from
the quietest tenth of the frames (recordings need not begin with silence); where it is so loud that nothing reaches five
times ITL, a quarter of the way to the loudest frame is enough; and weak beginnings and ends of words, which they find
by zero crossings, are kept by a margin.
"""

from __future__ import annotations

import numpy as np

FRAME = 0.03  # seconds
QUIETEST = 10  # percent of the frames, of which the loudest tells the background's energy
SOFTEST = 2**-15  # one step of 16 bits: what lies below is no background, but the rounding of silence
NEARLY_LOUDEST = 0.25  # of the way from the background to the loudest frame: speech, whatever the background
MARGIN = 0.06  # seconds of a pause that stay on each side where there is speech


def speech_frames(samples: np.ndarray, rate: int) -> np.ndarray:
    """Which frames of `FRAME` seconds hold speech: bool [ceil(T / frame)], from float32 [T] in [-1, 1] at `rate` Hz."""
    length = round(FRAME * rate)
    count = -(-len(samples) // length)
    framed = np.zeros(count * length, np.float32)
    framed[: len(samples)] = samples
    energy = np.abs(framed.reshape(count, length)).mean(axis=1)
    if not energy.any():
        return np.zeros(count, bool)
    background, loudest = max(np.percentile(energy, QUIETEST), SOFTEST), energy.max()
    lower = min(0.03 * (loudest - background) + background, 4 * background)
    above = energy > lower
    if not above.any():
        return np.ones(count, bool)
    starts = np.flatnonzero(np.diff(above, prepend=not above[0]))  # of stretches above or not above, in turn
    peaks = np.maximum.reduceat(energy, starts)
    upper = min(5 * lower, background + NEARLY_LOUDEST * (loudest - background))
    return above & np.repeat(peaks >= upper, np.diff(starts, append=count))


def without_pauses(samples: np.ndarray, rate: int, longest: float) -> np.ndarray:
    """float32 [T] at `rate` Hz without its pauses of `longest` seconds or more, also at its beginning and end.

    Nothing remains of digital silence; a recording of even loudness, whose pauses nothing tells, stays as it is.
    """
    speech = speech_frames(samples, rate)
    if not speech.any():
        return samples[:0]
    length = round(FRAME * rate)
    starts = np.flatnonzero(np.diff(speech, prepend=not speech[0]))
    ends = np.append(starts[1:], len(speech))
    margin = round(min(MARGIN, longest / 4) * rate)
    kept = np.ones(len(samples), bool)
    for start, end in zip(starts, ends, strict=True):
        if not speech[start] and min(end * length, len(samples)) - start * length >= longest * rate:
            inner_start = start * length + (margin if start else 0)
            inner_end = end * length - margin if end < len(speech) else len(samples)
            kept[inner_start:inner_end] = False
    return samples[kept]
