"""Beards, from a shaved man's shadow to a full one."""

from __future__ import annotations

import numpy as np

from v2f_bench.datasets.synthetic_speakers.face.light import Light
from v2f_bench.datasets.synthetic_speakers.face.sheet import Field, Patch, Sheet, lookup, ramp, textures
from v2f_bench.datasets.synthetic_speakers.face.sitter import Sitter


def beard(canvas: Field, sheet: Sheet, who: Sitter, light: Light) -> None:
    """The beard of the day, over the finished head."""
    if who.female:
        return
    today, dense = who.scene.beard, float(np.clip(0.45 + 0.3 * who.traits["beard_growth"], 0.04, 1.2))
    shadow = dense * (0.40 + 0.45 * min(today / 0.4, 1.0))
    full = min(1.0, 1.2 * dense) * float(np.clip((today - 0.35) / 0.4, 0, 1))

    patch = sheet.patch(0, 0.95, 1.25, 1.05)
    u, v, fine = patch.u, patch.v, min(110.0, 3.3 / sheet.pixel)
    x, y = (float(part) for part in who.random(40).uniform(0, 400, 2))
    comb = u * (1.25 - 0.4 * np.clip(v - who.mouth_v, -0.3, 0.7))
    hairs = 0.7 * lookup(textures()["strand"], comb * fine + x, v * 330 + y)
    hairs += 0.5 * lookup(textures()["pore"], u * fine, v * (0.5 * fine))
    grain = lookup(textures()["pore"], u * (1.2 * fine), v * (1.2 * fine) + y)
    area, depth = _area(who, patch, 0.02 * hairs), sheet.part(patch).inside(who.outline)

    tone = (who.hair + (who.grey - who.hair) * np.float32(min(1.0, 1.25 * who.greyness)))[:, None, None]
    under = canvas[:, patch.rows, patch.columns]
    stubble = np.clip(0.6 * shadow * area * ramp(depth, -0.01, 0.06) * (0.9 + 0.22 * grain), 0, 0.85)
    under += (0.38 * under + 0.25 * tone - under) * stubble
    if full > 0.05:
        grown = area * ramp(depth + 0.10 * full + 0.015 * hairs, -0.015, 0.05) * (full * (1.1 + 0.2 * hairs))
        lx, _, lz = light.direction
        facing = np.clip(0.62 * lz + 0.5 * lx / who.jaw * u - 0.4 * (v - who.mouth_v) + 0.05, 0.15, 1.1)
        colour = tone * np.clip(0.92 + 0.24 * hairs, 0.3, 1.7) * (facing * light.key + light.sky)
        under += (colour - under) * np.clip(grown, 0, 0.97)


def _area(who: Sitter, patch: Patch, jitter: Field) -> Field:
    """Where a beard grows, 0..1: below a line from the nose round the mouth up to the ears, but not on the lips."""
    m, u, jaw, w = who.muscles, np.abs(patch.u[0]), who.jaw, who.width
    half = who.mouth_half * (1 + 0.2 * m.corner_pull + 0.2 * m.lip_stretch)
    drop, low = 0.33 * m.jaw_drop, 0.04 * who.traits["beard_growth"]
    line_u = [0.0, 0.7 * half, half + 0.10, 0.90 * jaw, max(0.86 * w, 0.91 * jaw), max(0.90 * w, 0.92 * jaw), 0.97 * w]
    corner_v, cheek_v = who.mouth_v - 0.10 - low, who.mouth_v - 0.26 - low
    line_v = [who.nose_v + 0.06, who.nose_v + 0.09, corner_v, cheek_v, 0.50, 0.25, 0.02]
    area = ramp(patch.v - np.interp(u, line_u, line_v).astype(np.float32) + jitter, -0.05, 0.11)

    s = np.minimum(u / half, 1.3).astype(np.float32)
    middle = who.mouth_v + 0.5 * drop + (0.12 * m.corner_drop - 0.16 * m.corner_pull) * s**1.7
    tall = 0.076 + 0.5 * drop + 0.05 * m.corner_pull + 0.035 * float(np.exp(0.32 * who.traits["lip_fullness"]))
    lips = ramp((s / 1.02) ** 2 + ((patch.v - middle) / tall) ** 2, 1.3, 0.9)
    bare = np.exp(-0.5 * ((s - 0.55) / 0.2) ** 2) * np.exp(-0.5 * ((patch.v - who.mouth_v - 0.19 - drop) / 0.05) ** 2)
    return area * (1 - lips) * (1 - 0.45 * bare)
