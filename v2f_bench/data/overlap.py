"""Overlap by content: one recording, or one picture, that stands in a data set more than once.

Splits keep speakers apart, but a file that lies under two names would still be on both sides, and one that lies twice
under one name would make a speaker's "second picture" the first. What is compared is the decoded content, so that a
copy in another container is a copy. Of copies under one speaker and emotion the first by name stays. Copies under two
speakers, or two emotions, contradict each other, and nothing tells which is right: none stays.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

_IN_WORDS = {"voice": "recording", "face": "picture"}


def repeated(clips: pd.DataFrame, part: str) -> Iterator[tuple[int, str]]:
    """Which rows' voice or face (`part`) must be set aside, by position, and why.

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
        if len(meanings) == 1:
            yield from ((number, f"the same {_IN_WORDS[part]} as {names[0]}") for number in numbers[1:])
        else:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            reason = f"one {_IN_WORDS[part]} under two labels: {' and '.join(names[:3])}{more}"
            yield from ((number, reason) for number in numbers)
