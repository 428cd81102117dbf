"""Two methods on the same trials: the difference with its interval, a permutation test and an effect size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2f_bench.stats.bootstrap import RESAMPLES, UNKNOWN, Interval, Plain, cluster_sums, cluster_weights
from v2f_bench.stats.seeds import Runs, two_levels

PERMUTATIONS = 9999
EXACT_CLUSTERS = 14  # up to 2**14 sign patterns are all tried
BLOCK = 2**21  # signs drawn at a time


@dataclass(frozen=True)
class Comparison:
    """`a` minus `b` on the trials that both have.

    effect_size: Cohen's d_z (Lakens 2013, equation 6) over clusters: the mean of the clusters' mean differences in
    units of their standard deviation (n - 1). It has no unit; NaN with fewer than two clusters, or where all differ
    alike.
    """

    difference: Interval
    p_value: float
    effect_size: float
    clusters: int
    trials: int
    seeds: tuple[int, int]


def compare(
    a: np.ndarray,
    b: np.ndarray,
    clusters: np.ndarray,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    method: Plain = "percentile",
) -> Comparison:
    """Two methods on the same trials; `clusters` any labels [n].

    `a` and `b` are float [n], or [seeds, n] with one row a training run; they need not have as many runs, since run one
    of the one has nothing in common with run one of the other. A trial counts where every run of both has a value (no
    NaN). The number compared is the mean over runs and trials.

    The interval is the paired bootstrap over clusters, for several runs over seeds too (see `seeded_interval`). Of a
    method with a single run the seeds' variation is unknown: right for one that trains nothing, too sure for others.

    The p-value, two-sided, is that of the sign-flip permutation test: were the methods alike, each cluster's
    difference could as well have had the other sign (Fisher 1935; all patterns up to 14 clusters, else `permutations`
    drawn ones and the observed one, Phipson & Smyth 2010, so never 0). The test takes the runs as given. With several
    runs a t test whose variance holds the seeds too (Welch and Satterthwaite) is made beside it, and the larger p is
    reported: the difference must be beyond the chance of speakers and beyond that of seeds.
    """
    a, b = np.atleast_2d(a), np.atleast_2d(b)
    known = ~(np.isnan(a).any(axis=0) | np.isnan(b).any(axis=0))
    a, b, clusters = a[:, known], b[:, known], clusters[known]
    seeds = len(a), len(b)
    if not known.any():
        return Comparison(UNKNOWN, np.nan, np.nan, 0, 0, seeds)
    names, place = np.unique(clusters, return_inverse=True)
    weights = cluster_weights(len(names), resamples, seed)
    groups = [Runs.of(a, place, weights, "mean"), -Runs.of(b, place, weights, "mean")]
    both = two_levels(groups, len(names), level, seed, method)
    sums, counts = cluster_sums(a.mean(axis=0) - b.mean(axis=0), clusters)
    p_value = sign_flip_test(sums, permutations, seed)
    if max(seeds) > 1 and len(names) > 1:
        p_value = max(p_value, both.p_value)
    return Comparison(both.interval, p_value, _effect_size(sums / counts), len(names), int(known.sum()), seeds)


def sign_flip_test(differences: np.ndarray, permutations: int = PERMUTATIONS, seed: int = 0) -> float:
    """The two-sided p-value of the sum of `differences` (float [c], one a cluster) when their signs are chance."""
    total = abs(differences.sum())
    reached = total - 1e-12 * np.abs(differences).sum()  # sums in another order differ by rounding
    clusters = len(differences)
    if clusters <= EXACT_CLUSTERS:
        patterns = 1 - 2 * (np.arange(2**clusters)[:, None] >> np.arange(clusters) & 1)
        return float(np.mean(np.abs(patterns @ differences) >= reached))
    rng = np.random.default_rng(seed)
    extreme, left = 0, permutations
    while left:
        rows = min(left, max(1, BLOCK // clusters))
        signs = 1.0 - 2.0 * rng.integers(2, size=(rows, clusters), dtype=np.int8)
        extreme += int(np.sum(np.abs(signs @ differences) >= reached))
        left -= rows
    return (1 + extreme) / (1 + permutations)


def _effect_size(means: np.ndarray) -> float:
    if len(means) < 2 or np.ptp(means) <= 1e-12 * np.abs(means).max():
        return float("nan")
    return float(means.mean() / means.std(ddof=1))
