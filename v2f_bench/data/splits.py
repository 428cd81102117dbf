"""Splits that depend on each speaker's name alone, so that a missing speaker moves nobody else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

SPLITS = ("train", "validation", "test")


def hashed_split(speakers: Iterable[str], salt: str, validation: float, test: float) -> dict[str, str]:
    """About a fraction `test` and `validation` of the speakers to those splits, by a hash of `salt` and the name."""
    return {speaker: _split_at(unit_hash(salt, speaker), validation, test) for speaker in speakers}


def roster_split(roster: Iterable[str], salt: str, validation: int, test: int) -> dict[str, str]:
    """The first `test` names of a list of everybody to test, the next `validation` to validation, in hash order.

    Where the whole list is known beforehand this gives exact numbers, and still nobody moves when one is missing.
    """
    order = hash_order(roster, salt)
    names = ["test"] * test + ["validation"] * validation
    return {name: names[place] if place < len(names) else "train" for place, name in enumerate(order)}


def clip_split(clips: Iterable[str]) -> dict[str, str]:
    """`clip-8-2`: a fifth of the clips to test and a tenth of the others to validation, by a hash of their names.

    Speakers are then on both sides, as in papers that split clips at random.
    """
    return {clip: _split_at(unit_hash("clip-8-2", clip), validation=0.08, test=0.2) for clip in clips}


def hash_order(items: Iterable[str], *salt: str) -> list[str]:
    """The items in an order that looks random, and that one item more or less does not change for the others."""
    return sorted(items, key=lambda item: (unit_hash(*salt, item), item))


def hash_first(items: Iterable[str], *salt: str) -> str:
    """One of the items, as if at random; it stays the choice while it is there, whatever else comes or goes."""
    return min(items, key=lambda item: (unit_hash(*salt, item), item))


def unit_hash(*parts: str) -> float:
    """A number in [0, 1) from a hash of `parts`; the same on every machine."""
    digest = hashlib.sha256("/".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _split_at(place: float, validation: float, test: float) -> str:
    if place < test:
        return "test"
    return "validation" if place < test + validation else "train"
