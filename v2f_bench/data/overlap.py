"""Overlap by content: one recording, or one picture, that stands in a data set more than once.

Splits keep speakers apart, but a file that lies under two names would still be on both sides, and one that lies twice
under one name would make a speaker's "second picture" the first. What is compared is the decoded content, so that a
copy in another container is a copy.

* Of copies under one speaker and emotion the first by name stays.
* Copies under two speakers, or of a recording under two emotions, contradict each other, and it is not known which is
  right: none stays.
* A picture of one speaker under several emotions is a portrait that stands beside recordings. It shows who speaks and
  not what is felt, so it stays once, as a clip of its own without an emotion.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd

OF_ONE_VOICE = ("emotion", "heard", "intensity", "sentence")  # labels of a recording, not of who speaks
_IN_WORDS = {"voice": "recording", "face": "picture"}


class Repeat(NamedTuple):
    """A row, by position, whose voice or face (`part`) must be set aside; the clip that it is a copy of, "" if none."""

    number: int
    part: str
    copy_of: str
    reason: str


class Portrait(NamedTuple):
    """A picture under several emotions of one speaker: the rows that have it, by position, the first by name first."""

    numbers: list[int]
    clip: str  # the name of the clip that it becomes


def without_repeats(clips: pd.DataFrame) -> tuple[pd.DataFrame, list[Repeat]]:
    """The clips of which each recording and each picture stands once, and what was set aside.

    Args:
        clips: `clip`, `speaker` and, where known, `emotion`; `voice` and `face` (whether there is one); `voice_digest`
            and `face_digest`, which stand for the content ("" for none). Rows are numbered from 0. Further columns of
            a row belong to its voice and face, and go with them to a portrait's row.
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
    """The rows of each content that stands in several, by position; rows and contents in the order of names."""
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
    """The first row without its voice; labels that belong to a voice, or that not all rows share, are left empty."""
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
