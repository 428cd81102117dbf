"""Loops: closed outlines that run once round the head, each the radius at every turn about one centre."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from v2f_bench.datasets.synthetic_speakers.face.shapes import Field, Point

LOOP_CENTRE = 0.1  # v of the point about which every loop runs
TURNS = 2048
KNOTS = 512

_ANGLES = np.linspace(-np.pi, np.pi, KNOTS, endpoint=False)
_WAVES = np.arange(KNOTS // 2 + 1)


def loop(points: Sequence[Point], soften: float = 5.0) -> Field:
    """A closed outline through `points` (in any order) as its radius at each turn, rounded over `soften` degrees."""
    u, v = np.array(points, np.float64).T
    angle, radius = np.arctan2(u, LOOP_CENTRE - v), np.hypot(u, v - LOOP_CENTRE)
    outline = np.interp(_ANGLES, angle, radius, period=2 * np.pi)
    waves = np.fft.rfft(outline) * np.exp(-0.5 * (_WAVES * np.deg2rad(soften)) ** 2)
    return at_every_turn(waves)


def at_every_turn(waves: Field) -> Field:
    """The loop with these Fourier coefficients (of `KNOTS` points), at every turn [TURNS]."""
    return (np.fft.irfft(waves, TURNS) * (TURNS / KNOTS)).astype(np.float32)
