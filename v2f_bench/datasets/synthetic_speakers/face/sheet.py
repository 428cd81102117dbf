"""The sheet a face is painted on: a grid over the frontal head, and the soft shapes and noises that are drawn there.

Lengths are in *face units*: half the width of an average head at its cheekbones, about 68 mm. `u` grows to the right of
the picture, `v` downwards, and (0, 0) lies midway between the eyes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Field = NDArray[Any]  # of float32
Point = tuple[float, float]

PICTURE_HALF = 2.1  # half the height of the picture
PICTURE_MIDDLE = 0.2  # v in the middle of the picture
MARGIN = 1.1  # the sheet reaches this much further than the picture, for turned and shifted heads
OVERSAMPLING = 1.5
LOOP_CENTRE = 0.1  # v of the point about which every `loop` runs
TURNS = 2048
TEXTURE = 512

_ANGLES = np.linspace(-np.pi, np.pi, TURNS, endpoint=False)


@dataclass(frozen=True, eq=False)
class Patch:
    """A rectangle of a sheet: its slices, and its coordinates as a row `u` [1, w] and a column `v` [h, 1]."""

    rows: slice
    columns: slice
    u: Field
    v: Field
    step: float
    pixel: float

    def stroke(self, points: Sequence[Point], width: float) -> Field:
        """A soft line of standard deviation `width` along the curve through `points`, about 1 at its heart
        and thinner towards its ends."""
        width = max(width, 0.45 * self.pixel)
        curve = smooth_curve(points, width)
        spacing = float(np.hypot(*(curve[1] - curve[0])))
        near_u = np.exp(-0.5 * ((self.u - curve[:, :1]) / np.float32(width)) ** 2)
        near_v = np.exp(-0.5 * ((self.v - curve[:, 1]) / np.float32(width)) ** 2)
        near_v *= _taper(len(curve)) * np.float32(spacing / (2.5066 * width))
        return near_v @ near_u

    def blob(self, u: float, v: float, su: float, sv: float, angle: float = 0.0) -> Field:
        """A Gaussian of height 1 about (u, v), turned by `angle` radians clockwise."""
        du, dv = self.u - u, self.v - v
        if angle == 0.0:
            return np.exp(-0.5 * (dv / sv) ** 2) * np.exp(-0.5 * (du / su) ** 2)
        c, s = float(np.cos(angle)), float(np.sin(angle))
        return np.exp(-0.5 * (((c * du + s * dv) / su) ** 2 + ((c * dv - s * du) / sv) ** 2))


@dataclass(frozen=True, eq=False)
class Sheet:
    """The grid: `u` [1, w], `v` [h, 1], and polar coordinates about the centre of loops [h, w]."""

    step: float
    pixel: float
    u: Field
    v: Field
    radius: Field
    angle: Field
    turn: NDArray[np.int32]

    def patch(self, u: float, v: float, half_u: float, half_v: float) -> Patch:
        """The rectangle about (u, v), cut off at the sheet's edges."""
        columns = self._span(float(self.u[0, 0]), self.u.size, u, half_u)
        rows = self._span(float(self.v[0, 0]), self.v.size, v, half_v)
        return Patch(rows, columns, self.u[:, columns], self.v[rows], self.step, self.pixel)

    def whole(self) -> Patch:
        """The sheet as one patch."""
        return Patch(slice(0, self.v.size), slice(0, self.u.size), self.u, self.v, self.step, self.pixel)

    def part(self, patch: Patch) -> Sheet:
        """The part of the sheet under a patch, as a sheet."""
        rows, columns = patch.rows, patch.columns
        polar = (np.ascontiguousarray(field[rows, columns]) for field in (self.radius, self.angle, self.turn))
        return Sheet(self.step, self.pixel, patch.u, patch.v, *polar)

    def _span(self, first: float, count: int, middle: float, half: float) -> slice:
        start = int(np.floor((middle - half - first) / self.step))
        stop = int(np.ceil((middle + half - first) / self.step)) + 1
        start = min(max(start, 0), count - 2)
        return slice(start, min(max(stop, start + 2), count))

    def inside(self, outline: Field) -> Field:
        """How deep each cell lies inside a loop, along the radius: positive inside, negative outside [n, n]."""
        return outline.take(self.turn) - self.radius

    def cover(self, depth: Field) -> Field:
        """Antialiased coverage, 0..1, of cells `depth` face units inside an edge."""
        return ramp(depth, -0.5 * self.pixel, 0.5 * self.pixel)


@lru_cache(maxsize=8)
def sheet(size: int) -> Sheet:
    """The sheet for pictures of `size` pixels."""
    n = round(OVERSAMPLING * size)
    half = PICTURE_HALF * MARGIN
    step = 2 * half / n
    along = ((np.arange(n) + 0.5) * step - half).astype(np.float32)
    u, v = along[None, :], along[:, None] + np.float32(PICTURE_MIDDLE)
    angle = np.arctan2(u, LOOP_CENTRE - v)
    turn = np.round((angle + np.pi) * (TURNS / (2 * np.pi))).astype(np.int32) % TURNS
    radius = np.hypot(u, v - LOOP_CENTRE)
    pixel = 2 * PICTURE_HALF / size
    return Sheet(step, pixel, u, v, radius.astype(np.float32), angle.astype(np.float32), turn)


