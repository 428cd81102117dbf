"""What every part of a face is drawn with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Field = NDArray[Any]  # of float32
Point = tuple[float, float]


def ramp(x: Field, low: float, high: float) -> Field:
    """0 below `low`, 1 above `high`, and a smooth step between (`low` may be the larger)."""
    t = np.asarray(x - np.float32(low))
    t *= np.float32(1 / (high - low))
    np.minimum(np.maximum(t, 0, out=t), 1, out=t)
    square = t * t
    t *= -2
    t += 3
    square *= t
    return square


def bell(x: Field, width: float) -> Field:
    """A Gaussian of height 1 and standard deviation `width`."""
    t = np.asarray(x * np.float32(1 / width))
    t *= t
    t *= np.float32(-0.5)
    return np.exp(t, out=t)


def ellipse(u: Field, v: Field, su: float, sv: float, angle: float = 0.0) -> Field:
    """A two-dimensional Gaussian of height 1, turned by `angle` radians clockwise."""
    if angle != 0.0:
        c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        u, v = c * u + s * v, c * v - s * u
    return np.exp((u * np.float32(1 / su)) ** 2 * -0.5 + (v * np.float32(1 / sv)) ** 2 * -0.5)
