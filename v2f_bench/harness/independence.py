"""Whether a judge is independent: of the method that it judges, of the test speakers, and of their pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from v2f_bench.harness.bench import Bench
from v2f_bench.interfaces import Judge
from v2f_bench.interfaces.judge import TRAINING_SPEAKERS


@dataclass(frozen=True)
class IndependenceFacts:
    """What decides whether a judge is independent of a method, its test speakers and their pictures."""

    trained_with: frozenset[str] = frozenset()  # the networks that the method's training used, as judges name them
    people: frozenset[str] = frozenset()  # the collections of people that the test speakers are known to be from
    people_known: bool = True  # whether there are no other such collections
    chose_frames: str = ""  # the judge that chose the frames of the data set's videos

    @classmethod
    def of(cls, bench: Bench, trained_with: Iterable[str]) -> IndependenceFacts:
        """The facts for a method on a bench. `trained_with` is as for `Method.trained_with`."""
        known = bench.dataset.people is not None
        return cls(frozenset(trained_with), bench.people, known, bench.chose_frames)


def independence(judge: Judge, facts: IndependenceFacts) -> tuple[bool | None, str]:
    """Whether the judge is independent, None where that is not known; and the reason for anything but True."""
    if judge.name in facts.trained_with:
        return False, "the method was trained with it"
    if judge.name == facts.chose_frames:
        return False, "it chose the frames that stand for the emotions"
    if judge.met is None:
        return None, "which people its training met is not known"
    if shared := judge.met & facts.people:
        return False, f"its training met people of {', '.join(sorted(shared))}, who are among the test speakers"
    if not facts.people_known and judge.met - {TRAINING_SPEAKERS}:
        return None, "whether its training met the test speakers is not known"
    return True, ""