def loop(points: Sequence[Point], soften: float = 5.0) -> Field:
    """A closed outline through `points` (in any order) as its radius at each turn, rounded over `soften` degrees."""
    u, v = np.array(points, np.float64).T
    angle, radius = np.arctan2(u, LOOP_CENTRE - v), np.hypot(u, v - LOOP_CENTRE)
    outline = np.interp(_ANGLES, angle, radius, period=2 * np.pi)
    return soften_loop(outline, soften)


def soften_loop(outline: NDArray, degrees: float) -> Field:
    """The outline with its corners rounded over `degrees`."""
    waves = np.fft.rfft(outline)
    waves *= np.exp(-0.5 * (np.arange(len(waves)) * np.deg2rad(degrees)) ** 2)
    return np.fft.irfft(waves, TURNS).astype(np.float32)


def smooth_curve(points: Sequence[Point], spacing: float) -> Field:
    """Points [k, 2] at about `spacing` along the parabola through three points."""
    start, middle, end = np.array(points, np.float32)
    length = float(np.hypot(*(middle - start)) + np.hypot(*(end - middle)))
    t = np.linspace(0, 1, int(np.clip(1.2 * length / spacing, 6, 60)), dtype=np.float32)[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * (2 * middle - (start + end) / 2) + t**2 * end


@lru_cache(maxsize=64)
def _taper(count: int) -> Field:
    return (np.sin(np.linspace(0.15, np.pi - 0.15, count)) ** 0.7).astype(np.float32)


def ramp(x: Field, low: float, high: float) -> Field:
    """0 below `low`, 1 above `high`, and a smooth step between (`low` may be the larger)."""
    t = np.asarray((x - np.float32(low)) * np.float32(1 / (high - low)))
    np.minimum(np.maximum(t, 0, out=t), 1, out=t)
    return t * t * (3 - 2 * t)


def lookup(texture: Field, across: Field, along: Field) -> Field:
    """The texture [512, 512], which repeats, at texel coordinates `along` (rows) and `across` (columns)."""
    row = np.floor(along).astype(np.int32) & (TEXTURE - 1)
    column = np.floor(across).astype(np.int32) & (TEXTURE - 1)
    return texture.ravel().take((row << 9) + column)


@lru_cache(maxsize=1)
def textures() -> dict[str, Field]:
    """Repeating noises [512, 512] of mean 0 and standard deviation 1.

    `blotch` is broad and `pore` fine; `strand` runs along the rows' axis as hair does, `lock` the same in wide locks;
    `ringlet` is made of curls. `speckle` is 0 but for round spots of up to 1.
    """
    rng = np.random.default_rng(20)

    def noise(*sigma: float) -> Field:
        field = gaussian_filter(rng.standard_normal((TEXTURE, TEXTURE)), sigma, mode="wrap")
        return ((field - field.mean()) / field.std()).astype(np.float32)

    strand = 0.8 * noise(34, 1.5) + 0.35 * noise(60, 4)
    return {
        "blotch": noise(14, 14),
        "pore": noise(1.1, 1.1),
        "speckle": _speckles(rng),
        "strand": (strand / strand.std()).astype(np.float32),
        "lock": noise(70, 12),
        "ringlet": _ringlets(rng),
    }


def _speckles(rng: np.random.Generator) -> Field:
    """Round spots, a few of them strong."""
    spots = np.zeros((TEXTURE, TEXTURE))
    rows, columns = rng.integers(TEXTURE, size=(2, 2600))
    spots[rows, columns] = rng.uniform(0.15, 1.0, 2600)
    spots = gaussian_filter(spots, 1.9, mode="wrap")
    return np.minimum(spots * (2 * np.pi * 1.9**2), 1.0).astype(np.float32)


def _ringlets(rng: np.random.Generator) -> Field:
    """Curls lying over one another: each a small dome combed round its middle."""
    field = np.full((TEXTURE, TEXTURE), -1.5, np.float32)
    for _ in range(3200):
        size = float(rng.uniform(9, 19))
        reach = int(size) + 1
        y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
        stretch, lean = float(rng.uniform(0.55, 1.0)), float(rng.uniform(0, np.pi))
        x, y = np.cos(lean) * x + np.sin(lean) * y, (np.cos(lean) * y - np.sin(lean) * x) / np.float32(stretch)
        radius = np.hypot(x, y) / size
        spiral = np.sin(radius * 8 + np.arctan2(y, x) * rng.choice((-1, 1)) + float(rng.uniform(0, 6)))
        dome = 1.1 * np.sqrt(np.maximum(1 - radius**2, 0)) - 0.8 + 0.55 * spiral * radius
        rows = (np.arange(-reach, reach + 1) + int(rng.integers(TEXTURE))) % TEXTURE
        columns = (np.arange(-reach, reach + 1) + int(rng.integers(TEXTURE))) % TEXTURE
        under = field[np.ix_(rows, columns)]
        field[np.ix_(rows, columns)] = under + (dome - under) * ramp(1 - radius, 0.0, 0.25)
    field = gaussian_filter(np.maximum(field, -0.9), 1.2, mode="wrap")
    return ((field - field.mean()) / field.std()).astype(np.float32)
