"""Two methods on the same trials: the difference with its interval, a test and an effect size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from v2f_bench.stats.bootstrap import UNKNOWN, Interval
from v2f_bench.stats.runs import FEWEST_RUNS, Runs, estimate
from v2f_bench.stats.samples import Aggregate, Sample

PERMUTATIONS = 9999
EXACT_CLUSTERS = 14  # up to 2**14 sign patterns are all tried
BLOCK = 2**22  # signs, sums or values at a time
SIGNIFICANT = 0.05  # above which a second test, which takes long, would change nothing that is said


@dataclass(frozen=True)
class Comparison:
    """`a` minus `b` on the trials that both have.

    effect_size: the difference in units of its standard deviation over clusters, which is Cohen's d_z (Lakens 2013,
    equation 6) where every cluster has as many trials. It has no unit; NaN with fewer than two clusters, or where all
    differ alike.
    """

    difference: Interval
    p_value: float
    effect_size: float
    clusters: int
    trials: int
    seeds: tuple[int, int]


NOTHING = Comparison(UNKNOWN, np.nan, np.nan, 0, 0, (0, 0))


def compare(
    a: np.ndarray,
    b: np.ndarray,
    clusters: np.ndarray,
    aggregate: Aggregate = "mean",
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> Comparison:
    """Two methods on the same trials; `clusters` any labels [n]. See `compare_pairs`.

    `a` and `b` are float [n], or [seeds, n] with one row a training run; they need not have as many runs, since run one
    of the one has nothing in common with run one of the other.
    """
    names, place = np.unique(clusters, return_inverse=True)
    samples = [Sample(place, len(names), np.atleast_2d(values), aggregate) for values in (a, b)]
    return compare_pairs(samples, [(0, 1)], permutations, seed)[0]


def compare_pairs(
    samples: Sequence[Sample], pairs: Sequence[tuple[int, int]], permutations: int = PERMUTATIONS, seed: int = 0
) -> list[Comparison]:
    """The comparison of each pair of samples (first minus second). All are over the same trials and clusters.

    A trial counts where every run of both has a value (no NaN). Statistics of the whole have no values of trials: they
    are compared where they rest on as many trials, and otherwise not (`NOTHING`). The number compared is the mean over
    the runs of each run's mean, median or statistic. The interval is Student's, over clusters, and over training runs
    where a method has three or more (see `runs.estimate`); fewer runs are taken as given: right for a method that
    trains nothing, too sure for others.

    The p-value, two-sided, is of a difference of zero. For means it is that of the sign-flip permutation test: were
    the methods alike, each cluster's difference could as well have had the other sign (Fisher 1935; all patterns up to
    14 clusters, else `permutations` drawn ones and the observed one, Phipson & Smyth 2010, so never 0). That test takes
    the runs as given. With three or more runs the t test whose variance holds the runs too is made beside it, and the
    larger p is reported: the difference must be beyond the chance of clusters and beyond that of runs. Medians have the
    larger p of the t test and of `exchange_test`. Statistics of the whole have the t test alone.
    """
    comparisons: list[Comparison] = []
    flips: list[tuple[int, np.ndarray]] = []  # the comparison, and the sums of differences by cluster
    for first, second in pairs:
        a, b = samples[first], samples[second]
        if a.whole is not None and b.whole is not None:
            alike = a.covered == b.covered
            comparisons.append(_comparison(a.whole, b.whole, a.covered or len(a.place)) if alike else NOTHING)
            continue
        assert a.values is not None
        assert b.values is not None
        both = a.known & b.known
        if not both.any():
            comparisons.append(NOTHING)
            continue
        as_they_are = (both == a.known).all() and (both == b.known).all()
        runs = (a.runs, b.runs) if as_they_are else (a.on(both), b.on(both))
        if a.aggregate == "mean":
            gaps = a.values[:, both].mean(axis=0) - b.values[:, both].mean(axis=0)
            flips.append((len(comparisons), np.bincount(a.place[both], gaps, a.clusters)))
        comparisons.append(_comparison(*runs, int(both.sum())))
        if a.aggregate == "median" and comparisons[-1].p_value < SIGNIFICANT:
            by_exchange = exchange_test(a.values[:, both], b.values[:, both], a.place[both], permutations, seed)
            comparisons[-1] = replace(comparisons[-1], p_value=max(comparisons[-1].p_value, by_exchange))
    p_values = sign_flip_tests(np.array([sums for _, sums in flips]), permutations, seed) if flips else np.empty(0)
    for (number, _), p_value in zip(flips, p_values, strict=True):
        by_seeds = max(comparisons[number].seeds) >= FEWEST_RUNS and comparisons[number].clusters > 1
        by_t = comparisons[number].p_value if by_seeds else 0.0
        comparisons[number] = replace(comparisons[number], p_value=max(float(p_value), by_t))
    return comparisons


def sign_flip_tests(differences: np.ndarray, permutations: int = PERMUTATIONS, seed: int = 0) -> np.ndarray:
    """For each row of `differences`, float [k, c], one number a cluster: the two-sided p-value of its sum when the
    signs are chance, float [k]. A number of 0 has no sign, and does not count as a cluster."""
    p_values = np.ones(len(differences))
    signed = (differences != 0).sum(axis=1)
    for row in np.flatnonzero((signed > 0) & (signed <= EXACT_CLUSTERS)):
        numbers = differences[row][differences[row] != 0]
        patterns = 1 - 2 * (np.arange(2 ** len(numbers))[:, None] >> np.arange(len(numbers)) & 1)
        p_values[row] = _as_large(numbers[None], patterns)[0] / len(patterns)
    many = differences[signed > EXACT_CLUSTERS]
    if len(many):
        rng, extreme = np.random.default_rng(seed), np.zeros(len(many))
        block = max(1, BLOCK // max(many.shape))
        for start in range(0, permutations, block):
            size = (min(block, permutations - start), many.shape[1])
            extreme += _as_large(many, 1.0 - 2.0 * rng.integers(2, size=size, dtype=np.int8))
        p_values[signed > EXACT_CLUSTERS] = (1 + extreme) / (1 + permutations)
    return p_values


def exchange_test(
    a: np.ndarray, b: np.ndarray, place: np.ndarray, permutations: int = PERMUTATIONS, seed: int = 0
) -> float:
    """The two-sided p-value of the difference of medians, where two methods that are alike could have exchanged all
    trials of a cluster.

    `a` and `b`, float [s, n] and [t, n], have one row a training run; as many runs of each take part as both have. The
    difference is that of the runs' mean medians. `place`, int [n], is the cluster of each trial.
    """
    runs = min(len(a), len(b))
    a, b = a[:runs], b[:runs]
    names, place = np.unique(place, return_inverse=True)
    observed = abs(float(np.median(a, axis=1).mean() - np.median(b, axis=1).mean()))
    exact = len(names) <= EXACT_CLUSTERS
    rng, total = np.random.default_rng(seed), 2 ** len(names) if exact else permutations
    extreme, block = 0, max(1, BLOCK // a.size)
    for start in range(0, total, block):
        numbers = np.arange(start, min(start + block, total))
        if exact:
            exchanged = (numbers[:, None] >> np.arange(len(names)) & 1).astype(bool)
        else:
            exchanged = rng.integers(2, size=(len(numbers), len(names)), dtype=np.int8).astype(bool)
        swap = exchanged[:, None, place]
        gaps = np.median(np.where(swap, b, a), axis=2) - np.median(np.where(swap, a, b), axis=2)
        extreme += int((np.abs(gaps.mean(axis=1)) >= observed - 1e-12).sum())
    return extreme / total if exact else (1 + extreme) / (1 + total)


def _as_large(differences: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Of how many patterns of `signs`, [p, c], each sum of `differences`, [k, c], is as far from 0 as it is: [k]."""
    reached = np.abs(differences.sum(axis=1)) - 1e-12 * np.abs(differences).sum(axis=1)  # rounding is no difference
    return np.asarray((np.abs(signs @ differences.T) >= reached).sum(axis=0))


def _comparison(a: Runs, b: Runs, trials: int) -> Comparison:
    both = estimate([a, -b])
    clusters = a.influence.shape[1]
    influence = a.mean_influence - b.mean_influence
    return Comparison(
        Interval(*map(float, both.interval())),
        float(both.p_value),
        _effect_size(float(both.value), influence),
        clusters,
        trials,
        (len(a.values), len(b.values)),
    )


def _effect_size(value: float, influence: np.ndarray) -> float:
    clusters = len(influence)
    deviation = np.sqrt(clusters**2 / max(clusters - 1, 1) * (influence**2).sum())
    if clusters < 2 or deviation <= 1e-12 * abs(value):
        return float("nan")
    return float(value / deviation)
