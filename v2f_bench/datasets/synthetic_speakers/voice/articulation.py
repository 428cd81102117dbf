"""How a sentence is spoken: from traits and prosody to a `Manner` in physical units, and from there to `Tracks`.

A manner holds all that a speaker's voice brings to any sentence; the tracks hold, every 5 ms, the pitch, the formants
and the strength of each source. Only `Person.voice` is read here, never the labels, the factors or the face: what a
voice tells, it tells through its traits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from v2f_bench.datasets.synthetic_speakers.causes import Person
from v2f_bench.datasets.synthetic_speakers.expression import Prosody
from v2f_bench.datasets.synthetic_speakers.voice.phones import (
    MONOPHTHONGS,
    NOISES,
    PHONES,
    R_COLOUR,
    SENTENCES,
    UPPER_FORMANTS,
    Formants,
    Phone,
    between,
)

Array = npt.NDArray[np.float64]
Score = dict[str, Array]  # the fields of `_Row`, one row a stretch

FRAME_SECONDS = 0.005
SPEECH_SECONDS = (1.9, 4.3)  # an utterance is hurried or drawn out to stay within these, without its margins
MARGIN_SECONDS = 0.06
PAUSE_SECONDS = 0.13
LOWEST_PITCH, HIGHEST_PITCH = 50.0, 600.0
NOISE_NAMES = tuple(NOISES)


@dataclass(frozen=True)
class Manner:
    """A speaker's way of speaking under one prosody. Plain numbers are factors beside an average adult."""

    pitch: float  # Hz, the mean over an utterance
    pitch_range: float
    tempo: float
    formants: tuple[float, float, float]  # F1, F2, F3
    upper_formants: float  # F4 and above
    bandwidths: float
    tilt: float  # dB per octave above 500 Hz, beside a modal voice; negative is darker
    open_quotient: float  # share of a period in which the glottis is open
    breath: float  # amplitude of aspiration noise under the voice
    jitter: float  # standard deviation of a period, as a share of it
    shimmer: float  # standard deviation of a pulse's height, as a share of it
    tremor: float  # semitones
    nasality: float  # opening of the velum in vowels, 0 to 1
    rounding: tuple[float, float]  # F2 and F3 of vowels
    front_f2: float
    open_f1: float
    rhoticity: float  # 0 without r, 1 with a full one
    rhythm: float  # log factor on long vowels, and its inverse on short ones
    melody: float  # semitones by which a phrase ends higher
    fall: float  # semitones from the start of a sentence to its end


def manner(person: Person, prosody: Prosody) -> Manner:
    """The way `person` speaks under `prosody`; all that a trait does to a voice is written here."""
    trait = {name: float(np.clip(value, -3, 3)) for name, value in person.voice.items()}
    tract = np.exp(-0.105 * trait["tract_length"])
    upper = np.exp(0.11 * trait["upper_formants"])
    smile = prosody.smile
    rounding = trait["rounding"]
    breathiness = trait["breathiness"]
    return Manner(
        # 205 Hz at +1, the average female, and 115 Hz at -1, the average male
        pitch=float(np.sqrt(205 * 115) * (205 / 115) ** (trait["pitch"] / 2) * 2 ** (prosody.pitch / 12)),
        pitch_range=2 ** (0.4 * trait["pitch_range"]) * prosody.pitch_range,
        tempo=2 ** (0.15 * trait["rate"]) * prosody.rate,
        formants=(tract * (1 + 0.6 * smile), tract * (1 + smile), tract * (1 + smile) * upper**0.5),
        upper_formants=tract * (1 + 0.6 * smile) * upper,
        bandwidths=2 ** (0.55 * trait["damping"]),
        tilt=prosody.tilt - 2.5 * trait["tilt"],
        open_quotient=float(np.clip(0.6 + 0.05 * trait["tilt"] + 0.03 * breathiness, 0.4, 0.85)),
        breath=0.005 * 10 ** (0.3 * breathiness) + 0.045 * prosody.breath,
        jitter=min(0.006 * np.exp(0.85 * trait["jitter"]) * (1 + prosody.jitter), 0.1),
        shimmer=min(0.045 * np.exp(0.8 * trait["shimmer"]) * (1 + 0.5 * prosody.jitter), 0.35),
        tremor=0.15 * np.exp(1.1 * trait["tremor"]),
        nasality=float(0.5 + 0.5 * np.tanh(0.5 * trait["nasality"] - 0.6)),
        rounding=(np.exp(-0.075 * rounding), np.exp(-0.05 * rounding)),
        front_f2=np.exp(0.1 * trait["accent_front"]),
        open_f1=np.exp(0.13 * trait["accent_open"]),
        rhoticity=float(0.5 + 0.5 * np.tanh(1.0 * trait["accent_rhotic"])),
        rhythm=0.3 * trait["accent_rhythm"],
        melody=4.5 * trait["accent_melody"],
        fall=prosody.fall,
    )


