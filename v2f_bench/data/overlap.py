"""Overlap by content: one recording, or one picture, that stands in a data set more than once.

Splits keep speakers apart, but a file that lies under two names would still be on both sides, and one that lies twice
under one name would make a speaker's "second picture" the first. What is compared is the decoded content, so that a
copy in another container is a copy. Of copies under one speaker and emotion the first by name stays. Copies under two
speakers, or two emotions, contradict each other, and nothing tells which is right: none stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_IN_WORDS = {"voice": "recording", "face": "picture"}


def repeated(part: str, digests: Sequence[str], rows: Sequence[dict[str, Any]]) -> list[tuple[int, str]]:
    """Which rows' voice or face (`part`) must be set aside, and why.

    Args:
        digests: of each row's content; "" where it has none.
        rows: `clip`, `speaker` and, where known, `emotion` of each.
    """
    same: dict[str, list[int]] = {}
    for number, digest in enumerate(digests):
        if digest:
            same.setdefault(digest, []).append(number)
    aside = []
    for numbers in same.values():
        if len(numbers) < 2:
            continue
        first, *others = sorted(numbers, key=lambda number: str(rows[number]["clip"]))
        meanings = {(rows[number]["speaker"], rows[number].get("emotion", "")) for number in numbers}
        if len(meanings) == 1:
            aside += [(number, f"the same {_IN_WORDS[part]} as {rows[first]['clip']}") for number in others]
        else:
            clips = " and ".join(str(rows[number]["clip"]) for number in (first, *others)[:3])
            more = f" and {len(numbers) - 3} more" if len(numbers) > 3 else ""
            aside += [(number, f"one {_IN_WORDS[part]} under two labels: {clips}{more}") for number in numbers]
    return sorted(aside)
