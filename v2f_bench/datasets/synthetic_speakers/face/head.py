"""The head's form: skull, cheeks, chin and nose as a height field; ears and neck beside it."""

from __future__ import annotations

import numpy as np

from v2f_bench.datasets.synthetic_speakers.face.appearance import Appearance
from v2f_bench.datasets.synthetic_speakers.face.canvas import Canvas
from v2f_bench.datasets.synthetic_speakers.face.light import lit, normals
from v2f_bench.datasets.synthetic_speakers.face.marks import Marks
from v2f_bench.datasets.synthetic_speakers.face.shapes import bell, ellipse, ramp
from v2f_bench.datasets.synthetic_speakers.face.skin import Skin


def skull(marks: Marks, face: Appearance) -> None:
    """The head's bones and its flesh."""
    t, m = face.traits, face.muscles
    _brow_and_sockets(marks, face)
    bone, full, cheek_v = t["cheekbones"], t["cheek_fullness"], 0.5 * face.nose_v + 0.02
    marks.swell_both(0.66 * face.width, cheek_v, 0.20, 0.12, 0.055 + 0.055 * bone, -0.35)
    hollow_u, hollow_v = 0.68 * face.jaw + 0.12, 0.55 * (face.nose_v + face.mouth_v) + 0.02
    marks.swell_both(hollow_u, hollow_v, 0.17, 0.24, -0.035 - 0.03 * bone + 0.055 * full, 0.25)
    sunken = float(np.clip(0.10 - 0.09 * full + 0.10 * bone, 0, 0.42))
    for side in (-1, 1):
        marks.darken(side * hollow_u, hollow_v, 0.13, 0.25, sunken, 0.3 * side)
    lift = m.cheek_raise * 0.8 + m.corner_pull * 0.4
    marks.swell_both(0.50, cheek_v + 0.10 - 0.05 * lift, 0.17, 0.13, 0.035 * max(full, 0) + 0.085 * lift)
    jowl = 0.03 * max(full - 0.6, 0) + 0.05 * face.old**1.5
    marks.swell_both(0.78 * face.jaw, 0.80 * face.chin, 0.14, 0.14, jowl)
    marks.swell(0, face.mouth_v - 0.02, 0.34, 0.21, 0.085)
    _chin(marks, face)


def dome(skin: Skin, face: Appearance) -> None:
    """The skull's large form."""
    # beyond the outline, so that the form still turns away where its edge is blended with what lies behind
    grid = skin.grid
    ratio = np.minimum(grid.radius / (face.outline + np.float32(0.05)).take(grid.turn), 0.995)
    skin.relief += np.float32(0.95 * face.width) * np.sqrt(1 - ratio * ratio * np.sqrt(np.sqrt(ratio)))


def _brow_and_sockets(marks: Marks, face: Appearance) -> None:
    ridge = face.traits["brow_ridge"]
    marks.swell_both(0.36, face.brow_v + 0.02, 0.26, 0.085, 0.045 + 0.03 * ridge, 0.08)
    marks.swell(0, face.brow_v + 0.05, 0.12, 0.10, 0.02 + 0.018 * ridge)
    marks.swell(0, -0.72, 0.5, 0.22, 0.035)
    marks.swell_both(0.9 * face.width, -0.42, 0.14, 0.22, -0.06)
    marks.swell_both(face.eye_u, -0.01, 0.25, 0.15, -0.115 - 0.014 * ridge)
    marks.swell_both(face.eye_u, 0.0, 0.17, 0.115, 0.075)
    for side in (-1, 1):
        marks.darken(side * (face.eye_u - 0.1), -0.15, 0.17, 0.07, 0.22 + 0.05 * max(ridge, -2), -0.25 * side)
        marks.darken(side * (face.eye_u - 0.3), -0.02, 0.05, 0.10, 0.22)


def _chin(marks: Marks, face: Appearance) -> None:
    size, raised = face.traits["chin"], face.muscles.chin_raise
    chin_v = face.chin - 0.17 - 0.03 * raised
    dip_v = 0.5 * (face.mouth_v + 0.1 + 0.14 * face.muscles.jaw_drop + chin_v)
    marks.swell(0, chin_v, 0.19 + 0.03 * size, 0.115, 0.085 + 0.035 * size)
    marks.swell(0, dip_v, 0.19, 0.05, -0.035 - 0.012 * size - 0.02 * raised)
    marks.darken(0, dip_v - 0.01, 0.17, 0.045, 0.15 + 0.12 * raised)
    marks.crease((0, chin_v - 0.03), (0.004, chin_v + 0.04), (0, chin_v + 0.11), 0.022, 0.45 * (size - 0.7))
    if raised > 0.15:
        for u, v in face.random(7).uniform((-0.14, -0.07), (0.14, 0.07), (6, 2)).tolist():
            marks.swell(u, chin_v + v, 0.02, 0.02, -0.010 * raised)


