"""Compare many methods at once: p-values corrected for their number, letters for ties, ranks with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from string import ascii_lowercase
from typing import Literal, NamedTuple

import numpy as np


class RankInterval(NamedTuple):
    """A rank, 1 for the best, and the best and the worst rank that the comparisons do not exclude."""

    rank: int
    best: int
    worst: int


def holm(p_values: np.ndarray) -> np.ndarray:
    """P-values adjusted to control the probability of *any* false rejection among them: float, of the same shape.

    Step-down (Holm 1979): of m p-values the smallest is multiplied by m, the next by m - 1, and so on; none becomes
    smaller than the one before it, or larger than 1. NaN stays NaN and does not count. A number outside [0, 1] is a
    ValueError.
    """
    p_values = np.asarray(p_values, dtype=float)
    known = ~np.isnan(p_values)
    p = p_values[known]
    if ((p < 0) | (p > 1)).any():
        raise ValueError(f"p-values lie in [0, 1], not at {p.min()} to {p.max()}")
    order = np.argsort(p, kind="stable")
    stepped = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
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
    """The letters of each method, in the given order. Two share a letter exactly if they do not differ significantly.

    `values` holds the methods' numbers; `better` says whose group is called `a` (`neither`: that of the first method).
    `adjusted` is a matrix of adjusted p-values, float [m, m], of which only the part above the diagonal is read, or a
    function of two positions, the smaller first. They differ if p < alpha. A p of NaN, from a comparison that could not
    be made, shows no difference. A method whose value is NaN has no letter. After `z` comes `a1`.

    This is a compact letter display by insert and absorb (Piepho 2004): one letter for every largest set of methods
    without a difference among them.
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
    """The rank of each method by its value, and the ranks that comparisons do not exclude; None where a value is NaN.

    The best possible rank of a method is behind those that are significantly better, the worst is before those that are
    significantly worse. Where the adjusted p-values, float [m, m] of which only the part above the diagonal is read,
    control the probability of any false rejection at `alpha`, all intervals hold together with probability 1 - alpha
    (Mogstad, Romano, Shaikh & Wilhelm 2024, Inference for ranks, section 3). Equal values share the better rank.
    `neither` is treated as `higher`.
    """
    values = np.asarray(values, dtype=float)
    if adjusted.shape != (len(values), len(values)):
        raise ValueError(f"{len(values)} values, but p-values of shape {adjusted.shape}")
    standing = np.flatnonzero(~np.isnan(values))
    signed = values if better == "lower" else -values
    above = np.triu(np.nan_to_num(adjusted, nan=1.0), 1)
    differs = (above + above.T < alpha) & ~np.eye(len(values), dtype=bool)
    ranks: list[RankInterval | None] = [None] * len(values)
    for place in standing:
        ahead, behind = signed[standing] < signed[place], signed[standing] > signed[place]
        apart = differs[place, standing]
        ranks[place] = RankInterval(
            1 + int(ahead.sum()), 1 + int((ahead & apart).sum()), len(standing) - int((behind & apart).sum())
        )
    return ranks


def _set_apart(columns: list[frozenset[int]], first: int, second: int) -> list[frozenset[int]]:
    """Replace each column that has both by two with one of them each; drop those that are part of another column."""
    kept = [column for column in columns if not {first, second} <= column]
    split = {column - {one} for column in columns if {first, second} <= column for one in (first, second)}
    return kept + [new for new in split if not any(new <= old for old in kept)]


def _letter(number: int) -> str:
    turn, letter = divmod(number, len(ascii_lowercase))
    return ascii_lowercase[letter] + (str(turn) if turn else "")
