"""Hair: strands that flow between an outer outline and a window that leaves the face free."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2f_bench.datasets.synthetic_speakers.face.appearance import Appearance
from v2f_bench.datasets.synthetic_speakers.face.canvas import Canvas
from v2f_bench.datasets.synthetic_speakers.face.grid import Grid
from v2f_bench.datasets.synthetic_speakers.face.hairstyles import HAIRSTYLES, Hairstyle, baldness
from v2f_bench.datasets.synthetic_speakers.face.light import Light
from v2f_bench.datasets.synthetic_speakers.face.loops import KNOTS, LOOP_CENTRE, at_every_turn, loop
from v2f_bench.datasets.synthetic_speakers.face.shapes import Field, Point, bell, ramp
from v2f_bench.datasets.synthetic_speakers.face.textures import lookup

_FAR = 4.0  # a window this wide leaves no hair
_FINE = 120.0  # texels a face unit, across fine strands


@dataclass(frozen=True)
class Hair:
    """The hair of one picture: `outer` and `window` are loops, `parting` is the parting's u, `curl` and `bald` 0..1."""

    style: Hairstyle
    outer: Field
    window: Field
    parting: float
    curl: float
    bald: float

    @property
    def pulled(self) -> bool:
        """Whether strands leave the face, so that the hairline shows."""
        return self.style.flow == "back" or (self.style.flow == "down" and self.style.fringe == 0)


def hair_of(face: Appearance) -> Hair:
    """Cut the hair."""
    style = HAIRSTYLES[face.scene.hairstyle]
    curl = float(np.clip((face.traits["hair_curl"] + 0.6) / 2.4, 0, 1))
    bald = baldness(face.person)
    parting = -style.parting if face.scene.mirrored else style.parting
    outer = loop(_outer(face, style, curl, bald), 4.0)
    outer += _bumps(face) * np.float32(0.003 + (0.05 if style.length else 0.028) * curl**1.4) * (outer > 1.0)
    window = [*_hairline(face, style, parting, bald), *_sides(face, style, bald), (0.0, _FAR)]
    return Hair(style, outer, loop(window, 3.0), parting, curl, bald)


def _bumps(face: Appearance) -> Field:
    """How the person's hair swells round the head, of deviation about 1."""
    waves = np.zeros(33, np.complex128)
    waves.real[1:], waves.imag[1:] = face.random(30).standard_normal((2, 32))
    power = np.exp(-0.5 * ((np.arange(33) - 14) / 6.0) ** 2)
    return at_every_turn(waves * power * (KNOTS / 2 / np.sqrt(np.sum(power**2))))


def _outer(face: Appearance, style: Hairstyle, curl: float, bald: float) -> list[Point]:
    day = 1 + 0.25 * face.scene.volume
    top = min(0.36, style.top * day * (1 - 0.35 * face.old) * (1 - 0.8 * bald) * (1 + 1.3 * curl))
    side = style.side * day * (1 - 0.25 * face.old) * (1 + (2.0 if style.top > 0.06 else 0.8) * curl)
    w, crown = face.width, face.crown
    half = [
        (0.0, crown - top),
        (0.52 * w + 0.5 * side, crown + 0.10 - 0.9 * top),
        (0.84 * w + 0.8 * side, -1.02 - 0.4 * top),
        (0.96 * w + side, -0.45),
    ]
    if style.length is None:
        half += [
            (0.985 * w + 0.9 * side, -0.1),
            (0.97 * w + 0.3 * side, 0.14),
            (0.90 * w, 0.34),
            (0.5, 0.9),
            (0.0, 1.0),
        ]
    else:
        wide, end = w + 1.25 * side + 0.02, style.length
        half += [
            (wide, 0.1),
            (wide + 0.4 * style.flare, 0.55 * end),
            (wide + style.flare, 0.9 * end),
            (0.80 * (wide + style.flare), end + 0.04),
            (0.0, end + 0.1),
        ]
    return half + [(-u, v) for u, v in half[1:-1]]


