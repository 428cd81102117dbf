"""Eyes, brows and glasses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2f_bench.datasets.synthetic_speakers.face.appearance import Appearance, linear
from v2f_bench.datasets.synthetic_speakers.face.canvas import Canvas
from v2f_bench.datasets.synthetic_speakers.face.grid import Patch
from v2f_bench.datasets.synthetic_speakers.face.shapes import Field, bell, ellipse, ramp
from v2f_bench.datasets.synthetic_speakers.face.skin import Skin
from v2f_bench.datasets.synthetic_speakers.face.textures import lookup

_SCLERA = linear((0.83, 0.81, 0.80))
_TEAR_DUCT = linear((0.80, 0.52, 0.50))
_GLINT = np.full((1, 1, 1), 0.85, np.float32)
_IRIS_RADIUS = 0.105
_FRAMES = ((0.05, 0.05, 0.06), (0.16, 0.10, 0.07), (0.12, 0.11, 0.10))


@dataclass(frozen=True)
class _Opening:
    """Both eyes in their own coordinates, whose unit is half their width: `x` outwards, `y` down, both [h, w].

    `upper` and `lower` are the y of the lids' edges at each x; `cover` is the eyeball's coverage, 0..1.
    """

    patch: Patch
    x: Field
    y: Field
    upper: Field
    lower: Field
    cover: Field


def eyes(skin: Skin, face: Appearance) -> None:
    """Both eyes with their lids and lashes."""
    opening = _open(skin, face)
    _lid(skin, face, opening)
    _ball(skin, face, opening)
    _lashes(skin, face, opening)


def _open(skin: Skin, face: Appearance) -> _Opening:
    m, half, size, hood = face.muscles, face.eye_half, face.traits["eye_size"], face.traits["eye_hood"]
    patch = skin.grid.patch(0, -0.06, face.eye_u + 0.36, 0.26)
    out = np.abs(patch.u) - np.float32(face.eye_u)
    c, s = float(np.cos(face.eye_tilt)), float(np.sin(face.eye_tilt))
    x, y = (c * out - s * patch.v) / half, (c * patch.v + s * out) / half

    high = 0.37 * (1 + 0.18 * size) * (1 - 0.10 * hood)
    high *= 1 + 0.65 * m.eye_widen - 0.34 * m.eye_narrow - 0.8 * m.lid_drop
    low = 0.25 * (1 + 0.12 * size) * (1 + 0.20 * m.eye_widen - 0.6 * m.eye_narrow - 0.4 * m.cheek_raise)
    within = np.clip(x, -1.08, 1)
    droop = 0.11 * max(hood, 0) * ramp(x, 0.0, 1.0)
    # the upper lid is highest towards the nose, the lower one deepest away from it
    upper = -high * np.maximum(1 - np.abs(within + 0.10 * (1 - within**2)) ** 2.1, 0) ** 0.8
    upper += droop + 0.18 * m.inner_brow_raise * (1 - m.eye_widen) * x
    lower = low * np.maximum(1 - np.abs(within - 0.14 * (1 - within**2)) ** 2.3, 0) ** 0.85 + 0.5 * droop
    lower = np.maximum(lower, upper)
    cover = skin.grid.cover(np.minimum(y - upper, lower - y) * half) * ramp(np.abs(x + 0.03), 1.10, 1.02)
    return _Opening(patch, x, y, upper, lower, cover)


def _lid(skin: Skin, face: Appearance, at: _Opening) -> None:
    """The fold over the upper lid; a heavy hood hangs down to the lashes."""
    m, hood, x, y = face.muscles, face.traits["eye_hood"], at.x, at.y
    height = 0.34 - 0.14 * hood - 0.10 * m.eye_widen + 0.05 * m.inner_brow_raise - 0.1 * m.brow_lower
    height = max(0.09, height + 0.22 * m.lid_drop)
    fold = (0.92 + 0.3 * m.lid_drop) * at.upper - 0.05 - height * (0.75 + 0.25 * np.maximum(1 - x * x, 0))
    fold += max(hood, 0.0) * 0.05 * ramp(x, 0.1, 1.0)
    ends = ramp(np.abs(x - 0.03), 1.25, 0.80)
    narrow, width = 0.055, max(0.055, 0.5 * skin.grid.pixel / face.eye_half)
    line = bell(y - fold, width) * ends * np.float32(narrow / width)
    skin.shade[at.patch.place] *= 1 - np.float32(0.42 + 0.06 * abs(hood)) * line
    skin.relief[at.patch.place] += np.float32(0.016 + 0.014 * max(hood, -1)) * bell(y - fold + 0.22, 0.16) * ends
    over_lashes = ramp(at.upper - y, -0.05, 0.05) * ends
    skin.gloss[at.patch.place] += 0.15 * ramp(y - fold, 0.0, 0.12) * over_lashes
    if face.scene.make_up:
        powder = 0.35 * linear(face.scene.lip_colour) + 0.30 * face.skin
        skin.paint(at.patch, 0.6 * face.scene.make_up * bell(y - at.upper + 0.25, 0.22) * over_lashes, powder)


def _ball(skin: Skin, face: Appearance, at: _Opening) -> None:
    """White, iris and pupil, in the shade of the upper lid."""
    x, y, half, (gaze_u, gaze_v) = at.x, at.y, face.eye_half, face.scene.gaze
    white = _SCLERA[:, None, None] * ((1 - 0.40 * ramp(np.abs(x), 0.35, 1.05)) * (1 - 0.05 * face.old))
    white += (_TEAR_DUCT[:, None, None] - white) * (0.85 * ramp(x, -0.78, -0.95))
    white[1:] *= 1 - 0.12 * ramp(np.abs(x), 0.5, 1.0)

    radius, soft = _IRIS_RADIUS / half, 0.4 * skin.grid.pixel / _IRIS_RADIUS
    aside = np.sign(at.patch.u) * np.float32(0.20 * gaze_u)
    iris_x, iris_y = (x - aside + 0.02) / radius, (y - 0.10 * gaze_v + 0.06) / radius
    distance, turn = np.sqrt(iris_x**2 + iris_y**2), np.arctan2(iris_y, iris_x)
    fibres = 1 + 0.16 * np.sin(turn * 11 + 2 * np.sin(turn * 3)) * ramp(distance, 0.3, 0.6)
    glow = 0.75 + 0.75 * ramp(iris_y, -0.6, 0.9)
    rim = 1 - 0.72 * ramp(distance, 0.70, 0.98)
    pupil = ramp(distance, 0.40 + soft, 0.40 - soft)
    iris = face.iris[:, None, None] * (fibres * glow * rim * (1 - 0.97 * pupil))
    ball = white + (iris - white) * ramp(distance, 1 + soft, 1 - soft)

    place = at.patch.place
    skin.paint(at.patch, at.cover, ball)
    under_lid = 0.42 + 0.58 * ramp((y - at.upper) * half, -0.01, 0.075)
    skin.shade[place] += (under_lid - skin.shade[place]) * at.cover
    skin.gloss[place] *= 1 - at.cover
    relief = skin.relief[place]
    level = float(relief[np.unravel_index(np.argmin(x * x + y * y), relief.shape)])  # in the middle of an eye
    relief += (level - np.float32(0.175 * half) * (x**2 + y**2) - relief) * at.cover * 0.8
    edge = bell((y - at.lower) * half, 0.016) * ramp(np.abs(x), 1.0, 0.8)
    skin.paint(at.patch, 0.5 * edge, face.skin * np.array([1.18, 1.02, 1.0], np.float32) + np.float32(0.03))


def _lashes(skin: Skin, face: Appearance, at: _Opening) -> None:
    x, half, pixel, make_up = at.x, face.eye_half, skin.grid.pixel, face.scene.make_up
    above, below = (at.y - at.upper) * half, (at.y - at.lower) * half
    dense = (0.9 if face.female else 0.65) + 0.35 * make_up
    thick = (0.033 + 0.014 * x) * (1 + 0.25 * face.female + 0.5 * make_up)
    wide = np.maximum(thick, 0.7 * pixel)
    dark = np.minimum(face.hair * 0.25, 0.05) + face.skin * 0.04
    line = bell((above + 0.35 * thick) / wide, 0.62) * (thick / wide) * ramp(np.abs(x - 0.04), 1.12, 0.97)
    skin.paint(at.patch, np.minimum(dense * line, 1), dark)
    if face.female:
        wing = bell(above + 0.30 * half * (x - 0.85), 0.02)
        skin.paint(at.patch, 0.6 * dense * wing * ramp(x, 0.75, 1.05) * ramp(x, 1.26, 1.06), dark)
    narrow, width = 0.014, max(0.014, 0.45 * pixel)
    line = bell(below - 0.014, width) * ramp(np.abs(x), 1.02, 0.72) * np.float32(narrow / width)
    skin.paint(at.patch, (0.38 + 0.25 * make_up) * line, dark + 0.15 * face.skin)


def highlights(canvas: Canvas) -> None:
    """The key light's reflection in both eyes."""
    face, (gaze_u, gaze_v) = canvas.face, canvas.face.scene.gaze
    small, spot = 0.019, max(0.019, 0.42 * canvas.grid.pixel)
    strength = np.float32(0.9 * (small / spot) ** 2)
    strength *= float(np.clip(1.4 - 1.6 * face.muscles.lid_drop, 0, 1))
    aside = 0.2 * face.eye_half * gaze_u + 0.035 * float(np.sign(face.scene.light[0]))
    v = 0.1 * face.eye_half * gaze_v - 0.035 * (1 - 0.55 * face.muscles.eye_narrow)
    for side in (-1, 1):
        u = side * face.eye_u + aside
        patch = canvas.grid.patch(u, v, 0.1, 0.1)
        canvas.lay(patch, _GLINT, strength * ellipse(patch.u - u, patch.v - v, spot, spot))


