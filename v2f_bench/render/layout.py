"""Which columns the tables of a leaderboard have, in what order, under which headings, and what stands in their rows.

Every format takes tables from here, and dresses them: it escapes names, aligns, and writes a number in its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from v2f_bench.leaderboard.board import Board, Bound, Cell, Row
from v2f_bench.leaderboard.differences import Differences, Gap
from v2f_bench.leaderboard.groups import GroupCell, GroupTable
from v2f_bench.leaderboard.reported import ReportedRow
from v2f_bench.render.words import digits, plain, rank_words, row_name, titles, with_half

Escape = Callable[[str], str]
T = TypeVar("T")
METHOD = "method"  # the heading of a row's name


@dataclass(frozen=True)
class Fact(Generic[T]):
    """A column of what is known of a row beside its numbers."""

    heading: str
    text: Callable[[T], str]
    order: Callable[[T], float | None] | None = None  # what a page sorts by, None last; without it: by the text


@dataclass(frozen=True)
class Line(Generic[T]):
    """A row: its name, already escaped, a text for each fact, and what stands in each column of numbers."""

    name: str
    facts: list[str]
    cells: Sequence[T]


@dataclass(frozen=True)
class Ranking:
    """The table of a board. Its headings: `METHOD`, those of `facts`, and `titles`, already escaped."""

    facts: list[Fact[Row]]
    titles: list[str]
    rows: list[Line[Cell]]
    bounds: list[Line[Bound | None]]  # below the rows: floor and ceiling

    @property
    def heads(self) -> list[str]:
        """Of all columns before those of numbers."""
        return [METHOD, *(fact.heading for fact in self.facts)]


@dataclass(frozen=True)
class Numbers(Generic[T]):
    """A table of one kind of numbers: `heads`, the first over the names, already escaped."""

    heads: list[str]
    rows: list[Line[T]]


FACTS: tuple[Fact[Row], ...] = (
    Fact("rank", lambda row: rank_words(row.standing), lambda row: row.standing.rank if row.standing else None),
    Fact("tie", lambda row: row.standing.tie if row.standing else ""),
    Fact("seeds", lambda row: str(len(row.seeds)), lambda row: len(row.seeds)),
    Fact(
        "faces",
        lambda row: f"{row.judged}/{row.applicable}",
        lambda row: row.judged / row.applicable if row.applicable else None,
    ),
)
OVERALL: Fact[Row] = Fact(
    "overall ↓",
    lambda row: with_half(*row.overall) if row.overall else "",
    lambda row: row.overall.value if row.overall else None,
)
REPORTED: tuple[Fact[ReportedRow], ...] = (
    Fact(METHOD, lambda row: row.method),
    Fact("data set", lambda row: row.dataset),
    Fact("measure", lambda row: row.measure),
    Fact("value", lambda row: digits(row.value)),
    Fact("protocol", lambda row: row.protocol),
    Fact("source", lambda row: row.source),
)


def ranking(board: Board, escape: Escape = plain, without: Collection[str] = ()) -> Ranking:
    """`without`: headings of facts that a format has no room for."""
    facts = [fact for fact in (*FACTS, *([OVERALL] if board.has_overall else [])) if fact.heading not in without]
    rows = [Line(row_name(row, escape), [fact.text(row) for fact in facts], row.cells) for row in board.rows]
    nothing = [""] * len(facts)
    bounds = [Line("floor", nothing, board.floors), Line("ceiling", nothing, board.ceilings)]
    return Ranking(facts, titles(board.columns, escape), rows, bounds)


def differences(one: Differences, board: Board, escape: Escape = plain) -> Numbers[Gap | None]:
    """What a row is better by than each rival."""
    names = {row.name: row_name(row, escape) for row in board.rows}
    rows = [Line(names[rival], [], gaps) for rival, gaps in zip(one.rivals, one.gaps, strict=True)]
    return Numbers([f"{escape(one.name)} better than", *titles(one.columns, escape)], rows)


def groups(table: GroupTable, escape: Escape = plain) -> Numbers[GroupCell | None]:
    """One measure in the groups of a label."""
    title = f"{titles([table.column], escape)[0]} ({escape(table.column.judge)})"
    rows = [Line(escape(name), [], cells) for name, cells in table.rows.items()]
    return Numbers([title, *map(escape, table.groups)], rows)
