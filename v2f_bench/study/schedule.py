"""Who is asked what: lists of questions in which items, speakers, conditions, sides and order are balanced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array


@dataclass(frozen=True)
class Costs:
    """The costs of a schedule, from what is avoided most: a speaker twice in a list; a speaker that other lists have
    more often; the same for items, and for an item under one condition; and a random part."""

    speaker_here: int = 20_000
    speaker: int = 2_000
    item_here: int = 200
    item: int = 40
    cell: int = 10
    chance: int = 4


COSTS = Costs()


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
        met = np.bincount(np.asarray(heard, int), minlength=len(self.speakers))
        cells = np.argwhere(self._cheapest(self._quotas(length), met))
        np.add.at(self._cells, tuple(cells.T), 1)
        return self._with_sides([Slot(int(item), int(condition)) for item, condition in cells])

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

    def _cheapest(self, quotas: np.ndarray, met: np.ndarray) -> np.ndarray:
        """Which items are asked about under which conditions: bool [items, conditions].

        A flow of least cost from the conditions, through questions (each at most once), items and speakers: each
        further question about a speaker or an item in this list costs more than the one before, and so does one about
        what other lists asked more. As in every flow whose bounds are whole numbers, the amounts are whole.
        """
        items, conditions = self.allowed.shape
        speakers = int(self._speaker.max()) + 1
        used = self._cells.sum(axis=1)
        of_speaker = np.bincount(self._speaker, used)
        met_of_speaker = np.bincount(self._speaker, met)
        item, condition = np.nonzero(self.allowed)
        most = -(-int(quotas.sum()) // speakers) + 2  # questions about a speaker that cost as they should; then a lot
        nth_item, nth_speaker = np.arange(conditions), np.append(np.arange(most), 10 * most)
        cost = [
            COSTS.cell * (self._cells - self._cells.min())[item, condition]
            + self.rng.integers(COSTS.chance, size=len(item)),
            COSTS.item_here * np.add.outer(met, nth_item) + COSTS.item * np.add.outer(used - used.min(), nth_item),
            COSTS.speaker_here * np.add.outer(met_of_speaker, nth_speaker)
            + COSTS.speaker * np.add.outer(of_speaker - of_speaker.min(), nth_speaker),
        ]
        sizes = [each.size for each in cost]
        arcs = np.arange(sum(sizes))
        of_cell, of_item, of_speaker_arc = np.split(arcs, np.cumsum(sizes)[:-1])
        # Rows of the balance: what leaves each condition; what enters each item less what leaves it; likewise speakers.
        in_item, out_item = conditions + item, conditions + np.repeat(np.arange(items), conditions)
        in_speaker = conditions + items + np.repeat(self._speaker, conditions)
        out_speaker = conditions + items + np.repeat(np.arange(speakers), len(nth_speaker))
        rows = np.concatenate([condition, in_item, out_item, in_speaker, out_speaker])
        columns = np.concatenate([of_cell, of_cell, of_item, of_item, of_speaker_arc])
        signs = np.repeat(
            [1, 1, -1, 1, -1], [len(each) for each in (of_cell, of_cell, of_item, of_item, of_speaker_arc)]
        )
        balance = csr_array((signs, (rows, columns)), shape=(conditions + items + speakers, len(arcs)))
        upper = np.ones(len(arcs))
        upper[of_speaker_arc] = np.tile(np.append(np.ones(most), quotas.sum()), speakers)
        for method in ("highs-ds", "highs-ipm"):  # the first has been seen to give up, once in thousands
            flow = linprog(
                np.concatenate([each.ravel() for each in cost]),
                A_eq=balance,
                b_eq=np.concatenate([quotas, np.zeros(items + speakers)]),
                bounds=np.stack([np.zeros(len(arcs)), upper], axis=1),
                method=method,
            )
            if flow.success:
                break
        assert flow.success, flow.message  # the quotas have room, see _quotas
        chosen = np.zeros(self.allowed.shape, bool)
        chosen[item, condition] = flow.x[of_cell] > 0.5
        return chosen

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
