"""The labels that data sets, judges and metrics share, and other names for them.

`DATASET_LABELS` maps each data set's own words to the shared ones. Intensity keeps the grades of each source: "normal"
and "strong" of RAVDESS' actors are not comparable with low, medium and high of CREMA-D and MEAD.
"""

from __future__ import annotations

from collections.abc import Mapping

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

# By data set, label, and the source's word or code: the shared word.
DATASET_LABELS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "crema-d": {
        "emotion": {
            "ANG": "angry",
            "DIS": "disgust",
            "FEA": "fearful",
            "HAP": "happy",
            "NEU": "neutral",
            "SAD": "sad",
        },
        "heard": {"A": "angry", "D": "disgust", "F": "fearful", "H": "happy", "N": "neutral", "S": "sad"},
        "intensity": {"LO": "low", "MD": "medium", "HI": "high", "XX": ""},
    },
    "ravdess": {
        "emotion": {
            **{"01": "neutral", "02": "calm", "03": "happy", "04": "sad"},
            **{"05": "angry", "06": "fearful", "07": "disgust", "08": "surprised"},
        },
        "intensity": {"01": "normal", "02": "strong"},
    },
    "mead": {
        "emotion": {
            **{"neutral": "neutral", "happy": "happy", "sad": "sad", "angry": "angry"},
            **{"fear": "fearful", "disgusted": "disgust", "surprised": "surprised", "contempt": "contempt"},
        },
        "intensity": {"level_1": "low", "level_2": "medium", "level_3": "high"},
    },
}


def standard_label(label: str) -> str:
    """The shared name of an emotion or a sex: `standard_label("Anger")` is "angry"; an unknown one in lower case."""
    label = label.strip().lower()
    return _OTHER_NAMES.get(label, label)