@dataclass(frozen=True)
class Tracks:
    """The course of one utterance: arrays of one row a frame of `FRAME_SECONDS`."""

    pitch: Array  # Hz
    formants: Array  # (frames, 3) Hz
    loudness: Array  # amplitude of the voice and its breath, about 1
    voicing: Array  # 0 to 1
    aspiration: Array  # 0 to 1
    frication: Array  # 0 to 1
    noise: npt.NDArray[np.intp]  # index into NOISE_NAMES
    nasal: Array  # 0 to 1


def articulate(manner: Manner, sentence: int, rng: np.random.Generator) -> Tracks:
    """Sentence number `sentence` of `SENTENCES` as spoken once in this `manner`."""
    score = _score(sentence)
    seconds = score["seconds"] * np.exp(manner.rhythm * score["length"])
    seconds *= np.exp(0.06 * rng.standard_normal(len(seconds)))
    seconds /= np.clip(manner.tempo, seconds.sum() / SPEECH_SECONDS[1], seconds.sum() / SPEECH_SECONDS[0])
    seconds[[0, -1]] = MARGIN_SECONDS * rng.uniform(0.6, 1.4, 2)
    edges = np.round(np.concatenate([[0.0], np.cumsum(seconds)]) / FRAME_SECONDS).astype(int)
    stretch = np.repeat(np.arange(len(seconds)), np.diff(edges))

    voicing = score["voicing"][stretch]
    nasal = np.maximum(score["nasal"], manner.nasality * score["vowel"])[stretch]
    shake = _tremor(manner, len(stretch), rng)
    semitones = _melody(manner, score, edges, rng) + shake
    semitones += 0.3 * rng.standard_normal() - np.average(semitones, weights=voicing)
    decibels = score["decibels"] + rng.normal(0, 0.8, len(seconds))
    return Tracks(
        pitch=np.clip(manner.pitch * 2 ** (semitones / 12), LOWEST_PITCH, HIGHEST_PITCH),
        formants=np.exp(_smooth(np.log(_formant_targets(manner, score, rng))[stretch], 0.016)),
        loudness=10 ** ((_smooth(decibels[stretch], 0.02) + 6.0 * shake) / 20),
        voicing=_smooth(voicing, 0.004),
        aspiration=_smooth(score["aspiration"][stretch], 0.004),
        frication=_smooth(score["frication"][stretch], 0.003),
        noise=score["noise"][stretch].astype(int),
        nasal=_smooth(nasal, 0.02),
    )


def _formant_targets(manner: Manner, score: Score, rng: np.random.Generator) -> Array:
    targets = score["formants"] * manner.formants * np.exp(0.015 * rng.standard_normal(score["formants"].shape))
    targets[:, 0] *= manner.open_f1 ** score["open"]
    targets[:, 1] *= manner.front_f2 ** score["front"] * manner.rounding[0] ** score["vowel"]
    targets[:, 2] *= (1 - R_COLOUR * manner.rhoticity * score["rhotic"]) * manner.rounding[1] ** score["vowel"]
    f1, f2, f3 = targets.T  # two resonances may come near each other, but do not cross
    ceiling = 0.86 * manner.upper_formants * UPPER_FORMANTS[0]
    np.clip(f3, 1.18 * np.minimum(f2, ceiling / 1.18), ceiling, out=f3)
    np.clip(f2, 1.25 * f1, f3 / 1.18, out=f2)
    return targets


def _melody(manner: Manner, score: Score, edges: npt.NDArray[np.int_], rng: np.random.Generator) -> Array:
    """Semitones: a declining line, a hill on every stressed vowel, and the rise or fall at the end of a phrase."""
    frame = np.arange(edges[-1])
    line = (manner.fall - 3.0 * np.sqrt(manner.pitch_range)) * frame / edges[-1]
    accents = np.flatnonzero(score["accent"])
    centres = (edges[accents] + edges[accents + 1]) / 2
    heights = 2.6 * manner.pitch_range * np.exp(0.4 * rng.standard_normal(len(centres)))
    hills = np.exp(-0.5 * ((frame[:, None] - centres) / (0.09 / FRAME_SECONDS)) ** 2) @ heights
    return line + hills + manner.melody * np.interp(frame, edges[1:], score["ending"])


