"""The questions of every list: balanced, with anchors and attention checks among them, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from v2f_bench.study.designs import Condition, Design, Picture
from v2f_bench.study.folder import Question, Side
from v2f_bench.study.items import Item, by_trial
from v2f_bench.study.schedule import Scheduler, Slot, in_order

SIDES: tuple[Side, Side] = ("left", "right")
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Size:
    """How much is asked: of each rater `trials` questions about methods, `anchors` about the real photographs, as many
    about the floor, and `checks` of attention; and how many lists of these there are."""

    lists: int = 30
    trials: int = 50
    anchors: int = 5
    checks: int = 3


@dataclass(frozen=True)
class Asked:
    """A question with what it shows: its pictures in the order of the screen."""

    question: Question
    item: Item
    pictures: tuple[Picture, ...]
    demanded: str = ""  # the answer that an attention check demands


class NeutralNames:
    """Random names without a meaning: eight letters and digits, each name once."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._used: set[str] = set()

    def draw(self) -> str:
        while True:
            name = "".join(ALPHABET[place] for place in self._rng.integers(len(ALPHABET), size=8))
            if name not in self._used:
                self._used.add(name)
                return name


class Questionnaire:
    """Writes the lists of one study, one after the other. `wanted` questions stand in each, where there are as many."""

    def __init__(
        self, design: Design, items: Sequence[Item], methods: Sequence[str], size: Size, rng: np.random.Generator
    ) -> None:
        self._design, self._items, self._size, self._rng = design, items, size, rng
        self._others = by_trial(items)
        self._names = NeutralNames(rng)
        main, anchors = design.conditions(methods), design.anchors(methods)
        wanted = [(main, size.trials)]
        wanted += [([each for each in anchors if each.kind == kind], size.anchors) for kind in ("real", "floor")]
        self._parts = [
            (conditions, self._scheduler(conditions), length) for conditions, length in wanted if conditions and length
        ]
        self.wanted = sum(length for _, _, length in self._parts) + size.checks
        self._main = main
        self._checks = self._scheduler(main)

    def next_list(self) -> list[Asked]:
        """The questions of one more list. Fewer than wanted, where there are not so many different ones."""
        asked: list[Asked] = []
        kinds: list[object] = []
        heard: list[int] = []
        for conditions, scheduler, length in self._parts:
            slots = scheduler.next_list(min(length, scheduler.possible), heard)
            heard += [slot.item for slot in slots]
            asked += [self._ask(conditions[slot.condition], slot) for slot in slots]
            kinds += [conditions[slot.condition] for slot in slots]
        for slot in self._checks.next_list(min(self._size.checks, self._checks.possible), heard):
            asked.append(self._check(self._ask(self._main[slot.condition], slot)))
            kinds.append("check")
        order = in_order(kinds, self._rng)
        first = next(number for number, place in enumerate(order) if kinds[place] != "check")
        order[0], order[first] = order[first], order[0]  # a session does not begin with a check
        return [asked[place] for place in order]

    def _scheduler(self, conditions: Sequence[Condition]) -> Scheduler:
        allowed = np.array([[self._design.fits(each, item) for each in conditions] for item in self._items])
        speakers = [item.speaker for item in self._items]
        return Scheduler(allowed, speakers, [each.weight for each in conditions], self._rng)

    def _ask(self, condition: Condition, slot: Slot) -> Asked:
        item = self._items[slot.item]
        pictures = self._design.shows(condition, item, self._others[item.other])
        first: Side = SIDES[slot.side] if len(pictures) == 2 else ""
        has_right_side = self._design.sides and not condition.against
        question = Question(
            trial=self._names.draw(),
            kind=condition.kind,
            method=condition.method,
            against=condition.against,
            variant=condition.variant,
            item=item.trial,
            first=first,
            right=first if has_right_side else self._design.right(condition, item),
        )
        return Asked(question, item, pictures[::-1] if first == "right" else pictures)

    def _check(self, asked: Asked) -> Asked:
        """The question as an attention check that demands a random answer other than "equal"."""
        possible = [answer for answer in self._design.answers if answer != "equal"]
        demanded = possible[self._rng.integers(len(possible))]
        return replace(asked, question=replace(asked.question, kind="check", right=demanded), demanded=demanded)
