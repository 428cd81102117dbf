"""The mouth: lips, teeth and what lies behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2f_bench.datasets.synthetic_speakers.face.appearance import Appearance, linear
from v2f_bench.datasets.synthetic_speakers.face.grid import Patch
from v2f_bench.datasets.synthetic_speakers.face.shapes import Field, bell, ellipse, ramp
from v2f_bench.datasets.synthetic_speakers.face.skin import Skin
from v2f_bench.datasets.synthetic_speakers.face.textures import lookup

_TEETH = linear((0.93, 0.90, 0.84))
_CAVITY = linear((0.20, 0.07, 0.07))
_TONGUE = linear((0.66, 0.33, 0.33))


@dataclass(frozen=True)
class _Lips:
    """The mouth's lines over a patch, all [h, w]: `s` runs from -1 to 1 between its corners, the rest is the v at `s`.

    `top` and `bottom` are the lips' outer edges, `upper` and `lower` the edges where they meet or part.
    """

    s: Field
    top: Field
    upper: Field
    lower: Field
    bottom: Field
    gape: float


def mouth(skin: Skin, face: Appearance) -> None:
    """Lips and all that shows between them."""
    patch = skin.grid.patch(0, face.mouth_v + 0.08, 1.15 * face.corner_u, 0.4 + 0.15 * face.muscles.jaw_drop)
    lips = _lines(face, patch)
    _between(skin, face, patch, lips)
    _paint_lips(skin, face, patch, lips)


def _lines(face: Appearance, patch: Patch) -> _Lips:
    m = face.muscles
    off_centre = float(face.random(20).uniform(-0.012, 0.012))
    s = np.clip((patch.u - np.float32(off_centre)) * np.float32(1 / face.corner_u), -1.15, 1.15)
    side = np.abs(s)
    inner, dome = np.clip(1 - side, 0, 1), np.clip(1 - s * s, 0, 1)

    middle = face.mouth_v + 0.02 * m.corner_pull - 0.03 * m.upper_lip_raise
    seam = np.float32(middle) + np.float32(face.corner_v - middle) * side**1.7
    seam = seam - 0.05 * m.chin_raise * dome + 0.007 * (1 - m.corner_pull) * np.cos(s * 5) * inner

    full = float(np.exp(0.32 * face.traits["lip_fullness"])) * (1 - 0.22 * face.old)
    full *= (1 - 0.6 * m.lip_press) * (1 - 0.28 * m.corner_pull) * (1 - 0.2 * m.lip_stretch)
    bow = inner**0.75 * (1 + 0.16 * bell(side - 0.24, 0.16) - 0.22 * bell(s, 0.12))

    drop = m.jaw_drop * (0.38 - 0.09 * m.corner_pull)
    rise = 0.05 * m.corner_pull**2 + 0.045 * m.lip_stretch + 0.12 * drop
    rise += m.upper_lip_raise * (0.045 + 0.02 * m.corner_pull)
    fall = 0.06 * m.corner_pull**2 + 0.06 * m.lip_stretch + 0.02 * m.upper_lip_raise + 0.88 * drop
    parted = (1 - 0.9 * m.lip_press) * dome ** (0.62 + 0.1 * m.corner_pull - 0.25 * m.lip_stretch)
    upper, lower = seam - rise * parted, seam + fall * parted
    top = upper - 0.09 * full * (1 - 0.25 * m.upper_lip_raise) * bow
    bottom = lower + 0.118 * full * (1 + 0.25 * m.chin_raise) * dome**0.75
    return _Lips(s, top, upper, lower, bottom, rise + fall)


def _between(skin: Skin, face: Appearance, patch: Patch, lips: _Lips) -> None:
    """Teeth, tongue and the dark, where the lips are apart."""
    if lips.gape < 0.012:
        return
    m, v, side = face.muscles, patch.v, np.abs(lips.s)
    cover = skin.grid.cover(np.minimum(v - lips.upper, lips.lower - v)) * ramp(side, 1.0, 0.94)
    colour = np.empty((3, *cover.shape), np.float32)
    colour[:] = _CAVITY[:, None, None]
    tongue_v = face.mouth_v + 0.38 * m.jaw_drop + 0.03
    tongue = ellipse(patch.u, v - np.float32(tongue_v), 0.6 * face.corner_u, 0.09)
    colour += (_TONGUE[:, None, None] - colour) * (tongue * min(1.0, 1.3 * m.jaw_drop + 0.1))

    yellowed = 1 - 0.10 * face.old * np.array([0.3, 0.6, 1.4], np.float32)
    ivory = (_TEETH * yellowed)[:, None, None] * (1 - 0.62 * np.minimum(side, 1) ** 2.2)
    gaps = 0.16 * float(np.clip(1.8 - patch.pixel / 0.018, 0, 1))  # too fine to be seen in small pictures
    if gaps > 0:
        ivory = ivory * (1 - gaps * bell(np.abs(np.mod(patch.u + 0.055, 0.11) - 0.055), 0.009))
    tall = 0.115 - 0.02 * m.jaw_drop + 0.06 * m.corner_pull
    edge = lips.upper - 0.02 * m.jaw_drop + tall * np.clip(1 - 0.75 * lips.s**2, 0.2, 1)
    above = ramp(edge - v, -0.4 * patch.pixel, 0.4 * patch.pixel) * ramp(side, 0.94, 0.84)
    below = ramp(v - lips.lower + 0.05, -0.02, 0.02) * ramp(side, 0.7, 0.5) * (0.9 * m.lip_stretch)
    colour += (ivory - colour) * above
    colour += (0.75 * ivory - colour) * below

    skin.paint(patch, cover, colour * (0.55 + 0.45 * ramp(v - lips.upper, -0.01, 0.06)))
    skin.shade[patch.place] += (np.float32(0.95) - skin.shade[patch.place]) * cover
    skin.gloss[patch.place] += (np.float32(0.25) - skin.gloss[patch.place]) * cover


def _paint_lips(skin: Skin, face: Appearance, patch: Patch, lips: _Lips) -> None:
    v, side, scene, pixel = patch.v, np.abs(lips.s), face.scene, patch.pixel
    ends = ramp(side, 1.02, 0.88)
    soft = max(0.5 * pixel, 0.012 * (1 - 0.35 * scene.make_up))
    above = ramp(np.minimum(v - lips.top, lips.upper - v), -soft, soft) * ends
    below = ramp(np.minimum(v - lips.lower, lips.bottom - v), -soft, soft) * ends

    rose = face.skin * np.array([0.98, 0.52, 0.53], np.float32) + np.array([0.03, 0.0, 0.004], np.float32)
    rose = rose * np.float32((1 - 0.1 * face.old) * (1.0 if face.female else 0.96))
    rose = rose + (linear(scene.lip_colour) - rose) * np.float32(0.75 * scene.make_up)
    lined = 1 + 0.045 * lookup("strand", patch.u * 95 + 31, v * 60, 95 * pixel, 60 * pixel)
    skin.paint(patch, 0.88 * above, rose[:, None, None] * (0.80 * lined))
    skin.paint(patch, 0.85 * below, rose[:, None, None] * lined)

    thick_above, thick_below = lips.upper - lips.top, lips.bottom - lips.lower
    across_above = np.clip((v - lips.top) / np.maximum(thick_above, 0.02), -0.6, 1.2)
    across_below = np.clip((v - lips.lower) / np.maximum(thick_below, 0.02), -0.2, 1.5)
    pout_above = np.maximum(1 - ((across_above - 0.45) / 0.8) ** 2, 0) * (0.35 * float(thick_above.max()))
    pout_below = np.maximum(1 - ((across_below - 0.45) / 0.85) ** 2, 0) * (0.55 * float(thick_below.max()))
    rim = bell(v - lips.top + 0.015, 0.018)
    skin.relief[patch.place] += (pout_above * above + pout_below * below + 0.006 * rim) * ends
    skin.gloss[patch.place] += below * (0.55 + 0.5 * scene.make_up) + 0.2 * above

    narrow, line = 0.018, max(0.018, 0.45 * pixel)
    seam = bell(v - lips.upper, line) * ramp(side, 1.04, 0.94)
    seam = np.maximum(seam, 0.7 * bell(v - lips.lower, line) * ends) * np.float32(narrow / line)
    under = bell(v - lips.bottom - 0.03, 0.035) * ramp(side, 0.85, 0.35)
    skin.shade[patch.place] *= (1 - 0.6 * seam) * (1 - 0.24 * under)
