"""The grid a face is painted on: the pixels of the picture, and the place on the head that each of them shows.

Lengths are in *face units*: half the width of an average head at its cheekbones, about 68 mm. On the head, `u` grows to
the right of the picture, `v` downwards, and (0, 0) lies midway between the eyes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2f_bench.datasets.synthetic_speakers.face.framing import Framing
from v2f_bench.datasets.synthetic_speakers.face.loops import LOOP_CENTRE, TURNS
from v2f_bench.datasets.synthetic_speakers.face.shapes import Field, ramp


@dataclass(frozen=True, eq=False)
class Patch:
    """A rectangle of a grid: its slices, and the place on the head under each pixel, `u` and `v` [h, w]."""

    rows: slice
    columns: slice
    u: Field
    v: Field
    pixel: float

    @property
    def place(self) -> tuple[slice, slice]:
        """Where the patch lies in a field of the grid."""
        return self.rows, self.columns


@dataclass(frozen=True, eq=False)
class Grid:
    """The pixels of a picture.

    `a` [1, n] and `b` [n, 1] are where they lie in the picture, in face units from its left and upper edge; `u` and `v`
    [n, n] where on the head; `radius`, `angle` and `turn` the same in polar coordinates about the centre of loops.
    """

    framing: Framing
    pixel: float
    a: Field
    b: Field
    u: Field
    v: Field
    radius: Field
    angle: Field
    turn: Field

    def patch(self, u: float, v: float, half_u: float, half_v: float) -> Patch:
        """The rectangle that shows what lies within these lengths of (u, v), cut off at the picture's edges."""
        a, b = self.framing.place(u, v)
        slack = self.pixel + 0.15 * (abs(self.framing.yaw) + abs(self.framing.pitch))
        rows, columns = self._span(float(b), half_v + slack), self._span(float(a), half_u + slack)
        return Patch(rows, columns, self.u[rows, columns], self.v[rows, columns], self.pixel)

    @property
    def whole(self) -> Patch:
        """The picture as one patch."""
        return self._rows(0, len(self.v))

    def above(self, v: float) -> Patch:
        """All rows that show what lies above `v`."""
        return self._rows(0, max(self._row(v, self.framing.side), 2))

    def below(self, v: float) -> Patch:
        """All rows that show what lies below `v`."""
        return self._rows(min(self._row(v, -self.framing.side), len(self.v) - 2), len(self.v))

    def part(self, patch: Patch) -> Grid:
        """The pixels of a patch, as a grid."""
        rows, columns = patch.place
        polar = (field[rows, columns] for field in (self.radius, self.angle, self.turn))
        return Grid(self.framing, self.pixel, self.a[:, columns], self.b[rows], patch.u, patch.v, *polar)

    def _row(self, v: float, side: float) -> int:
        """The row of (0, v), and a margin for what a turned head shows to the sides of it."""
        _, b = self.framing.place(0.0, v)
        return int(np.clip((float(b) + 0.03 * side) / self.pixel, 0, len(self.v)))

    def _rows(self, start: int, stop: int) -> Patch:
        rows, columns = slice(start, stop), slice(0, self.v.shape[1])
        return Patch(rows, columns, self.u[rows], self.v[rows], self.pixel)

    def _span(self, middle: float, half: float) -> slice:
        n = len(self.v)
        start = min(max(int(np.floor((middle - half) / self.pixel)), 0), n - 2)
        return slice(start, min(max(int(np.ceil((middle + half) / self.pixel)) + 1, start + 2), n))

    def inside(self, outline: Field) -> Field:
        """How deep each pixel lies inside a loop, along the radius: positive inside, negative outside [n, n]."""
        return outline.take(self.turn) - self.radius

    def cover(self, depth: Field) -> Field:
        """Antialiased coverage, 0..1, of pixels `depth` face units inside an edge."""
        return ramp(depth, -0.5 * self.pixel, 0.5 * self.pixel)


def grid_of(framing: Framing, size: int) -> Grid:
    """The grid of a picture of `size` pixels a side."""
    pixel = framing.side / size
    along = ((np.arange(size) + 0.5) * pixel).astype(np.float32)
    a, b = along[None, :], along[:, None]
    u, v = framing.on_head(a, b)
    down = v - np.float32(LOOP_CENTRE)
    angle = np.arctan2(u, -down)
    turn = (angle * np.float32(TURNS / (2 * np.pi)) + np.float32(TURNS / 2 + 0.5)).astype(np.int32) & (TURNS - 1)
    return Grid(framing, pixel, a, b, u, v, np.sqrt(u * u + down * down), angle, turn)
