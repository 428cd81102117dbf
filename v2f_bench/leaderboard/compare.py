"""Is one method really better than another? Paired differences in every measure, over all trials and by group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from v2f_bench.harness.slices import groups
from v2f_bench.interfaces import UsageError
from v2f_bench.interfaces.options import did_you_mean
from v2f_bench.leaderboard.columns import (
    Column,
    check_judge,
    check_measures,
    chosen_columns,
    headline_columns,
    ranking_column,
    refused,
)
from v2f_bench.leaderboard.differences import Gap, as_gaps, compared
from v2f_bench.leaderboard.entries import Entry
from v2f_bench.leaderboard.gather import gather
from v2f_bench.leaderboard.groups import check_label
from v2f_bench.leaderboard.samples import Samples
from v2f_bench.record import DatasetFacts, ProtocolFacts, Record, read_trials
from v2f_bench.stats import Interval, Sample, compare_pairs

# What single trials are told apart by: a number with many values says more of a trial than right or wrong.
TELLING = ("retrieval/normalised-mean-rank", "identity-cosine/target")


@dataclass(frozen=True)
class PairedRow:
    """One measure of both, on the trials that both have, and what the first is better by."""

    column: Column
    by: str  # label of the group; "" for all trials
    group: str
    first: Interval  # in a group: without an interval
    second: Interval
    gap: Gap | None  # None where there is nothing to compare


@dataclass(frozen=True)
class TrialGap:
    """One trial on which the two differ."""

    trial: str
    first: float
    second: float
    better_by: float  # positive where the first is better


@dataclass(frozen=True)
class PairedTable:
    """Two methods of one protocol."""

    dataset: DatasetFacts
    protocol: ProtocolFacts
    first: Entry
    second: Entry
    names: tuple[str, str]
    rows: list[PairedRow]
    groups: list[PairedRow]
    told_apart_by: Column | None  # the measure of `trials`
    trials: list[TrialGap]  # all that both have, the best for the first before the others
    notes: list[str]


def compare(
    first: dict[Path, Record],
    second: dict[Path, Record],
    measures: Sequence[str] = (),
    by: Sequence[str] = (),
    rank_by: str = "",
    say: Callable[[str], object] = lambda _: None,
) -> list[PairedTable]:
    """A table for each protocol that both were run on; `first` and `second` hold the runs of one method each.

    Args:
        measures: metrics or single measures; empty: the headline ones.
        by: labels of groups, each compared within itself.
        rank_by: the judge by whose numbers single trials are told apart.
        say: is called with a line for each result that a newer one replaces, and each run that cannot be compared.

    Raises:
        UsageError: they share no protocol, or one side holds several methods, or one method with several options; no
            run has a number for a measure, or was scored by the judge; there are no groups of a label's name.
    """
    for label in by:
        check_label(label)
    records = [*first.values(), *second.values()]
    check_measures(records, measures)
    check_judge(records, rank_by)
    sides = [{key: _only(entries) for key, entries in gather(each, say).items()} for each in (first, second)]
    shared = [key for key in sides[0] if key in sides[1]]
    if not shared:
        facts = [[entry.first.protocol for entry in side.values()] for side in sides]
        names = [", ".join(f"{protocol.name} ({protocol.hash})" for protocol in side) for side in facts]
        raise UsageError(f"no protocol in common, so no trial: {' against '.join(names)}")
    return [_table((sides[0][key], sides[1][key]), measures, by, rank_by, say) for key in shared]


def runs_called(records: dict[Path, Record], name: str) -> dict[Path, Record]:
    """The runs of a method, by its name or as it stands in a table. UsageError where there is none."""
    entries = [entry for each in gather(records, lambda _: None).values() for entry in each]
    matching = [entry for entry in entries if entry.name == name]
    matching = matching or [entry for entry in entries if entry.first.method.name == name]
    if not matching:
        known = sorted({entry.name for entry in entries})
        raise UsageError(f"no run is of {name!r}{did_you_mean(name, known)} There are: {', '.join(known)}.")
    return {folder: records[folder] for entry in matching for folder in entry.folders}


def _only(entries: list[Entry]) -> Entry:
    if len(entries) > 1:
        names = ", ".join(f"{entry.name} ({entry.folders[0]})" for entry in entries)
        raise UsageError(f"one method on each side, please; there are {len(entries)}: {names}")
    return entries[0]


def _table(
    pair: tuple[Entry, Entry], measures: Sequence[str], by: Sequence[str], rank_by: str, say: Callable[[str], object]
) -> PairedTable:
    pair = _told_apart(pair)
    first, second = pair
    records = [record for entry in pair for record in entry.records]
    columns = chosen_columns(records, measures) if measures else headline_columns(records)
    columns = [column for column in columns if not column.by_people]
    if ranks := ranking_column(columns, rank_by, bool(measures)):
        columns = [ranks, *(column for column in columns if column != ranks)]
    telling = _telling(records, columns, rank_by, bool(measures))
    samples = Samples(pair, list(dict.fromkeys([*columns, *([telling] if telling else [])])), say)
    comparisons = [compared([pair], column, samples)[0] for column in columns]
    rows = []
    for column, gap in zip(columns, as_gaps(comparisons, columns), strict=True):
        own, other = (samples.interval(entry, column) for entry in pair)
        if own is not None or other is not None:
            rows.append(PairedRow(column, "", "", own or _UNKNOWN, other or _UNKNOWN, gap))
    return PairedTable(
        dataset=first.first.dataset,
        protocol=first.first.protocol,
        first=first,
        second=second,
        names=(first.name, second.name),
        rows=rows,
        groups=[row for label in by for column in columns for row in _by_group(pair, column, label, samples)],
        told_apart_by=telling,
        trials=_trial_gaps(pair, telling, samples) if telling else [],
        notes=_notes(pair, [row.column for row in rows], by),
    )


_UNKNOWN = Interval(np.nan, np.nan, np.nan)


def _told_apart(pair: tuple[Entry, Entry]) -> tuple[Entry, Entry]:
    """Two runs of one method are named by their seeds too, or else by their ids."""
    first, second = pair
    if first.name != second.name:
        return pair
    marks = [", ".join(f"seed {seed}" for seed in entry.seeds) for entry in pair]
    if marks[0] == marks[1]:
        marks = [", ".join(record.run for record in entry.records) for entry in pair]
    if marks[0] == marks[1]:
        raise UsageError(f"{first.folders[0]} and {second.folders[0]} are the same run")
    one, other = (replace(entry, name=f"{entry.name} ({mark})") for entry, mark in zip(pair, marks, strict=True))
    return one, other


def _telling(records: Sequence[Record], columns: Sequence[Column], rank_by: str, chosen: bool) -> Column | None:
    ranks = ranking_column(columns, rank_by, chosen)
    for measure in () if chosen else TELLING:
        candidates = [column for column in headline_columns(records) if column.measure == measure]
        if candidates and (ranking := ranking_column(candidates, rank_by or (ranks.judge if ranks else ""), True)):
            return ranking
    return ranks


def _by_group(pair: tuple[Entry, Entry], column: Column, label: str, samples: Samples) -> list[PairedRow]:
    """The comparison within each group, corrected for the number of groups. Statistics of the whole have none."""
    whole = [samples.of(entry, column) for entry in pair]
    known = [sample for sample in whole if sample is not None and sample.values is not None]
    if len(known) < 2:
        return []
    table = read_trials(pair[0].folders[0]).reindex(samples.trials.names)
    names, parts = [], []
    for (own, group), rows in groups(table).items():
        both = rows & known[0].known & known[1].known
        if own == label and both.any():
            names.append(group)
            parts.append([_on(sample, both) for sample in known])
    comparisons = [compare_pairs(part, [(0, 1)])[0] for part in parts]
    gaps = as_gaps(comparisons, [column] * len(comparisons))
    return [
        PairedRow(column, label, group, _bare(part[0]), _bare(part[1]), gap)
        for group, part, gap in zip(names, parts, gaps, strict=True)
    ]


def _on(sample: Sample, trials: np.ndarray) -> Sample:
    assert sample.values is not None
    return replace(sample, values=np.where(trials, sample.values, np.nan))


def _bare(sample: Sample) -> Interval:
    return Interval(float(sample.runs.values.mean()), np.nan, np.nan)


def _trial_gaps(pair: tuple[Entry, Entry], column: Column, samples: Samples) -> list[TrialGap]:
    """Of every trial that both have, the mean over the runs of each."""
    known = [samples.of(entry, column) for entry in pair]
    nothing = np.full(len(samples.trials.names), np.nan)
    values = [nothing if s is None or s.values is None else s.values.mean(axis=0) for s in known]
    better_by = (values[0] - values[1]) * (-1 if column.better == "lower" else 1)
    order = [place for place in np.argsort(-better_by, kind="stable") if not np.isnan(better_by[place])]
    return [
        TrialGap(str(samples.trials.names[n]), float(values[0][n]), float(values[1][n]), float(better_by[n]))
        for n in order
    ]


def _notes(pair: tuple[Entry, Entry], columns: Sequence[Column], by: Sequence[str]) -> list[str]:
    runs = " and ".join(f"{len(entry.records)} run{'s' * (len(entry.records) != 1)}" for entry in pair)
    notes = [
        f"Differences are paired: {runs} on the same trials, positive where {pair[0].name} is better. Intervals (95 %) "
        "are over speakers, and over training runs where a method has three or more.",
        "p: sign-flip test over speakers (of statistics of the whole: t test), Holm-corrected over the measures of the "
        "table; effect: Cohen's d_z over speakers (0.2 small, 0.5 medium, 0.8 large).",
    ]
    if by:
        notes.append("By group: p is corrected over the groups of one label; under ten speakers says little.")
    few = [entry.name for entry in pair if len(entry.records) < 3 and not entry.baseline]
    if few:
        notes.append(f"Fewer than three runs of {', '.join(few)}: this says nothing about training it once more.")
    notes += [
        f"{judge} is not independent of {entry.name}."
        for judge in dict.fromkeys(column.judge for column in columns)
        for entry in pair
        if refused(entry.records, judge)
    ]
    return notes
