"""Overlap by content: a recording or a picture that is in a data set more than once.

Each speaker is in one split, but a file that is listed under two speakers would still be in several splits; and a file
that is listed twice for one speaker would make the speaker's "second picture" the same as the first. The decoded
content is compared, so that a copy in another file format is also recognised.

* Of copies with one speaker and one emotion the first by name is kept.
* Copies with two speakers, or a recording with two emotions, contradict each other. It is not known which is right, so
  none is kept.
* A picture of one speaker with several emotions is a portrait that was added to the recordings. It shows the speaker
  but not the emotion, so it is kept once, as a clip of its own without an emotion.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd

OF_ONE_VOICE = ("emotion", "heard", "intensity", "sentence")  # labels of a recording, not of its speaker
_IN_WORDS = {"voice": "recording", "face": "picture"}


class Repeat(NamedTuple):
    """A row, by position, whose voice or face (`part`) is left out; `copy_of` is the clip of the original, or ""."""

    number: int
    part: str
    copy_of: str
    reason: str


class Portrait(NamedTuple):
    """A picture of one speaker with several emotions: the rows that have it, by position, sorted by name."""

    numbers: list[int]
    clip: str  # the name of the clip that it becomes


def without_repeats(clips: pd.DataFrame) -> tuple[pd.DataFrame, list[Repeat]]:
    """The clips with each recording and each picture once, and what was left out.

    Args:
        clips: `clip`, `speaker` and, where known, `emotion`; `voice` and `face` (whether there is one); `voice_digest`
            and `face_digest`, hashes of the content ("" for none). Rows are numbered from 0. Other columns of a row
            belong to its voice and face; a portrait's row gets a copy of them.
    """
    repeats, portraits = [], []
    for part in ("voice", "face"):
        for numbers in _groups(clips, part):
            rows = clips.iloc[numbers]
            speakers = rows["speaker"].nunique()
            one_meaning = len(rows[["speaker", *(["emotion"] if "emotion" in rows else [])]].drop_duplicates()) == 1
            if one_meaning:
                repeats += _copies(rows["clip"].tolist(), numbers, part)
            elif part == "face" and speakers == 1:
                portraits.append(Portrait(numbers, _free_name(f"{rows['clip'].iloc[0]}+portrait", clips)))
            else:
                repeats += _contradiction(rows["clip"].tolist(), numbers, part)
    for portrait in portraits:
        reason = f"a picture under several emotions shows none: kept once, for the speaker ({portrait.clip})"
        repeats += [Repeat(number, "face", portrait.clip, reason) for number in portrait.numbers]
    added = pd.DataFrame([_portrait_row(clips, portrait) for portrait in portraits])
    kept = clips.copy()
    for part in ("voice", "face"):
        kept.loc[[repeat.number for repeat in repeats if repeat.part == part], part] = False
    if len(added):
        kept = pd.concat([kept, added.astype(clips.dtypes.to_dict())], ignore_index=True)
    return kept[kept["voice"] | kept["face"]], repeats


def _groups(clips: pd.DataFrame, part: str) -> list[list[int]]:
    """The rows, by position, of each content that is in several; rows and contents are sorted by name."""
    digests = clips[f"{part}_digest"].reset_index(drop=True)
    repeated = digests[digests.ne("") & digests.duplicated(keep=False)]
    names = clips["clip"].tolist()
    groups = [sorted(places.index, key=lambda number: names[number]) for _, places in repeated.groupby(repeated)]
    return sorted(groups, key=lambda numbers: names[numbers[0]])


def _copies(names: list[str], numbers: list[int], part: str) -> list[Repeat]:
    reason = f"the same {_IN_WORDS[part]} as another of one speaker ({names[0]})"
    return [Repeat(number, part, names[0], reason) for number in numbers[1:]]


def _contradiction(names: list[str], numbers: list[int], part: str) -> list[Repeat]:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    reason = f"one {_IN_WORDS[part]} under two labels ({' and '.join(names[:3])}{more})"
    return [Repeat(number, part, "", reason) for number in numbers]


def _portrait_row(clips: pd.DataFrame, portrait: Portrait) -> dict[str, Any]:
    """The first row without its voice; labels of a voice, and labels in which the rows differ, are empty."""
    rows = clips.iloc[portrait.numbers]
    row: dict[str, Any] = rows.iloc[0].to_dict() | {"clip": portrait.clip, "voice": False, "voice_digest": ""}
    for label in clips.columns:
        differs = label in ("age", "ethnicity", "group", "nationality", "sex") and rows[label].nunique(dropna=False) > 1
        if label in OF_ONE_VOICE or differs:
            row[label] = float("nan") if clips[label].dtype.kind == "f" else ""
    return row


def _free_name(name: str, clips: pd.DataFrame) -> str:
    taken = set(clips["clip"])
    while name in taken:
        name += "+"
    return name
