"""Whether a judge is independent of the method it judges, of the people it judges it on, and of their pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from v2f_bench.interfaces import Judge
from v2f_bench.interfaces.judge import TRAINING_SPEAKERS


@dataclass(frozen=True)
class IndependenceFacts:
    """What decides whether a judge is independent of a method, its test speakers and their pictures."""

    trained_with: frozenset[str] = frozenset()  # the networks that the method's training used, as judges name them
    people: frozenset[str] = frozenset()  # the collections whose people are among the test speakers
    people_known: bool = True  # whether these are all such collections
    chose_frames: str = ""  # the judge that chose the frames of the data set's videos

    @classmethod
    def of(
        cls, known: frozenset[str] | None, people: frozenset[str], chose_frames: str, trained_with: Iterable[str]
    ) -> IndependenceFacts:
        """`known`: the data set's own list of such collections; None where it has none."""
        return cls(frozenset(trained_with), people, known is not None, chose_frames)


def independence(judge: Judge, ties: IndependenceFacts) -> tuple[bool | None, str]:
    """True, False, or None where it cannot be known; and the reason for anything but True."""
    if judge.name in ties.trained_with:
        return False, "the method was trained with it"
    if judge.name == ties.chose_frames:
        return False, "it chose the frames that stand for the emotions"
    if judge.met is None:
        return None, "which people its training met is not known"
    if shared := judge.met & ties.people:
        return False, f"its training met people of {', '.join(sorted(shared))}, who are among the test speakers"
    if not ties.people_known and judge.met - {TRAINING_SPEAKERS}:
        return None, "whether its training met the test speakers is not known"
    return True, ""
