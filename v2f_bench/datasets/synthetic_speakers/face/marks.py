"""Marks: the mounds, hollows, creases and spots of a face, each a soft one, all laid into the picture at once.

A mark is one Gaussian along the axes of the picture, or a row of them: along a crease's curve, or along the longer axis
of a mound that lies aslant. A Gaussian is a product of a function of the column and one of the row, so that the sum
of several hundred of them is one product of two matrices.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from v2f_bench.datasets.synthetic_speakers.face.grid import Grid
from v2f_bench.datasets.synthetic_speakers.face.shapes import Field, Point

RELIEF, SHADOW, GLOSS, RED, GREEN, BLUE = range(6)
_SPACING = 1.7  # standard deviations between the Gaussians of a row: their sum is then even to 0.2 %
_REACH = 2.3  # standard deviations to which a slanting mound's row goes
_NARROWEST = 0.42  # of a pixel: a narrower Gaussian would fall between the pixels' centres
_FAINTEST = np.float32(-18.0)  # exponent below which all is as good as 0, but far from the slow denormal numbers
RGB = tuple[float, float, float]


class Marks:
    """Marks that wait to be laid down. Places and widths (standard deviations) are in face units."""

    def __init__(self) -> None:
        self._mounds: list[tuple[float, ...]] = []
        self._creases: list[tuple[float, ...]] = []

    def swell(self, u: float, v: float, su: float, sv: float, height: float, angle: float = 0.0) -> None:
        """Raise (or sink) a soft mound, turned by `angle` radians clockwise."""
        self._mounds.append((u, v, su, sv, angle, height, 0, 0, 0, 0, 0))

    def swell_both(self, u: float, v: float, su: float, sv: float, height: float, angle: float = 0.0) -> None:
        """The same on both sides."""
        self.swell(u, v, su, sv, height, angle)
        self.swell(-u, v, su, sv, height, -angle)

    def darken(self, u: float, v: float, su: float, sv: float, amount: float, angle: float = 0.0) -> None:
        """Keep the share `amount` of the light away from a soft spot."""
        self._mounds.append((u, v, su, sv, angle, 0, -np.log1p(-amount), 0, 0, 0, 0))

    def shine(self, u: float, v: float, su: float, sv: float, amount: float) -> None:
        """Make a soft spot glossier."""
        self._mounds.append((u, v, su, sv, 0.0, 0, 0, amount, 0, 0, 0))

    def flush(self, u: float, v: float, su: float, sv: float, factor: RGB) -> None:
        """Multiply the colour of a soft spot."""
        self._mounds.append((u, v, su, sv, 0.0, 0, 0, 0, *np.log(factor).tolist()))

    def crease(self, start: Point, middle: Point, end: Point, width: float, depth: float) -> None:
        """A furrow along the parabola through three points; `depth` about 1 is a deep one."""
        if depth >= 0.03:
            self._creases.append((*start, *middle, *end, width, depth))

    def laid(self, grid: Grid) -> Field:
        """The sum of all marks [6, n, n]: RELIEF in face units, SHADOW and colours as logarithms, GLOSS."""
        nodes = np.concatenate([_of_mounds(self._mounds), _of_creases(self._creases)])
        across, along, strength = _profiles(grid, *nodes[:, :4].T)
        sums = np.empty((6, along.shape[1], across.shape[1]), np.float32)
        for channel, amount in enumerate((nodes[:, 4:].T * strength).astype(np.float32)):
            used = np.flatnonzero(amount)
            np.matmul((along[used] * amount[used, None]).T, across[used], out=sums[channel])
        return sums


def _of_mounds(mounds: Sequence[tuple[float, ...]]) -> Field:
    """Nodes [k, 10] of mounds: u, v, their widths, and the six amounts."""
    table = np.array(mounds, np.float64).reshape(-1, 11)
    u, v, su, sv, angle = table[:, :5].T
    slanting = angle != 0
    least, most = np.minimum(su, sv), np.maximum(su, sv)
    row = np.where(slanting, np.sqrt(most**2 - least**2), 0.0)
    counts = np.ceil(2 * _REACH * row / (_SPACING * least)).astype(int) + 1
    mound, number = _ragged(counts)
    x = (2 * number / np.maximum(counts - 1, 1)[mound] - 1) * (_REACH * (counts > 1))[mound]
    weight = np.exp(-0.5 * x * x)
    weight *= (np.where(slanting, most / least, 1.0) / np.bincount(mound, weight, len(table)))[mound]
    x *= row[mound]
    direction = angle + np.where(su > sv, 0.0, np.pi / 2)
    nodes = np.empty((len(mound), 10))
    nodes[:, 0] = u[mound] + x * np.cos(direction)[mound]
    nodes[:, 1] = v[mound] + x * np.sin(direction)[mound]
    nodes[:, 2] = np.where(slanting, least, su)[mound]
    nodes[:, 3] = np.where(slanting, least, sv)[mound]
    nodes[:, 4:] = table[mound, 5:] * weight[:, None]
    return nodes


def _of_creases(creases: Sequence[tuple[float, ...]]) -> Field:
    """Nodes [k, 10] of creases: a line about 1 at its heart, and thinner towards its ends."""
    table = np.array(creases, np.float64).reshape(-1, 8)
    start, middle, end, (width, depth) = table[:, 0:2], table[:, 2:4], table[:, 4:6], table[:, 6:].T
    length = np.hypot(*(middle - start).T) + np.hypot(*(end - middle).T)
    counts = np.maximum(np.ceil(length / (_SPACING * width)).astype(int) + 1, 4)
    crease, number = _ragged(counts)
    t = (number / (counts - 1)[crease])[:, None]
    bend = 2 * middle - 0.5 * (start + end)
    nodes = np.zeros((len(crease), 10))
    nodes[:, :2] = (1 - t) ** 2 * start[crease] + 2 * t * (1 - t) * bend[crease] + t**2 * end[crease]
    nodes[:, 2] = nodes[:, 3] = width[crease]
    taper = np.sin(0.15 + (np.pi - 0.3) * t[:, 0]) ** 0.7
    line = taper * (length / ((counts - 1) * width * np.sqrt(2 * np.pi)))[crease]
    nodes[:, 4 + RELIEF] = (-0.55 * depth * width)[crease] * line
    nodes[:, 4 + SHADOW] = -np.log1p(-np.minimum(0.34 * depth, 0.6))[crease] * line
    return nodes


def _ragged(counts: Field) -> tuple[Field, Field]:
    """For rows of `counts` items each: of every item its row, and its number in it."""
    row = np.repeat(np.arange(len(counts)), counts)
    return row, np.arange(len(row)) - (np.cumsum(counts) - counts)[row]


def _profiles(grid: Grid, u: Field, v: Field, su: Field, sv: Field) -> tuple[Field, Field, Field]:
    """Each Gaussian as the picture shows it, over its columns and its rows, both [k, n], and its strength [k].

    One that is finer than a pixel is drawn a pixel wide, and fainter.
    """
    step = 0.01
    a, b = grid.framing.place(np.stack([u, u + step, u]), np.stack([v, v, v + step]))
    wide, tall = su * np.abs(a[1] - a[0]) / step, sv * np.abs(b[2] - b[0]) / step
    drawn_wide, drawn_tall = np.maximum(wide, _NARROWEST * grid.pixel), np.maximum(tall, _NARROWEST * grid.pixel)
    strength = (wide / drawn_wide) * (tall / drawn_tall)
    return _profile(grid.a[0], a[0], drawn_wide), _profile(grid.b[:, 0], b[0], drawn_tall), strength


def _profile(at: Field, middle: Field, width: Field) -> Field:
    z = at - middle[:, None].astype(np.float32)
    z *= z
    z *= (-0.5 / width**2)[:, None].astype(np.float32)
    np.maximum(z, _FAINTEST, out=z)
    return np.exp(z, out=z)