def _hairline(face: Appearance, style: Hairstyle, parting: float, bald: float) -> list[Point]:
    """The hair's edge over the forehead."""
    line, recede = face.hairline, max(0.0, face.traits["hairline"]) * (0.4 if face.female else 1.0)
    temple = line + 0.16 - 0.12 * recede
    points: list[Point] = []
    for side in (-1, 1):
        if bald > 0.15:
            points += [(0.0, line - 0.72 * bald), (side * 0.35, line - 0.1 - 0.68 * bald)]
            points += [(side * 0.70, temple - 0.5 * bald)]
        elif style.flow == "parted":
            fall = 0.04 if side * parting >= 0 else 0.10
            low = temple + 0.06 + fall * (0.8 if style.length else 0.5)
            points += [(parting, line - 0.02), (parting + side * 0.22, line + fall), (side * 0.62 + 0.1 * parting, low)]
        elif style.fringe > 0:
            low = line + style.fringe * (face.brow_v - 0.06 - line)
            points += [(0.0, low), (side * 0.4, low + 0.02), (side * 0.72, low + 0.12)]
        else:
            points += [(0.0, line + 0.02 * max(0.0, 1 - recede)), (side * 0.36, line - 0.02 * recede)]
            points += [(side * 0.64, temple)]
    return points


def _sides(face: Appearance, style: Hairstyle, bald: float) -> list[Point]:
    """The hair's edge beside the face: down to the sideburns, or along what hangs."""
    w, recede = face.width, max(0.0, face.traits["hairline"]) * (0.4 if face.female else 1.0)
    if style.length is None or style.tucked:
        half = [(0.80 * w, -0.52 - 0.05 * recede - 0.2 * bald), (0.87 * w, -0.25), (0.905 * w, 0.0), (0.97 * w, 0.16)]
        half += [(1.4, 0.3), (_FAR, 1.2)]
    else:
        free, cover = w * (0.93 - style.cover), style.cover
        half = [(0.84 * w - 0.5 * cover, -0.50), (0.91 * w - 0.6 * cover, -0.1), (free, 0.3), (free, 0.7)]
        half += [(free - 0.02, 1.2), (free + 0.03, 1.8), (free + 0.06, 2.6)]
    return half + [(-u, v) for u, v in half]


def back_hair(canvas: Canvas, hair: Hair) -> None:
    """What hangs behind the neck, in the shade of the head, and a bun above it."""
    if hair.style.bun:
        _bun(canvas, hair)
    if hair.style.length is None:
        return
    grid, light = canvas.grid, canvas.light
    strands = _strands(grid, canvas.face, hair, grid.u, grid.v, 31)
    cover = grid.cover(grid.inside(hair.outer) - 0.02 + 0.03 * ramp(grid.v, 0.3, 0.9) * strands)
    open_air = (0.55 if hair.style.tucked else 0.3) * ramp(np.abs(grid.u), 0.55, 1.15)
    shade = np.maximum(0.28 + open_air + 0.08 * strands, 0.1)
    hanging = _tone(canvas.face, strands) * shade * (0.7 * light.key + light.sky)
    canvas.lay(grid.whole, hanging, cover)


def _bun(canvas: Canvas, hair: Hair) -> None:
    face, grid, light = canvas.face, canvas.grid, canvas.light
    v = face.crown - 0.06
    patch = grid.patch(0, v, 0.6, 0.42)
    x, y = patch.u / (0.34 + 0.1 * hair.curl), (patch.v - v) / (0.25 + 0.05 * hair.curl)
    radius, turn = np.sqrt(x * x + y * y), np.arctan2(y, x)
    strands = _strands(grid.part(patch), face, hair, 0.4 * radius + 0.06 * turn, 0.3 * turn, 34)
    facing = np.maximum(0.6 * np.sqrt(np.maximum(1 - radius**2, 0)) + 0.3 - 0.3 * y, 0.1)
    colour = _tone(face, strands) * facing * (0.8 * light.key + light.sky)
    canvas.lay(patch, colour, ramp((1 - radius) * np.float32(0.28) + 0.015 * strands, -0.02, 0.03))


