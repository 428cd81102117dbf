"""The renderer of faces: `draw_face`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2f_bench.datasets.synthetic_speakers.causes import Person
from v2f_bench.datasets.synthetic_speakers.expression import Muscles
from v2f_bench.datasets.synthetic_speakers.face.beard import beard
from v2f_bench.datasets.synthetic_speakers.face.eyes import brow, eye, glasses, highlights
from v2f_bench.datasets.synthetic_speakers.face.hair import back_hair, front_hair, hair_of
from v2f_bench.datasets.synthetic_speakers.face.head import ears, neck, nose, shaded, skull
from v2f_bench.datasets.synthetic_speakers.face.light import Light, light_of
from v2f_bench.datasets.synthetic_speakers.face.mouth import mouth
from v2f_bench.datasets.synthetic_speakers.face.scene import Scene
from v2f_bench.datasets.synthetic_speakers.face.setting import backdrop, clothes
from v2f_bench.datasets.synthetic_speakers.face.sheet import PICTURE_HALF, PICTURE_MIDDLE, Field, Sheet, sheet
from v2f_bench.datasets.synthetic_speakers.face.sitter import Sitter, sitter
from v2f_bench.datasets.synthetic_speakers.face.skin import Skin, complexion, wrinkles

_CONTRAST = 0.35


def draw_face(person: Person, muscles: Muscles, scene: Scene, size: int = 128) -> NDArray[np.uint8]:
    """A picture of the person, uint8 [size, size, 3] RGB; the same arguments give the same bytes.

    The head is painted from the front, as a height field in the scene's light, on a sheet that is finer than the
    picture; then it is turned, scaled and shifted into the picture.
    """
    who, canvas_sheet = sitter(person, muscles, scene), sheet(size)
    canvas = _paint(who, canvas_sheet)
    picture = _pose(canvas, canvas_sheet, who, size)
    return _develop(picture, who, size)


def _paint(who: Sitter, on: Sheet) -> Field:
    light, hair = light_of(who.scene), hair_of(who)
    canvas = backdrop(on, who)
    back_hair(canvas, on, who, hair, light)
    neck(canvas, on, who, light)
    clothes(canvas, on, who, light)
    ears(canvas, on, who, light)

    _head(canvas, on, who, light)
    highlights(canvas, on, who)
    beard(canvas, on, who, light)
    front_hair(canvas, on, who, hair, light)
    glasses(canvas, on, who)
    return canvas


def _head(canvas: Field, on: Sheet, who: Sitter, light: Light) -> None:
    patch = on.patch(0, 0.15, 1.45, 1.95)
    skin = Skin(on.part(patch), who.skin)
    skull(skin, who)
    complexion(skin, who)
    wrinkles(skin, who)
    nose(skin, who)
    for side in (-1, 1):
        eye(skin, who, side)
        brow(skin, who, side)
    mouth(skin, who)
    under = canvas[:, patch.rows, patch.columns]
    under += (shaded(skin, light) - under) * skin.sheet.cover(skin.sheet.inside(who.outline))


def _pose(canvas: Field, on: Sheet, who: Sitter, size: int) -> Field:
    """The sheet seen with the scene's turn of the head [3, size, size]."""
    scene = who.scene
    at = ((np.arange(size, dtype=np.float32) + 0.5) * (2 / size) - 1) * PICTURE_HALF
    roll = np.deg2rad(scene.roll)
    c, s = float(np.cos(roll)) / scene.scale, float(np.sin(roll)) / scene.scale
    x, y = at[None] - np.float32(scene.shift[0]), at[:, None] - np.float32(scene.shift[1])
    x, y = c * x + s * y, c * y - s * x + PICTURE_MIDDLE
    yaw, pitch = float(np.sin(np.deg2rad(scene.yaw))), float(np.sin(np.deg2rad(scene.pitch)))
    u, v = x, y
    for _ in range(3):
        far = (u / 1.25) ** 2 + ((v - 0.35) / 2.0) ** 2
        near = np.maximum(1 - far, 0)
        tip = np.exp(-0.5 * ((u / 0.2) ** 2 + ((v - who.nose_v + 0.12) / 0.25) ** 2))
        depth = 1.1 * near * (1 - 0.3 * near) + 0.22 * tip
        u, v = x - yaw * depth, y - pitch * (depth - 0.45 * near)
    first_u, first_v = float(on.u[0, 0]), float(on.v[0, 0])
    return _sample(canvas, (u - first_u) / on.step, (v - first_v) / on.step)


def _sample(canvas: Field, column: Field, row: Field) -> Field:
    """Bilinear interpolation of [3, n, n] at fractional places."""
    n = canvas.shape[1]
    column, row = np.clip(column, 0, n - 1.001), np.clip(row, 0, n - 1.001)
    left, top = column.astype(np.int32), row.astype(np.int32)
    right, down = column - left, row - top
    flat, first = canvas.reshape(3, -1), top * n + left
    upper = flat.take(first, 1) * (1 - right) + flat.take(first + 1, 1) * right
    lower = flat.take(first + n, 1) * (1 - right) + flat.take(first + n + 1, 1) * right
    return upper * (1 - down) + lower * down


def _develop(light: Field, who: Sitter, size: int) -> NDArray[np.uint8]:
    """Expose, and turn light into sRGB-like bytes."""
    exposure = float(np.clip((0.36 / float(who.skin.mean())) ** 0.28, 0.85, 1.5))
    light = np.maximum(light, 0) * np.float32(exposure)
    light = light * (1.07 + 0.05 * light) / (1 + 0.35 * light)
    grain = who.random_today(4).standard_normal((size, size), np.float32) * np.float32(0.006)
    shown = np.sqrt(light)
    shown = shown + _CONTRAST * shown * (1 - shown) * (shown - 0.42) + grain
    return np.ascontiguousarray(np.moveaxis(np.clip(shown * 255 + 0.5, 0, 255).astype(np.uint8), 0, -1))
