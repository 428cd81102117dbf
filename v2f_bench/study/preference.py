"""Strengths from pairs: Bradley-Terry with ties, by evalica.

The model: the first of two wins with a probability of a / (a + b + 2 v sqrt(a b)), where a and b are the strengths, and
they tie with 2 v sqrt(a b) / (...) (Davidson 1970), by the iteration of Newman (2023).

Strengths exist only where from everybody a chain of wins or ties leads to everybody else (Ford 1957): a method that
never lost has no finite one. evalica then gives all of them 0.000001 and no warning. So here the methods are taken in
groups within which there are such chains; between groups the order may be known, but no distance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components

from v2f_bench.study.agreement import EXTRA
from v2f_bench.study.results import Strength, Strengths

RESAMPLES = 400
LEVEL = 0.95
MOST_LOST = 0.05  # share of resamples without strengths, above which there is no interval
LIMIT, TOLERANCE = 10_000, 1e-8  # of the iteration
TIES_OFF = 1e-6  # a share of the comparisons


@dataclass(frozen=True)
class Games:
    """Pairs as they were compared: places of the two in a list of names, and the first's score: 1, .5 or 0."""

    first: np.ndarray
    second: np.ndarray
    score: np.ndarray
    raters: np.ndarray
    items: np.ndarray

    def among(self, places: Sequence[int]) -> Games:
        rows = np.isin(self.first, places) & np.isin(self.second, places)
        return Games(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def strengths(names: Sequence[str], games: Games, seed: int = 0) -> Strengths:
    """The strengths of `names`, with intervals from resampling raters and items together (which are a little too wide,
    see stats/two_way.py), and notes on what cannot be compared."""
    ties = float((games.score == 0.5).mean())
    try:
        import evalica  # noqa: F401
    except ImportError:
        unknown = tuple(Strength(name, math.nan, math.nan, math.nan, 1) for name in names)
        return Strengths(unknown, ties, (EXTRA,))
    groups = _groups(len(names), games, np.ones(len(games.score)))
    notes = _notes(names, groups, games)
    by_place: dict[int, Strength] = {}
    for scale, group in enumerate(groups, 1):
        if len(group) == 1:
            by_place[group[0]] = Strength(names[group[0]], math.nan, math.nan, math.nan, scale)
            continue
        inner = games.among(group)
        values = _log_strengths(group, inner, np.ones(len(inner.score)))
        if np.isnan(values).any():
            notes.append(f"the strengths of {_and(names, group)} were still moving after {LIMIT} steps")
        low, high, lost = _interval(group, inner, seed)
        if lost > MOST_LOST:
            notes.append(f"{_and(names, group)}: no intervals, since {lost:.0%} of the resamples have no strengths")
        for place, value, least, most in zip(group, values, low, high, strict=True):
            by_place[place] = Strength(names[place], float(value), float(least), float(most), scale)
    return Strengths(tuple(by_place[place] for place in range(len(names))), ties, tuple(notes))


def _groups(count: int, games: Games, weights: np.ndarray) -> list[list[int]]:
    """The groups within which chains of wins or ties lead from everybody to everybody, the largest first."""
    beaten = _beaten(count, games, weights)
    _, group = connected_components(beaten, directed=True, connection="strong")
    members = [[int(place) for place in np.flatnonzero(group == each)] for each in np.unique(group)]
    return sorted(members, key=lambda places: (-len(places), places))


def _beaten(count: int, games: Games, weights: np.ndarray) -> np.ndarray:
    """Whether the method of a row won against, or tied with, that of a column at least once: bool [count, count]."""
    beaten = np.zeros((count, count), bool)
    used = weights > 0
    beaten[games.first[used & (games.score > 0)], games.second[used & (games.score > 0)]] = True
    beaten[games.second[used & (games.score < 1)], games.first[used & (games.score < 1)]] = True
    return beaten


def _notes(names: Sequence[str], groups: list[list[int]], games: Games) -> list[str]:
    if len(groups) == 1:
        return []
    beaten = _beaten(len(names), games, np.ones(len(games.score)))
    _, part = connected_components(beaten, directed=True, connection="weak")
    notes = []
    if part.max() > 0:
        parts = " and ".join(_and(names, list(np.flatnonzero(part == each))) for each in np.unique(part))
        notes.append(f"nothing connects {parts}: their strengths cannot be compared")
    for place, group in enumerate(groups):
        for other in groups[place + 1 :]:
            ahead = beaten[np.ix_(group, other)].any()
            behind = beaten[np.ix_(other, group)].any()
            if ahead or behind:
                winner, loser = (group, other) if ahead else (other, group)
                notes.append(
                    f"{_and(names, winner)} won all comparisons with {_and(names, loser)}: ahead by more than can be "
                    "measured"
                )
    return notes


def _log_strengths(group: Sequence[int], games: Games, weights: np.ndarray) -> np.ndarray:
    """Log strengths of a group, less their mean: float [n]; NaN where the iteration did not converge."""
    from evalica import Winner, bradley_terry, newman

    used = weights > 0
    outcome = {1.0: Winner.X, 0.5: Winner.Draw, 0.0: Winner.Y}
    rows = (
        games.first[used].tolist(),
        games.second[used].tolist(),
        [outcome[score] for score in games.score[used]],
    )
    common: dict[str, Any] = {"index": pd.Index(list(group)), "weights": weights[used].tolist(), "limit": LIMIT}
    if not (games.score[used] == 0.5).any():
        # The same model without ties, in which Newman's iteration goes to and fro for ever between two methods.
        result: Any = bradley_terry(*rows, tolerance=TOLERANCE, **common)
        converged = result.iterations < LIMIT
    else:
        result = newman(*rows, tolerance=TOLERANCE, **common)
        if not _surplus_of_ties(result, group, games, weights) <= TIES_OFF:
            # It stops where the strengths do not move in one step, though the share of ties still does.
            result = newman(*rows, tolerance=0.0, **common)
        converged = _surplus_of_ties(result, group, games, weights) <= TIES_OFF
    strength = result.scores.reindex(list(group)).to_numpy(float)
    if not (converged and (strength > 0).all()):
        return np.full(len(group), np.nan)
    return np.log(strength) - np.log(strength).mean()


def _surplus_of_ties(result: Any, group: Sequence[int], games: Games, weights: np.ndarray) -> float:
    """How far the model's expected number of ties is from that seen, as a share of the comparisons: 0 where the
    likelihood is greatest (Davidson 1970); NaN where the strengths are no numbers."""
    strength = result.scores.reindex(list(group))
    a, b = (strength.reindex(side).to_numpy(float) for side in (games.first, games.second))
    tied = 2 * result.v * np.sqrt(a * b)
    with np.errstate(invalid="ignore"):  # strengths of 0, where the iteration ran away
        expected = tied / (a + b + tied)
    return float(abs((weights * (expected - (games.score == 0.5))).sum()) / weights.sum())


def _interval(group: Sequence[int], games: Games, seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Lower and upper ends, float [n] each, and the share of resamples in which there are no strengths."""
    _, rater = np.unique(games.raters, return_inverse=True)
    _, item = np.unique(games.items, return_inverse=True)
    rng = np.random.default_rng(seed)
    places = {place: number for number, place in enumerate(group)}
    local = Games(
        np.array([places[place] for place in games.first]),
        np.array([places[place] for place in games.second]),
        *(games.score, games.raters, games.items),
    )
    draws = []
    for _ in range(RESAMPLES):
        weights = _multiplicity(rater, rng) * _multiplicity(item, rng)
        if len(_groups(len(group), local, weights)) == 1:
            draws.append(_log_strengths(range(len(group)), local, weights.astype(float)))
    draws = [draw for draw in draws if not np.isnan(draw).any()]
    lost = 1 - len(draws) / RESAMPLES
    if lost > MOST_LOST:
        unknown = np.full(len(group), np.nan)
        return unknown, unknown, lost
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high, lost


def _multiplicity(cluster: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How often each row's cluster was drawn: int [n]."""
    count = cluster.max() + 1
    return np.bincount(rng.integers(count, size=count), minlength=count)[cluster]


def _and(names: Sequence[str], places: Sequence[int]) -> str:
    return ", ".join(names[place] for place in places)