def front_hair(canvas: Canvas, hair: Hair) -> None:
    """Everything that grows over the skull and falls beside the face, with its shadow on the skin."""
    face, style, short = canvas.face, hair.style, hair.style.length is None
    patch = canvas.grid.above(0.95) if short else canvas.grid.whole
    grid, under = canvas.grid.part(patch), canvas.under(patch)
    outside, free = grid.inside(hair.outer), -grid.inside(hair.window)
    way = np.clip(free / np.maximum(outside + free, 0.02), 0, 1)
    across, along = _flow(grid, hair, way, free)
    strands = _strands(grid, face, hair, across, along, 32)
    aside = np.abs(grid.angle)
    if style.clipped:
        where = ramp(aside, 0.75, 1.15) if style.top > 0.06 else np.float32(1)
        strands += (_stubs(grid, face) - strands) * where

    near = np.minimum(free - 0.02, 0)
    on_skin = ramp(canvas.head[patch.place], -0.02, 0.02)
    under *= 1 - (0.30 if short else 0.42) * bell(near, 0.06 if short else 0.10) * on_skin

    hem, jag = (0.085, 0.03) if hair.pulled or hair.bald > 0.15 else (0.03, 0.024)
    ragged = (0.003 if style.flow == "parted" else 0.010) + 0.02 * hair.curl
    cover = ramp(free + jag * strands, -0.8 * hem, 1.2 * hem) * ramp(outside + ragged * strands, -0.022, 0.03)
    if style.top < 0.06:
        cover *= 0.55 + 0.45 * ramp(free + 0.05 * strands, 0.0, 0.25) * ramp(grid.v, 0.3, -0.5)
    if hair.bald > 0.15:
        cover *= 1 - min(1.0, 1.6 * hair.bald) * ramp(aside, 0.55 + 0.7 * hair.bald, 0.15 + 0.6 * hair.bald)
    tone = _tone(face, strands, ramp(aside, 0.5, 1.3))
    canvas.lay(patch, _shaded(grid, face, hair, way, strands, tone, canvas.light), cover)


def _flow(grid: Grid, hair: Hair, way: Field, free: Field) -> tuple[Field, Field]:
    """Coordinates across and along the strands, in face units [h, w]."""
    if hair.style.flow == "back":
        lean = 0.25 if hair.parting >= 0 else -0.25
        return grid.angle * 1.15 + lean * free, grid.radius * 0.8
    if hair.style.flow == "down":
        # strands fan out from the crown as meridians do, and hang below the temples
        fan = np.sqrt(np.maximum(1 - (np.minimum(grid.v - 0.1, 0) / 1.85) ** 2, 0.02))
        return (grid.u - 0.3 * hair.parting) / fan, grid.v
    turned = grid.angle - np.float32(_parting_angle(hair))
    run, right = np.abs(turned), turned > 0
    across = 0.75 * way + np.sqrt(run + 0.02) * (right * np.float32(0.5) - np.float32(0.25)) + right * np.float32(3)
    return across, run * np.maximum(grid.radius, 0.8)


def _parting_angle(hair: Hair) -> float:
    return float(np.arctan2(hair.parting, LOOP_CENTRE + 1.2))


