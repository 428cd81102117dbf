"""The causal model behind `synthetic-speakers`: who a speaker is, and which parts of it a face and a voice show.

Every speaker is a draw of *shared factors*, which are both seen and heard, and of *own residuals*, one for each trait
of the face and one for each trait of the voice, which the other side knows nothing of:

    face trait  = sum(loading · shared factor) + population offset + sd · own residual
    voice trait = sum(loading · shared factor) + population offset + sd · own residual

The tables `FACE_TRAITS` and `VOICE_TRAITS` are the whole of it. Because the residuals are independent, what a voice can
tell of a face is known exactly: the first two terms. `Person.as_heard` keeps these and sets every face residual to its
mean, which is what the `oracle` baseline draws.

The populations are inventions. Their names, accents and features stand for no people of this world; they exist so that
a benchmark can be tried on a group that is both heard (an accent) and seen (features), and so that results by group can
be shown at all. Loadings follow the direction of published findings where there are any (vocal-tract length and body
size: Fitch & Giedd 1999; sex, pitch and formants: Hillenbrand et al. 1995; ageing voices: Stathopoulos et al. 2011);
their sizes are chosen, not measured, and are larger than nature's.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

YOUNGEST, OLDEST = 18, 80
POPULATIONS = ("arden", "belmar", "corvo", "dunmore")

# Standard normal factors of a person that both the face and the voice show.
SHARED_FACTORS = (
    "robustness",  # heavy brow and jaw; lower pitch within a sex
    "size",  # broad head and neck; longer vocal tract, lower pitch
    "tract",  # long face below the eyes; lower formants
    "fullness",  # full cheeks and neck; soft, damped voice
    "nose",  # large nose; nasal voice
    "lips",  # full lips, wide mouth; rounded vowels
)


@dataclass(frozen=True)
class Trait:
    """One standardised trait: loadings on `male` (+1 male, -1 female), `age` ((years - 48) / 18) and shared factors.

    `population` adds an offset for each of `POPULATIONS`; `own` is the standard deviation of the residual.
    """

    own: float
    population: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    loadings: tuple[tuple[str, float], ...] = ()


def _trait(own: float, population: tuple[float, float, float, float] | None = None, **loadings: float) -> Trait:
    return Trait(own, population or (0.0, 0.0, 0.0, 0.0), tuple(loadings.items()))


FACE_TRAITS: dict[str, Trait] = {
    # shape of the head
    "face_length": _trait(0.25, (0.2, -0.3, -0.2, 0.3), male=0.35, tract=0.9),
    "face_width": _trait(0.25, (-0.2, 0.0, 0.4, -0.2), male=0.2, size=0.6, fullness=0.45),
    "jaw_width": _trait(0.25, (-0.3, 0.2, 0.3, -0.2), male=0.6, robustness=0.6, fullness=0.3),
    "chin": _trait(0.4, (0.0, -0.3, -0.3, 0.6), male=0.4, robustness=0.4),
    "cheekbones": _trait(0.4, (0.7, -0.2, 0.4, -0.9), male=-0.2),
    "cheek_fullness": _trait(0.25, None, male=-0.2, age=-0.2, fullness=0.9),
    "forehead": _trait(0.4, (0.3, 0.2, -0.5, 0.0), tract=0.2),
    "neck_width": _trait(0.2, None, male=0.7, size=0.5, fullness=0.3, robustness=0.2),
    # brows and eyes
    "brow_ridge": _trait(0.3, None, male=0.6, robustness=0.6),
    "brow_thickness": _trait(0.4, (0.2, -0.5, 0.6, -0.3), male=0.6, robustness=0.5, age=0.1),
    "brow_height": _trait(0.4, (0.2, 0.5, -0.5, -0.2), male=-0.4, robustness=-0.3),
    "brow_arch": _trait(0.5, (0.5, 0.3, -0.4, -0.4), male=-0.4),
    "eye_size": _trait(0.35, (-0.3, 0.9, -0.6, 0.0), male=-0.3, age=-0.3),
    "eye_tilt": _trait(0.35, (1.0, -0.3, 0.3, -1.0)),
    "eye_spacing": _trait(0.5, (0.0, 0.3, -0.3, 0.0)),
    "eye_hood": _trait(0.35, (0.2, -0.8, 0.9, -0.3), age=0.6),
    # nose, mouth, ears
    "nose_width": _trait(0.25, (-0.5, -0.5, 0.9, 0.1), male=0.2, nose=0.9),
    "nose_length": _trait(0.4, (0.2, -0.6, 0.0, 0.4), age=0.25, nose=0.5, tract=0.3),
    "lip_fullness": _trait(0.25, (0.1, -0.6, 0.3, 0.2), male=-0.35, age=-0.35, lips=0.9),
    "mouth_width": _trait(0.3, (-0.2, 0.4, 0.2, -0.4), male=0.1, lips=0.6),
    "ear_size": _trait(0.6, None, male=0.2, age=0.3),
    # colour
    "skin_tone": _trait(0.3, (-0.9, 1.3, 0.4, -0.8)),  # higher is darker
    "skin_redness": _trait(0.6, (0.0, 0.0, -0.3, 0.5), fullness=0.3),
    "hair_tone": _trait(0.45, (0.7, 0.0, 0.9, -1.4)),  # higher is darker; grey comes with age
    "hair_warmth": _trait(0.45, (-0.4, 0.7, -0.6, 0.3)),  # higher is redder
    "hair_curl": _trait(0.45, (0.8, -0.3, -0.8, 0.3)),
    "hairline": _trait(0.6, None, male=0.4, age=0.5),  # higher recedes further
    "greying": _trait(0.35, None, age=1.0),
    "eye_colour": _trait(0.9, (0.5, 0.4, 0.6, -1.2)),  # higher is darker
    "freckles": _trait(0.9, (-0.3, -0.2, -0.5, 0.8)),
    "beard_growth": _trait(0.6, (0.4, -0.3, 0.0, 0.0), robustness=0.4),
}

VOICE_TRAITS: dict[str, Trait] = {
    "pitch": _trait(0.15, None, male=-1.0, robustness=-0.4, size=-0.25),  # unit: see voice.py
    "pitch_range": _trait(0.4, (0.5, 0.0, -0.5, 0.2), male=-0.3, age=-0.2),
    "tract_length": _trait(0.2, None, male=0.75, size=0.45, tract=0.6),
    "upper_formants": _trait(0.3, None, tract=-0.5, size=0.45),  # F3-F5 against F1-F2: pharynx against mouth
    "damping": _trait(0.25, None, fullness=0.8),  # formant bandwidth
    "tilt": _trait(0.3, None, male=-0.2, fullness=0.5, robustness=-0.7),  # higher is softer, darker
    "breathiness": _trait(0.4, None, male=-0.8, age=0.5, fullness=0.2),
    "jitter": _trait(0.3, None, age=0.9),
    "shimmer": _trait(0.3, None, age=0.8),
    "tremor": _trait(0.3, None, age=0.7),
    "nasality": _trait(0.25, (0.0, 0.3, -0.3, 0.0), nose=0.9),
    "rounding": _trait(0.25, None, lips=0.9),  # lowers F2 and F3 of vowels
    "rate": _trait(0.4, (0.4, -0.3, 0.5, -0.6), age=-0.5),
    # the accent: one dimension a feature, so that four accents differ in more than one thing
    "accent_front": _trait(0.15, (1.0, -1.0, 0.3, -0.3)),  # front vowels further front, or central
    "accent_open": _trait(0.15, (-0.6, 1.0, 0.8, -1.0)),  # open vowels more open, or raised
    "accent_rhotic": _trait(0.15, (1.0, 0.4, -1.0, -0.4)),  # r and the vowels before it
    "accent_rhythm": _trait(0.15, (-1.0, 0.5, -0.4, 1.0)),  # long against short vowels
    "accent_melody": _trait(0.15, (0.7, 1.0, -1.0, -0.7)),  # phrase ends rise, or fall
}


@dataclass(frozen=True)
class Person:
    """A speaker: the labels, the shared factors, and the standardised traits of face and voice that follow from them.

    `face` and `voice` map the names in `FACE_TRAITS` and `VOICE_TRAITS` to numbers of about -2.5 to 2.5. `age` is in
    years, `sex` is "female" or "male". `seed` starts whatever else varies with the person and has no name here, such
    as the places of freckles.
    """

    name: str
    sex: str
    age: float
    population: str
    factors: dict[str, float]
    face: dict[str, float]
    voice: dict[str, float]
    seed: int

    def as_heard(self) -> Person:
        """The person with every face trait at the mean of what the voice's causes leave open: the best blind guess.

        The seed is one for all, so that not even moles or strands of hair give the person away.
        """
        face = _expected(FACE_TRAITS, self.sex, self.age, self.population, self.factors)
        return replace(self, face=face, seed=0)


def stable_seed(*parts: object) -> int:
    """A 63-bit seed from a hash of `parts`; the same on every machine and in every process."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


