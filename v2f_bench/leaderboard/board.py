"""The values of a leaderboard: for each protocol the ranking, paired differences to the baselines, and what to know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from v2f_bench.leaderboard.columns import (
    Column,
    check_judge,
    check_measures,
    chosen_columns,
    headline_columns,
    ranking_column,
    refused,
)
from v2f_bench.leaderboard.entries import Entry
from v2f_bench.leaderboard.gather import gather
from v2f_bench.leaderboard.notes import Note, notes_of
from v2f_bench.record import ProtocolFacts, Record
from v2f_bench.stats import Comparison, Interval, compare_pairs, holm, tie_groups

SIGNIFICANT = 0.05
Status = Literal["measured", "not measured", "refused"]


@dataclass(frozen=True)
class Choice:
    """What a table is wanted of."""

    measures: Sequence[str] = ()  # metrics, or single measures of them; empty: the headline ones
    rank_by: str = ""  # the judge by whose numbers entries are ranked
    strict: bool = False  # no number of a judge that is known not to be independent


@dataclass(frozen=True)
class Cell:
    """A number of an entry: the mean over its runs, with the ends of its 95 % interval (NaN where there is none)."""

    status: Status
    value: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    n: int = 0  # trials of a run
    expected: int = 0
    runs: int = 0  # that have the number
    independent: bool | None = True  # the judge, of the method and of the test speakers; None: not known


@dataclass(frozen=True)
class Bound:
    """What a floor or a ceiling scores, and which answer it is; None where it is not known."""

    value: float
    answer: str


@dataclass(frozen=True)
class Row:
    name: str
    tie: str  # letters; two rows that share one do not differ in the ranking column; "" where nothing was compared
    seeds: list[int]
    answers: list[str]  # needs that only the true answer could meet
    baseline: bool
    elsewhere: bool  # pictures made elsewhere, scored here
    applicable: int  # trials of all runs that applied to the method
    judged: int  # of these, trials with a face that can be judged
    cells: list[Cell]


@dataclass(frozen=True)
class Gap:
    """A paired difference, positive where the entry is better than its rival."""

    value: float
    low: float
    high: float
    p_value: float  # Holm-corrected over the rivals of the column
    significant: bool


@dataclass(frozen=True)
class Differences:
    """What one entry is better by than each of its rivals, on the same trials: `gaps[rival][column]`."""

    name: str
    rivals: list[str]
    columns: list[Column]
    gaps: list[list[Gap | None]]


@dataclass(frozen=True)
class Board:
    """All that a table of one protocol says."""

    dataset: str
    protocol: ProtocolFacts
    columns: list[Column]
    ranked_by: Column | None
    rows: list[Row]  # in order
    floors: list[Bound | None]  # of each column
    ceilings: list[Bound | None]
    differences: list[Differences]
    notes: list[Note]


def boards(
    records: dict[Path, Record], choice: Choice = Choice(), passed_over: Callable[[str], object] = lambda _: None
) -> list[Board]:
    """The board of each protocol.

    Args:
        passed_over: is called with a line for each result that a newer one replaces.

    Raises:
        UsageError: no run has a number for one of the measures, or was scored by the judge, of the choice.
    """
    protocols = gather(records, passed_over)
    everything = [entry for entries in protocols.values() for entry in entries]
    check_measures(everything, choice.measures)
    check_judge(everything, choice.rank_by)
    return [_board(entries, choice) for entries in protocols.values()]


def _board(entries: list[Entry], choice: Choice) -> Board:
    chosen = bool(choice.measures)
    columns = (
        chosen_columns(entries, choice.measures, choice.strict) if chosen else headline_columns(entries, choice.strict)
    )
    ranked_by = ranking_column(columns, choice.rank_by, chosen)
    if ranked_by is not None:
        columns = [ranked_by, *(column for column in columns if column != ranked_by)]
    ordered = sorted(entries, key=lambda entry: _rank_order(entry, ranked_by))
    letters = _tie_letters(ordered, ranked_by)
    rows = [_row(entry, tie, columns, choice.strict) for entry, tie in zip(ordered, letters, strict=True)]
    first = entries[0].first
    return Board(
        dataset=first.dataset.name,
        protocol=first.protocol,
        columns=columns,
        ranked_by=ranked_by,
        rows=rows,
        floors=[_bound(ordered, column, "floor") for column in columns],
        ceilings=[_bound(ordered, column, "ceiling") for column in columns],
        differences=_differences(ordered, columns),
        notes=notes_of(ordered, columns, ranked_by, choice.strict, tied=any(letters)),
    )


def _row(entry: Entry, tie: str, columns: list[Column], strict: bool) -> Row:
    applicable = sum(record.applicable for record in entry.records)
    return Row(
        name=entry.name,
        tie=tie,
        seeds=entry.seeds,
        answers=entry.first.answers,
        baseline=entry.first.method.baseline,
        elsewhere=entry.elsewhere,
        applicable=applicable,
        judged=applicable - sum(sum(record.failures.values()) for record in entry.records),
        cells=[_cell(entry, column, strict) for column in columns],
    )


def _cell(entry: Entry, column: Column, strict: bool) -> Cell:
    results = entry.results(column.measure, column.judge)
    if not results:
        return Cell("not measured")
    independent = entry.records[0].judge(column.judge).independent if results else True
    if strict and refused(entry, column.judge):
        return Cell("refused", independent=False)
    number = entry.interval(column.measure, column.judge)
    assert number is not None
    return Cell("measured", *number, results[0].n, results[0].expected, len(results), independent)


def _bound(entries: list[Entry], column: Column, which: Literal["floor", "ceiling"]) -> Bound | None:
    """Of the entry that most trials apply to: a ceiling over a few trials is that of these alone."""
    known = [
        result
        for entry in entries
        for result in entry.results(column.measure, column.judge)
        if getattr(result, which) is not None
    ]
    if not known:
        return None
    widest = max(known, key=lambda result: result.expected)
    return Bound(getattr(widest, which), getattr(widest, f"{which}_is"))


def _tie_letters(ordered: list[Entry], column: Column | None) -> list[str]:
    """Letters that two entries share if they do not differ in `column`, by Holm-corrected paired tests."""
    if column is None:
        return [""] * len(ordered)
    samples = [entry.sample(column.measure, column.judge) for entry in ordered]
    standing = [place for place, sample in enumerate(samples) if sample is not None]
    pairs = [(a, b) for i, a in enumerate(standing) for b in standing[i + 1 :]]
    if not pairs:
        return [""] * len(ordered)
    place = {entry: number for number, entry in enumerate(standing)}
    known = [sample for sample in samples if sample is not None]
    # More comparisons are corrected for together, so smaller p-values must be told apart.
    gaps = compare_pairs(known, [(place[a], place[b]) for a, b in pairs], max(9999, 40 * len(ordered) ** 2))
    p_values = np.full((len(ordered), len(ordered)), np.nan)
    for (a, b), gap in zip(pairs, gaps, strict=True):
        p_values[a, b] = gap.p_value
    numbers = [entry.interval(column.measure, column.judge) for entry in ordered]
    values = [
        np.nan if number is None or sample is None else number.value
        for number, sample in zip(numbers, samples, strict=True)
    ]
    return tie_groups([entry.name for entry in ordered], values, holm(p_values), column.better)


def _differences(ordered: list[Entry], columns: list[Column]) -> list[Differences]:
    rivals = [entry for entry in ordered if entry.first.method.baseline]
    others = [entry for entry in ordered if not entry.first.method.baseline]
    if not rivals or not others:
        return []
    gaps: dict[tuple[str, str, Column], Gap | None] = {}
    for column in columns:
        samples = {entry.name: entry.sample(column.measure, column.judge) for entry in ordered}
        known = [name for name, sample in samples.items() if sample is not None]
        pairs = [(a.name, b.name) for a in others for b in rivals if a.name in known and b.name in known]
        place = {name: number for number, name in enumerate(known)}
        found = compare_pairs(
            [sample for sample in samples.values() if sample is not None], [(place[a], place[b]) for a, b in pairs]
        )
        by_pair = dict(zip(pairs, found, strict=True))
        for entry in others:
            own = [by_pair.get((entry.name, rival.name)) for rival in rivals]
            adjusted = holm(np.array([np.nan if gap is None else gap.p_value for gap in own]))
            for rival, gap, p_value in zip(rivals, own, adjusted, strict=True):
                gaps[entry.name, rival.name, column] = None if gap is None else _gap(gap, column, p_value)
    tables = []
    for entry in others:
        kept = [column for column in columns if any(gaps[entry.name, rival.name, column] for rival in rivals)]
        if kept:
            rows = [[gaps[entry.name, rival.name, column] for column in kept] for rival in rivals]
            tables.append(Differences(entry.name, [rival.name for rival in rivals], kept, rows))
    return tables


def _gap(found: Comparison, column: Column, p_value: float) -> Gap | None:
    difference: Interval = found.difference
    if np.isnan(difference.value):
        return None
    sign = -1 if column.better == "lower" else 1
    low, high = sorted((sign * difference.low, sign * difference.high))
    return Gap(sign * difference.value, low, high, float(p_value), bool(p_value < SIGNIFICANT))


def _rank_order(entry: Entry, column: Column | None) -> tuple[float, str]:
    """The best first; one without a number comes last."""
    number = None if column is None else entry.interval(column.measure, column.judge)
    if column is None or number is None or np.isnan(number.value):
        return np.inf, entry.name
    return (number.value if column.better == "lower" else -number.value), entry.name
