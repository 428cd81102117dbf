"""A leaderboard as Markdown (GitHub's tables)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from tabulate import tabulate

from v2f_bench.leaderboard import Board, GroupTable, Leaderboard
from v2f_bench.leaderboard.board import Bound
from v2f_bench.leaderboard.differences import Differences
from v2f_bench.leaderboard.reported import ReportedRow
from v2f_bench.render import layout
from v2f_bench.render.words import cell_words, digits, gap_words, group_words, overview, plain

T = TypeVar("T")
DIFFERENCES = (
    "Paired differences on the same trials (positive: better) with 95 % intervals; * where p < 0.05, Holm-corrected "
    "over the rivals."
)
GROUPS = "Value ± half of its 95 % interval (n trials). (few): under ten speakers, says little."
REPORTED = "As papers report it, each in its own protocol: not comparable with the tables above, and not ranked."


def as_markdown(leaderboard: Leaderboard) -> str:
    reported = ["## As reported", REPORTED, _reported(leaderboard.reported)] if leaderboard.reported else []
    return "\n\n".join([*map(board_as_markdown, leaderboard.boards), *reported]) + "\n"


def board_as_markdown(board: Board) -> str:
    protocol = board.protocol
    sections = [
        f"## {escaped(board.dataset.name)}: {escaped(protocol.name)} ({escaped(protocol.hash)})",
        overview(board),
        _ranking(board),
        *(_differences(one, board) for one in board.differences),
        *(_groups(label, tables) for label, tables in board.groups.items()),
        "\n".join(f"* {escaped(note.text)}" for note in board.notes),
    ]
    return "\n\n".join(sections)


def escaped(text: str) -> str:
    """Foreign text as plain text in Markdown, also in the cell of a table."""
    for mark in ("\\", "|", "`", "*", "_", "~", "[", "]"):
        text = text.replace(mark, "\\" + mark)
    return plain(text.replace("&", "&amp;").replace("<", "&lt;"))


def _ranking(board: Board) -> str:
    laid = layout.ranking(board, escaped)
    rows = [[line.name, *line.facts, *map(cell_words, line.cells)] for line in laid.rows]
    bounds = [[f"*{line.name}*", *line.facts, *map(_bound, line.cells)] for line in laid.bounds]
    return table([*laid.heads, *laid.titles], [*rows, *bounds])


def _differences(one: Differences, board: Board) -> str:
    return f"{DIFFERENCES}\n\n" + _numbers(layout.differences(one, board, escaped), gap_words)


def _groups(label: str, tables: Sequence[GroupTable]) -> str:
    shown = [_numbers(layout.groups(each, escaped), group_words) for each in tables]
    lines = [GROUPS, *shown] if shown else [f"No trial has the label {label}."]
    return "\n\n".join([f"### By {label}", *lines])


def _numbers(laid: layout.Numbers[T], words: Callable[[T], str]) -> str:
    return table(laid.heads, [[line.name, *map(words, line.cells)] for line in laid.rows])


def _reported(rows: Sequence[ReportedRow]) -> str:
    cells = [[escaped(fact.text(row)) for fact in layout.REPORTED] for row in rows]
    return table([fact.heading for fact in layout.REPORTED], cells)


def table(headers: list[str], rows: Sequence[Sequence[object]]) -> str:
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)


def _bound(bound: Bound | None) -> str:
    return "" if bound is None else f"{digits(bound.value)} ({escaped(bound.answer)})"