def brows(skin: Skin, face: Appearance) -> None:
    """Both eyebrows, their hairs combed outwards along their arches."""
    t, m, pixel = face.traits, face.muscles, skin.grid.pixel
    patch = skin.grid.patch(0, face.brow_v - 0.02, face.eye_u + 0.50, 0.33)
    out = np.abs(patch.u)
    inner, outer = face.eye_u - 0.29 - 0.06 * m.brow_lower - 0.012 * t["brow_thickness"], face.eye_u + 0.37
    along = (out - np.float32(inner)) / np.float32(outer - inner)
    away = patch.v - _brow_line(face, np.clip(along, -0.1, 1.1))
    at = np.clip(along, 0, 1)

    thick = 0.054 * float(np.exp(0.31 * t["brow_thickness"])) * (1 - 0.10 * face.female)
    body = np.sqrt(np.minimum(at / 0.16, 1)) * np.clip((1.02 - at) / 0.62, 0, 1) ** 0.75
    x, y = face.random(10).uniform(0, 400, 2).tolist()
    lie = 1.13 - 1.05 * at**0.6  # radians
    c, s = np.cos(lie), np.sin(lie)
    hairs = lookup("strand", (c * away + s * out) * 90 + x, (c * out - s * away) * 60 + y, 90 * pixel, 60 * pixel)
    edge = max(0.9 * thick, 0.8 * pixel)
    cover = ramp(thick * (0.3 + 0.7 * body) * (1 + 0.06 * hairs) - np.abs(away), -0.45 * edge, 0.55 * edge)
    cover *= ramp(along, -0.06, 0.14) * ramp(along, 1.03, 0.88)
    cover *= np.clip(0.86 + 0.08 * t["brow_thickness"] + 0.09 * hairs, 0.3, 0.97)
    colour = face.hair * np.float32(0.62 - 0.2 * min(1.0, float(face.hair.mean()) / 0.3)) + face.skin * 0.02
    skin.paint(patch, cover, colour + (face.grey * 0.6 - colour) * np.float32(0.55 * face.greyness))
    skin.gloss[patch.place] *= 1 - 0.7 * cover
    skin.relief[patch.place] += 0.012 * cover


