"""The scene of one picture: everything in it that is not the person, nor the expression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2f_bench.datasets.synthetic_speakers.causes import Person
from v2f_bench.datasets.synthetic_speakers.face.hairstyles import styles_of
from v2f_bench.datasets.synthetic_speakers.face.shapes import Point

Colour = tuple[float, float, float]
_POINT_ERROR = 0.03  # standard deviation

BACKDROPS = ("studio", "room", "window", "garden", "street")
NECKLINES = ("crew", "v", "scoop", "shirt", "turtleneck", "jacket")
GLASSES = ("none", "round", "square", "thin")

# Muted cloth in sRGB, 0..1.
_CLOTHS: tuple[Colour, ...] = (
    (0.16, 0.17, 0.20),
    (0.24, 0.29, 0.40),
    (0.45, 0.50, 0.57),
    (0.80, 0.79, 0.76),
    (0.62, 0.57, 0.50),
    (0.42, 0.22, 0.22),
    (0.33, 0.41, 0.34),
    (0.55, 0.62, 0.66),
    (0.68, 0.60, 0.44),
    (0.50, 0.40, 0.46),
    (0.88, 0.85, 0.80),
    (0.30, 0.24, 0.21),
)


@dataclass(frozen=True)
class Scene:
    """What varies from picture to picture of one person.

    `light` is where the key light stands (right, down, towards the camera; of length 1), `warmth` its colour from -1
    (shade) to 1 (lamp), `strength` and `ambient` are about 1 and 0.5. Angles are in degrees: positive `yaw` turns the
    face to the picture's right, `pitch` bows it. `point_errors` are those with which a detector would see the face's
    five points (right, down), in parts of the distance between the eyes. Colours are sRGB, 0..1. `mirrored` puts the
    parting on the other side, `volume` is about -1..1. `beard` is the growth of the day, 0 shaved to 1 full, for those
    who can grow one. `gaze` is (right, down) in -1..1. `make_up` is 0..1, on lips and eyes. `seed` starts what has no
    name here, such as folds of cloth.
    """

    light: tuple[float, float, float] = (0.25, -0.45, 0.85)
    warmth: float = 0.0
    strength: float = 1.0
    ambient: float = 0.5
    yaw: float = 0.0
    pitch: float = 0.0
    point_errors: tuple[Point, ...] = ((0.0, 0.0),) * 5
    backdrop: str = "studio"
    backdrop_colour: Colour = (0.6, 0.6, 0.6)
    cloth: Colour = (0.35, 0.37, 0.40)
    neckline: str = "crew"
    hairstyle: str = "cropped"
    mirrored: bool = False
    volume: float = 0.0
    glasses: str = "none"
    beard: float = 0.0
    gaze: tuple[float, float] = (0.0, 0.0)
    make_up: float = 0.0
    lip_colour: Colour = (0.6, 0.2, 0.22)
    seed: int = 0


def neutral_scene(person: Person) -> Scene:
    """A frontal picture in even light, grey before grey, with the hair worn as it mostly is."""
    return Scene(
        light=(0.15, -0.42, 0.9),
        hairstyle=styles_of(person)[0],
        mirrored=_parting_side(person),
        beard=0.3 if person.sex == "male" else 0.0,
        seed=person.seed,
    )


def draw_scene(person: Person, rng: np.random.Generator) -> Scene:
    """One picture's scene: light, pose, place, clothing, and the hair, beard and make-up of the day."""
    side, height = rng.uniform(-0.75, 0.75), rng.uniform(-0.65, -0.2)
    light = np.array([side, height, 0.85])
    light /= np.linalg.norm(light)
    styles = styles_of(person)
    odds = np.array([0.5, 0.3, 0.2, 0.15])[: len(styles)]
    cloth = np.clip(np.array(_CLOTHS[rng.integers(len(_CLOTHS))]) * rng.uniform(0.8, 1.15), 0.05, 0.92)
    shade = rng.uniform(0.28, 0.8)
    tint = 0.07 * rng.standard_normal() * np.array([1, 0.1, -1]) + 0.03 * rng.standard_normal(3)
    backdrop_colour = np.clip(shade * (1 + tint), 0.08, 0.9)
    made_up = person.sex == "female" and rng.random() < 0.4
    reds = np.array([0.55, 0.16, 0.19]) + rng.uniform(-1, 1) * np.array([0.14, 0.08, 0.06])
    return Scene(
        light=(float(light[0]), float(light[1]), float(light[2])),
        warmth=_bounded(0.45 * rng.standard_normal(), 1),
        strength=float(rng.uniform(0.8, 1.2)),
        ambient=float(rng.uniform(0.3, 0.65)),
        yaw=_bounded(5.5 * rng.standard_normal(), 12),
        pitch=_bounded(2.6 * rng.standard_normal(), 6),
        point_errors=tuple((x, y) for x, y in _POINT_ERROR * rng.standard_normal((5, 2)).clip(-2.5, 2.5)),
        backdrop=str(rng.choice(BACKDROPS)),
        backdrop_colour=_colour(backdrop_colour),
        cloth=_colour(cloth),
        neckline=str(rng.choice(NECKLINES)),
        hairstyle=str(rng.choice(styles, p=odds / odds.sum())),
        mirrored=bool(_parting_side(person) ^ (rng.random() < 0.15)),
        volume=float(0.5 * rng.standard_normal()),
        glasses=str(rng.choice(GLASSES[1:])) if rng.random() < 0.12 else "none",
        beard=_beard_today(person, rng),
        gaze=(_bounded(0.25 * rng.standard_normal(), 0.6), _bounded(0.15 * rng.standard_normal(), 0.4)),
        make_up=float(rng.uniform(0.4, 1.0)) if made_up else 0.0,
        lip_colour=_colour(np.clip(reds, 0.05, 0.8)),
        seed=int(rng.integers(2**31)),
    )


def _parting_side(person: Person) -> bool:
    return bool(np.random.default_rng((person.seed, 2)).integers(2))


def _beard_habit(person: Person) -> float:
    """Positive for men who mostly let the beard grow."""
    return float(np.random.default_rng((person.seed, 3)).standard_normal() + 0.6 * person.face["beard_growth"])


def _beard_today(person: Person, rng: np.random.Generator) -> float:
    grown = rng.random()
    if person.sex == "female":
        return 0.0
    usual = 0.55 if _beard_habit(person) > 0.5 else 0.12
    return float(np.clip(usual + 0.5 * (grown - 0.5), 0, 1))


def _bounded(x: float, limit: float) -> float:
    return float(np.clip(x, -limit, limit))


def _colour(rgb: np.ndarray) -> Colour:
    return (float(rgb[0]), float(rgb[1]), float(rgb[2]))
