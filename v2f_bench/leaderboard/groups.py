"""The numbers of a board by group of trials: sex, age, ethnicity, emotion, intensity, duration of the voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from v2f_bench.interfaces import UsageError
from v2f_bench.interfaces.options import did_you_mean
from v2f_bench.leaderboard.columns import Column, refused
from v2f_bench.leaderboard.entries import Entry
from v2f_bench.record import Slice

LABELS = ("sex", "age", "ethnicity", "emotion", "intensity", "duration", "session")


@dataclass(frozen=True)
class GroupCell:
    """The mean over the runs of a measure in one group, and of the ends of its interval; NaN where not measured."""

    value: float
    low: float
    high: float
    n: int
    speakers: int
    small: bool  # fewer than ten speakers


@dataclass(frozen=True)
class GroupTable:
    """One measure of each entry in the groups of a label; None where an entry has no trial of a group."""

    column: Column
    groups: list[str]
    rows: dict[str, list[GroupCell | None]]  # by entry


def check_label(label: str) -> None:
    if label not in LABELS:
        raise UsageError(f"--by takes {', '.join(LABELS)}, not {label!r}{did_you_mean(label, LABELS)}".rstrip())


def group_tables(
    entries: Sequence[Entry], columns: Sequence[Column], label: str, strict: bool = False
) -> list[GroupTable]:
    """A table a column; none where no trial has the label."""
    tables = [_table(entries, column, label, strict) for column in columns if not column.by_people]
    return [table for table in tables if table.groups]


def _table(entries: Sequence[Entry], column: Column, label: str, strict: bool) -> GroupTable:
    slices = {
        entry.name: _slices(entry, column, label)
        for entry in entries
        if not (strict and refused(entry.records, column.judge))
    }
    groups = list(dict.fromkeys(group for of_entry in slices.values() for group in of_entry))
    rows = {
        name: [_cell(of_entry[group]) if group in of_entry else None for group in groups]
        for name, of_entry in slices.items()
        if of_entry
    }
    return GroupTable(column, groups, rows)


def _slices(entry: Entry, column: Column, label: str) -> dict[str, list[Slice]]:
    """The measure in each group: one slice a seed."""
    by_group: dict[str, list[Slice]] = {}
    for result in entry.results(column):
        for one in result.slices:
            if one.by == label:
                by_group.setdefault(one.group, []).append(one)
    return by_group


def _cell(seeds: list[Slice]) -> GroupCell:
    ends = [
        [number for one in seeds if (number := getattr(one, name)) is not None] for name in ("value", "low", "high")
    ]
    value, low, high = (float(np.mean(numbers)) if numbers else float("nan") for numbers in ends)
    return GroupCell(value, low, high, seeds[0].n, seeds[0].speakers, seeds[0].small)
