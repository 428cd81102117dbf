"""Where the rows of a table stand in a column: ranks with their intervals, tie letters, and an overall order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from v2f_bench.leaderboard.columns import Column
from v2f_bench.leaderboard.entries import Entry
from v2f_bench.leaderboard.samples import Samples
from v2f_bench.stats import Interval, RankInterval, Sample, compare_pairs, holm, rank_intervals, tie_groups
from v2f_bench.stats.bootstrap import RESAMPLES, cluster_weights

MOST_COMPARED = 100  # rows: the pairs, and the permutations that tell their p-values apart, grow with the fourth power


@dataclass(frozen=True)
class Standing:
    """An entry in one column. A row that uses the answer has no rank; where nothing was compared there is no letter,
    and `best` and `worst` are None."""

    rank: int | None  # by its value, among the rows that use no answer; 1 is best
    best: int | None = None  # the ranks that it cannot be told apart from, all rows together with 95 %
    worst: int | None = None
    tie: str = ""  # letters; two rows that share one do not differ


def letters_of(tie: str) -> set[str]:
    """The letters of a tie, which may carry numbers: {"a", "b1"} of "ab1"."""
    return set(re.findall(r"[a-z]\d*", tie))


def standings(
    entries: Sequence[Entry], samples: Samples, column: Column, compared: bool = True
) -> list[Standing | None]:
    """The standing of each entry in a column; None for one without a number in it.

    Two entries differ where the Holm-corrected paired test over all pairs of the column says so. Letters and the
    intervals of ranks rest on these tests.
    """
    values = values_of(entries, samples, column)
    ranked = np.array([not entry.first.answers for entry in entries], dtype=bool)
    apart = _adjusted(entries, samples, column) if compared and not column.by_people else None
    letters = [""] * len(entries) if apart is None else _letters(entries, samples, column, values, apart)
    p_values = np.full((len(entries),) * 2, np.nan) if apart is None else apart
    ranks = rank_intervals(np.where(ranked, values, np.nan), p_values, column.better)
    return [
        None if np.isnan(value) else _standing(rank, letter)
        for value, rank, letter in zip(values, ranks, letters, strict=True)
    ]


def values_of(entries: Sequence[Entry], samples: Samples, column: Column) -> np.ndarray:
    """The number of each entry: float [m]; NaN for none."""
    numbers = [samples.interval(entry, column) for entry in entries]
    return np.array([np.nan if number is None else number.value for number in numbers], dtype=float)


def overall(entries: Sequence[Entry], samples: Samples, columns: Sequence[Column]) -> list[Interval | None]:
    """The mean over `columns` of the normalised rank, 0 for the first and 1 for the last; None for some rows.

    Ranked are the rows that use no answer and have a number in every column; the others have no overall number. The 95
    % interval is over speakers, and over runs where there are three or more: each number is drawn anew from what every
    speaker contributes to it (its influence, see `stats/influence.py`) and from the variance of the runs, all numbers
    of a draw from the same speakers, and ranked again. It is NaN where a row's tables do not tell what speakers
    contribute.
    """
    ranked: list[Interval | None] = [None] * len(entries)
    if not columns:
        return ranked
    values = np.stack([values_of(entries, samples, column) for column in columns])  # [k, m]
    complete = [
        place for place, entry in enumerate(entries) if not entry.first.answers and not np.isnan(values[:, place]).any()
    ]
    if len(complete) < 2:
        return ranked
    kept = [entries[place] for place in complete]
    ranks = np.mean([_ranks(row[None], column) for row, column in zip(values[:, complete], columns, strict=True)], 0)[0]
    low = high = np.full(len(kept), np.nan)
    if all(samples.of(entry, column) is not None for entry in kept for column in columns):
        drawn = np.mean([_ranks(_draws(kept, samples, column), column) for column in columns], axis=0)
        low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    for number, place in enumerate(complete):
        ranked[place] = Interval(float(ranks[number]), float(low[number]), float(high[number]))
    return ranked


def _adjusted(entries: Sequence[Entry], samples: Samples, column: Column) -> np.ndarray | None:
    """The corrected p-values of all pairs, float [m, m] above the diagonal; None where there is no pair."""
    taken = [(place, sample) for place, entry in enumerate(entries) if (sample := samples.of(entry, column))]
    pairs = [(a, b) for b in range(len(taken)) for a in range(b)]
    if not pairs:
        return None
    # More comparisons are corrected for together, so smaller p-values must be told apart.
    gaps = compare_pairs([sample for _, sample in taken], pairs, max(9999, 40 * len(entries) ** 2))
    p_values = np.full((len(entries),) * 2, np.nan)
    for (a, b), gap in zip(pairs, gaps, strict=True):
        p_values[taken[a][0], taken[b][0]] = gap.p_value
    return holm(p_values)


def _letters(
    entries: Sequence[Entry], samples: Samples, column: Column, values: np.ndarray, apart: np.ndarray
) -> list[str]:
    compared = np.array([samples.of(entry, column) is not None for entry in entries], dtype=bool)
    return tie_groups([entry.name for entry in entries], np.where(compared, values, np.nan), apart, column.better)


def _standing(rank: RankInterval | None, letter: str) -> Standing:
    if rank is None:
        return Standing(None, tie=letter)
    return Standing(rank.rank, rank.best, rank.worst, letter) if letter else Standing(rank.rank)


def _ranks(values: np.ndarray, column: Column) -> np.ndarray:
    """Normalised ranks in rows of values, float [b, m]: ties share the mean of their ranks."""
    from scipy.stats import rankdata

    signed = values if column.better == "lower" else -values
    return np.asarray((rankdata(signed, axis=1) - 1) / (values.shape[1] - 1))


def _draws(entries: Sequence[Entry], samples: Samples, column: Column) -> np.ndarray:
    """Each entry's number in resamples of the speakers: float [b, m]."""
    speakers = len(samples.trials.speakers)
    weights = cluster_weights(speakers, RESAMPLES, seed=0) - 1.0
    rng = np.random.default_rng(1)
    drawn = np.empty((RESAMPLES, len(entries)))
    for place, (entry, value) in enumerate(zip(entries, values_of(entries, samples, column), strict=True)):
        sample = samples.of(entry, column)
        assert sample is not None
        influence = np.zeros(speakers)
        influence[_speakers_of(sample)] = sample.runs.mean_influence
        of_runs = np.sqrt(sample.runs.variance()[1]) if sample.runs.freedom else 0.0
        drawn[:, place] = value + weights @ influence + of_runs * rng.standard_normal(RESAMPLES)
    return drawn


def _speakers_of(sample: Sample) -> np.ndarray:
    """The speakers that the influences of its runs are of: int [c]."""
    return np.arange(sample.clusters) if sample.whole else np.unique(sample.place[sample.known])
