"""Where the parts of one face lie in one picture, and their colours, from the person's traits and muscles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2f_bench.datasets.synthetic_speakers.causes import FACE_TRAITS, Person
from v2f_bench.datasets.synthetic_speakers.expression import Muscles
from v2f_bench.datasets.synthetic_speakers.face.loops import loop
from v2f_bench.datasets.synthetic_speakers.face.scene import Scene
from v2f_bench.datasets.synthetic_speakers.face.shapes import Field, Point

# sRGB, 0..1, at standardised tones -2.4, -1.2, 0, 1.2, 2.4.
_LIGHTEST, _STEP = -2.4, 1.2
_SKIN = ((0.97, 0.86, 0.79), (0.93, 0.77, 0.67), (0.83, 0.64, 0.51), (0.60, 0.42, 0.31), (0.37, 0.25, 0.19))
_HAIR = ((0.88, 0.77, 0.58), (0.68, 0.53, 0.35), (0.40, 0.28, 0.19), (0.20, 0.14, 0.11), (0.08, 0.07, 0.07))
_WARM_HAIR = ((0.90, 0.66, 0.42), (0.74, 0.42, 0.20), (0.50, 0.23, 0.11), (0.27, 0.12, 0.07), (0.12, 0.06, 0.05))
_ASH_HAIR = ((0.84, 0.79, 0.70), (0.58, 0.52, 0.44), (0.34, 0.30, 0.27), (0.17, 0.15, 0.15), (0.07, 0.07, 0.08))
_IRIS = ((0.58, 0.74, 0.86), (0.42, 0.58, 0.62), (0.44, 0.42, 0.24), (0.34, 0.20, 0.11), (0.12, 0.07, 0.05))
_GREY = (0.74, 0.73, 0.715)


def linear(rgb: tuple[float, float, float]) -> Field:
    """Light of an sRGB colour, with a gamma of 2."""
    return np.square(np.array(rgb, np.float32))


def _palette(colours: tuple[tuple[float, float, float], ...], tone: float) -> Field:
    place = min(max((tone - _LIGHTEST) / _STEP, 0.0), len(colours) - 1.0)
    first = min(int(place), len(colours) - 2)
    lighter, darker = np.array(colours[first : first + 2])
    return np.square(lighter + (darker - lighter) * (place - first)).astype(np.float32)


def _mix(a: Field, b: Field, share: float) -> Field:
    return (a + (b - a) * np.float32(share)).astype(np.float32)


@dataclass(frozen=True)
class Appearance:
    """One person, moved by `muscles`, in a `scene`.

    `traits` are the person's, gently bounded so that nothing collides at the extremes. Places and sizes are in face
    units (see grid.py), `eye_tilt` in radians, `outline` is the head's loop, (`corner_u`, `corner_v`) the right corner
    of the mouth as it is moved. Colours are linear light [3]. `old` is 0 until the age of 30 and 1 at 80.
    """

    person: Person
    muscles: Muscles
    scene: Scene
    traits: dict[str, float]
    old: float
    female: bool
    width: float
    crown: float
    hairline: float
    chin: float
    jaw: float
    eye_u: float
    eye_half: float
    eye_tilt: float
    brow_v: float
    nose_v: float
    nose_half: float
    mouth_v: float
    corner_u: float
    corner_v: float
    ear: float
    neck: float
    outline: Field
    skin: Field
    hair: Field
    grey: Field
    greyness: float
    iris: Field

    @property
    def points(self) -> tuple[Point, ...]:
        """The five that a face detector finds: eyes, tip of the nose, corners of the mouth."""
        eyes, corners = (-self.eye_u, 0.0), (-self.corner_u, self.corner_v)
        return (eyes, (self.eye_u, 0.0), (0.0, self.nose_v - 0.10), corners, (self.corner_u, self.corner_v))

    def random(self, stream: int) -> np.random.Generator:
        """What is random about the person: the same generator in every picture."""
        return np.random.default_rng((self.person.seed, 100 + stream))

    def random_today(self, stream: int) -> np.random.Generator:
        """What is random about the picture."""
        return np.random.default_rng((self.scene.seed, 200 + stream))


def appearance_of(person: Person, muscles: Muscles, scene: Scene) -> Appearance:
    """Measure the face."""
    t = {name: 3.4 * float(np.tanh(person.face[name] / 3.4)) for name in FACE_TRAITS}
    female = person.sex == "female"
    old = float(np.clip((person.age - 30) / 50, 0, 1))
    width = 1 + 0.055 * t["face_width"]
    stretch = 1 + 0.07 * t["face_length"]
    rest_chin = 1.57 * stretch + 0.055 * t["chin"]
    nose_v = 0.66 * (1 + 0.6 * (stretch - 1)) + 0.062 * t["nose_length"]
    mouth_v = nose_v + 0.345 * (rest_chin - nose_v)
    corner_u, corner_v = _mouth_corner(mouth_v, 0.42 + 0.08 * t["mouth_width"], muscles)
    chin = rest_chin + 0.22 * muscles.jaw_drop - 0.03 * muscles.chin_raise
    crown = -1.56 - 0.05 * t["forehead"]
    jaw = (0.735 + 0.08 * t["jaw_width"] + 0.03 * t["cheek_fullness"] + 0.03 * old) * (0.5 + 0.5 * width)
    skin = _palette(_SKIN, t["skin_tone"])
    redness = np.array([0.03, -0.045, -0.035], np.float32) * np.float32(t["skin_redness"])
    warm = t["hair_warmth"]
    hair = _palette(_HAIR, t["hair_tone"])
    hair = _mix(hair, _palette(_WARM_HAIR if warm > 0 else _ASH_HAIR, t["hair_tone"]), min(abs(warm) / 2.4, 1))
    return Appearance(
        person=person,
        muscles=muscles,
        scene=scene,
        traits=t,
        old=old,
        female=female,
        width=width,
        crown=crown,
        hairline=-0.93 - 0.08 * t["forehead"] - 0.085 * (t["hairline"] + 0.3),
        chin=chin,
        jaw=jaw,
        eye_u=0.475 * (0.6 + 0.4 * width) + 0.05 * t["eye_spacing"],
        eye_half=0.238 * (1 + 0.085 * t["eye_size"]),
        eye_tilt=float(np.deg2rad(3 + 8 * t["eye_tilt"])),
        brow_v=-0.34 - 0.065 * t["brow_height"] + 0.02 * t["brow_ridge"],
        nose_v=nose_v - 0.05 * muscles.nose_wrinkle,
        nose_half=0.265 + 0.06 * t["nose_width"],
        mouth_v=mouth_v,
        corner_u=corner_u,
        corner_v=corner_v,
        ear=0.30 * (1 + 0.24 * t["ear_size"]),
        neck=(0.60 + 0.10 * t["neck_width"]) * (0.6 + 0.4 * width),
        outline=loop(_outline(t, width, crown, jaw, chin, old)),
        skin=skin * (1 + redness),
        hair=hair,
        grey=linear(_GREY),
        greyness=float(np.clip((person.face["greying"] + 0.15) / 2.0, 0, 1)),
        iris=_palette(_IRIS, t["eye_colour"]),
    )


def _mouth_corner(mouth_v: float, half: float, m: Muscles) -> Point:
    """Where the muscles bring the right corner of a mouth that is `half` wide to either side."""
    rounded = 0.24 * m.jaw_drop * (1 - m.corner_pull) * (1 - m.lip_stretch)
    half *= (1 + 0.22 * m.corner_pull + 0.22 * m.lip_stretch - rounded) * (1 - 0.08 * m.lip_press - 0.06 * m.chin_raise)
    lift = 0.17 * m.corner_pull - 0.15 * m.corner_drop - 0.035 * m.lip_stretch + 0.03 * m.upper_lip_raise + 0.015
    return half, mouth_v - lift


def _outline(t: dict[str, float], width: float, crown: float, jaw: float, chin: float, old: float) -> list[Point]:
    """Points round the head, from the crown by the temples, cheekbones and jaw to the chin."""
    cheek = 0.5 * (width + jaw) + 0.045 * t["cheek_fullness"]
    chin_half = 0.235 + 0.06 * t["chin"] + 0.02 * t["jaw_width"]
    jaw_v = 0.68 * chin
    half = [
        (0.0, crown),
        (0.50 * width, crown + 0.10),
        (0.84 * width, -1.02),
        (0.955 * width - 0.012 * t["cheekbones"], -0.45),
        (0.985 * width + 0.03 * t["cheekbones"], 0.12),
        (0.95 * width + 0.05 * t["cheekbones"], 0.36),
        (cheek, 0.45 * chin),
        (jaw + 0.03 * old, jaw_v),
        (0.52 * jaw + 0.5 * chin_half, 0.86 * chin),
        (chin_half, 0.975 * chin),
        (0.0, chin + 0.01),
    ]
    return half + [(-u, v) for u, v in half[1:-1]]
