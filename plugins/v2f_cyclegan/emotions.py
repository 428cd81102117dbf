"""The emotions that a table of clips labels, and clips by class."""

from __future__ import annotations

import numpy as np
import pandas as pd

from v2f_bench.interfaces.labels import EMOTIONS

NEUTRAL = "neutral"


def emotions_in(table: pd.DataFrame) -> tuple[str, ...]:
    """The emotions that the voices in a table of clips are labelled with, in the shared order of labels.

    An emotion that faces alone have cannot be heard, so nothing is learned of it.
    """
    if "emotion" not in table:
        return ()
    labels = set(table["emotion"][table["voice"]])
    return tuple(emotion for emotion in EMOTIONS if emotion in labels)


def classes_of(table: pd.DataFrame, emotions: tuple[str, ...]) -> np.ndarray:
    """The place of each clip's emotion among `emotions`, int64 [clips]; -1 for any other label."""
    if "emotion" not in table:
        return np.full(len(table), -1)
    place = {emotion: number for number, emotion in enumerate(emotions)}
    return np.array([place.get(label, -1) for label in table["emotion"]], dtype=np.int64)


def voices_for_faces(table: pd.DataFrame, classes: np.ndarray) -> dict[int, list[int]]:
    """Rows of labelled faces, and for each the rows of the voices that it may be the face of.

    That is the clip's own voice; where it has none, the voices of the speaker in that emotion; where there are none
    either, all voices in that emotion. A face whose emotion no voice has is left out.
    """
    voice, face, speaker = (table[part].to_numpy() for part in ("voice", "face", "speaker"))
    voices_of = {}
    for row in np.flatnonzero(face & (classes >= 0)):
        if voice[row]:
            voices_of[int(row)] = [int(row)]
            continue
        same = voice & (classes == classes[row])
        own = same & (speaker == speaker[row])
        voices = np.flatnonzero(own if own.any() else same)
        if len(voices):
            voices_of[int(row)] = voices.tolist()
    return voices_of


def lacking(table: pd.DataFrame, paired: bool) -> str:
    """What a table of training clips lacks for this method, as the end of a sentence; "" where it lacks nothing."""
    emotions = emotions_in(table)
    if len(emotions) < 2:
        return "voices labelled with two emotions or more"
    of_class = classes_of(table, emotions)
    faces = table["face"].to_numpy()
    neutral = faces & (table["emotion"] == NEUTRAL).to_numpy()
    if not neutral.any():
        return "neutral faces"
    shown = list(voices_for_faces(table, of_class))
    if len({of_class[row] for row in shown}) < 2:
        return "faces and voices of two emotions"
    speakers = set(table["speaker"].to_numpy()[neutral])
    if paired and not any(speaker in speakers for speaker in table["speaker"].to_numpy()[shown]):
        return "speakers with a neutral face and one with an emotion"
    return ""
