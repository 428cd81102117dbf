"""What each cluster contributes to a number, so that its variance over clusters needs no resampling.

The influence of a cluster is the linear part of the number's change when the cluster counts more: a number T that is
computed from C clusters has the estimated variance C / (C - 1) times the sum of the squared influences (the
infinitesimal jackknife, Jaeckel 1972; Efron 1982, chapter 6). Influences of several numbers over the same clusters can
be added and subtracted. That gives the variance of a mean over training runs and of a difference between methods, for
every kind of number by one rule (see `runs.py` and `paired.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from v2f_bench.stats.bootstrap import Statistic, cluster_weights, in_blocks, weighted_median

MEDIAN_RESAMPLES = 400


def mean_influence(values: np.ndarray, place: np.ndarray, clusters: int) -> np.ndarray:
    """Of the mean of `values`, float [..., n] without NaN: float [..., clusters]. `place`, int [n]: their clusters."""
    apart = (values - values.mean(axis=-1, keepdims=True)).reshape(math.prod(values.shape[:-1]), len(place))
    sums = np.bincount(
        (np.arange(len(apart))[:, None] * clusters + place).ravel(), apart.ravel(), len(apart) * clusters
    )
    return sums.reshape(*values.shape[:-1], clusters) / len(place)


def median_influence(values: np.ndarray, place: np.ndarray, clusters: int) -> np.ndarray:
    """Of the median of `values`, float [..., n] without NaN: float [..., clusters].

    The median moves by what the share of values below it moves, divided by the density there (Francisco & Fuller 1991,
    equation 2.10). Where many values are equal, ranks say, there is no density: the median stands still or jumps. The
    factor is therefore the one that gives the influences the standard error that the bootstrap over clusters has.
    """
    if values.ndim > 1:
        return np.stack([median_influence(row, place, clusters) for row in values])
    middle = np.median(values)
    below = (values < middle) + 0.5 * (values == middle)
    of_share = mean_influence(below, place, clusters)
    error = standard_error(of_share)
    if not error > 0:
        return np.zeros(clusters)
    draws = in_blocks(weighted_median(values, place), cluster_weights(clusters, MEDIAN_RESAMPLES, 0))
    expanded = np.sqrt(clusters / (clusters - 1))  # a resample varies less than another sample would
    return -of_share * (expanded * float(np.nanstd(draws)) / error)


def jackknife(statistic: Statistic, clusters: int) -> np.ndarray:
    """Of any number that can be computed from how often each cluster counts: float [clusters], all NaN where the number
    is not defined without one of the clusters.

    `statistic` turns weights, float [b, clusters], into float [b]. Delete-one jackknife (Efron & Tibshirani 1993,
    chapter 11).
    """
    return _from_deleted(in_blocks(statistic, 1 - np.eye(clusters)))


def jackknife_by_rows(statistic: Callable[[np.ndarray], float], place: np.ndarray, clusters: int) -> np.ndarray:
    """As `jackknife`, of a number that is computed from row numbers, int [m]; `place`: int [n], the rows' clusters."""
    return _from_deleted(np.array([statistic(np.flatnonzero(place != cluster)) for cluster in range(clusters)]))


def standard_error(influence: np.ndarray) -> float:
    """The standard error of a number over its clusters; NaN for fewer than two clusters."""
    clusters = len(influence)
    if clusters < 2:
        return float("nan")
    return float(np.sqrt(clusters / (clusters - 1) * (influence**2).sum()))


def _from_deleted(without: np.ndarray) -> np.ndarray:
    clusters = len(without)
    if not np.isfinite(without).all():
        return np.full(clusters, np.nan)
    return (clusters - 1) / clusters * (without.mean() - without)
