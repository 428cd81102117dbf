"""The labels that data sets, judges and metrics share, and the names that each of them goes by elsewhere."""

from __future__ import annotations

EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised", "contempt")
SEXES = ("female", "male")

_OTHER_NAMES = {
    "anger": "angry",
    "disgusted": "disgust",
    "fear": "fearful",
    "happiness": "happy",
    "joy": "happy",
    "sadness": "sad",
    "surprise": "surprised",
    "woman": "female",
    "f": "female",
    "man": "male",
    "m": "male",
}


def standard_label(label: str) -> str:
    """The shared name of an emotion or a sex: `standard_label("Anger")` is "angry"; an unknown one in lower case."""
    label = label.strip().lower()
    return _OTHER_NAMES.get(label, label)
