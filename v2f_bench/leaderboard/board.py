"""The values of a leaderboard: for each protocol the ranking, paired differences to the baselines, and what to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from v2f_bench.interfaces import UsageError
from v2f_bench.leaderboard.columns import Column
from v2f_bench.leaderboard.differences import Differences
from v2f_bench.leaderboard.groups import GroupTable
from v2f_bench.leaderboard.notes import Note
from v2f_bench.leaderboard.reported import ReportedRow
from v2f_bench.leaderboard.standings import Standing
from v2f_bench.record import DatasetFacts, ProtocolFacts
from v2f_bench.stats import Interval

Status = Literal["measured", "not measured", "refused"]
ORDERS = ("rank", "name", "overall", "given")


@dataclass(frozen=True)
class Choice:
    """What a table is wanted of."""

    measures: Sequence[str] = ()  # metrics, or single measures of them; empty: the headline ones
    methods: Sequence[str] = ()  # rows by name, or patterns with * and ?; empty: all
    order: str = "rank"  # of the rows; one of `ORDERS`; "given": as `methods` names them
    rank_by: str = ""  # the judge by whose numbers entries are ranked
    strict: bool = False  # no number of a judge that is known not to be independent
    by: Sequence[str] = ()  # labels of groups to show tables of
    overall: bool = False  # the mean normalised rank over all columns
    every_column: bool = False  # ranks and ties in every column, not only in the one that ranks

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise UsageError(f"--order takes {', '.join(ORDERS)}, not {self.order!r}")
        if self.order == "given" and not self.methods:
            raise UsageError("--order given is the order of --method: name some")


@dataclass(frozen=True)
class Cell:
    """A number of an entry: the mean over its runs, with the ends of its 95 % interval (NaN where there is none)."""

    status: Status
    value: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    n: int = 0  # trials of a run; of people: answers
    expected: int = 0
    runs: int = 0  # that have the number
    independent: bool | None = True  # the judge, of the method and of the test speakers; None: not known
    standing: Standing | None = None  # in this column, where it was asked for
    raters: int = 0  # of people
    items: int = 0


@dataclass(frozen=True)
class Bound:
    """What a floor or a ceiling scores, and which answer it is."""

    value: float
    answer: str


@dataclass(frozen=True)
class Row:
    name: str
    standing: Standing | None  # in the ranking column; None without a number there
    seeds: list[int]
    answers: list[str]  # needs that only the true answer could meet
    baseline: bool
    elsewhere: bool  # pictures made elsewhere, scored here
    applicable: int  # trials of all runs that applied to the method
    judged: int  # of these, trials with a face that can be judged
    cells: list[Cell]
    judges_disagree: bool | None = None  # the two judges of emotion, by more than on real faces; None: not tested
    overall: Interval | None = None  # mean normalised rank: 0 first, 1 last
    folders: tuple[Path, ...] = ()  # of its runs


@dataclass(frozen=True)
class Board:
    """All that a table of one protocol says."""

    dataset: DatasetFacts
    protocol: ProtocolFacts
    columns: list[Column]
    ranked_by: Column | None
    rows: list[Row]  # in order
    floors: list[Bound | None]  # of each column
    ceilings: list[Bound | None]
    differences: list[Differences]
    notes: list[Note]
    groups: dict[str, list[GroupTable]] = field(default_factory=dict)  # by label; empty where no trial has it
    has_overall: bool = False


@dataclass(frozen=True)
class Leaderboard:
    """The board of each protocol, and what papers report; nothing in one is ranked with anything in another."""

    boards: list[Board]
    reported: list[ReportedRow]
