"""Bootstrap over clusters: whole speakers are drawn with replacement, with all their trials."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

RESAMPLES = 2000


class Interval(NamedTuple):
    value: float
    low: float
    high: float


def mean_interval(
    values: np.ndarray, clusters: np.ndarray, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """The mean of `values` (float [n]; NaN is left out) and its percentile interval over `clusters` (any labels, [n]).

    A paired comparison of two methods is this interval of the per-trial differences. Fewer than two clusters have no
    interval: its ends are NaN.
    """
    sums, counts = _by_cluster(values, clusters)
    if not counts.sum():
        return Interval(np.nan, np.nan, np.nan)
    value = sums.sum() / counts.sum()
    if len(sums) < 2:
        return Interval(value, np.nan, np.nan)
    weights = _weights(len(sums), resamples, seed)
    return Interval(value, *_percentiles((weights @ sums) / (weights @ counts), level))


def median_interval(
    values: np.ndarray, clusters: np.ndarray, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """As `mean_interval`, for the median over trials."""
    known = ~np.isnan(values)
    if not known.any():
        return Interval(np.nan, np.nan, np.nan)
    values, (names, place) = values[known], np.unique(clusters[known], return_inverse=True)
    value = float(np.median(values))
    if len(names) < 2:
        return Interval(value, np.nan, np.nan)
    order = np.argsort(values, kind="stable")
    # A draw repeats trial i as often as its cluster was drawn: its median is where half of the weight is reached.
    weights = _weights(len(names), resamples, seed)[:, place[order]]
    total = weights.cumsum(axis=1)
    half = total[:, -1:] / 2
    lower = values[order][(total >= half).argmax(axis=1)]
    upper = values[order][(total > half).argmax(axis=1)]
    return Interval(value, *_percentiles((lower + upper) / 2, level))


def statistic_interval(
    statistic: Callable[[np.ndarray], float],
    clusters: np.ndarray,
    level: float = 0.95,
    resamples: int = 200,
    seed: int = 0,
) -> Interval:
    """`statistic` of all trial positions, with a normal interval from its bootstrap standard error.

    Not percentiles: a distance between distributions is biased upwards in every resample, which holds fewer different
    faces, so the percentiles of the resamples need not even contain the value.
    """
    from scipy.stats import norm

    names, place = np.unique(clusters, return_inverse=True)
    value = statistic(np.arange(len(clusters)))
    if len(names) < 2 or not np.isfinite(value):
        return Interval(value, np.nan, np.nan)
    members = [np.flatnonzero(place == cluster) for cluster in range(len(names))]
    rng = np.random.default_rng(seed)
    draws = [
        statistic(np.concatenate([members[cluster] for cluster in rng.integers(len(names), size=len(names))]))
        for _ in range(resamples)
    ]
    reach = norm.ppf((1 + level) / 2) * np.nanstd(draws, ddof=1)
    return Interval(value, value - reach, value + reach)


def _by_cluster(values: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum and count of the known values of each cluster; clusters without any are left out."""
    known = ~np.isnan(values)
    names, place = np.unique(clusters[known], return_inverse=True)
    return np.bincount(place, values[known], len(names)), np.bincount(place, minlength=len(names)).astype(float)


def _weights(clusters: int, resamples: int, seed: int) -> np.ndarray:
    """How often each cluster is drawn in each resample: float [resamples, clusters]."""
    return np.random.default_rng(seed).multinomial(clusters, np.full(clusters, 1 / clusters), resamples).astype(float)


def _percentiles(draws: np.ndarray, level: float) -> tuple[float, float]:
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