def _strands(grid: Grid, face: Appearance, hair: Hair, across: Field, along: Field, stream: int) -> Field:
    """The strands' relief, of mean 0 and deviation about 0.8 in large pictures: straight, waved or curled."""
    x, y, phase = face.random(stream).uniform(0, 400, 3).tolist()
    pixel, curl = grid.pixel, hair.curl
    straight: Field = np.zeros_like(along)
    if curl < 0.75:
        wave = 0.030 * min(2.2 * curl, 1.0) * np.sin(along * (7 + 5 * curl) + 6 * across + phase)
        locks = lookup("lock", across * 110 + x, along * 60 + y, 110 * pixel, 60 * pixel)
        fine = lookup("strand", (across + wave) * _FINE + x, along * 60 + y, _FINE * pixel, 60 * pixel)
        straight = 0.75 * fine + 0.35 * locks
    if curl < 0.45:
        return straight
    scale = 75 * (0.55 + 0.4 * curl)
    curls = lookup("ringlet", grid.u * scale + x, grid.v * scale + y, scale * pixel, scale * pixel)
    fine = lookup("strand", across * _FINE + 7 * curls, along * 110 + 9 * curls, _FINE * pixel, 110 * pixel)
    curls = curls + 0.55 * fine
    return straight + (0.62 * curls - straight) * np.float32(min(1.0, (curl - 0.45) / 0.3))


def _stubs(grid: Grid, face: Appearance) -> Field:
    """Hair too short to show strands."""
    x, y = face.random(33).uniform(0, 400, 2).tolist()
    return 0.42 * lookup("pore", grid.u * 85 + x, grid.v * 60 + y, 85 * grid.pixel, 60 * grid.pixel)


def _tone(face: Appearance, strands: Field, temple: Field | float = 0.0) -> Field:
    """Hair colour [3, h, w]; grey comes strand by strand, first at the temples (`temple` 1)."""
    faded = face.hair + (face.hair.mean() - face.hair) * np.float32(0.8 * face.greyness)
    tone = faded[:, None, None] * np.clip(1 + 0.27 * strands, 0.3, 1.9)
    if face.greyness == 0:
        return tone
    uneven = min(1.0, 3 * face.greyness * (1 - face.greyness) + 0.1)
    share = 0.1 * (1 - face.greyness) * strands + (1.3 * face.greyness - 0.12) + 0.3 * uneven * (temple - 0.5)
    grey = face.grey[:, None, None] * np.clip(0.84 + 0.14 * strands, 0.35, 1.3)
    return tone + (grey - tone) * np.clip(share, 0, 1)


def _shaded(grid: Grid, face: Appearance, hair: Hair, way: Field, strands: Field, tone: Field, light: Light) -> Field:
    """Light from the hair's volume [3, h, w], with the band of shine that lies across smooth strands."""
    lx, ly, lz = (np.float32(part) for part in light.direction)
    out_x, out_y = grid.u / grid.radius, (grid.v - np.float32(LOOP_CENTRE)) / grid.radius
    outward = out_x * lx + out_y * ly
    lean = np.clip(1.4 * way - 0.5, -0.45, 0.9)
    direct = np.maximum((lean * outward + np.sqrt(1 - lean**2) * lz + 0.3) / 1.3, 0)
    hem = 0.8 if hair.pulled else 0.55
    deep = (hem + (1 - hem) * ramp(way, -0.05, 0.3)) * (1 - 0.35 * ramp(way, 0.8, 1.05))
    deep *= 1 - 0.3 * ramp(grid.v, -0.2, 1.3) * ramp(np.abs(grid.u), 1.25, 0.9)
    if hair.style.flow == "parted":
        from_seam = (grid.angle - np.float32(_parting_angle(hair))) * grid.radius
        deep *= 1 - 0.4 * bell(from_seam, 0.03) * ramp(way, 0.95, 0.5)
    band = bell(way - 0.52 + 0.05 * strands, 0.15) * np.clip(0.45 + outward, 0, 1.2)
    sleek = 0.75 * (1 - 0.8 * hair.curl) * (1 - 0.6 * face.greyness)
    shine = sleek * band * ramp(grid.v, 0.9, -0.4) * (1 + 0.4 * strands)
    around = light.sky * (0.6 - 0.4 * out_y) + light.ground * 0.3
    return tone * ((1.1 * direct * light.key + around) * deep + shine * light.key)
