"""What is said: a small inventory of English phones as acoustic targets, and the sentences they are spoken in.

All formants are those of an average adult, the geometric mean of an average man and an average woman; `articulation.py`
scales them to a speaker. The figures come from

- vowels: the averages of men and women in Hillenbrand, Getty, Clark & Wheeler (1995); schwa is a uniform tube;
- consonants: F1-F3 of Klatt (1980), measured on a man and here raised to the average adult;
- frication noise: the spectral peaks in Jongman, Wayland & Wong (2000); bursts: the diffuse-falling, diffuse-rising and
  compact spectra of Stevens & Blumstein (1978);
- durations: after the inherent and least durations of Klatt (1979), with the release of a stop added to its closure.

Phones are written in the ARPAbet of the CMU dictionary, with AX for schwa.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Formants = tuple[float, float, float]

TUBE = 540.0  # Hz, first resonance of an average adult's uniform tube; the others are its odd multiples
UPPER_FORMANTS = tuple(TUBE * odd for odd in range(7, 29, 2))  # F4-F14
STILL_HIGHER = np.pi**2 / 8 - sum(1 / odd**2 for odd in range(1, 29, 2))  # the sum of 1 / odd² over all others
MAN_TO_ADULT = 1.08


@dataclass(frozen=True)
class Noise:
    """A band of turbulence noise: its peak and half-power width in Hz, and its level in dB beside /s/."""

    peak: float
    width: float
    level: float


NOISES = {
    "s": Noise(6800, 1700, 0),
    "sh": Noise(3700, 1300, 2),
    "f": Noise(7000, 5000, -18),
    "th": Noise(7400, 4500, -21),
    "labial burst": Noise(700, 1500, -7),
    "alveolar burst": Noise(4600, 1900, 0),
    "velar burst": Noise(2000, 600, 0),
}


@dataclass(frozen=True)
class Stretch:
    """A part of a phone with one target: its share of the phone's time, F1-F3 in Hz, and the strength of each source.

    `voicing`, `aspiration`, `frication` and `nasal` (the opening of the velum) go from 0 to 1.
    """

    share: float
    formants: Formants
    voicing: float = 0.0
    aspiration: float = 0.0
    noise: str | None = None
    frication: float = 0.0
    nasal: float = 0.0


@dataclass(frozen=True)
class Phone:
    """A phone: inherent and least duration in ms, its stretches, and what accents do to it, each from 0 to 1.

    `front` and `open` vowels move with the accent, `length` is +1 for long vowels, -1 for short ones and 0 for
    consonants, and `rhotic` is the share of r-colour, which lowers F3.
    """

    ms: float
    least_ms: float
    stretches: tuple[Stretch, ...]
    vowel: bool = False
    front: float = 0.0
    open: float = 0.0
    length: float = 0.0
    rhotic: float = 0.0


_VOWEL_FORMANTS = {  # (men, women)
    "IY": ((342, 2322, 3000), (437, 2761, 3372)),
    "IH": ((427, 2034, 2684), (483, 2365, 3053)),
    "EY": ((476, 2089, 2691), (536, 2530, 3047)),
    "EH": ((580, 1799, 2605), (731, 2058, 2979)),
    "AE": ((588, 1952, 2601), (669, 2349, 2972)),
    "AA": ((768, 1333, 2522), (936, 1551, 2815)),
    "AO": ((652, 997, 2538), (781, 1136, 2824)),
    "OW": ((497, 910, 2459), (555, 1035, 2828)),
    "UH": ((469, 1122, 2434), (519, 1225, 2827)),
    "UW": ((378, 997, 2343), (459, 1105, 2735)),
    "AH": ((623, 1200, 2550), (753, 1426, 2933)),
    "ER": ((474, 1379, 1710), (523, 1588, 1929)),
}


def between(start: Formants, end: Formants, share: float = 0.5) -> Formants:
    """The formants at `share` of the way from `start` to `end`, on a logarithmic scale of frequency."""
    f1, f2, f3 = np.exp((1 - share) * np.log(start) + share * np.log(end)).tolist()
    return f1, f2, f3


MONOPHTHONGS = {name: between(*pair) for name, pair in _VOWEL_FORMANTS.items()} | {"AX": (TUBE, 3 * TUBE, 5 * TUBE)}
R_COLOUR = 0.34  # by how much a full r-colour lowers F3
_UNCOLOURED_ER = (*MONOPHTHONGS["ER"][:2], MONOPHTHONGS["ER"][2] / (1 - R_COLOUR))


def _vowel(
    ms: float, least_ms: float, *targets: str | Formants, front: float = 0.0, open: float = 0.0, rhotic: float = 0.0
) -> Phone:
    shares = (1.0,) if len(targets) == 1 else (0.5, 0.5)
    formants = [MONOPHTHONGS[target] if isinstance(target, str) else target for target in targets]
    stretches = tuple(Stretch(share, target, voicing=1.0) for share, target in zip(shares, formants, strict=True))
    length = 1.0 if ms >= 155 else -1.0
    return Phone(ms, least_ms, stretches, vowel=True, front=front, open=open, length=length, rhotic=rhotic)


def _adult(f1: float, f2: float, f3: float) -> Formants:
    return MAN_TO_ADULT * f1, MAN_TO_ADULT * f2, MAN_TO_ADULT * f3


def _sonorant(ms: float, least_ms: float, man: Formants, rhotic: float = 0.0) -> Phone:
    return Phone(ms, least_ms, (Stretch(1, _adult(*man), voicing=0.7),), rhotic=rhotic)


def _nasal(ms: float, least_ms: float, man: Formants) -> Phone:
    return Phone(ms, least_ms, (Stretch(1, _adult(*man), voicing=0.75, nasal=1.0),))


def _fricative(ms: float, least_ms: float, man: Formants, noise: str, voicing: float = 0.0) -> Phone:
    frication = 0.5 if voicing else 1.0
    return Phone(ms, least_ms, (Stretch(1, _adult(*man), voicing, noise=noise, frication=frication),))


def _voiceless_stop(ms: float, least_ms: float, man: Formants, burst: str) -> Phone:
    place = _adult(*man)
    closure, release = Stretch(0.55, place), Stretch(0.12, place, noise=burst, frication=1.0)
    return Phone(ms, least_ms, (closure, release, Stretch(0.33, place, aspiration=0.8)))


def _voiced_stop(ms: float, least_ms: float, man: Formants, burst: str) -> Phone:
    place = _adult(*man)
    closure, release = Stretch(0.85, place, voicing=0.15), Stretch(0.15, place, 0.3, noise=burst, frication=0.5)
    return Phone(ms, least_ms, (closure, release))


def _affricate(ms: float, least_ms: float, man: Formants, voicing: float) -> Phone:
    place = _adult(*man)
    return Phone(
        ms, least_ms, (Stretch(0.45, place, voicing / 2), Stretch(0.55, place, voicing, noise="sh", frication=0.9))
    )


PHONES = {
    # vowels
    "IY": _vowel(155, 55, "IY", front=1),
    "IH": _vowel(135, 40, "IH", front=1),
    "EH": _vowel(150, 70, "EH", front=1, open=0.3),
    "AE": _vowel(230, 80, "AE", front=1, open=1),
    "AA": _vowel(240, 100, "AA", open=1),
    "AO": _vowel(240, 100, "AO", open=0.8),
    "UH": _vowel(150, 60, "UH"),
    "UW": _vowel(210, 70, "UW"),
    "AH": _vowel(140, 60, "AH", open=0.8),
    "AX": _vowel(110, 50, "AX"),
    "ER": _vowel(160, 80, _UNCOLOURED_ER, rhotic=1),
    "EY": _vowel(190, 100, "EY", "IY", front=1),
    "AY": _vowel(250, 150, "AA", "IH", front=0.4, open=0.8),
    "OY": _vowel(280, 150, "AO", "IH", front=0.4, open=0.6),
    "OW": _vowel(220, 80, "OW", "UH"),
    "AW": _vowel(260, 100, "AA", "UH", open=0.8),
    # glides and liquids; R+ closes a syllable, and an accent may leave it out
    "W": _sonorant(80, 60, (290, 610, 2150)),
    "Y": _sonorant(80, 40, (260, 2070, 3020)),
    "L": _sonorant(80, 40, (310, 1050, 2880)),
    "R": _sonorant(80, 40, (310, 1060, 1800), rhotic=0.7),
    "R+": _vowel(80, 50, _UNCOLOURED_ER, rhotic=1),
    # nasals
    "M": _nasal(75, 60, (480, 1270, 2130)),
    "N": _nasal(70, 50, (480, 1340, 2470)),
    "NG": _nasal(95, 60, (480, 2000, 2900)),
    # fricatives
    "F": _fricative(100, 80, (340, 1100, 2080), "f"),
    "V": _fricative(60, 40, (220, 1100, 2080), "f", 0.5),
    "TH": _fricative(90, 60, (320, 1290, 2540), "th"),
    "DH": _fricative(50, 30, (270, 1290, 2540), "th", 0.5),
    "S": _fricative(110, 60, (320, 1390, 2530), "s"),
    "Z": _fricative(80, 40, (240, 1390, 2530), "s", 0.4),
    "SH": _fricative(110, 80, (300, 1840, 2750), "sh"),
    "HH": Phone(75, 40, (Stretch(1, MONOPHTHONGS["AX"], voicing=0.1, aspiration=1.0),)),
    # stops and affricates
    "P": _voiceless_stop(130, 90, (400, 1100, 2150), "labial burst"),
    "T": _voiceless_stop(125, 85, (400, 1600, 2600), "alveolar burst"),
    "K": _voiceless_stop(130, 90, (300, 1990, 2850), "velar burst"),
    "B": _voiced_stop(90, 60, (200, 1100, 2150), "labial burst"),
    "D": _voiced_stop(80, 50, (200, 1600, 2600), "alveolar burst"),
    "G": _voiced_stop(85, 60, (200, 1990, 2850), "velar burst"),
    "CH": _affricate(130, 90, (350, 1800, 2820), 0.0),
    "JH": _affricate(110, 70, (260, 1800, 2820), 0.4),
}

# (text, phones): a vowel carries its stress (1 stressed, 2 full, 0 reduced), words part at "/" and phrases at "|".
SENTENCES = (
    (
        "My garden by the silver river is green and warm.",
        "M AY0 / G AA1 R D AX0 N / B AY0 / DH AX0 / S IH1 L V ER0 / R IH1 V ER0 / IH0 Z / G R IY1 N / AX0 N W AO1 R M",
    ),
    (
        "My father keeps seven black hens in the barn.",
        "M AY2 / F AA1 DH ER0 / K IY1 P S / S EH1 V AX0 N / B L AE1 K / HH EH1 N Z / IH0 N / DH AX0 / B AA1 R N",
    ),
    (
        "Please carry the large table out to the yard.",
        "P L IY1 Z / K AE1 R IY0 / DH AX0 / L AA1 R JH / T EY1 B AX0 L / AW2 T / T AX0 / DH AX0 / Y AA1 R D",
    ),
    (
        "Nobody saw where the small green boat had gone.",
        "N OW1 B AA2 D IY0 / S AO1 / W EH2 R / DH AX0 / S M AO1 L / G R IY1 N / B OW1 T / HH AE0 D / G AO1 N",
    ),
    (
        "She parked the car, and ran to meet the train.",
        "SH IY2 / P AA1 R K T / DH AX0 / K AA1 R | AE0 N D / R AE1 N / T AX0 / M IY1 T / DH AX0 / T R EY1 N",
    ),
    (
        "We never eat dinner before the children are home.",
        "W IY2 / N EH1 V ER0 / IY1 T / D IH1 N ER0 / B IH0 F AO2 R / DH AX0 / CH IH1 L D R AX0 N / AA0 R / HH OW1 M",
    ),
    (
        "Put the summer spoons and cups in the top drawer.",
        "P UH1 T / DH AX0 / S AH1 M ER0 / S P UW1 N Z / AX0 N / K AH1 P S / IH0 N / DH AX0 / T AA1 P / D R AO1 R",
    ),
    (
        "Every morning the old baker burns a little bread.",
        "EH1 V R IY0 / M AO1 R N IH0 NG / DH IY0 / OW2 L D / B EY1 K ER0 / B ER1 N Z / AX0 / L IH1 T AX0 L / B R EH1 D",
    ),
    (
        "A cold north wind came over the dark hills.",
        "AX0 / K OW1 L D / N AO1 R TH / W IH1 N D / K EY1 M / OW2 V ER0 / DH AX0 / D AA1 R K / HH IH1 L Z",
    ),
    (
        "Tell the old farmer two boys are in the field.",
        "T EH1 L / DH IY0 / OW2 L D / F AA1 R M ER0 / T UW1 / B OY1 Z / AA0 R / IH0 N / DH AX0 / F IY1 L D",
    ),
    (
        "The church clock has not been right for years.",
        "DH AX0 / CH ER1 CH / K L AA1 K | HH AE0 Z / N AA1 T / B IH2 N / R AY1 T / F AO0 R / Y IH1 R Z",
    ),
    (
        "Sing us the short song your mother taught you.",
        "S IH1 NG / AX0 S / DH AX0 / SH AO1 R T / S AO1 NG | Y AO0 R / M AH1 DH ER0 / T AO1 T / Y UW2",
    ),
)
