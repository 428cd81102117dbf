"""Skin: the surface on which a head is modelled and painted, its colour, its spots and its wrinkles."""

from __future__ import annotations

import numpy as np

from v2f_bench.datasets.synthetic_speakers.face.appearance import Appearance
from v2f_bench.datasets.synthetic_speakers.face.grid import Grid, Patch
from v2f_bench.datasets.synthetic_speakers.face.marks import BLUE, GLOSS, RED, RELIEF, SHADOW, Marks
from v2f_bench.datasets.synthetic_speakers.face.shapes import Field
from v2f_bench.datasets.synthetic_speakers.face.textures import lookup

_EVEN_GLOSS = 0.22


class Skin:
    """The head while it is painted: `albedo` [3, n, n] (linear light), `relief`, `shade` and `gloss` [n, n].

    `relief` is the height towards the camera in face units, `shade` the share of light that reaches a pixel, 0..1.
    """

    def __init__(self, grid: Grid, tone: Field, marks: Marks) -> None:
        laid = marks.laid(grid)
        self.grid = grid
        self.albedo = tone[:, None, None] * np.exp(laid[RED : BLUE + 1])
        self.relief = laid[RELIEF]
        self.shade = np.exp(-laid[SHADOW])
        self.gloss = laid[GLOSS] + np.float32(_EVEN_GLOSS)

    def paint(self, patch: Patch, cover: Field, colour: Field) -> None:
        """Lay `colour` ([3] or [3, h, w]) over a patch as far as `cover` [h, w] says."""
        under = self.albedo[:, patch.rows, patch.columns]
        over = colour[:, None, None] if colour.ndim == 1 else colour
        under += (over - under) * cover


def complexion(marks: Marks, face: Appearance) -> None:
    """Blood in the cheeks, grease on the forehead, and spots."""
    redness, rng = face.traits["skin_redness"], face.random(2)
    blood = 0.05 + 0.04 * max(redness, -1)
    flushed = (1 + 0.4 * blood, 1 - 2.2 * blood, 1 - 1.9 * blood)
    for side in (-1, 1):
        marks.flush(side * 0.58, 0.48, 0.22, 0.18, flushed)
        marks.flush(side * face.eye_u, 0.12, 0.20, 0.10, (0.93, 0.87, 0.88))
        marks.shine(side * 0.56, 0.3, 0.16, 0.09, 0.18)
    marks.flush(0, face.nose_v - 0.12, 0.16, 0.12, flushed)
    marks.flush(0, -0.7, 0.6, 0.25, (1.02, 1.01, 0.97))
    marks.shine(0, -0.62, 0.45, 0.16, 0.18)
    _freckles(marks, face)
    if rng.random() < 0.5:
        marks.flush(float(rng.uniform(-0.7, 0.7)), float(rng.uniform(-0.1, 1.3)), 0.022, 0.022, (0.5, 0.38, 0.36))
    for _ in range(int(10 * max(0.0, face.old - 0.4))):
        u, v, size = (float(part) for part in rng.uniform((-0.85, -0.9, 0.02), (0.85, 0.9, 0.045)))
        marks.flush(u, v, size, 0.8 * size, (0.86, 0.76, 0.68))


def _freckles(marks: Marks, face: Appearance) -> None:
    many = float(np.clip((face.traits["freckles"] + 0.6) / 2.6, 0, 1))
    places = face.random(3).standard_normal((round(110 * many), 3)) * (0.42, 0.17, 1.0)
    for u, v, dark in places.clip((-0.8, -0.4, -2), (0.8, 0.6, 2)).tolist():
        depth = (0.35 + 0.35 * many) * (1 + 0.4 * dark)
        marks.flush(u, 0.34 + v, 0.016, 0.016, (1 - 0.40 * depth, 1 - 0.52 * depth, 1 - 0.58 * depth))


def unevenness(skin: Skin, face: Appearance) -> None:
    """Blotches and pores, and the crinkles of old skin."""
    redness, rng, grid = face.traits["skin_redness"], face.random(4), skin.grid
    (x, y, z), pixel = rng.uniform(0, 400, (3, 2)).tolist(), grid.pixel
    blotch = lookup("blotch", grid.u * 60 + x[0], grid.v * 60 + x[1], 60 * pixel, 60 * pixel)
    pore = lookup("pore", grid.u * 42 + y[0], grid.v * 42 + y[1], 42 * pixel, 42 * pixel)
    uneven = 0.018 + 0.02 * face.old + 0.01 * max(redness, 0)
    skin.albedo[0] *= 1 + 0.4 * uneven * blotch + 0.012 * pore
    skin.albedo[1:] *= 1 - uneven * blotch + 0.016 * pore
    if face.old > 0.25:
        crinkle = lookup("pore", grid.u * 34 + z[0], grid.v * 48 + z[1], 34 * pixel, 48 * pixel)
        skin.relief += np.float32(0.0035 * face.old) * crinkle


