"""Who is asked what: lists of questions in which items, speakers, conditions, sides and order are balanced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

NEVER = 1e6  # cost of a question that must not be, or that a list has already


@dataclass(frozen=True)
class Slot:
    """One question of a list: places of its item and condition, and of the side of its first picture (0 or 1)."""

    item: int
    condition: int
    side: int = 0


@dataclass
class Scheduler:
    """Makes one list after the other, each from what was asked least so far.

    Args:
        allowed: which items may be asked under which conditions: bool [items, conditions].
        speakers: the speaker of each item; a list has as many different speakers as can be.
        weights: how often each condition is asked compared with the others.
        rng: decides between equals.

    In a list, the numbers of questions under two conditions of equal weight differ by one at most, and so do those of a
    condition's left and right. Over the lists, so do the numbers of questions about two items of equal `allowed`.
    """

    allowed: np.ndarray
    speakers: Sequence[str]
    weights: Sequence[float]
    rng: np.random.Generator
    _cells: np.ndarray = field(init=False)  # how often each item was asked under each condition
    _sides: np.ndarray = field(init=False)  # ... with its first picture right, less left
    _owed: np.ndarray = field(init=False)  # questions that each condition should have had more

    def __post_init__(self) -> None:
        self._cells = np.zeros(self.allowed.shape)
        self._sides = np.zeros(self.allowed.shape)
        self._owed = np.zeros(self.allowed.shape[1])
        _, self._speaker = np.unique(np.asarray(self.speakers), return_inverse=True)

    @property
    def possible(self) -> int:
        """How many different questions there are."""
        return int(self.allowed.sum())

    def next_list(self, length: int, heard: Sequence[int] = ()) -> list[Slot]:
        """The next list of `length` questions (all different), in no order; `heard`: items that its rater has met."""
        wanted = self._quotas(length)
        here = np.zeros(self.allowed.shape, bool)
        met = np.bincount(np.asarray(heard, int), minlength=len(self.speakers))
        slots: list[Slot] = []
        while wanted.any():
            free = (self.allowed & ~here)[:, wanted > 0].any(axis=1)
            items = self._least_used(np.flatnonzero(free), int(wanted.sum()), met, here)
            for item, condition in self._with_conditions(items, wanted, here):
                here[item, condition] = True
                wanted[condition] -= 1
                self._cells[item, condition] += 1
                slots.append(Slot(item, condition))
        return self._with_sides(slots)

    def _quotas(self, length: int) -> np.ndarray:
        """How often each condition is asked: int [conditions], as the weights say over all lists so far."""
        if length > self.possible:
            raise ValueError(f"a list of {length} questions, but there are only {self.possible}")
        weights = np.asarray(self.weights, float)
        room = self.allowed.sum(axis=0)
        share = weights / weights.sum() * length
        self._owed += share
        quotas = np.minimum(np.floor(share + 1e-9), room).astype(int)
        most = quotas + 1
        while quotas.sum() < length:
            open_to = quotas < np.minimum(most, room)
            if not open_to.any():
                most += 1  # some conditions have no room: others stand in for them
                continue
            owed = self._owed - quotas + 1e-6 * self.rng.random(len(quotas))
            quotas[np.where(open_to, owed, -np.inf).argmax()] += 1
        self._owed -= quotas
        return quotas

    def _least_used(self, free: np.ndarray, count: int, met: np.ndarray, here: np.ndarray) -> list[int]:
        """Up to `count` different items of `free`: of speakers new to this list, then those asked least over all."""
        in_list = here.sum(axis=1)
        used = self._cells.sum(axis=1)
        speakers_here = np.bincount(self._speaker, in_list + met)
        speakers_used = np.bincount(self._speaker, used)
        chosen: list[int] = []
        rest = list(self.rng.permutation(free))
        while rest and len(chosen) < count:
            speaker = self._speaker[rest]
            order = np.lexsort((used[rest], met[rest] + in_list[rest], speakers_used[speaker], speakers_here[speaker]))
            item = rest.pop(order[0])
            chosen.append(item)
            speakers_here[self._speaker[item]] += 1
            speakers_used[self._speaker[item]] += 1
        return chosen

    def _with_conditions(self, items: list[int], wanted: np.ndarray, here: np.ndarray) -> list[tuple[int, int]]:
        """A condition for each item, such that every item meets the conditions equally often in the end."""
        slots = np.repeat(np.arange(len(wanted)), wanted)
        cost = self._cells[items][:, slots] + 0.5 * self.rng.random((len(items), len(slots)))
        cost += NEVER * (~self.allowed | here)[items][:, slots]
        rows, columns = linear_sum_assignment(cost)
        return [
            (items[row], int(slots[column]))
            for row, column in zip(rows, columns, strict=True)
            if cost[row, column] < NEVER
        ]

    def _with_sides(self, slots: list[Slot]) -> list[Slot]:
        """The slots with sides: half of each condition's on either, and each question's other side the next time."""
        placed: list[Slot] = []
        for condition in sorted({slot.condition for slot in slots}):
            items = np.array([slot.item for slot in slots if slot.condition == condition])
            balance = self._sides[items, condition]
            order = np.lexsort((self.rng.random(len(items)), balance))  # those most often left come first: now right
            right = len(items) // 2
            if len(items) % 2:
                total = self._sides[:, condition].sum()
                right += int(total < 0 or (total == 0 and self.rng.random() < 0.5))
            for place, number in enumerate(order):
                side = int(place < right)
                self._sides[items[number], condition] += 1 if side else -1
                placed.append(Slot(int(items[number]), condition, side))
        return placed


def in_order(kinds: Sequence[object], rng: np.random.Generator) -> list[int]:
    """An order of questions in which each kind is spread evenly from beginning to end: places, int [n].

    Of a kind with k questions, one falls at random into each k-th part of the session.
    """
    position = np.empty(len(kinds))
    for kind in sorted(set(kinds), key=str):
        places = rng.permutation([place for place, each in enumerate(kinds) if each == kind])
        position[places] = (np.arange(len(places)) + rng.random(len(places))) / len(places)
    return [int(place) for place in np.argsort(position, kind="stable")]
