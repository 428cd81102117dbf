"""What stands behind the person, and what the person wears."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from v2f_bench.datasets.synthetic_speakers.face.appearance import Appearance, linear
from v2f_bench.datasets.synthetic_speakers.face.canvas import Canvas
from v2f_bench.datasets.synthetic_speakers.face.grid import Patch
from v2f_bench.datasets.synthetic_speakers.face.light import lit
from v2f_bench.datasets.synthetic_speakers.face.scene import Scene
from v2f_bench.datasets.synthetic_speakers.face.shapes import Field, bell, ramp
from v2f_bench.datasets.synthetic_speakers.face.textures import lookup

_COARSE = 24


def backdrop(face: Appearance, size: int) -> Field:
    """The background, out of focus [3, size, size]."""
    rng = face.random_today(2)
    paint = {"studio": _studio, "room": _room, "window": _window, "garden": _garden, "street": _street}
    small = paint[face.scene.backdrop](face.scene, rng).astype(np.float32)
    matrix = _enlarge(size)
    across = small @ np.ascontiguousarray(matrix.T)
    wide = np.stack([matrix @ channel for channel in across])
    return np.clip(wide * np.float32(0.55 + 0.45 * face.scene.strength), 0.004, 1.0)


@lru_cache(maxsize=8)
def _enlarge(n: int) -> Field:
    """Smooth interpolation from `_COARSE` to `n` points, as a matrix [n, _COARSE]."""
    at = (np.arange(n) + 0.5) * _COARSE / n - 0.5
    weights = np.exp(-0.5 * ((at[:, None] - np.arange(_COARSE)[None]) / 0.62) ** 2)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


@lru_cache(maxsize=1)
def _coarse() -> tuple[Field, Field]:
    """Coordinates right [1, _COARSE] and down [_COARSE, 1] on the small picture of a backdrop, 0..1."""
    along = np.linspace(0, 1, _COARSE, dtype=np.float32)
    return along[None], along[:, None]


def _base(scene: Scene) -> Field:
    return linear(scene.backdrop_colour)[:, None, None]


def _studio(scene: Scene, rng: np.random.Generator) -> Field:
    x, y = _coarse()
    glow = np.exp(-(((x - 0.5 + 0.3 * scene.light[0]) / 0.6) ** 2 + ((y - 0.45) / 0.65) ** 2))
    return _base(scene) * (0.72 + 0.42 * glow)


def _room(scene: Scene, rng: np.random.Generator) -> Field:
    x, y = _coarse()
    wall = _base(scene) * (1.05 - 0.25 * y + 0.12 * np.sign(scene.light[0]) * (x - 0.5))
    for _ in range(int(rng.integers(1, 4))):
        left, wide, top, tall = rng.uniform((-0.1, 0.1, 0.0, 0.3), (0.9, 0.35, 0.5, 0.9))
        thing = _base(scene) * rng.uniform(0.35, 1.3) * (1 + 0.06 * rng.standard_normal((3, 1, 1)))
        wall = np.where((x > left) & (x < left + wide) & (y > top) & (y < top + tall), thing, wall)
    return wall


def _window(scene: Scene, rng: np.random.Generator) -> Field:
    x, y = _coarse()
    side = -1 if scene.light[0] > 0 else 1
    bright = ramp(side * (x - 0.5) + 0.5, 0.75, 0.1) * rng.uniform(0.4, 0.9)
    wall, day = 0.7 * _base(scene), linear((0.86, 0.89, 0.90))[:, None, None]
    return wall + (day - wall) * (bright + 0 * y)


def _garden(scene: Scene, rng: np.random.Generator) -> Field:
    x, y = _coarse()
    sky = linear((0.74, 0.80, 0.83))[:, None, None]
    leaf = linear((0.33, 0.39, 0.27))[:, None, None] * (
        1 + rng.uniform((-0.1, -0.1, -0.15), (0.5, 0.1, 0.15))[:, None, None]
    )
    horizon, hills = rng.uniform(0.0, 0.5), rng.uniform(4, 9)
    land = ramp(y + 0.12 * np.sin(hills * x), horizon - 0.1, horizon + 0.1)
    dapple = rng.lognormal(0, 0.28, (1, _COARSE, _COARSE)) * rng.lognormal(0, 0.06, (3, _COARSE, _COARSE))
    return (sky + (leaf - sky) * land) * dapple


def _street(scene: Scene, rng: np.random.Generator) -> Field:
    x, y = _coarse()
    small = _base(scene) * (1.15 - 0.5 * y) * rng.lognormal(0, 0.10, (1, _COARSE, _COARSE))
    for _ in range(int(rng.integers(3, 8))):
        cx, cy, size, glow = rng.uniform((0, 0, 0.05, 0.25), (1, 0.7, 0.12, 0.55))
        warm = np.array([1.0, rng.uniform(0.75, 0.95), rng.uniform(0.5, 0.85)])[:, None, None]
        small = small + 0.7 * ramp(np.hypot(x - cx, y - cy), size, 0.6 * size) * (warm * glow - 0.3 * small)
    return small


def clothes(canvas: Canvas) -> None:
    """Shoulders in the cloth of the day."""
    face, scene, neck = canvas.face, canvas.face.scene, canvas.face.neck
    patch = canvas.grid.below(1.3)
    u, v, pixel = patch.u, patch.v, patch.pixel
    opening = _opening(scene.neckline, np.abs(u / neck))
    edge = np.abs(u) / np.float32((1.0 if face.female else 1.12) * (1 + 0.05 * face.traits["neck_width"]))
    shoulder = 1.60 + 0.46 * ramp(edge, 0.45, 1.7) ** 0.8 + 0.75 * ramp(edge, 1.5, 2.6) ** 1.5
    shoulder = shoulder - 0.10 * ramp(edge, 0.9, 0.5)
    if scene.neckline == "turtleneck":
        shoulder = shoulder + (1.47 - shoulder) * ramp(np.abs(u), neck + 0.14, neck + 0.05)
    inside = np.minimum(v - shoulder, v - opening)
    cover = canvas.grid.cover(inside)

    x, y = face.random_today(3).uniform(0, 400, 2).tolist()
    folds = lookup("blotch", u * 30 + 8 * v + x, v * 22 + 18 * u + y, 30 * pixel, 22 * pixel)
    right, down = np.clip(u / 2.6 + 0.16 * folds, -0.8, 0.8), np.clip(-0.35 + 0.1 * folds, -0.5, 0.5)
    towards = np.sqrt(np.maximum(1 - right**2 - down**2, 0.05))
    hem = bell(v - opening - 0.05, 0.035) * (inside > 0)
    thread = max(0.014, 0.45 * pixel)
    seam = bell(v - opening - 0.11, thread) * (inside > 0) * np.float32(0.014 / thread)
    under_head = ramp(canvas.head[patch.place], -1.0, -0.35)
    weave = lookup("pore", u * 60, v * 60, 60 * pixel, 60 * pixel)
    shade = (1 - 0.3 * seam) * (1 + 0.10 * hem) * (1 - 0.4 * under_head) * (1 + 0.02 * weave)
    albedo = linear(scene.cloth)[:, None, None]
    if scene.neckline in ("shirt", "jacket"):
        albedo, shade = _collar(albedo, shade, patch, v - opening, neck, scene.neckline == "jacket")
    cloth = lit(albedo, (right, down, towards), canvas.light, shade, 0.03, skin=False)
    under = canvas.under(patch)
    under *= 1 - 0.35 * ramp(inside, -0.14, 0.02) * (1 - cover) * ramp(np.abs(u), neck, neck - 0.08)
    canvas.lay(patch, cloth, cover)


def _opening(neckline: str, out: Field) -> Field:
    """The v at which the cloth begins, `out` half necks from the middle."""
    return {
        "crew": 1.86 - 0.34 * out**2,
        "v": 2.25 - 0.72 * out**1.1,
        "scoop": 2.12 - 0.34 * out**2,
        "shirt": 2.02 - 0.50 * out**0.9,
        "turtleneck": 1.50 - 0.03 * out**2,
        "jacket": 1.98 - 0.50 * out**0.9,
    }[neckline]


def _collar(albedo: Field, shade: Field, patch: Patch, below: Field, neck: float, jacket: bool) -> tuple[Field, Field]:
    """A shirt's collar and buttons, alone or under a jacket; `below` is the distance down from the opening."""
    u, v = np.abs(patch.u), patch.v
    points = 0.20 + 0.06 * np.exp(-(((u - 0.42 * neck) / 0.15) ** 2))
    edge = np.exp(-0.5 * ((below - points - 0.015) / 0.02) ** 2) * (u < neck + 0.25)
    placket = np.exp(-0.5 * (u / 0.016) ** 2) * ramp(below, 0.05, 0.12)
    shade = shade * (1 + 0.10 * ramp(points - below, -0.02, 0.02)) * (1 - 0.35 * edge) * (1 - 0.18 * placket)
    if not jacket:
        return albedo, shade
    shirt, open_front = linear((0.80, 0.80, 0.79))[:, None, None], 2.75 - v - 1.35 * u
    lapel = np.exp(-0.5 * ((open_front + 0.02) / 0.025) ** 2)
    notch = np.exp(-0.5 * ((v - 1.82 - 0.42 * u) / 0.012) ** 2) * ramp(u, 0.42, 0.5) * ramp(u, 0.88, 0.81)
    return albedo + (shirt - albedo) * ramp(open_front, -0.015, 0.015), shade * (1 - 0.3 * lapel) * (1 - 0.25 * notch)