def _tremor(manner: Manner, frames: int, rng: np.random.Generator) -> Array:
    """Semitones: the slow shake of a voice, near 6 Hz, and the flutter that every voice has (Klatt & Klatt 1990)."""
    seconds = FRAME_SECONDS * np.arange(frames)
    rates = np.array([rng.uniform(5.3, 6.7), 7.7, 12.7])
    depths = np.array([manner.tremor, 0.05, 0.03])
    return np.sin(2 * np.pi * (np.outer(seconds, rates) + rng.uniform(0, 1, 3))) @ depths


def _smooth(track: Array, seconds: float) -> Array:
    return gaussian_filter1d(track, seconds / FRAME_SECONDS, axis=0, mode="nearest")


@dataclass
class _Row:
    """One stretch of a sentence, as an average adult would say it; silence, where nothing else is said."""

    seconds: float
    formants: Formants = MONOPHTHONGS["AX"]
    voicing: float = 0.0
    aspiration: float = 0.0
    frication: float = 0.0
    noise: int = 0
    nasal: float = 0.0
    vowel: float = 0.0
    front: float = 0.0
    open: float = 0.0
    length: float = 0.0  # 1 long, -1 short
    rhotic: float = 0.0
    decibels: float = 0.0
    accent: bool = False  # begins a stressed vowel
    ending: float = 0.0  # its end's place between the last stressed vowel of a phrase (0) and the phrase's end (1)


@lru_cache(maxsize=len(SENTENCES))
def _score(sentence: int) -> Score:
    rows = [_Row(MARGIN_SECONDS)]
    for phrase in SENTENCES[sentence][1].split("|"):
        spoken = list(_pronounced(phrase))
        last_vowel = max(place for place, (phone, _, _) in enumerate(spoken) if phone.vowel)
        said = [row for place, phone in enumerate(spoken) for row in _rows(*phone, final=place >= last_vowel)]
        tail = said[max(place for place, row in enumerate(said) if row.accent) :]
        for row, passed in zip(tail, np.cumsum([row.seconds for row in tail]), strict=True):
            row.ending = passed / sum(row.seconds for row in tail)
        rows += [*said, _Row(PAUSE_SECONDS)]
    return {field.name: np.array([getattr(row, field.name) for row in rows]) for field in fields(_Row)}


def _pronounced(phrase: str) -> Iterator[tuple[Phone, int | None, float]]:
    """Each phone of a phrase with its stress (None for a consonant) and its r-colour, which a following r lends it."""
    for word in phrase.split("/"):
        symbols = word.split()
        is_vowel = [symbol[-1].isdigit() for symbol in symbols] + [False]
        for place, symbol in enumerate(symbols):
            closes = symbol == "R" and place > 0 and is_vowel[place - 1] and not is_vowel[place + 1]
            before_r = is_vowel[place] and symbols[place + 1 : place + 2] == ["R"]
            phone = PHONES["R+" if closes else symbol.rstrip("012")]
            yield phone, int(symbol[-1]) if is_vowel[place] else None, 0.6 if before_r else phone.rhotic


def _rows(phone: Phone, stress: int | None, rhotic: float, final: bool) -> list[_Row]:
    full = {1: 1.0, 2: 0.75, 0: 0.4, None: 0.7}[stress]
    seconds = (phone.least_ms + full * (phone.ms - phone.least_ms)) / 1200 * (1.35 if final else 1.0)
    decibels = {1: 2.0, 2: 0.0, 0: -3.0, None: -1.0}[stress] - (2.0 if final else 0.0)
    reduced = 0.25 if stress == 0 else 0.0
    return [
        _Row(
            seconds=seconds * stretch.share,
            formants=between(stretch.formants, MONOPHTHONGS["AX"], reduced),
            voicing=stretch.voicing,
            aspiration=stretch.aspiration,
            frication=stretch.frication * (10 ** (NOISES[stretch.noise].level / 20) if stretch.noise else 0.0),
            noise=NOISE_NAMES.index(stretch.noise) if stretch.noise else 0,
            nasal=stretch.nasal,
            vowel=float(phone.vowel),
            front=phone.front,
            open=phone.open,
            length=-1.0 if stress == 0 else phone.length,
            rhotic=rhotic,
            decibels=decibels,
            accent=stress == 1 and number == 0,
        )
        for number, stretch in enumerate(phone.stretches)
    ]
