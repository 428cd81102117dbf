"""Intervals of distances between distributions, from what each face contributes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import stdtrit

LEVEL = 0.95


def influence_interval(
    value_and_influence: Callable[[], tuple[float, np.ndarray]],
) -> Callable[[np.ndarray], tuple[float, float]]:
    """An interval for `Measure.interval`: the value and its standard error over speakers, by Student's distribution.

    The influence, float [n], is n times the derivative of the value by each trial's weight, NaN for a trial that takes
    no part: its sums over speakers have the variance of the value (the infinitesimal jackknife, Jaeckel 1972; Efron
    1982, chapter 6). It takes one evaluation where a bootstrap takes hundreds, and is nearer to the truth for distances
    between distributions: a resample holds fewer different faces and is farther from anything. In a simulation of 100
    speakers with 3 faces each, 512 features, the Fréchet distance had a standard deviation of .042; this gave .048, the
    bootstrap .084. The real faces are taken as given, and so is the bias that distances have at a given n.
    """

    def ends(speakers: np.ndarray) -> tuple[float, float]:
        value, found = value_and_influence()
        known = ~np.isnan(found)
        names, place = np.unique(speakers[known], return_inverse=True)
        if len(names) < 2:
            return np.nan, np.nan
        sums = np.bincount(place, found[known])
        error = np.sqrt((sums**2).sum() * len(names) / (len(names) - 1)) / known.sum()
        reach = float(stdtrit(len(names) - 1, (1 + LEVEL) / 2) * error)
        return value - reach, value + reach

    return ends
