"""The renderer of faces: `draw_face`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2f_bench.datasets.synthetic_speakers.causes import Person
from v2f_bench.datasets.synthetic_speakers.expression import Muscles
from v2f_bench.datasets.synthetic_speakers.face.appearance import Appearance, appearance_of
from v2f_bench.datasets.synthetic_speakers.face.beard import beard
from v2f_bench.datasets.synthetic_speakers.face.canvas import Canvas
from v2f_bench.datasets.synthetic_speakers.face.eyes import brows, eyes, glasses, highlights
from v2f_bench.datasets.synthetic_speakers.face.framing import framing_of
from v2f_bench.datasets.synthetic_speakers.face.grid import grid_of
from v2f_bench.datasets.synthetic_speakers.face.hair import back_hair, front_hair, hair_of
from v2f_bench.datasets.synthetic_speakers.face.head import bridge, dome, ears, neck, nose, skull
from v2f_bench.datasets.synthetic_speakers.face.light import light_of, lit, normals
from v2f_bench.datasets.synthetic_speakers.face.marks import Marks
from v2f_bench.datasets.synthetic_speakers.face.mouth import mouth
from v2f_bench.datasets.synthetic_speakers.face.scene import Scene
from v2f_bench.datasets.synthetic_speakers.face.setting import backdrop, clothes
from v2f_bench.datasets.synthetic_speakers.face.shapes import Field
from v2f_bench.datasets.synthetic_speakers.face.skin import Skin, complexion, unevenness, wrinkles

_CONTRAST = 0.35
_GRAIN = 0.006


def draw_face(person: Person, muscles: Muscles, scene: Scene, size: int = 128) -> NDArray[np.uint8]:
    """A picture of the person, uint8 [size, size, 3] RGB; the same arguments give the same bytes.

    The head is painted as a height field in the scene's light, and framed as real faces are (see framing.py).
    """
    face = appearance_of(person, muscles, scene)
    grid = grid_of(framing_of(face.points, scene), size)
    canvas = Canvas(backdrop(face, size), grid, face, light_of(scene), grid.inside(face.outline))
    hair = hair_of(face)
    back_hair(canvas, hair)
    neck(canvas)
    clothes(canvas)
    ears(canvas)
    _head(canvas)
    highlights(canvas)
    beard(canvas)
    front_hair(canvas, hair)
    glasses(canvas)
    return _developed(canvas.pixels, face)


def _head(canvas: Canvas) -> None:
    grid, face, marks = canvas.grid, canvas.face, Marks()
    for mark in (skull, complexion, wrinkles, nose):
        mark(marks, face)
    skin = Skin(grid, face.skin, marks)
    for model in (dome, bridge, unevenness):
        model(skin, face)
    for feature in (eyes, brows, mouth):
        feature(skin, face)
    head = lit(skin.albedo, normals(skin.relief, grid.pixel), canvas.light, skin.shade, skin.gloss)
    canvas.lay(grid.whole, head, grid.cover(canvas.head))


def _developed(light: Field, face: Appearance) -> NDArray[np.uint8]:
    """Expose, and turn light into sRGB-like bytes."""
    exposure = float(np.clip((0.36 / float(face.skin.mean())) ** 0.28, 0.85, 1.5))
    light = np.maximum(light, 0)
    light *= exposure
    shown = np.sqrt(light * (1.07 + 0.05 * light) / (1 + 0.35 * light))
    contrast = _CONTRAST * (1 - shown)
    contrast *= shown - 0.42
    contrast += 1
    shown *= contrast
    shown += face.random_today(4).standard_normal(light.shape[1:], np.float32) * np.float32(_GRAIN)
    shown *= 255
    shown += 0.5
    return np.ascontiguousarray(np.moveaxis(np.clip(shown, 0, 255, out=shown).astype(np.uint8), 0, -1))
