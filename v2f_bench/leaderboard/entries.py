"""An entry: a method with one set of options, over one or more seeds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from v2f_bench.leaderboard.columns import Column
from v2f_bench.record import HumanNumber, Record, Result

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

    @property
    def baseline(self) -> bool:
        return self.first.method.baseline

    def results(self, column: Column) -> list[Result]:
        """The results of the runs that have a number in a judge's column."""
        results = (record.result(column.measure, column.judge) for record in self.records)
        return [result for result in results if result is not None and result.value is not None]

    def human(self, column: Column) -> list[HumanNumber]:
        """What the study of a column says of the runs that it was made of."""
        return [
            one
            for record in self.records
            for one in record.human
            if (one.measure, one.study) == (column.measure, column.study)
        ]
