"""Whether a judge is independent of the method it judges, and of the people it judges it on."""

from __future__ import annotations

from collections.abc import Collection

from v2f_bench.interfaces import Judge


def independence(judge: Judge, trained_with: Collection[str], people: frozenset[str]) -> tuple[bool | None, str]:
    """True, False, or None where it cannot be known; and the reason for anything but True.

    Args:
        trained_with: the networks that the method's training used, as judges name them.
        people: the collections whose people are among the test speakers.
    """
    if judge.name in trained_with:
        return False, "the method was trained with it"
    if judge.met is None:
        return None, "which people its training met is not known"
    if shared := judge.met & people:
        return False, f"its training met people of {', '.join(sorted(shared))}, who are among the test speakers"
    return True, ""
