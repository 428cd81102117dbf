"""Which measures stand in a table, and by which of them it is ranked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from v2f_bench.interfaces import UsageError
from v2f_bench.interfaces.options import did_you_mean
from v2f_bench.leaderboard.entries import Entry
from v2f_bench.record import Result

# What a track ranks by: the first of these that is a headline.
MAIN = ("retrieval/R@5", "retrieval/normalised-mean-rank", "emotion-agreement/accuracy")
# By whose numbers: judges that met no test speaker and that every data set has.
RANKING_JUDGES = ("in-domain-identity", "in-domain-emotion")
REALISM = ("face-found", "diversity", "fid", "kid", "frechet", "precision")


@dataclass(frozen=True)
class Column:
    """One measure by one judge."""

    measure: str
    judge: str
    better: Literal["higher", "lower", "neither"]


def headline_columns(entries: Sequence[Entry], strict: bool = False) -> list[Column]:
    """The headline measures that any entry has a number for, realism last."""
    found = _columns(entries, lambda result: result.headline, strict)
    return sorted(found, key=lambda column: column.measure.startswith(REALISM))


def chosen_columns(entries: Sequence[Entry], measures: Sequence[str], strict: bool = False) -> list[Column]:
    """The columns of `measures`, each the name of a metric or of one measure, in their order."""
    found: dict[Column, None] = {}
    for wanted in measures:
        found |= dict.fromkeys(_columns(entries, partial(_is_called, wanted), strict))
    return list(found)


def ranking_column(columns: Sequence[Column], by: str, chosen: bool) -> Column | None:
    """The column that ranks: the first of a track's main measures, by the judge `by`.

    Where nobody is named, a judge that the harness trains for the data set comes first, and otherwise the first by
    name: no table hangs on what a plugin is called. Of chosen columns the first measure ranks.
    """
    if not columns:
        return None
    measures = dict.fromkeys(column.measure for column in columns)
    measure = (
        next(iter(measures)) if chosen else next((main for main in MAIN if main in measures), next(iter(measures)))
    )
    candidates = sorted(
        (column for column in columns if column.measure == measure),
        key=lambda column: (column.judge != by, column.judge not in RANKING_JUDGES, column.judge),
    )
    return candidates[0]


def check_measures(entries: Sequence[Entry], measures: Sequence[str]) -> None:
    """UsageError for a measure or metric that no run has a number for."""
    results = [result for entry in entries for record in entry.records for result in record.results]
    known = sorted({name for result in results for name in (result.metric, result.measure)})
    for wanted in measures:
        if wanted not in known:
            raise UsageError(
                f"no run has a number for {wanted!r}{did_you_mean(wanted, known)} They have: {', '.join(known)}."
            )


def check_judge(entries: Sequence[Entry], judge: str) -> None:
    """UsageError for a judge that scored no run; "" is none at all."""
    known = sorted({one.name for entry in entries for record in entry.records for one in record.judges})
    if judge and judge not in known:
        raise UsageError(f"no run was scored by {judge!r}{did_you_mean(judge, known)} Judges: {', '.join(known)}.")


def refused(entry: Entry, judge: str) -> bool:
    """Whether strict tables leave an entry's numbers by a judge out: it is known not to be independent."""
    return any(one.name == judge and one.independent is False for record in entry.records for one in record.judges)


def _columns(entries: Sequence[Entry], fits: Callable[[Result], bool], strict: bool) -> list[Column]:
    found: dict[Column, None] = {}
    for entry in entries:
        for record in entry.records:
            for result in record.results:
                if fits(result) and not (strict and refused(entry, result.judge)):
                    found[_column(result)] = None
    return list(found)


def _is_called(name: str, result: Result) -> bool:
    return name in (result.measure, result.metric)


def _column(result: Result) -> Column:
    return Column(result.measure, result.judge, result.better)
