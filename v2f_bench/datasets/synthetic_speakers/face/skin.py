"""Skin: the surface on which a head is modelled and painted, its colour, its spots and its wrinkles."""

from __future__ import annotations

import numpy as np

from v2f_bench.datasets.synthetic_speakers.face.sheet import Field, Patch, Point, Sheet, lookup, ramp, textures
from v2f_bench.datasets.synthetic_speakers.face.sitter import Sitter

RGB = tuple[float, float, float]


class Skin:
    """The head while it is painted: `albedo` [3, h, w] (linear light), `relief`, `shade` and `gloss` [h, w].

    `relief` is the height towards the camera in face units, `shade` the share of light that reaches a cell, 0..1.
    """

    def __init__(self, sheet: Sheet, tone: Field) -> None:
        shape = sheet.radius.shape
        self.sheet = sheet
        self.albedo = np.empty((3, *shape), np.float32)
        self.albedo[:] = tone[:, None, None]
        self.relief = np.zeros(shape, np.float32)
        self.shade = np.ones(shape, np.float32)
        self.gloss = np.full(shape, 0.22, np.float32)

    def swell(self, u: float, v: float, su: float, sv: float, height: float, angle: float = 0.0) -> None:
        """Raise (or sink) a soft mound."""
        patch = self._about(u, v, su, sv, angle)
        self.relief[patch.rows, patch.columns] += np.float32(height) * patch.blob(u, v, su, sv, angle)

    def swell_both(self, u: float, v: float, su: float, sv: float, height: float, angle: float = 0.0) -> None:
        """The same on both sides."""
        self.swell(u, v, su, sv, height, angle)
        self.swell(-u, v, su, sv, height, -angle)

    def darken(self, u: float, v: float, su: float, sv: float, amount: float, angle: float = 0.0) -> None:
        """Keep light away from a soft spot."""
        patch = self._about(u, v, su, sv, angle)
        self.shade[patch.rows, patch.columns] *= 1 - np.float32(amount) * patch.blob(u, v, su, sv, angle)

    def shine(self, u: float, v: float, su: float, sv: float, amount: float) -> None:
        """Make a soft spot glossier."""
        patch = self._about(u, v, su, sv, 0.0)
        self.gloss[patch.rows, patch.columns] += np.float32(amount) * patch.blob(u, v, su, sv)

    def flush(self, u: float, v: float, su: float, sv: float, factor: RGB) -> None:
        """Multiply the colour of a soft spot."""
        patch = self._about(u, v, su, sv, 0.0)
        change = np.array(factor, np.float32)[:, None, None] - 1
        self.albedo[:, patch.rows, patch.columns] *= 1 + change * patch.blob(u, v, su, sv)

    def crease(self, start: Point, middle: Point, end: Point, width: float, depth: float) -> None:
        """A furrow along the curve through three points; `depth` about 1 is a deep one."""
        if depth < 0.03:
            return
        reach = 3 * max(width, 0.45 * self.sheet.pixel)
        left, right = min(start[0], middle[0], end[0]) - reach, max(start[0], middle[0], end[0]) + reach
        top, low = min(start[1], middle[1], end[1]) - reach, max(start[1], middle[1], end[1]) + reach
        patch = self.sheet.patch((left + right) / 2, (top + low) / 2, (right - left) / 2, (low - top) / 2)
        line = patch.stroke((start, middle, end), width)
        self.relief[patch.rows, patch.columns] -= np.float32(0.55 * depth * width) * line
        self.shade[patch.rows, patch.columns] *= 1 - np.float32(min(0.34 * depth, 0.6)) * np.minimum(line, 1.2)

    def paint(self, patch: Patch, cover: Field, colour: Field) -> None:
        """Lay `colour` ([3] or [3, h, w]) over a patch as far as `cover` [h, w] says."""
        under = self.albedo[:, patch.rows, patch.columns]
        over = colour[:, None, None] if colour.ndim == 1 else colour
        under += (over - under) * cover

    def _about(self, u: float, v: float, su: float, sv: float, angle: float) -> Patch:
        if angle != 0.0:
            c, s = abs(np.cos(angle)), abs(np.sin(angle))
            su, sv = float(np.hypot(c * su, s * sv)), float(np.hypot(s * su, c * sv))
        return self.sheet.patch(u, v, 2.8 * su, 2.8 * sv)


