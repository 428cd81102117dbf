"""How hair can be worn, and which ways suit a person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2f_bench.datasets.synthetic_speakers.causes import Person


@dataclass(frozen=True)
class Hairstyle:
    """A way to wear hair. Lengths are in face units.

    `flow` is how strands run in front: "parted" (from a parting, along the face), "back" (away from the face) or "down"
    (from the crown). `length` is the v where hanging hair ends (None: it does not hang). `top` and `side` are its
    thickness over the skull. `fringe` is how far it comes down the forehead, 0..1. `cover` is how far hanging hair
    covers the sides of the face, `parting` the parting's u, and `flare` how much wider it hangs at its ends. `clipped`
    sides are too short to show strands; `tucked` hair falls behind ears and shoulders.
    """

    flow: str
    length: float | None = None
    top: float = 0.12
    side: float = 0.06
    fringe: float = 0.0
    cover: float = 0.0
    parting: float = 0.0
    flare: float = 0.0
    bun: bool = False
    clipped: bool = False
    tucked: bool = False


HAIRSTYLES: dict[str, Hairstyle] = {
    "long": Hairstyle("parted", 2.7, 0.13, 0.16, cover=0.05),
    "long side": Hairstyle("parted", 2.6, 0.17, 0.17, cover=0.02, parting=0.34),
    "long fringe": Hairstyle("down", 2.5, 0.15, 0.15, fringe=0.9, cover=0.04),
    "behind ears": Hairstyle("parted", 2.4, 0.13, 0.09, parting=0.15, tucked=True),
    "shoulder": Hairstyle("parted", 1.75, 0.15, 0.20, cover=0.04, parting=0.25, flare=0.08),
    "bob": Hairstyle("parted", 1.15, 0.16, 0.20, cover=0.05, parting=0.28, flare=-0.02),
    "bob fringe": Hairstyle("down", 1.1, 0.16, 0.20, fringe=0.9, cover=0.05, flare=-0.03),
    "tied": Hairstyle("down", None, 0.07, 0.035),
    "bun": Hairstyle("down", None, 0.08, 0.035, bun=True),
    "pixie": Hairstyle("down", None, 0.14, 0.08, fringe=0.55, parting=0.4),
    "short side": Hairstyle("parted", None, 0.17, 0.06, parting=0.42, clipped=True),
    "swept": Hairstyle("back", None, 0.22, 0.06, clipped=True),
    "fringe": Hairstyle("down", None, 0.15, 0.07, fringe=0.6, clipped=True),
    "cropped": Hairstyle("back", None, 0.045, 0.02, clipped=True),
    "ears": Hairstyle("parted", 0.62, 0.17, 0.15, cover=0.0, parting=0.2),
}

_FEMALE: tuple[str, ...] = (
    "long",
    "long side",
    "long fringe",
    "behind ears",
    "shoulder",
    "bob",
    "bob fringe",
    "tied",
    "bun",
    "pixie",
)
_FEMALE_ODDS = (0.16, 0.16, 0.08, 0.12, 0.13, 0.1, 0.06, 0.08, 0.08, 0.03)
_MALE = ("short side", "swept", "fringe", "cropped", "ears", "behind ears", "tied")
_MALE_ODDS = (0.3, 0.22, 0.16, 0.2, 0.07, 0.025, 0.025)
_THINNING = ("cropped", "short side", "swept")
_THINNING_ODDS = (0.5, 0.25, 0.25)


def baldness(person: Person) -> float:
    """How far a man's hair has left the top of the head, 0 (not at all) to 1 (a wreath is left)."""
    if person.sex == "female":
        return 0.0
    return float(np.clip((person.face["hairline"] - 0.9) / 1.3, 0, 1))


def styles_of(person: Person) -> tuple[str, ...]:
    """The two to four ways in which the person wears the hair, the most usual first."""
    rng = np.random.default_rng((person.seed, 1))
    if person.sex == "female":
        names, odds = _FEMALE, np.array(_FEMALE_ODDS)
        odds = odds * np.where([HAIRSTYLES[name].length is None for name in names], 1 + max(0, person.age - 45) / 20, 1)
    elif baldness(person) > 0.15:
        names, odds = _THINNING, np.array(_THINNING_ODDS)
    else:
        names, odds = _MALE, np.array(_MALE_ODDS)
    count = min(int(rng.integers(2, 5)), len(names))
    return tuple(rng.choice(names, count, replace=False, p=odds / odds.sum()))
