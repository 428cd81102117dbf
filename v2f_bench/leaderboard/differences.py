"""Paired differences: what one entry is better by than others, on the same trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from v2f_bench.leaderboard.columns import Column
from v2f_bench.leaderboard.entries import Entry
from v2f_bench.leaderboard.samples import Samples
from v2f_bench.stats import Comparison, compare_pairs, holm

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Gap:
    """A paired difference, positive where the entry is better than its rival (where neither is: where it is more)."""

    value: float
    low: float  # ends of the 95 % interval
    high: float
    p_value: float  # Holm-corrected over the comparisons that stand beside it
    significant: bool
    effect_size: float  # Cohen's d_z over speakers (see `stats/paired.py`)
    raw_p_value: float
    speakers: int
    trials: int


@dataclass(frozen=True)
class Differences:
    """What one entry is better by than each of its rivals, on the same trials: `gaps[rival][column]`."""

    name: str
    rivals: list[str]
    columns: list[Column]
    gaps: list[list[Gap | None]]


def differences(entries: Sequence[Entry], columns: Sequence[Column], samples: Samples) -> list[Differences]:
    """Each entry that is no baseline against those that are, p-values corrected over the rivals of a column."""
    rivals = [entry for entry in entries if entry.baseline]
    others = [entry for entry in entries if not entry.baseline]
    if not rivals or not others:
        return []
    gaps: dict[tuple[str, str, Column], Gap | None] = {}
    for column in columns:
        pairs = [(entry, rival) for entry in others for rival in rivals]
        comparisons = compared(pairs, column, samples)
        for place, entry in enumerate(others):
            own = comparisons[place * len(rivals) : (place + 1) * len(rivals)]
            for rival, gap in zip(rivals, as_gaps(own, [column] * len(own)), strict=True):
                gaps[entry.name, rival.name, column] = gap
    tables = []
    for entry in others:
        kept = [column for column in columns if any(gaps[entry.name, rival.name, column] for rival in rivals)]
        if kept:
            rows = [[gaps[entry.name, rival.name, column] for column in kept] for rival in rivals]
            tables.append(Differences(entry.name, [rival.name for rival in rivals], kept, rows))
    return tables


def compared(pairs: Sequence[tuple[Entry, Entry]], column: Column, samples: Samples) -> list[Comparison | None]:
    """The comparison of each pair in a column; None where one of the two cannot be compared."""
    known = {}
    for entry in dict.fromkeys(entry for pair in pairs for entry in pair):
        if (sample := samples.of(entry, column)) is not None:
            known[entry] = sample
    place = {entry: number for number, entry in enumerate(known)}
    asked = [(place[a], place[b]) for a, b in pairs if a in place and b in place]
    comparisons = iter(compare_pairs(list(known.values()), asked))
    return [next(comparisons) if a in place and b in place else None for a, b in pairs]


def as_gaps(comparisons: Sequence[Comparison | None], columns: Sequence[Column]) -> list[Gap | None]:
    """The comparisons as gaps, corrected for their number together. `columns`: of each."""
    raw = np.array([np.nan if one is None else one.p_value for one in comparisons])
    return [
        None if one is None or np.isnan(one.difference.value) else _gap(one, column, float(p_value))
        for one, column, p_value in zip(comparisons, columns, holm(raw), strict=True)
    ]


def _gap(comparison: Comparison, column: Column, p_value: float) -> Gap:
    sign = -1 if column.better == "lower" else 1
    low, high = sorted((sign * comparison.difference.low, sign * comparison.difference.high))
    return Gap(
        value=sign * comparison.difference.value,
        low=low,
        high=high,
        p_value=p_value,
        significant=p_value < SIGNIFICANT,
        effect_size=sign * comparison.effect_size,
        raw_p_value=comparison.p_value,
        speakers=comparison.clusters,
        trials=comparison.trials,
    )
