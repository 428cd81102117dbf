"""Boards as Markdown tables (GitHub's)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tabulate import tabulate

from v2f_bench.leaderboard import Board, GroupTable
from v2f_bench.leaderboard.board import Bound, Cell, Differences, Gap, Row
from v2f_bench.leaderboard.columns import Column
from v2f_bench.leaderboard.groups import GroupCell
from v2f_bench.leaderboard.names import measure_title

_INDEPENDENCE = {True: "", False: " ‡", None: " §"}


def board_as_markdown(board: Board) -> str:
    sections = [_heading(board), _ranking(board), *(_differences(one, board) for one in board.differences)]
    return "\n\n".join([*sections, "\n".join(f"* {escaped(note.text)}" for note in board.notes)])


def groups_as_markdown(tables: dict[str, list[GroupTable]], label: str) -> str:
    sections = []
    for title, of_protocol in tables.items():
        shown = [_groups(table) for table in of_protocol]
        few = "Value ± half of its 95 % interval (n trials). (few): under ten speakers, says little."
        none = f"No trial has the label {label}."
        sections.append("\n\n".join([f"### {escaped(title)}: by {label}", *([few, *shown] if shown else [none])]))
    return "\n\n".join(sections)


def escaped(text: str) -> str:
    """Foreign text as plain text in Markdown, also in the cell of a table."""
    for mark in ("\\", "|", "`", "*", "_", "~", "[", "]"):
        text = text.replace(mark, "\\" + mark)
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").split())


def _heading(board: Board) -> str:
    protocol = board.protocol
    return (
        f"## {escaped(board.dataset)}: {escaped(protocol.name)} ({escaped(protocol.hash)})\n\n"
        f"{protocol.trials} trials of {protocol.speakers} test speakers, gallery of {protocol.gallery}, "
        f"{protocol.splits['train'].speakers} training speakers; faces seen at {protocol.resolution} px. "
        "Value ± half of its 95 % interval (over speakers, and over seeds where there are three or more)."
    )


def _titles(columns: Sequence[Column]) -> list[str]:
    """The columns' headings; where several judges give one measure, each with its judge."""
    measures = [column.measure for column in columns]
    several = {measure for measure in measures if measures.count(measure) > 1}
    titles = [escaped(measure_title(column.measure, column.better)) for column in columns]
    return [
        f"{title} ({escaped(column.judge)})" if column.measure in several else title
        for title, column in zip(titles, columns, strict=True)
    ]


def _ranking(board: Board) -> str:
    rows = [
        [_name(row), row.tie, len(row.seeds), f"{row.judged}/{row.applicable}", *map(_cell, row.cells)]
        for row in board.rows
    ]
    for title, bounds in (("floor", board.floors), ("ceiling", board.ceilings)):
        rows.append([f"*{title}*", "", "", "", *map(_bound, bounds)])
    return _table(["method", "tie", "seeds", "faces", *_titles(board.columns)], rows)


def _differences(one: Differences, board: Board) -> str:
    marks = {row.name: _name(row) for row in board.rows}
    rows = [[marks[rival], *map(_gap, gaps)] for rival, gaps in zip(one.rivals, one.gaps, strict=True)]
    return (
        "Paired differences on the same trials (positive: better) with 95 % intervals; * where p < 0.05, "
        "Holm-corrected over the rivals.\n\n"
        + _table([f"{escaped(one.name)} better than", *_titles(one.columns)], rows)
    )


def _groups(table: GroupTable) -> str:
    title = f"{escaped(measure_title(table.column.measure, table.column.better))} ({escaped(table.column.judge)})"
    rows = [[escaped(name), *map(_group_cell, cells)] for name, cells in table.rows.items()]
    return _table([title, *map(escaped, table.groups)], rows)


def _table(headers: list[str], rows: Sequence[Sequence[object]]) -> str:
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)


def _name(row: Row) -> str:
    return escaped(row.name) + (" †" if row.answers else "") + (" (pictures made elsewhere)" if row.elsewhere else "")


def _cell(cell: Cell) -> str:
    if cell.status == "refused":
        return "refused ‡"
    if cell.status == "not measured":
        return "not measured"
    reach = "" if math.isnan(cell.low) else f" ± {_digits((cell.high - cell.low) / 2)}"
    return _digits(cell.value) + reach + _INDEPENDENCE[cell.independent]


def _bound(bound: Bound | None) -> str:
    return "" if bound is None else f"{_digits(bound.value)} ({escaped(bound.answer)})"


def _gap(gap: Gap | None) -> str:
    if gap is None:
        return ""
    ends = "" if math.isnan(gap.low) else f" [{gap.low:+z.3f}, {gap.high:+z.3f}]"
    return f"{gap.value:+z.3f}{ends}{' *' if gap.significant else ''}"


def _group_cell(cell: GroupCell | None) -> str:
    if cell is None:
        return ""
    if math.isnan(cell.value):
        return "not measured"
    reach = "" if math.isnan(cell.reach) else f" ± {cell.reach:.3f}"
    return f"{cell.value:z.3f}{reach} ({cell.n})" + (" (few)" if cell.small else "")


def _digits(value: float) -> str:
    return f"{value:z.3f}" if abs(value) < 10 else f"{value:.1f}"
