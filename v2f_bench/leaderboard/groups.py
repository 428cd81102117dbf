"""The headline numbers by group of trials: sex, age, ethnicity, emotion, intensity, duration of the voice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from v2f_bench.interfaces import UsageError
from v2f_bench.leaderboard.columns import Column, headline_columns, refused
from v2f_bench.leaderboard.entries import Entry
from v2f_bench.leaderboard.gather import gather
from v2f_bench.record import Record, Slice

LABELS = ("sex", "age", "ethnicity", "emotion", "intensity", "duration", "session")


@dataclass(frozen=True)
class GroupCell:
    """The mean over the runs of a measure in one group, and of half of its interval; NaN where not measured."""

    value: float
    reach: float
    n: int
    small: bool  # fewer than ten speakers


@dataclass(frozen=True)
class GroupTable:
    """One measure of each entry in the groups of a label; None where an entry has no trial of a group."""

    column: Column
    groups: list[str]
    rows: dict[str, list[GroupCell | None]]  # by entry


def group_tables(records: dict[Path, Record], label: str, strict: bool = False) -> dict[str, list[GroupTable]]:
    """By data set and protocol: a table a headline measure; an empty list where no trial has the label.

    Raises:
        UsageError: there are no groups of that name.
    """
    if label not in LABELS:
        raise UsageError(f"--by takes {', '.join(LABELS)}, not {label!r}")
    found = {}
    for entries in gather(records, lambda _: None).values():
        protocol = entries[0].first.protocol
        tables = [_table(entries, column, label, strict) for column in headline_columns(entries, strict)]
        title = f"{entries[0].first.dataset.name}: {protocol.name} ({protocol.hash})"
        found[title] = [table for table in tables if table.groups]
    return found


def _table(entries: list[Entry], column: Column, label: str, strict: bool) -> GroupTable:
    slices = {
        entry.name: _slices(entry, column, label) for entry in entries if not (strict and refused(entry, column.judge))
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
    found: dict[str, list[Slice]] = {}
    for result in entry.results(column.measure, column.judge):
        for one in result.slices:
            if one.by == label:
                found.setdefault(one.group, []).append(one)
    return found


def _cell(seeds: list[Slice]) -> GroupCell:
    values = [one.value for one in seeds if one.value is not None]
    ends = [one.high - one.low for one in seeds if one.low is not None and one.high is not None]
    value = float(np.mean(values)) if values else float("nan")
    reach = float(np.mean(ends)) / 2 if ends else float("nan")
    return GroupCell(value, reach, seeds[0].n, seeds[0].small)
