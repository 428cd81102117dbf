"""What the runs of a table gave on each trial and speaker, read for its columns: as samples that can be compared."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from v2f_bench.interfaces import BenchError
from v2f_bench.leaderboard.columns import Column
from v2f_bench.leaderboard.entries import Entry
from v2f_bench.record import INFLUENCE, TRIALS, column_name, read_columns
from v2f_bench.stats import Interval, Runs, Sample, sample_intervals

if TYPE_CHECKING:
    import pyarrow as pa

UNKNOWN = float("nan")


@dataclass(frozen=True, eq=False)
class Trials:
    """The trials of a protocol by name, and the speakers of these: the same for all of its runs."""

    names: np.ndarray  # text [n], sorted
    speakers: np.ndarray  # text [c], sorted
    place: np.ndarray  # int [n]: the speaker of each trial

    @classmethod
    def of(cls, table: pa.Table) -> Trials:
        names, speakers = (table[column].to_numpy().astype(str) for column in ("trial", "speaker"))
        order = np.argsort(names)
        return cls(names[order], *np.unique(speakers[order], return_inverse=True))


class Samples:
    """The per-trial values and the influences of the runs of some entries of one protocol, in some columns.

    Values are float [n], by trial; influences float [c], by speaker; NaN, or 0, where a run says nothing of one.
    """

    def __init__(
        self, entries: Sequence[Entry], columns: Sequence[Column], say: Callable[[str], object] = lambda _: None
    ) -> None:
        """Reads what is needed. `say` is called with why a run's tables cannot be read: it is then not compared."""
        self._entries = entries
        judged = [column for column in columns if not column.by_people]
        self._names = {column: column_name(column.measure, column.judge) for column in judged}
        self._found: dict[tuple[str, Column], Sample | None] = {}
        self._intervals: dict[Column, dict[str, Interval]] = {}
        self._values: dict[Path, dict[str, np.ndarray]] = {}
        folders = [folder for entry in entries for folder in entry.folders]
        whole = any(
            result.aggregate is None for entry in entries for column in judged for result in entry.results(column)[:1]
        )
        with ThreadPoolExecutor(os.cpu_count()) as readers:
            tables = readers.map(partial(_read, columns=list(self._names.values()), whole=whole), folders)
            self.trials = _trials(entries)
            by_trial, by_speaker = _Rows(self.trials.names), _Rows(self.trials.speakers)
            for folder, read in zip(folders, tables, strict=True):
                if isinstance(read, str):
                    say(f"not compared: {read}")
                    continue
                values, influence = read
                self._values[folder] = by_trial.values(values, "trial", self._names.values(), UNKNOWN)
                if influence is not None:
                    self._values[folder] |= by_speaker.values(influence, "speaker", self._names.values(), 0.0)

    def of(self, entry: Entry, column: Column) -> Sample | None:
        """What the runs gave in a column, over the speakers of all trials; None where a run lacks it."""
        key = entry.name, column
        if key not in self._found:
            self._found[key] = None if column.by_people else self._sample(entry, column)
        return self._found[key]

    def interval(self, entry: Entry, column: Column) -> Interval | None:
        """The mean over the runs, with its interval over speakers, and over runs where there are three or more (see
        `stats.interval_over_runs`); None where no run has the number. Of people: over raters and items, one run."""
        if column not in self._intervals:
            self._intervals[column] = self._over_runs(column)
        if entry.name in self._intervals[column]:
            return self._intervals[column][entry.name]
        own = _own_intervals(entry, column)
        if len(own) < 2:
            return own[0] if own else None
        return Interval(float(np.mean([one.value for one in own])), UNKNOWN, UNKNOWN)

    def _over_runs(self, column: Column) -> dict[str, Interval]:
        """Of the entries that have several runs, all of them with the number and its samples."""
        several = [
            (entry, sample)
            for entry in self._entries
            if len(entry.records) > 1 and (sample := self.of(entry, column)) is not None
        ]
        own = [_own_intervals(entry, column) for entry, _ in several]
        intervals = sample_intervals([sample for _, sample in several], own)
        return {entry.name: interval for (entry, _), interval in zip(several, intervals, strict=True)}

    def _sample(self, entry: Entry, column: Column) -> Sample | None:
        results = entry.results(column)
        name = self._names[column]
        rows = [self._values.get(folder, {}).get(name) for folder in entry.folders]
        if len(results) < len(entry.records) or any(row is None for row in rows):
            return None
        stacked = np.stack([row for row in rows if row is not None])
        place, speakers = self.trials.place, len(self.trials.speakers)
        if results[0].aggregate is not None:
            if not (~np.isnan(stacked)).all(axis=0).any():  # no trial on which all runs have a value
                return None
            return Sample(place, speakers, stacked, results[0].aggregate)
        whole = Runs(np.array([_known(one.value) for one in results]), stacked)
        return Sample(place, speakers, whole=whole, covered=results[0].n)


def _own_intervals(entry: Entry, column: Column) -> list[Interval]:
    """Of the single runs."""
    numbers = [one.estimate for one in entry.human(column)] if column.by_people else entry.results(column)
    return [Interval(_known(one.value), _known(one.low), _known(one.high)) for one in numbers]


def _trials(entries: Sequence[Entry]) -> Trials:
    """The trials of the protocol, by the first table that has all of them; none where no table can be read."""
    largest = Trials(*(np.empty(0, kind) for kind in (str, str, int)))
    for entry in entries:
        for folder, record in zip(entry.folders, entry.records, strict=True):
            table = _read(folder, ["speaker"], whole=False)
            if not isinstance(table, str) and table[0].num_rows > len(largest.names):
                largest = Trials.of(table[0])
                if len(largest.names) >= record.protocol.trials:
                    return largest
    return largest


def _read(folder: Path, columns: list[str], whole: bool) -> tuple[pa.Table, pa.Table | None] | str:
    """The tables of a run, or why they cannot be read. A record of the first schema has no table of influences."""
    try:
        values = read_columns(folder / TRIALS, columns)
        there = whole and (folder / INFLUENCE).exists()
        return values, read_columns(folder / INFLUENCE, columns) if there else None
    except BenchError as error:
        return str(error)


class _Rows:
    """Where the rows of tables stand that are to be read in the order of `names`: most tables have one order."""

    def __init__(self, names: np.ndarray) -> None:
        self.names = names
        self._last: tuple[pa.ChunkedArray, np.ndarray | slice, np.ndarray] | None = None

    def of(self, column: pa.ChunkedArray) -> tuple[np.ndarray | slice, np.ndarray]:
        """int [n], or a slice of all where rows are in order; and which names have no row, bool [n]."""
        if self._last is None or not column.equals(self._last[0]):
            own = column.to_numpy().astype(str)
            order = np.argsort(own)
            rows = order[np.minimum(np.searchsorted(own, self.names, sorter=order), len(own) - 1)]
            self._last = column, slice(None) if np.array_equal(own, self.names) else rows, own[rows] != self.names
        return self._last[1:]

    def values(self, table: pa.Table, key: str, columns: Iterable[str], lacking: float) -> dict[str, np.ndarray]:
        """The columns that a table has; `lacking` where it has no such row."""
        if not table.num_rows:
            return {}
        rows, missing = self.of(table[key])
        by_column = {}
        for column in set(columns) & set(table.column_names):
            by_column[column] = table[column].to_numpy().astype(float)[rows]
            by_column[column][missing] = lacking
        return by_column


def _known(number: float | None) -> float:
    return UNKNOWN if number is None else number