def nose(marks: Marks, face: Appearance) -> None:
    """Tip, wings and nostrils."""
    wide, base = face.nose_half, face.nose_v
    size, tip = wide / 0.255, base - 0.10
    marks.swell(0, tip + 0.02, 0.085 * size, 0.075, 0.055 * size)
    marks.swell_both(0.78 * wide, base - 0.075, 0.065 * size, 0.075, 0.07 * size)
    marks.shine(0, tip, 0.07, 0.07, 0.45)
    marks.shine(0, 0.2, 0.04, 0.2, 0.2)
    marks.darken(0, base + 0.03, 0.6 * wide, 0.035, 0.22)
    for side in (-1, 1):
        _nostril(marks, face, side)
        marks.darken(side * (0.13 + 0.09 * size), 0.45 * base, 0.06, 0.2, 0.07, -0.2 * side)
        for v in (0.06, 0.135, 0.21):
            depth = 0.9 * face.muscles.nose_wrinkle - 0.05
            marks.crease((side * 0.02, v - 0.02), (side * 0.09, v), (side * 0.17, v + 0.05), 0.018, depth)
    groove_v = 0.5 * (base + face.mouth_v) - 0.03
    marks.swell(0, groove_v, 0.035, 0.07, -0.022)
    marks.swell_both(0.065, groove_v, 0.022, 0.07, 0.012)


def bridge(skin: Skin, face: Appearance) -> None:
    """The nose's long form."""
    wide, base = face.nose_half, face.nose_v
    size, top, tip = wide / 0.255, -0.16, base - 0.10
    patch = skin.grid.patch(0, 0.5 * (top + base), 0.5, 0.5 * (base - top) + 0.35)
    down = patch.v + 0.30 * np.abs(patch.u)
    along = (down - np.float32(top)) / np.float32(tip - top)
    rise = np.where(along < 1, np.maximum(along + 0.35, 0) * 0.74, bell(down - np.float32(tip), 0.095))
    breadth = 0.088 + 0.04 * size * np.clip(along, 0, 1.1) ** 2
    skin.relief[patch.place] += np.float32(0.1225 + 0.0525 * size) * rise * bell(patch.u / breadth, 1.0)


def _nostril(marks: Marks, face: Appearance, side: int) -> None:
    wide, base = face.nose_half, face.nose_v
    marks.darken(side * (wide + 0.03), base - 0.05, 0.04, 0.09, 0.12)
    middle = (side * 1.04 * wide, base - 0.075)
    marks.crease((side * 0.86 * wide, base - 0.16), middle, (side * 0.80 * wide, base + 0.008), 0.018, 0.6)
    marks.darken(side * 0.46 * wide, base - 0.018, 0.18 * wide, 0.024, 0.86, side * 0.22)


def ears(canvas: Canvas) -> None:
    """Both ears; the head goes over their roots."""
    grid, face, light = canvas.grid, canvas.face, canvas.light
    turn = float(np.sin(np.deg2rad(face.scene.yaw)))
    tone = (face.skin * np.array([1.02, 0.86, 0.84], np.float32))[:, None, None]
    high, u, v = face.ear, face.width + 0.005, 0.22
    for side in (-1, 1):
        wide = 0.145 * (high / 0.30) ** 0.8 * float(np.clip(1 - 1.8 * side * turn, 0.4, 1.5))
        patch = grid.patch(side * u, v, 2.2 * wide, 1.4 * high)
        y = (patch.v - np.float32(v)) / high
        x = (side * patch.u - np.float32(u)) / wide + 0.25 * y
        radius = np.sqrt(x * x + (y * (1 + 0.18 * y)) ** 2)
        rim = bell(radius - 0.80, 0.14) * ramp(y, 0.9, 0.4)
        bowl = ellipse(x - 0.12, y - 0.05, 0.36, 0.42)
        furrow = bell(radius - 0.6, 0.1) * (y < 0.4)
        relief = (0.16 * np.sqrt(np.maximum(1 - radius**2, 0.02)) + 0.07 * rim - 0.08 * bowl) * (wide / 0.17)
        shade = 0.9 - 0.38 * bowl - 0.18 * furrow
        ear = lit(tone, normals(relief, grid.pixel), light, shade, 0.2)
        canvas.lay(patch, ear, grid.cover((1 - radius) * np.float32(wide)))


def neck(canvas: Canvas) -> None:
    """The neck down to the collar, in the shadow of the jaw."""
    grid, face, light = canvas.grid, canvas.face, canvas.light
    patch = grid.below(0.65 * face.chin)
    flare = 0.55 * ramp(patch.v, 1.55, 2.5) ** 2 - 0.05 * ramp(patch.v, 0.9, 1.5)
    across = patch.u / (face.neck + flare)
    right = np.clip(0.93 * across, -0.97, 0.97)
    towards = np.sqrt(1 - right**2)
    sinew = bell(np.abs(patch.u) - 0.30 + 0.14 * (patch.v - 1.4), 0.05) * (0.5 + 0.5 * face.old)
    shadow = ramp(canvas.head[patch.place] + np.float32(0.25 * light.direction[0]) * patch.u, -0.62, 0.0)
    rings = np.maximum(np.sin(patch.v * 34 + 1.5 * np.cos(patch.u * 4)), 0) * (0.07 * max(face.old - 0.3, 0))
    shade = (1 - 0.62 * shadow) * (1 - 0.10 * sinew * (1 - shadow)) * (1 - rings)
    tone = (face.skin * np.array([0.96, 0.93, 0.92], np.float32))[:, None, None]
    skin = lit(tone, (right, np.full_like(right, 0.1), towards), light, shade, 0.12)
    canvas.lay(patch, skin, grid.cover((1 - np.abs(across)) * np.float32(face.neck)))
