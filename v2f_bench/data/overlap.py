"""Overlap by content: one recording, or one picture, that stands in a data set more than once.

Splits keep speakers apart, but a file that lies under two names would still be on both sides, and one that lies twice
under one name would make a speaker's "second picture" the first. What is compared is the decoded content, so that a
copy in another container is a copy. Of copies under one speaker and emotion the first by name stays. Copies under two
speakers, or two emotions, contradict each other, and nothing tells which is right: none stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

_IN_WORDS = {"voice": "recording", "face": "picture"}


class Repeat(NamedTuple):
    """A row, by position, whose voice or face must be set aside; the clip that it is a copy of, "" if of none."""

    number: int
    copy_of: str
    reason: str


def repeated(clips: pd.DataFrame, part: str) -> Iterator[Repeat]:
    """The rows whose voice or face (`part`) must be set aside.

    Args:
        clips: `clip`, `speaker` and, where known, `emotion`; `voice_digest` and `face_digest`, which stand for the
            content ("" for none).
    """
    digests = clips[f"{part}_digest"].reset_index(drop=True)
    for _, places in digests[digests.ne("") & digests.duplicated(keep=False)].groupby(digests):
        rows = clips.iloc[places.index]
        order = rows["clip"].argsort()
        names, numbers = list(rows["clip"].iloc[order]), list(places.index[order])
        meanings = rows[[label for label in ("speaker", "emotion") if label in rows]].drop_duplicates()
        what = _IN_WORDS[part]
        if len(meanings) == 1:
            reason = f"the same {what} as another of one speaker ({names[0]})"
            yield from (Repeat(number, names[0], reason) for number in numbers[1:])
        else:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            reason = f"one {what} under two labels ({' and '.join(names[:3])}{more})"
            yield from (Repeat(number, "", reason) for number in numbers)
