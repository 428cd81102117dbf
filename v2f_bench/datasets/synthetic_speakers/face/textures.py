"""Repeating noises: skin, hair and cloth have no detail but theirs."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from v2f_bench.datasets.synthetic_speakers.face.shapes import Field, ramp

SIDE = 512
_FAR = 64 * SIDE  # makes coordinates positive, so that they are rounded down


def lookup(name: str, across: Field, along: Field, across_pixel: float, along_pixel: float) -> Field:
    """The texture at texel coordinates `along` (rows) and `across` (columns).

    A pixel is `across_pixel` by `along_pixel` texels: finer detail is averaged away, as it would be in a photograph.
    """
    texture = _averaged(name, _level(along_pixel), _level(across_pixel))
    row, column = ((axis + np.float32(_FAR)).astype(np.int32) for axis in (along, across))
    row &= SIDE - 1
    row *= SIDE
    column &= SIDE - 1
    row += column
    return texture.ravel().take(row)


def _level(pixel: float) -> int:
    return max(0, round(2 * np.log2(max(pixel, 1e-3))))


@lru_cache(maxsize=64)
def _averaged(name: str, rows: int, columns: int) -> Field:
    """A texture without detail finer than 2 ** (level / 2) texels; level 0 leaves everything."""
    sigma = [0.29 * 2 ** (level / 2) if level else 0.0 for level in (rows, columns)]
    return _blurred(_textures()[name], *sigma) if any(sigma) else _textures()[name]


@lru_cache(maxsize=1)
def _textures() -> dict[str, Field]:
    """Noises [SIDE, SIDE] of mean 0 and standard deviation 1.

    `blotch` is broad and `pore` fine; `strand` runs along the rows' axis as hair does, `lock` the same in wide locks;
    `ringlet` is made of curls.
    """
    rng = np.random.default_rng(20)

    def noise(*sigma: float) -> Field:
        return _standard(_blurred(rng.standard_normal((SIDE, SIDE), np.float32), *sigma))

    return {
        "blotch": noise(14, 14),
        "pore": noise(1.1, 1.1),
        "strand": _standard(0.8 * noise(34, 1.5) + 0.35 * noise(60, 4)),
        "lock": noise(70, 12),
        "ringlet": _standard(_blurred(np.tile(_ringlets(rng), (2, 2)), 1.2, 1.2)),
    }


def _standard(field: Field) -> Field:
    return ((field - field.mean()) / field.std()).astype(np.float32)


def _blurred(field: Field, down: float, across: float) -> Field:
    """A field that repeats, seen through a Gaussian of these standard deviations in cells."""
    rows, columns = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)
    gain = np.exp(-2 * np.pi**2 * ((down * rows) ** 2 + (across * columns) ** 2))
    return np.fft.irfft2(np.fft.rfft2(field) * gain, (SIDE, SIDE)).astype(np.float32)


def _ringlets(rng: np.random.Generator) -> Field:
    """Curls lying over one another [SIDE / 2, SIDE / 2]: each a small dome combed round its middle."""
    side = SIDE // 2
    field = np.full((side, side), -0.9, np.float32)
    for _ in range(800):
        size = float(rng.uniform(9, 19))
        reach = int(size) + 1
        y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
        stretch, lean = float(rng.uniform(0.55, 1.0)), float(rng.uniform(0, np.pi))
        x, y = np.cos(lean) * x + np.sin(lean) * y, (np.cos(lean) * y - np.sin(lean) * x) / np.float32(stretch)
        radius = np.hypot(x, y) / size
        spiral = np.sin(radius * 8 + np.arctan2(y, x) * rng.choice((-1, 1)) + float(rng.uniform(0, 6)))
        dome = 1.1 * np.sqrt(np.maximum(1 - radius**2, 0)) - 0.8 + 0.55 * spiral * radius
        rows = (np.arange(-reach, reach + 1) + int(rng.integers(side))) % side
        columns = (np.arange(-reach, reach + 1) + int(rng.integers(side))) % side
        under = field[np.ix_(rows, columns)]
        field[np.ix_(rows, columns)] = under + (dome - under) * ramp(1 - radius, 0.0, 0.25)
    return np.maximum(field, -0.9)