def complexion(skin: Skin, who: Sitter) -> None:
    """Blood in the cheeks, grease on the forehead, uneven skin, and spots."""
    redness, rng, sheet = who.traits["skin_redness"], who.random(2), skin.sheet
    blood = 0.05 + 0.04 * max(redness, -1)
    flushed = (1 + 0.4 * blood, 1 - 2.2 * blood, 1 - 1.9 * blood)
    for side in (-1, 1):
        skin.flush(side * 0.58, 0.48, 0.22, 0.18, flushed)
        skin.flush(side * who.eye_u, 0.12, 0.20, 0.10, (0.93, 0.87, 0.88))
        skin.shine(side * 0.56, 0.3, 0.16, 0.09, 0.18)
    skin.flush(0, who.nose_v - 0.12, 0.16, 0.12, flushed)
    skin.flush(0, -0.7, 0.6, 0.25, (1.02, 1.01, 0.97))
    skin.shine(0, -0.62, 0.45, 0.16, 0.18)

    x, y = rng.uniform(0, 500, (2, 2)).astype(np.float32)
    blotch = lookup(textures()["blotch"], sheet.u * 60 + x[0], sheet.v * 60 + y[0])
    pore = lookup(textures()["pore"], sheet.u * 42 + x[1], sheet.v * 42 + y[1])
    uneven = 0.018 + 0.02 * who.old + 0.01 * max(redness, 0)
    skin.albedo[0] *= 1 + 0.4 * uneven * blotch + 0.012 * pore
    skin.albedo[1:] *= 1 - uneven * blotch + 0.016 * pore
    _spots(skin, who, rng)


def _spots(skin: Skin, who: Sitter, rng: np.random.Generator) -> None:
    """Freckles, a mole for some, and late in life age spots."""
    many = float(np.clip((who.traits["freckles"] + 0.6) / 2.6, 0, 1))
    x, y = (float(part) for part in rng.uniform(0, 500, 2))
    if many > 0:
        patch = skin.sheet.patch(0, 0.35, 0.95, 0.75)
        grain = lookup(textures()["speckle"], patch.u * 100 + x, patch.v * 100 + y)
        where = patch.blob(0, 0.36, 0.48, 0.26) ** 0.7
        spot = ramp(grain * where, 0.64 - 0.58 * many, 0.95 - 0.58 * many) * (0.6 + 0.4 * many)
        factor = np.array([0.42, 0.64, 0.74], np.float32)[:, None, None]
        skin.albedo[:, patch.rows, patch.columns] *= 1 - factor * spot
    if rng.random() < 0.5:
        skin.flush(float(rng.uniform(-0.7, 0.7)), float(rng.uniform(-0.1, 1.3)), 0.016, 0.016, (0.55, 0.42, 0.4))
    for _ in range(int(10 * max(0.0, who.old - 0.4))):
        u, v, size = (float(part) for part in rng.uniform((-0.85, -0.9, 0.02), (0.85, 0.9, 0.045)))
        skin.flush(u, v, size, 0.8 * size, (0.86, 0.76, 0.68))


def wrinkles(skin: Skin, who: Sitter) -> None:
    """The lines of age, and those that the muscles fold."""
    old, rng = who.old, who.random(1)
    _forehead(skin, who, rng)
    for side in (-1, 1):
        _frown(skin, who, side, rng)
        _crows_foot(skin, who, side, rng)
        _eye_bag(skin, who, side)
        _cheek_folds(skin, who, side)
    if old > 0.25:
        x, y = (float(part) for part in rng.uniform(0, 400, 2))
        crinkle = lookup(textures()["pore"], skin.sheet.u * 34 + x, skin.sheet.v * 48 + y)
        skin.relief += np.float32(0.0035 * old) * crinkle