@lru_cache(maxsize=64)
def draw_person(world: int, number: int) -> Person:
    """Person `number` of the world with seed `world`; depends on nothing else, so a world can grow without changing."""
    name = f"S{number:04d}"
    rng = np.random.default_rng(stable_seed("person", world, number))
    sex = ("female", "male")[rng.integers(2)]
    age = float(np.round(rng.uniform(YOUNGEST, OLDEST), 1))
    population = POPULATIONS[rng.integers(len(POPULATIONS))]
    factors = {factor: float(np.clip(rng.standard_normal(), -2.2, 2.2)) for factor in SHARED_FACTORS}
    face = _expected(FACE_TRAITS, sex, age, population, factors)
    voice = _expected(VOICE_TRAITS, sex, age, population, factors)
    for traits, values in ((FACE_TRAITS, face), (VOICE_TRAITS, voice)):
        for trait, law in traits.items():
            values[trait] += law.own * float(np.clip(rng.standard_normal(), -2.2, 2.2))
    return Person(name, sex, age, population, factors, face, voice, stable_seed("looks", world, number))


def _expected(
    traits: dict[str, Trait], sex: str, age: float, population: str, factors: dict[str, float]
) -> dict[str, float]:
    causes = {"male": 1.0 if sex == "male" else -1.0, "age": (age - 48) / 18, **factors}
    group = POPULATIONS.index(population)
    return {
        name: law.population[group] + sum(loading * causes[cause] for cause, loading in law.loadings)
        for name, law in traits.items()
    }
