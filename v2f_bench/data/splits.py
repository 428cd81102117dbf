"""Splits that depend on each speaker's name only: a missing speaker does not change the split of another one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

SPLITS = ("train", "validation", "test")


def hashed_split(speakers: Iterable[str], salt: str, validation: float, test: float) -> dict[str, str]:
    """The split of each speaker by a hash of `salt` and the name; `validation` and `test` are about these fractions."""
    return {speaker: _split_at(unit_hash(salt, speaker), validation, test) for speaker in speakers}


def roster_split(roster: Iterable[str], salt: str, validation: int, test: int) -> dict[str, str]:
    """The split of each name of a complete list of speakers: in hash order `test`, then `validation`, then the rest.

    Since the list is complete, the numbers are exact, and a speaker who is missing on disk does not change the others.
    """
    order = hash_order(roster, salt)
    names = ["test"] * test + ["validation"] * validation
    return {name: names[place] if place < len(names) else "train" for place, name in enumerate(order)}


def clip_split(clips: Iterable[str]) -> dict[str, str]:
    """`clip-8-2`: a fifth of the clips are test, a tenth of the others validation, by a hash of their names.

    A speaker is then in several splits, as in papers that split clips at random.
    """
    return {clip: _split_at(unit_hash("clip-8-2", clip), validation=0.08, test=0.2) for clip in clips}


def hash_order(items: Iterable[str], *salt: str) -> list[str]:
    """The items in the order of their hashes. An item more or less does not change the order of the others."""
    return sorted(items, key=lambda item: (unit_hash(*salt, item), item))


def hash_first(items: Iterable[str], *salt: str) -> str:
    """The item with the smallest hash. Removing another item does not change it."""
    return min(items, key=lambda item: (unit_hash(*salt, item), item))


def unit_hash(*parts: str) -> float:
    """A number in [0, 1) from a hash of `parts`; the same on every machine."""
    digest = hashlib.sha256("/".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _split_at(place: float, validation: float, test: float) -> str:
    if place < test:
        return "test"
    return "validation" if place < test + validation else "train"