def _forehead(skin: Skin, who: Sitter, rng: np.random.Generator) -> None:
    m, old = who.muscles, who.old
    raised = 0.55 * m.inner_brow_raise + 0.6 * m.outer_brow_raise
    pinched = 0.03 * m.inner_brow_raise * (1 - m.outer_brow_raise)
    room = max(0.25, who.brow_v - 0.20 - who.hairline)
    for line in range(4):
        v = who.brow_v - 0.17 - room * (line + 0.5) / 4.6 - 0.04 * raised
        bend, wide, middle, strength = rng.uniform((-0.02, 0.22, -0.13, 0.5), (0.03, 0.5, 0.13, 1.0)).tolist()
        ends = v + bend + pinched
        depth = (0.9 * old**1.4 + 0.75 * raised * (0.35 + 0.65 * old)) * strength
        skin.crease((middle - wide, ends), (middle, v - bend - pinched), (middle + wide, ends), 0.02, depth)


def _frown(skin: Skin, who: Sitter, side: int, rng: np.random.Generator) -> None:
    m, v = who.muscles, who.brow_v
    depth = m.brow_lower * (1 + 0.25 * m.inner_brow_raise) + 0.35 * who.old**1.5
    lean = float(rng.uniform(-0.02, 0.02))
    middle = (side * 0.085 + lean, v + 0.02)
    skin.crease((side * 0.075, v - 0.10), middle, (side * 0.07, v + 0.13), 0.02, 0.8 * depth)


def _crows_foot(skin: Skin, who: Sitter, side: int, rng: np.random.Generator) -> None:
    m, old = who.muscles, who.old
    squint = 0.6 * m.eye_narrow + 0.5 * m.cheek_raise
    near = who.eye_u + who.eye_half + 0.06
    for ray in range(3):
        tilt, long, strength = rng.uniform((-0.02, 0.14, 0.6), (0.02, 0.2, 1.0)).tolist()
        rise = (ray - 0.9) * 0.10 + tilt
        depth = (0.75 * old**1.2 + (0.2 + 0.8 * old) * squint) * strength
        start_v, end_v = 0.02 + 0.35 * rise, 0.03 + 1.5 * rise
        middle = (side * (near + long / 2), (start_v + end_v) / 2 - 0.008)
        skin.crease((side * near, start_v), middle, (side * (near + long), end_v), 0.014, depth)


def _eye_bag(skin: Skin, who: Sitter, side: int) -> None:
    m, u, v = who.muscles, who.eye_u, 0.21 + 0.02 * who.traits["eye_size"]
    bag = max(0.0, 0.12 + 0.75 * who.old + 0.1 * who.traits["eye_hood"] + 0.12 * m.eye_narrow + 0.35 * m.cheek_raise)
    skin.swell(side * u, v - 0.05, 0.15, 0.04, 0.02 * bag)
    middle = (side * (u - 0.02), v + 0.03)
    skin.crease((side * (u - 0.2), v - 0.07), middle, (side * (u + 0.2), v - 0.03), 0.026, 0.55 * bag)


def _cheek_folds(skin: Skin, who: Sitter, side: int) -> None:
    """The folds from the nose to the mouth's corners, and from there downwards."""
    m, old, smile, v = who.muscles, who.old, who.muscles.corner_pull, who.mouth_v
    corner = who.mouth_half * (1 + 0.17 * smile + 0.2 * m.lip_stretch)
    depth = 0.10 + 0.75 * old**1.2 + 0.75 * smile + 0.65 * m.upper_lip_raise + 0.35 * m.nose_wrinkle
    depth = min(depth + 0.06 * max(who.traits["cheek_fullness"], 0), 1.5)
    top_u, top_v = who.nose_half + 0.05, who.nose_v - 0.12
    end_u, end_v = corner + 0.13 + 0.05 * smile, v + 0.04 - 0.06 * smile
    middle_u, middle_v = 0.5 * (top_u + end_u) + 0.03 + 0.07 * smile, 0.5 * (top_v + end_v) - 0.02
    skin.crease((side * top_u, top_v), (side * middle_u, middle_v), (side * end_u, end_v), 0.032, 0.75 * depth)
    skin.swell(side * (middle_u + 0.1), middle_v - 0.03, 0.09, 0.12, 0.022 * depth, -0.5 * side)
    droop = 0.65 * old**1.5 + 0.55 * m.corner_drop
    middle = (side * (corner + 0.08), v + 0.2)
    skin.crease((side * (corner + 0.04), v + 0.06), middle, (side * (corner + 0.05), v + 0.32), 0.026, 0.6 * droop)