def _brow_line(face: Appearance, at: Field) -> Field:
    """The brow's v from its inner (`at` 0) to its outer end (1)."""
    m, t = face.muscles, face.traits
    climb = np.where(at < 0.66, at / 0.66, 1 - ((at - 0.66) / 0.40) ** 2)
    arch = (0.055 + 0.06 * t["brow_arch"]) * np.sin(np.clip(climb, -0.3, 1) * np.pi / 2)
    inward, outward = np.clip(1 - at, 0, 1.1), np.clip(at, 0, 1.1)
    line = face.brow_v + 0.035 - arch - 0.01 * t["eye_tilt"] * (at - 0.4)
    line -= 0.21 * m.inner_brow_raise * inward**1.5 + 0.17 * m.outer_brow_raise * outward**0.8
    line += 0.15 * m.brow_lower * (1 - 0.75 * m.inner_brow_raise) * (0.85 * inward**0.9 + 0.15)
    return line + 0.03 * m.nose_wrinkle * inward - 0.04 * m.inner_brow_raise * m.outer_brow_raise


def glasses(canvas: Canvas) -> None:
    """Glasses over the finished head, if the scene has any."""
    face, grid = canvas.face, canvas.grid
    kind = face.scene.glasses
    if kind == "none":
        return
    thick, power, half_u, half_v = {
        "round": (0.022, 2.2, 0.30, 0.27),
        "square": (0.022, 4.5, 0.33, 0.24),
        "thin": (0.012, 3.0, 0.33, 0.22),
    }[kind]
    frame = np.array(_FRAMES[face.random_today(1).integers(len(_FRAMES))], np.float32)
    patch = grid.patch(0, 0.03, 1.2, 0.45)
    u, v, line = np.abs(patch.u), patch.v, max(thick, 0.55 * grid.pixel)
    middle = max(face.eye_u + 0.01, half_u + 0.06)
    x, y = np.abs(u - np.float32(middle)) / half_u, np.abs(v - 0.035) / half_v
    radius = (x**power + y**power) ** (1 / power)
    rim = bell((radius - 1) * half_v, 0.7 * line)
    bridge = bell(v + 0.03 + 0.5 * u**2, 0.7 * line) * (u < middle - half_u)
    arm = bell(v + 0.07, 0.7 * line) * (u > middle + half_u - 0.01) * (u < face.width)
    shadow = bell((radius - 1) * half_v - 0.04, 0.03) * (v > 0.05)
    streak = np.sin(patch.u * 3 + v * 5 + 2 * face.scene.light[0])
    glare = ramp(streak, 0.72, 0.98) * ramp(radius, 1.0, 0.9)
    under = canvas.under(patch)
    under *= (1 - 0.10 * ramp(radius, 1.2, 0.9)) * (1 - 0.25 * shadow)
    under += 0.05 * glare
    canvas.lay(patch, frame[:, None, None], np.minimum(rim + bridge + arm, 1) * np.float32(thick / line))
