"""Many methods compared at once: p-values corrected for their number, ties as shared letters, ranks with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from string import ascii_lowercase
from typing import Literal, NamedTuple

import numpy as np


class RankInterval(NamedTuple):
    """A rank, 1 for the best, and the ranks that it cannot be told apart from."""

    rank: int
    best: int
    worst: int


def holm(p_values: np.ndarray) -> np.ndarray:
    """P-values adjusted so that the chance of *any* false finding among them is held: float, of the same shape.

    Step-down (Holm 1979): the smallest of m times m, the next times m - 1, and so on, none smaller than the one before
    and none above 1. NaN stays NaN and is not counted. A number outside [0, 1] is a ValueError.
    """
    p_values = np.asarray(p_values, dtype=float)
    known = ~np.isnan(p_values)
    found = p_values[known]
    if ((found < 0) | (found > 1)).any():
        raise ValueError(f"p-values lie in [0, 1], not at {found.min()} to {found.max()}")
    order = np.argsort(found, kind="stable")
    stepped = np.minimum(np.maximum.accumulate(found[order] * np.arange(len(found), 0, -1)), 1)
    adjusted = np.full(p_values.shape, np.nan)
    adjusted[known] = stepped[np.argsort(order, kind="stable")]
    return adjusted


def tie_groups(
    names: Sequence[str],
    values: Sequence[float] | np.ndarray,
    adjusted: np.ndarray | Callable[[int, int], float],
    better: Literal["higher", "lower", "neither"] = "higher",
    alpha: float = 0.05,
) -> list[str]:
    """The letters of each method, in the order given: two share one exactly if they do not differ significantly.

    `values` holds the methods' numbers; `better` says whose group is called `a` (`neither`: whoever stands first).
    `adjusted` is a matrix of adjusted p-values, float [m, m], of which only the part above the diagonal is read, or a
    function of two positions, the smaller first. They differ if p < alpha; a p of NaN, a comparison that could not be
    made, shows no difference. A method whose value is NaN has no letter. After `z` comes `a1`.

    A compact letter display by insert and absorb (Piepho 2004): one letter for every set of methods without a
    difference among them that no other such set contains.
    """
    values = np.asarray(values, dtype=float)
    if values.shape != (len(names),):
        raise ValueError(f"{len(names)} names, but values of shape {values.shape}")
    if isinstance(adjusted, np.ndarray) and adjusted.shape != (len(names), len(names)):
        raise ValueError(
            f"{len(names)} names need a matrix of p-values with as many rows and columns, not {adjusted.shape}"
        )
    standing = [place for place in range(len(names)) if not np.isnan(values[place])]
    columns = [frozenset(standing)] if standing else []
    for first, second in combinations(standing, 2):
        p = adjusted[first, second] if isinstance(adjusted, np.ndarray) else adjusted(first, second)
        if p < alpha:
            columns = _set_apart(columns, first, second)
    if better != "neither":
        standing.sort(key=lambda place: values[place], reverse=better == "higher")  # stable: ties stay as given
    rank = {place: position for position, place in enumerate(standing)}
    columns.sort(key=lambda column: sorted(rank[place] for place in column))
    letters = [""] * len(names)
    for number, column in enumerate(columns):
        for place in column:
            letters[place] += _letter(number)
    return letters


def rank_intervals(
    values: Sequence[float] | np.ndarray,
    adjusted: np.ndarray,
    better: Literal["higher", "lower", "neither"] = "higher",
    alpha: float = 0.05,
) -> list[RankInterval | None]:
    """The rank of each method by its value, and the ranks that the comparisons leave it; None where a value is NaN.

    Of m methods, one is at best behind those that are significantly better, and at worst before those that are
    significantly worse. Where the adjusted p-values, float [m, m] of which only the part above the diagonal is read,
    control the chance of any false finding at `alpha`, all intervals hold together with 1 - alpha (Mogstad, Romano,
    Shaikh & Wilhelm 2024, Inference for ranks, section 3). Equal values share the better rank. `neither` is read as
    `higher`.
    """
    values = np.asarray(values, dtype=float)
    if adjusted.shape != (len(values), len(values)):
        raise ValueError(f"{len(values)} values, but p-values of shape {adjusted.shape}")
    standing = np.flatnonzero(~np.isnan(values))
    signed = values if better == "lower" else -values
    above = np.triu(np.nan_to_num(adjusted, nan=1.0), 1)
    differs = (above + above.T < alpha) & ~np.eye(len(values), dtype=bool)
    found: list[RankInterval | None] = [None] * len(values)
    for place in standing:
        ahead, behind = signed[standing] < signed[place], signed[standing] > signed[place]
        apart = differs[place, standing]
        found[place] = RankInterval(
            1 + int(ahead.sum()), 1 + int((ahead & apart).sum()), len(standing) - int((behind & apart).sum())
        )
    return found


def _set_apart(columns: list[frozenset[int]], first: int, second: int) -> list[frozenset[int]]:
    """The columns with each that holds both replaced by two that hold one, less those within one that is kept."""
    kept = [column for column in columns if not {first, second} <= column]
    split = {column - {one} for column in columns if {first, second} <= column for one in (first, second)}
    return kept + [new for new in split if not any(new <= old for old in kept)]


def _letter(number: int) -> str:
    turn, letter = divmod(number, len(ascii_lowercase))
    return ascii_lowercase[letter] + (str(turn) if turn else "")
