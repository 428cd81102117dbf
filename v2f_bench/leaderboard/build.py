"""From records to boards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from v2f_bench.interfaces import UsageError
from v2f_bench.interfaces.options import did_you_mean
from v2f_bench.leaderboard.board import Board, Bound, Cell, Choice, Leaderboard, Row
from v2f_bench.leaderboard.columns import (
    Column,
    check_judge,
    check_measures,
    chosen_columns,
    headline_columns,
    ranking_column,
    refused,
)
from v2f_bench.leaderboard.differences import differences
from v2f_bench.leaderboard.disagreement import disagreement_texts, disagreements, pair_of
from v2f_bench.leaderboard.entries import Entry
from v2f_bench.leaderboard.gather import gather
from v2f_bench.leaderboard.groups import check_label, group_tables
from v2f_bench.leaderboard.notes import Ranked, notes_of
from v2f_bench.leaderboard.reported import REPORTED
from v2f_bench.leaderboard.samples import Samples
from v2f_bench.leaderboard.standings import MOST_COMPARED, Standing, letters_of, overall, standings
from v2f_bench.record import Record
from v2f_bench.stats import Interval

HEADLINES = Choice()


def leaderboard(
    records: dict[Path, Record], choice: Choice = HEADLINES, say: Callable[[str], object] = lambda _: None
) -> Leaderboard:
    """The board of each protocol, and the rows that papers report for their data sets.

    Args:
        say: is called with a line for each result that a newer one replaces, and each run that cannot be compared.

    Raises:
        UsageError: no run has a number for one of the measures, or was scored by the judge, or is of the method, of the
            choice; there are no groups of a label's name.
    """
    for label in choice.by:
        check_label(label)
    protocols = gather(records, say)
    entries = [entry for of_protocol in protocols.values() for entry in of_protocol]
    everything = [record for entry in entries for record in entry.records]
    check_measures(everything, choice.measures)
    check_judge(everything, choice.rank_by)
    _check_methods(entries, choice.methods)
    boards = [_board(of_protocol, choice, say) for of_protocol in protocols.values()]
    names = {board.dataset.name for board in boards}
    return Leaderboard([board for board in boards if board.rows], [row for row in REPORTED if row.dataset in names])


def _board(entries: list[Entry], choice: Choice, say: Callable[[str], object]) -> Board:
    columns, ranked_by = _columns(entries, choice)
    compared = len(entries) <= MOST_COMPARED
    read = dict.fromkeys([*columns, *pair_of(entries)])
    samples = Samples([e for e in entries if compared or len(e.records) > 1], list(read), say)
    ranking = standings(entries, samples, ranked_by, compared) if ranked_by else [None] * len(entries)
    by_column = {
        column: ranking
        if column == ranked_by
        else standings(entries, samples, column, compared)
        if choice.every_column and column.better != "neither"
        else [None] * len(entries)
        for column in columns
    }
    scored = [column for column in columns if column.better != "neither" and not column.by_people]
    overalls = overall(entries, samples, scored) if _wants_overall(choice) else [None] * len(entries)
    disagreeing = disagreements(entries, samples)
    rows = {
        entry: Row(
            name=entry.name,
            standing=ranking[place],
            seeds=entry.seeds,
            answers=entry.first.answers,
            baseline=entry.baseline,
            elsewhere=entry.elsewhere,
            applicable=(applicable := sum(record.applicable for record in entry.records)),
            judged=applicable - sum(sum(record.failures.values()) for record in entry.records),
            cells=[_cell(entry, column, samples, by_column[column][place], choice.strict) for column in columns],
            judges_disagree=one.beyond_real if (one := disagreeing.get(entry.name)) else None,
            overall=overalls[place],
            folders=entry.folders,
        )
        for place, entry in enumerate(entries)
    }
    values = [samples.interval(entry, ranked_by) if ranked_by else None for entry in entries]
    ordered = _ordered(entries, values, ranked_by, overalls, choice)
    shown = [entry for entry in ordered if _is_chosen(entry, choice.methods)]
    first = entries[0].first
    return Board(
        dataset=first.dataset,
        protocol=first.protocol,
        columns=columns,
        ranked_by=ranked_by,
        rows=[rows[entry] for entry in shown],
        floors=[_bound(ordered, column, "floor") for column in columns],
        ceilings=[_bound(ordered, column, "ceiling") for column in columns],
        differences=differences(shown, columns, samples) if compared else [],
        notes=notes_of(
            shown,
            columns,
            Ranked(
                ranked_by,
                compared,
                *_neighbours(ranking),
                overall=_wants_overall(choice),
                rows=len(entries),
            ),
            choice.strict,
            disagreement_texts([entry.name for entry in shown], disagreeing),
        ),
        groups={label: group_tables(shown, columns, label, choice.strict) for label in choice.by},
        has_overall=_wants_overall(choice),
    )


def _neighbours(ranking: Sequence[Standing | None]) -> tuple[int, int]:
    """How many pairs of rows follow each other in rank, and how many of these share a letter."""
    ranked = sorted((one for one in ranking if one and one.rank and one.tie), key=lambda one: one.rank or 0)
    alike = [bool(letters_of(a.tie) & letters_of(b.tie)) for a, b in pairwise(ranked)]
    return len(alike), sum(alike)


def _columns(entries: list[Entry], choice: Choice) -> tuple[list[Column], Column | None]:
    records = [record for entry in entries for record in entry.records]
    chosen = bool(choice.measures)
    columns = (
        chosen_columns(records, choice.measures, choice.strict) if chosen else headline_columns(records, choice.strict)
    )
    ranked_by = ranking_column(columns, choice.rank_by, chosen)
    if ranked_by is not None:
        columns = [ranked_by, *(column for column in columns if column != ranked_by)]
    return columns, ranked_by


def _wants_overall(choice: Choice) -> bool:
    return choice.overall or choice.order == "overall"


def _cell(entry: Entry, column: Column, samples: Samples, standing: Standing | None, strict: bool) -> Cell:
    number = samples.interval(entry, column)
    if number is None:
        return Cell("not measured")
    if column.by_people:
        asked = entry.human(column)
        return Cell(
            *("measured", *number),
            n=sum(one.estimate.n for one in asked),
            expected=sum(one.expected for one in asked),
            runs=len(asked),
            standing=standing,
            raters=max(one.estimate.raters for one in asked),
            items=max(one.estimate.items for one in asked),
        )
    if strict and refused(entry.records, column.judge):
        return Cell("refused", independent=False)
    results = entry.results(column)
    independent = _independence(entry, column.judge)
    return Cell("measured", *number, results[0].n, results[0].expected, len(results), independent, standing)


def _independence(entry: Entry, judge: str) -> bool | None:
    """Of the runs together: False where it is not independent of one, None where it is not known of one."""
    answers = [one.independent for record in entry.records for one in record.judges if one.name == judge]
    return False if False in answers else None if None in answers else True


def _bound(entries: Sequence[Entry], column: Column, which: Literal["floor", "ceiling"]) -> Bound | None:
    """Of the entry that most trials apply to: a ceiling over a few trials is that of these alone.

    Of people: what they said of the study's floor, and of real photographs.
    """
    if column.by_people:
        asked = next((one for entry in entries for one in entry.human(column)), None)
        estimate = None if asked is None else asked.floor if which == "floor" else asked.calibration
        if estimate is None or estimate.value is None:
            return Bound(asked.chance, "chance") if asked and which == "floor" else None
        return Bound(estimate.value, "a bad answer" if which == "floor" else "real photographs")
    known = [result for entry in entries for result in entry.results(column) if getattr(result, which) is not None]
    if not known:
        return None
    widest = max(known, key=lambda result: result.expected)
    return Bound(getattr(widest, which), getattr(widest, f"{which}_is"))


def _ordered(
    entries: list[Entry],
    values: Sequence[Interval | None],
    ranked_by: Column | None,
    overalls: Sequence[Interval | None],
    choice: Choice,
) -> list[Entry]:
    """The entries in the order of the choice, those without what it goes by last; then by name."""

    def by(place: int) -> tuple[float, str]:
        number = overalls[place] if choice.order == "overall" else values[place]
        value = np.inf if number is None or np.isnan(number.value) else number.value
        lower_first = choice.order == "overall" or (ranked_by is not None and ranked_by.better == "lower")
        return (value if lower_first or value == np.inf else -value), entries[place].name

    if choice.order == "name":
        return sorted(entries, key=lambda entry: entry.name)
    best_first = [entries[place] for place in sorted(range(len(entries)), key=by)]
    if choice.order != "given":
        return best_first
    return sorted(best_first, key=lambda entry: _turn(entry, choice.methods))


def _turn(entry: Entry, methods: Sequence[str]) -> int:
    """Which of the names or patterns is the entry's; after the last for none."""
    return next((turn for turn, name in enumerate(methods) if _is_called(entry, name)), len(methods))


def _is_chosen(entry: Entry, methods: Sequence[str]) -> bool:
    return not methods or _turn(entry, methods) < len(methods)


def _is_called(entry: Entry, name: str) -> bool:
    """By its name in the table, that of its method, or a pattern of either."""
    own = entry.name, entry.first.method.name
    return name in own or any(fnmatchcase(one, name) for one in own)


def _check_methods(entries: Sequence[Entry], methods: Sequence[str]) -> None:
    """UsageError for a name that no row has."""
    known = sorted({entry.first.method.name for entry in entries})
    for name in methods:
        if not any(_is_called(entry, name) for entry in entries):
            raise UsageError(f"no run is of {name!r}{did_you_mean(name, known)} There are: {', '.join(known)}.")
