"""Emotions as they move a face and a voice: the muscles' activation and the prosody of each, at two intensities.

The muscle-like parameters follow the action units that the Facial Action Coding System's users report for the basic
emotions (Ekman & Friesen 1978); the directions of the prosody follow Juslin & Laukka's review (2003, Table 7). Sizes
are ours.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
INTENSITIES = ("normal", "strong")  # neutral comes at normal only


@dataclass(frozen=True)
class Muscles:
    """Activation of each movement, 0 at rest and 1 at its strongest (beside it the action unit it follows)."""

    inner_brow_raise: float = 0.0  # AU1
    outer_brow_raise: float = 0.0  # AU2
    brow_lower: float = 0.0  # AU4
    eye_widen: float = 0.0  # AU5
    eye_narrow: float = 0.0  # AU6, AU7
    lid_drop: float = 0.0  # AU43
    cheek_raise: float = 0.0  # AU6
    nose_wrinkle: float = 0.0  # AU9
    upper_lip_raise: float = 0.0  # AU10
    corner_pull: float = 0.0  # AU12, the smile
    corner_drop: float = 0.0  # AU15
    chin_raise: float = 0.0  # AU17
    lip_stretch: float = 0.0  # AU20
    lip_press: float = 0.0  # AU24
    jaw_drop: float = 0.0  # AU26


@dataclass(frozen=True)
class Prosody:
    """What an emotion does to a voice, beside the same voice when neutral."""

    pitch: float = 0.0  # semitones
    pitch_range: float = 1.0  # factor
    rate: float = 1.0  # factor
    energy: float = 0.0  # dB
    tilt: float = 0.0  # dB per octave; negative is softer
    breath: float = 0.0  # 0..1 added aspiration
    jitter: float = 0.0  # factor added
    smile: float = 0.0  # formants up (lips spread) or down (lips rounded), fraction
    fall: float = 0.0  # slope of the phrase, semitones over the sentence


_FACES = {
    "neutral": Muscles(),
    "calm": Muscles(lid_drop=0.5, corner_pull=0.42, inner_brow_raise=0.15, outer_brow_raise=0.2),
    "happy": Muscles(eye_narrow=0.5, cheek_raise=0.95, corner_pull=1.0, jaw_drop=0.25, upper_lip_raise=0.25),
    "sad": Muscles(inner_brow_raise=1.0, brow_lower=0.15, lid_drop=0.3, corner_drop=1.0, chin_raise=0.5),
    "angry": Muscles(
        brow_lower=1.0,
        eye_widen=0.3,
        eye_narrow=0.25,
        nose_wrinkle=0.3,
        lip_press=0.9,
        corner_drop=0.45,
        chin_raise=0.3,
    ),
    "fearful": Muscles(
        inner_brow_raise=1.0,
        outer_brow_raise=0.25,
        brow_lower=0.5,
        eye_widen=0.95,
        lip_stretch=0.85,
        corner_drop=0.5,
        jaw_drop=0.35,
    ),
    "disgust": Muscles(
        brow_lower=0.55, eye_narrow=0.7, cheek_raise=0.4, nose_wrinkle=1.0, upper_lip_raise=1.0, corner_drop=0.4
    ),
    "surprised": Muscles(inner_brow_raise=0.9, outer_brow_raise=0.95, eye_widen=0.9, jaw_drop=0.95),
}

_VOICES = {
    "neutral": Prosody(),
    "calm": Prosody(pitch=-0.8, pitch_range=0.75, rate=0.88, energy=-3.0, tilt=-1.0, breath=0.10),
    "happy": Prosody(pitch=3.5, pitch_range=1.7, rate=1.12, energy=3.0, tilt=1.2, smile=0.05, fall=1.0),
    "sad": Prosody(pitch=-1.5, pitch_range=0.5, rate=0.76, energy=-6.0, tilt=-2.5, breath=0.22, smile=-0.02, fall=-2.0),
    "angry": Prosody(pitch=2.5, pitch_range=1.45, rate=1.18, energy=7.0, tilt=3.2, jitter=0.6, smile=-0.01, fall=-2.5),
    "fearful": Prosody(pitch=5.5, pitch_range=0.8, rate=1.28, energy=0.5, tilt=0.2, breath=0.15, jitter=1.5, fall=1.5),
    "disgust": Prosody(
        pitch=-2.5, pitch_range=1.1, rate=0.84, energy=0.5, tilt=0.8, jitter=1.0, smile=-0.04, fall=-3.5
    ),
    "surprised": Prosody(pitch=6.0, pitch_range=2.2, rate=1.0, energy=2.5, tilt=0.6, smile=0.01, fall=5.0),
}

_FACE_STRENGTH = {"normal": 0.8, "strong": 1.0}
_VOICE_STRENGTH = {"normal": 0.72, "strong": 1.0}


def muscles(emotion: str, intensity: str, rng: np.random.Generator) -> Muscles:
    """The face of `emotion` as one person shows it once: each movement varies by about an eighth, within 0..1."""
    strength = _FACE_STRENGTH[intensity]
    base = _FACES[emotion]
    moved = {}
    for field in fields(base):
        activation = getattr(base, field.name) * strength * (1 + 0.12 * rng.standard_normal())
        moved[field.name] = float(np.clip(activation + 0.03 * rng.standard_normal(), 0, 1))
    return replace(base, **moved)


def prosody(emotion: str, intensity: str, rng: np.random.Generator) -> Prosody:
    """The voice of `emotion` as one person gives it once."""
    strength = _VOICE_STRENGTH[intensity] * (1 + 0.12 * float(rng.standard_normal()))
    rest, full = Prosody(), _VOICES[emotion]
    scaled = {}
    for field in fields(rest):
        start, end = getattr(rest, field.name), getattr(full, field.name)
        scaled[field.name] = start + strength * (end - start)
    return replace(rest, **scaled)
