"""What training runs gave on the trials of a protocol, and the intervals of many methods at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from v2f_bench.stats.bootstrap import Interval
from v2f_bench.stats.influence import mean_influence, median_influence
from v2f_bench.stats.runs import Runs, interval_over_runs

Aggregate = Literal["mean", "median"]


@dataclass(frozen=True, eq=False)
class Sample:
    """What the training runs of one method gave on one measure.

    `values` is float [s, n], one row a run on the same trials, NaN where a trial has no value; `place` int [n] the
    cluster of each trial, numbered from 0 to `clusters` - 1. A measure without values of single trials has `whole`
    instead, its number and influence in each run, which rest on `covered` trials. `values` may have
    leading axes, of methods on the same trials, which `runs` then has too.
    """

    place: np.ndarray
    clusters: int
    values: np.ndarray | None = None
    aggregate: Aggregate = "mean"
    whole: Runs | None = None
    covered: int = 0

    @cached_property
    def known(self) -> np.ndarray:
        """The trials on which every run has a value: bool [n]."""
        assert self.values is not None
        return ~np.isnan(self.values).any(axis=tuple(range(self.values.ndim - 1)))

    @cached_property
    def runs(self) -> Runs:
        """The runs' numbers on the trials that all of them have."""
        return self.whole or self.on(self.known)

    def on(self, trials: np.ndarray) -> Runs:
        """The runs' numbers on some trials, bool [n], all known: over the clusters that these have."""
        assert self.values is not None
        values, place = (self.values, self.place) if trials.all() else (self.values[..., trials], self.place[trials])
        there = np.bincount(place, minlength=self.clusters) > 0
        place = place if there.all() else (np.cumsum(there) - 1)[place]
        influence = mean_influence if self.aggregate == "mean" else median_influence
        middle = np.mean if self.aggregate == "mean" else np.median
        return Runs(np.asarray(middle(values, axis=-1), dtype=float), influence(values, place, int(there.sum())))


def sample_intervals(samples: Sequence[Sample], own: Sequence[Sequence[Interval]]) -> list[Interval]:
    """`interval_over_runs` of each sample, `own` the intervals of its single runs: samples that are alike together."""
    alike: dict[Any, list[int]] = defaultdict(list)
    for place, sample in enumerate(samples):
        known = b"" if sample.whole else sample.known.tobytes()
        alike[sample.aggregate, sample.whole is None, len(own[place]), known].append(place)
    intervals: dict[int, Interval] = {}
    for places in alike.values():
        numbers = np.array([own[place] for place in places])
        computed = interval_over_runs(_together([samples[place] for place in places]), numbers)
        intervals |= zip(places, (Interval(*one) for one in computed.tolist()), strict=True)
    return [intervals[place] for place in range(len(samples))]


def _together(samples: Sequence[Sample]) -> Runs:
    """The runs of alike samples: values [m, s] and influence [m, s, c]."""
    if samples[0].whole:
        runs = [sample.runs for sample in samples]
        return Runs(np.stack([one.values for one in runs]), np.stack([one.influence for one in runs]))
    return replace(samples[0], values=np.array([sample.values for sample in samples])).runs