def wrinkles(marks: Marks, face: Appearance) -> None:
    """The lines of age, and those that the muscles fold."""
    rng = face.random(1)
    _forehead(marks, face, rng)
    for side in (-1, 1):
        _frown(marks, face, side, rng)
        _crows_foot(marks, face, side, rng)
        _eye_bag(marks, face, side)
        _cheek_folds(marks, face, side)


def _forehead(marks: Marks, face: Appearance, rng: np.random.Generator) -> None:
    m, old = face.muscles, face.old
    raised = 0.55 * m.inner_brow_raise + 0.6 * m.outer_brow_raise
    pinched = 0.04 * m.inner_brow_raise * (1 - m.outer_brow_raise)
    room = max(0.25, face.brow_v - 0.20 - face.hairline)
    for line in range(4):
        v = face.brow_v - 0.17 - room * (line + 0.5) / 4.6 - 0.04 * raised
        bend, wide, middle, strength = rng.uniform((-0.02, 0.22, -0.13, 0.5), (0.03, 0.5, 0.13, 1.0)).tolist()
        ends = v + bend + pinched
        depth = (0.9 * old**1.4 + 0.75 * raised * (0.35 + 0.65 * old)) * strength
        marks.crease((middle - wide, ends), (middle, v - bend - pinched), (middle + wide, ends), 0.02, depth)


def _frown(marks: Marks, face: Appearance, side: int, rng: np.random.Generator) -> None:
    m, v = face.muscles, face.brow_v
    depth = m.brow_lower * (1 + 0.25 * m.inner_brow_raise) + 0.35 * face.old**1.5
    lean = float(rng.uniform(-0.02, 0.02))
    middle = (side * 0.085 + lean, v + 0.02)
    marks.crease((side * 0.075, v - 0.12), middle, (side * 0.07, v + 0.14), 0.024, 0.9 * depth)


def _crows_foot(marks: Marks, face: Appearance, side: int, rng: np.random.Generator) -> None:
    m, old = face.muscles, face.old
    squint = 0.6 * m.eye_narrow + 0.5 * m.cheek_raise
    near = face.eye_u + face.eye_half + 0.06
    for ray in range(3):
        tilt, long, strength = rng.uniform((-0.02, 0.14, 0.6), (0.02, 0.2, 1.0)).tolist()
        rise = (ray - 0.9) * 0.10 + tilt
        depth = (0.75 * old**1.2 + (0.2 + 0.8 * old) * squint) * strength
        start_v, end_v = 0.02 + 0.35 * rise, 0.03 + 1.5 * rise
        middle = (side * (near + long / 2), (start_v + end_v) / 2 - 0.008)
        marks.crease((side * near, start_v), middle, (side * (near + long), end_v), 0.014, depth)


def _eye_bag(marks: Marks, face: Appearance, side: int) -> None:
    m, u, v = face.muscles, face.eye_u, 0.21 + 0.02 * face.traits["eye_size"]
    bag = max(0.0, 0.12 + 0.75 * face.old + 0.1 * face.traits["eye_hood"] + 0.12 * m.eye_narrow + 0.35 * m.cheek_raise)
    marks.swell(side * u, v - 0.05, 0.15, 0.04, 0.02 * bag)
    middle = (side * (u - 0.02), v + 0.03)
    marks.crease((side * (u - 0.2), v - 0.07), middle, (side * (u + 0.2), v - 0.03), 0.026, 0.55 * bag)


def _cheek_folds(marks: Marks, face: Appearance, side: int) -> None:
    """The folds from the nose to the mouth's corners, and from there downwards."""
    m, old, smile, v = face.muscles, face.old, face.muscles.corner_pull, face.mouth_v
    depth = 0.10 + 0.75 * old**1.2 + 0.75 * smile + 0.75 * m.upper_lip_raise + 0.35 * m.nose_wrinkle
    depth = min(depth + 0.06 * max(face.traits["cheek_fullness"], 0), 1.5)
    top_u, top_v = face.nose_half + 0.05, face.nose_v - 0.12
    end_u, end_v = face.corner_u + 0.13 + 0.05 * smile, v + 0.04 - 0.06 * smile
    middle_u, middle_v = 0.5 * (top_u + end_u) + 0.03 + 0.07 * smile, 0.5 * (top_v + end_v) - 0.02
    marks.crease((side * top_u, top_v), (side * middle_u, middle_v), (side * end_u, end_v), 0.032, 0.75 * depth)
    marks.swell(side * (middle_u + 0.1), middle_v - 0.03, 0.09, 0.12, 0.022 * depth, -0.5 * side)
    droop = 0.65 * old**1.5 + 0.55 * m.corner_drop
    start, end = (side * (face.corner_u + 0.04), v + 0.06), (side * (face.corner_u + 0.05), v + 0.32)
    marks.crease(start, (side * (face.corner_u + 0.08), v + 0.2), end, 0.026, 0.6 * droop)
