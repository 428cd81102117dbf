"""A leaderboard as Markdown (GitHub's tables)."""

from __future__ import annotations

from collections.abc import Sequence

from tabulate import tabulate

from v2f_bench.leaderboard import Board, GroupTable, Leaderboard
from v2f_bench.leaderboard.board import Bound
from v2f_bench.leaderboard.differences import Differences
from v2f_bench.leaderboard.reported import ReportedRow
from v2f_bench.render.words import (
    cell_words,
    digits,
    gap_words,
    group_words,
    overview,
    plain,
    rank_words,
    row_name,
    titles,
    with_half,
)

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
    headers = ["method", "rank", "tie", "seeds", "faces", *(["overall"] if board.has_overall else [])]
    rows = []
    for row in board.rows:
        overall = [with_half(*row.overall) if row.overall else ""] if board.has_overall else []
        tie = row.standing.tie if row.standing else ""
        facts = [rank_words(row.standing), tie, len(row.seeds), f"{row.judged}/{row.applicable}"]
        rows.append([row_name(row, escaped), *facts, *overall, *map(cell_words, row.cells)])
    for title, bounds in (("floor", board.floors), ("ceiling", board.ceilings)):
        rows.append([f"*{title}*", *[""] * (len(headers) - 1), *map(_bound, bounds)])
    return table([*headers, *titles(board.columns, escaped)], rows)


def _differences(one: Differences, board: Board) -> str:
    marks = {row.name: row_name(row, escaped) for row in board.rows}
    rows = [[marks[rival], *map(gap_words, gaps)] for rival, gaps in zip(one.rivals, one.gaps, strict=True)]
    return f"{DIFFERENCES}\n\n" + table([f"{escaped(one.name)} better than", *titles(one.columns, escaped)], rows)


def _groups(label: str, tables: Sequence[GroupTable]) -> str:
    shown = []
    for each in tables:
        title = f"{titles([each.column], escaped)[0]} ({escaped(each.column.judge)})"
        rows = [[escaped(name), *map(group_words, cells)] for name, cells in each.rows.items()]
        shown.append(table([title, *map(escaped, each.groups)], rows))
    lines = [GROUPS, *shown] if shown else [f"No trial has the label {label}."]
    return "\n\n".join([f"### By {label}", *lines])


def _reported(rows: Sequence[ReportedRow]) -> str:
    cells = [
        [escaped(text) for text in (row.dataset, row.method, row.measure, digits(row.value), row.protocol, row.source)]
        for row in rows
    ]
    return table(["data set", "method", "measure", "value", "protocol", "source"], cells)


def table(headers: list[str], rows: Sequence[Sequence[object]]) -> str:
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)


def _bound(bound: Bound | None) -> str:
    return "" if bound is None else f"{digits(bound.value)} ({escaped(bound.answer)})"
