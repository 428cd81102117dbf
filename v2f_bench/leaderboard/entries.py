"""An entry: a method with one set of options, over one or more seeds, and its numbers over these."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from v2f_bench.record import Record, Result, column_name, read_influence, read_trials
from v2f_bench.stats import Comparison, Interval, Runs, Sample, compare_pairs, interval_over_runs

ELSEWHERE = "pictures made elsewhere"  # the distribution of a scored folder


@dataclass(frozen=True, eq=False)
class Entry:
    """One row of a table. `records` are sorted by seed, each seed once; `folders` are theirs."""

    name: str
    folders: tuple[Path, ...]
    records: tuple[Record, ...]

    @property
    def first(self) -> Record:
        return self.records[0]

    @property
    def seeds(self) -> list[int]:
        return [record.seed for record in self.records]

    @property
    def elsewhere(self) -> bool:
        return self.first.method.distribution == ELSEWHERE

    @cached_property
    def trials(self) -> list[pd.DataFrame]:
        """The per-trial table of each run. BenchError where one cannot be read."""
        return [read_trials(folder) for folder in self.folders]

    @cached_property
    def influence(self) -> list[pd.DataFrame]:
        """The influence of each speaker on the statistics of each run."""
        return [read_influence(folder) for folder in self.folders]

    def results(self, measure: str, judge: str) -> list[Result]:
        """The results of the runs that have a number for a measure by a judge."""
        found = (record.result(measure, judge) for record in self.records)
        return [result for result in found if result is not None and result.value is not None]

    def interval(self, measure: str, judge: str) -> Interval | None:
        """The mean over the runs, with its interval over speakers, and over runs where there are three or more (see
        `stats.interval_over_runs`); None where no run has the number."""
        results = self.results(measure, judge)
        own = [Interval(_known(result.value), _known(result.low), _known(result.high)) for result in results]
        if not own:
            return None
        if len(own) == 1:
            return own[0]
        value = float(np.mean([one.value for one in own]))
        sample = self.sample(measure, judge)
        if sample is None or len(sample.runs.values) != len(own):
            return Interval(value, np.nan, np.nan)
        return interval_over_runs(sample.runs, own)

    def sample(self, measure: str, judge: str) -> Sample | None:
        """What the runs gave on a measure, over the speakers of all trials; None where a run lacks it."""
        results = self.results(measure, judge)
        if len(results) < len(self.records):
            return None
        speakers, place = self._speakers
        column = column_name(measure, judge)
        aggregate = results[0].aggregate
        if aggregate is not None:
            if any(column not in trials for trials in self.trials):
                return None
            rows = [trials[column].reindex(self._order).to_numpy(float) for trials in self.trials]
            return Sample(place, len(speakers), np.stack(rows), aggregate)
        if any(column not in table for table in self.influence):
            return None
        influence = np.stack([table[column].reindex(speakers).fillna(0.0).to_numpy(float) for table in self.influence])
        values = np.array([_known(result.value) for result in results])
        return Sample(place, len(speakers), whole=Runs(values, influence))

    @cached_property
    def _order(self) -> pd.Index:
        """The trials by name: the same for all entries of a protocol."""
        return self.trials[0].index.sort_values()

    @cached_property
    def _speakers(self) -> tuple[np.ndarray, np.ndarray]:
        """Names, sorted, and the number among these of each trial's speaker."""
        return np.unique(np.asarray(self.trials[0]["speaker"].reindex(self._order)), return_inverse=True)


def difference(first: Entry, second: Entry, measure: str, judge: str) -> Comparison | None:
    """`first` minus `second` on the same trials; None where one of them has no number on them."""
    samples = [entry.sample(measure, judge) for entry in (first, second)]
    known = [sample for sample in samples if sample is not None]
    return compare_pairs(known, [(0, 1)])[0] if len(known) == 2 else None


def _known(number: float | None) -> float:
    return float("nan") if number is None else number
