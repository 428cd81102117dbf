"""Light: a key light that wraps softly round the form, sky and ground about it, and a soft sheen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2f_bench.datasets.synthetic_speakers.face.scene import Scene
from v2f_bench.datasets.synthetic_speakers.face.shapes import Field

# Light travels furthest through skin in the red, so that the edge of a shadow glows.
_SKIN_WRAP = np.array([0.55, 0.36, 0.28], np.float32)[:, None, None]
_CLOTH_WRAP = np.array([0.3, 0.3, 0.3], np.float32)[:, None, None]


@dataclass(frozen=True)
class Light:
    """The key light's direction as the head sees it, and the colours [3, 1, 1] of the key, the sky and the ground."""

    direction: tuple[float, float, float]
    key: Field
    sky: Field
    ground: Field


def light_of(scene: Scene) -> Light:
    """The scene's light."""
    x, y, z = scene.light
    turn, bow = np.deg2rad(scene.yaw), np.deg2rad(scene.pitch)
    x, z = x * np.cos(turn) - z * np.sin(turn), z * np.cos(turn) + x * np.sin(turn)
    y, z = y * np.cos(bow) - z * np.sin(bow), z * np.cos(bow) + y * np.sin(bow)
    warm = scene.warmth
    key = np.array([1 + 0.12 * warm, 1 + 0.01 * warm, 1 - 0.16 * warm])
    sky = np.array([1 - 0.05 * warm, 1.0, 1 + 0.08 * warm])
    ground = np.array([1.05, 0.97, 0.9])
    return Light(
        (float(x), float(y), float(z)),
        _column(key * scene.strength * (1.30 - 0.5 * scene.ambient)),
        _column(sky * scene.ambient * 0.62),
        _column(ground * scene.ambient * 0.34),
    )


def lit(
    albedo: Field,
    normal: tuple[Field, Field, Field],
    light: Light,
    shade: Field,
    gloss: Field | float,
    skin: bool = True,
) -> Field:
    """Light that comes from a surface [3, h, w].

    `albedo` is [3, h, w], or [3, 1, 1] where the colour is one; `normal` has the unit normal's parts to the right, down
    and towards the camera, each [h, w]; `shade` [h, w] is 1 in the open and 0 where no light comes; `gloss` is the
    strength of the sheen. `skin` scatters light within.
    """
    nx, ny, nz = normal
    lx, ly, lz = (np.float32(part) for part in light.direction)
    facing = nx * lx + ny * ly + nz * lz
    wrap = _SKIN_WRAP if skin else _CLOTH_WRAP
    direct = np.maximum((facing + wrap) / (1 + wrap), 0)
    up = 0.5 - 0.5 * ny
    around = light.sky * up + light.ground * (1 - up)
    # Blinn's halfway vector, for a camera straight ahead
    size = np.sqrt(2 + 2 * lz)
    half = np.maximum((nx * lx + ny * ly + nz * (lz + 1)) / size, 0)
    broad = np.square(np.square(np.square(half)))
    sheen = (0.35 * broad + 0.65 * np.square(np.square(broad))) * gloss * shade
    return albedo * (direct * light.key + around) * shade + sheen * light.key * np.float32(0.16)


def normals(relief: Field, step: float) -> tuple[Field, Field, Field]:
    """Unit normals (right, down, towards the camera) of a height field [h, w] whose cells are `step` apart."""
    right, down = np.empty_like(relief), np.empty_like(relief)
    np.subtract(relief[:, 2:], relief[:, :-2], out=right[:, 1:-1])
    np.subtract(relief[2:], relief[:-2], out=down[1:-1])
    right[:, [0, -1]] = 2 * (relief[:, [1, -1]] - relief[:, [0, -2]])
    down[[0, -1]] = 2 * (relief[[1, -1]] - relief[[0, -2]])
    right *= np.float32(-0.5 / step)
    down *= np.float32(-0.5 / step)
    size = 1 / np.sqrt(1 + right * right + down * down)
    return right * size, down * size, size


def _column(rgb: np.ndarray) -> Field:
    return rgb.astype(np.float32)[:, None, None]
