"""Beards, from a shaved man's shadow to a full one."""

from __future__ import annotations

import numpy as np

from v2f_bench.datasets.synthetic_speakers.face.appearance import Appearance
from v2f_bench.datasets.synthetic_speakers.face.canvas import Canvas
from v2f_bench.datasets.synthetic_speakers.face.grid import Patch
from v2f_bench.datasets.synthetic_speakers.face.shapes import Field, bell, ramp
from v2f_bench.datasets.synthetic_speakers.face.textures import lookup

_FINE = 100.0  # texels a face unit, across hairs


def beard(canvas: Canvas) -> None:
    """The beard of the day, over the finished head."""
    face, light = canvas.face, canvas.light
    if face.female:
        return
    today, dense = face.scene.beard, float(np.clip(0.45 + 0.3 * face.traits["beard_growth"], 0.04, 1.2))
    shadow = dense * (0.40 + 0.45 * min(today / 0.4, 1.0))
    full = min(1.0, 1.2 * dense) * float(np.clip((today - 0.35) / 0.4, 0, 1))

    patch = canvas.grid.below(0.0)
    u, v, pixel = patch.u, patch.v, patch.pixel
    x, y = face.random(40).uniform(0, 400, 2).tolist()
    comb = u * (1.25 - 0.4 * np.clip(v - face.mouth_v, -0.3, 0.7))
    hairs = 0.7 * lookup("strand", comb * _FINE + x, v * 330 + y, _FINE * pixel, 330 * pixel)
    hairs += 0.5 * lookup("pore", u * _FINE, v * (0.5 * _FINE), _FINE * pixel, 0.5 * _FINE * pixel)
    grain = lookup("pore", u * _FINE, v * _FINE + y, _FINE * pixel, _FINE * pixel)
    area, depth = _area(face, patch, 0.02 * hairs), canvas.head[patch.place]

    tone = (face.hair + (face.grey - face.hair) * np.float32(min(1.0, 1.25 * face.greyness)))[:, None, None]
    stubble = np.clip(0.6 * shadow * area * ramp(depth, -0.01, 0.06) * (0.9 + 0.22 * grain), 0, 0.85)
    canvas.lay(patch, 0.38 * canvas.under(patch) + 0.25 * tone, stubble)
    if full > 0.05:
        grown = area * ramp(depth + 0.10 * full + 0.015 * hairs, -0.015, 0.05) * (full * (1.1 + 0.2 * hairs))
        lx, _, lz = light.direction
        facing = np.clip(0.62 * lz + 0.5 * lx / face.jaw * u - 0.4 * (v - face.mouth_v) + 0.05, 0.15, 1.1)
        colour = tone * np.clip(0.92 + 0.24 * hairs, 0.3, 1.7) * (facing * light.key + light.sky)
        canvas.lay(patch, colour, np.clip(grown, 0, 0.97))


def _area(face: Appearance, patch: Patch, jitter: Field) -> Field:
    """Where a beard grows, 0..1: below a line from the nose round the mouth up to the ears, but not on the lips."""
    m, u, jaw, w, half = face.muscles, np.abs(patch.u), face.jaw, face.width, face.corner_u
    drop, low = 0.37 * m.jaw_drop, 0.04 * face.traits["beard_growth"]
    line_u = [0.0, 0.7 * half, half + 0.10, 0.90 * jaw, max(0.86 * w, 0.91 * jaw), max(0.90 * w, 0.92 * jaw), 0.97 * w]
    corner_v, cheek_v = face.mouth_v - 0.10 - low, face.mouth_v - 0.26 - low
    line_v = [face.nose_v + 0.06, face.nose_v + 0.09, corner_v, cheek_v, 0.50, 0.25, 0.02]
    area = ramp(patch.v - np.interp(u, line_u, line_v).astype(np.float32) + jitter, -0.05, 0.11)

    s = np.minimum(u / half, 1.3)
    middle = face.mouth_v + 0.5 * drop + (face.corner_v - face.mouth_v) * s**1.7
    tall = 0.076 + 0.5 * drop + 0.05 * m.corner_pull + 0.035 * float(np.exp(0.32 * face.traits["lip_fullness"]))
    lips = ramp((s / 1.02) ** 2 + ((patch.v - middle) / tall) ** 2, 1.3, 0.9)
    bare = bell(s - 0.55, 0.2) * bell(patch.v - face.mouth_v - 0.19 - drop, 0.05)
    return area * (1 - lips) * (1 - 0.45 * bare)
