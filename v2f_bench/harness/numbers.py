"""From a measure to a number: its value, its 95 % interval over speakers, and the influence of each speaker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from v2f_bench.interfaces import Measure, PluginError
from v2f_bench.record import number_or_none
from v2f_bench.stats import (
    Interval,
    jackknife,
    jackknife_by_rows,
    mean_interval,
    median_interval,
    standard_error,
    weighted_interval,
)

LEVEL = 0.95


@dataclass(frozen=True)
class Number:
    """A measure's value with its interval.

    `influence`, float [c], is that of each of `speakers`, text [c] (see `stats/influence.py`); None for a measure with
    per-trial values, from which it can be computed.
    """

    interval: Interval
    trials: int  # how many the number is computed from
    speakers: np.ndarray
    influence: np.ndarray | None = None


def number_of(measure: Measure, speakers: np.ndarray) -> Number:
    """The number of a measure; `speakers`, text [n], are those of the trials."""
    if measure.values is not None:
        known = ~np.isnan(measure.values)
        return Number(_of_values(measure, measure.values, speakers), int(known.sum()), np.unique(speakers[known]))
    assert measure.statistic is not None
    covered = np.ones(len(speakers), bool) if measure.covers is None else measure.covers
    value = float(measure.statistic(np.arange(len(speakers))))
    names, numbers = np.unique(speakers[covered], return_inverse=True)
    if len(names) < 2 or not np.isfinite(value):
        return Number(Interval(value, np.nan, np.nan), int(covered.sum()), names, np.full(len(names), np.nan))
    place = np.full(len(speakers), -1)
    place[covered] = numbers
    if measure.by_weights is not None:
        statistic = measure.by_weights(place)
        unweighted = float(statistic(np.ones((1, len(names))))[0])
        if not np.isclose(unweighted, value, rtol=1e-6, atol=1e-9):
            raise PluginError(
                f"{measure.name}: by_weights gives {unweighted} for weights of 1, but the statistic is {value}"
            )
        _, low, high = weighted_interval(statistic, len(names), method="expanded")
        interval, influence = Interval(value, low, high), jackknife(statistic, len(names))
    elif measure.influence is not None:
        of_trials = np.where(covered, measure.influence(), np.nan)
        known = ~np.isnan(of_trials)
        influence = np.bincount(place[known], of_trials[known], len(names)) / known.sum()
        interval = _student(value, influence)
    else:
        influence = jackknife_by_rows(measure.statistic, place, len(names))
        interval = _student(value, influence)
    return Number(interval, int(covered.sum()), names, influence)


def group_interval(measure: Measure, speakers: np.ndarray, rows: np.ndarray) -> Interval:
    """The measure over some trials, bool [n]. A statistic has no interval here, since it would take too long."""
    if measure.values is not None:
        return _of_values(measure, measure.values[rows], speakers[rows])
    assert measure.statistic is not None
    return Interval(float(measure.statistic(np.flatnonzero(rows))), np.nan, np.nan)


def value_of(measure: Measure, trials: int) -> float | None:
    """The measure's value over all trials, without an interval; None where it is not defined."""
    if measure.values is not None:
        known = measure.values[~np.isnan(measure.values)]
        return float(np.mean(known) if measure.aggregate == "mean" else np.median(known)) if len(known) else None
    assert measure.statistic is not None
    return number_or_none(measure.statistic(np.arange(trials)))


def _of_values(measure: Measure, values: np.ndarray, speakers: np.ndarray) -> Interval:
    interval = mean_interval if measure.aggregate == "mean" else median_interval
    # "expanded": percentiles widened for few clusters, where plain ones cover too little (see stats/bootstrap.py).
    return interval(values, speakers, method="expanded")


def _student(value: float, influence: np.ndarray) -> Interval:
    reach = float(stdtrit(len(influence) - 1, (1 + LEVEL) / 2)) * standard_error(influence)
    return Interval(value, value - reach, value + reach)
