"""Which measures stand in a table, and by which of them it is ranked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from v2f_bench.interfaces import UsageError
from v2f_bench.interfaces.options import did_you_mean
from v2f_bench.record import Record, Result

# What a track ranks by: the first of these that is a headline.
MAIN = ("retrieval/R@5", "retrieval/normalised-mean-rank", "emotion-agreement/accuracy")
# By whose numbers: judges that met no test speaker and that every data set has.
RANKING_JUDGES = ("in-domain-identity", "in-domain-emotion")
REALISM = ("face-found", "diversity", "fid", "kid", "frechet", "precision")
PEOPLE = "people"  # stands where a judge is named, for what a human study says


@dataclass(frozen=True)
class Column:
    """One measure by one judge, or by the people of one study."""

    measure: str
    judge: str
    better: Literal["higher", "lower", "neither"]
    study: str = ""  # of people: its id

    @property
    def by_people(self) -> bool:
        return bool(self.study)


def headline_columns(records: Iterable[Record], strict: bool = False) -> list[Column]:
    """The headline measures that any record has a number for, realism last, and then what people say."""
    records = list(records)
    selected = _by_judges(records, lambda result: result.headline, strict)
    return [
        *sorted(selected, key=lambda column: column.measure.startswith(REALISM)),
        *_by_people(records, lambda _: True),
    ]


def chosen_columns(records: Iterable[Record], measures: Sequence[str], strict: bool = False) -> list[Column]:
    """The columns of `measures`, each the name of a metric or of one measure, in their order."""
    records = list(records)
    selected: dict[Column, None] = {}
    for wanted in measures:
        selected |= dict.fromkeys(_by_judges(records, lambda r, w=wanted: w in (r.measure, r.metric), strict))  # type: ignore[misc]
        selected |= dict.fromkeys(_by_people(records, lambda measure, w=wanted: measure == w))  # type: ignore[misc]
    return list(selected)


def ranking_column(columns: Sequence[Column], by: str, chosen: bool) -> Column | None:
    """The column that ranks: the first of a track's main measures, by the judge `by`.

    Where nobody is named, a judge that the harness trains for the data set comes first, and otherwise the first by
    name: no table hangs on what a plugin is called. Of chosen columns the first measure ranks. What people say ranks
    only where it is chosen.
    """
    candidates = columns if chosen else [column for column in columns if not column.by_people]
    if not candidates:
        return None
    measures = dict.fromkeys(column.measure for column in candidates)
    first = next(iter(measures))
    measure = first if chosen else next((main for main in MAIN if main in measures), first)
    return min(
        (column for column in candidates if column.measure == measure),
        key=lambda column: (column.judge != by, column.judge not in RANKING_JUDGES, column.judge, column.study),
    )


def check_measures(records: Iterable[Record], measures: Sequence[str]) -> None:
    """UsageError for a measure or metric that no run has a number for."""
    known = {
        name
        for record in records
        for name in (
            *(name for result in record.results for name in (result.metric, result.measure)),
            *(one.measure for one in record.human),
        )
    }
    for wanted in measures:
        if wanted not in known:
            raise UsageError(
                f"no run has a number for {wanted!r}{did_you_mean(wanted, sorted(known))} They have: "
                f"{', '.join(sorted(known))}."
            )


def check_judge(records: Iterable[Record], judge: str) -> None:
    """UsageError for a judge that scored no run; "" is none at all."""
    known = sorted({one.name for record in records for one in record.judges})
    if judge and judge not in known:
        raise UsageError(f"no run was scored by {judge!r}{did_you_mean(judge, known)} Judges: {', '.join(known)}.")


def refused(records: Iterable[Record], judge: str) -> bool:
    """Whether strict tables leave a row's numbers by a judge out: it is known not to be independent."""
    return any(one.name == judge and one.independent is False for record in records for one in record.judges)


def _by_judges(records: Sequence[Record], fits: Callable[[Result], bool], strict: bool) -> list[Column]:
    selected: dict[Column, None] = {}
    for record in records:
        kept_out = {one.name for one in record.judges if strict and one.independent is False}
        for result in record.results:
            if result.judge not in kept_out and fits(result):
                selected[Column(result.measure, result.judge, result.better)] = None
    return list(selected)


def _by_people(records: Sequence[Record], fits: Callable[[str], bool]) -> list[Column]:
    """People's numbers are shares of right answers, comparisons won or faces taken for real: higher is better."""
    selected = {
        Column(one.measure, PEOPLE, "higher", one.study)
        for record in records
        for one in record.human
        if fits(one.measure)
    }
    return sorted(selected, key=lambda column: (column.measure, column.study))
