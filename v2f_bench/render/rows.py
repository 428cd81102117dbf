"""A leaderboard as flat rows of plain values at full precision, for CSV, JSON and pandas: one a cell or a method."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from v2f_bench.leaderboard import Board, Leaderboard
from v2f_bench.leaderboard.board import Bound, Cell, Row
from v2f_bench.leaderboard.columns import Column
from v2f_bench.leaderboard.standings import Standing


def long_rows(leaderboard: Leaderboard) -> list[dict[str, Any]]:
    """One row a cell, and one a group where groups were asked for (`by`, `group`). None where there is no number."""
    return [row for board in leaderboard.boards for row in _long(board)]


def wide_rows(leaderboard: Leaderboard) -> list[dict[str, Any]]:
    """One row a method; of each column the value under `<measure> @ <judge>`, and the ends of its interval beside."""
    return [{**_facts(board, row), **_cells(board, row)} for board in leaderboard.boards for row in board.rows]


def known(number: float) -> float | None:
    return None if math.isnan(number) else float(number)


def _long(board: Board) -> Iterator[dict[str, Any]]:
    for row in board.rows:
        for column, cell, floor, ceiling in zip(board.columns, row.cells, board.floors, board.ceilings, strict=True):
            yield {
                **_identity(board, row),
                **_column(column),
                **{"ranks": column == board.ranked_by, "by": "", "group": ""},
                **_cell(cell),
                **_standing(cell.standing or (row.standing if column == board.ranked_by else None)),
                **_bound("floor", floor),
                **_bound("ceiling", ceiling),
            }
    names = {row.name: row for row in board.rows}
    for label, tables in board.groups.items():
        for table in tables:
            for name, cells in table.rows.items():
                for group, number in zip(table.groups, cells, strict=True):
                    if number is not None:
                        yield {
                            **_identity(board, names[name]),
                            **_column(table.column),
                            **{"ranks": False, "by": label, "group": group},
                            **_cell(Cell("not measured" if math.isnan(number.value) else "measured")),
                            **{"value": known(number.value), "low": known(number.low), "high": known(number.high)},
                            **{"n": number.n, "expected": None, "items": number.speakers, "independent": None},
                            **_standing(None),
                            **_bound("floor", None),
                            **_bound("ceiling", None),
                        }


def _identity(board: Board, row: Row) -> dict[str, Any]:
    protocol = board.protocol
    return {
        **{"dataset": board.dataset.name, "track": protocol.track, "protocol": protocol.name},
        **{"protocol_hash": protocol.hash, "method": row.name, "seeds": len(row.seeds), "baseline": row.baseline},
        **{"uses_answer": bool(row.answers), "made_elsewhere": row.elsewhere},
        "judges_disagree": row.judges_disagree,
    }


def _facts(board: Board, row: Row) -> dict[str, Any]:
    names = ("overall", "overall_low", "overall_high")
    overall = dict(zip(names, map(known, row.overall), strict=True)) if row.overall else dict.fromkeys(names)
    return {
        **_identity(board, row),
        **_standing(row.standing),
        **(overall if board.has_overall else {}),
        **{"trials": row.applicable, "judged": row.judged},
    }


def _cells(board: Board, row: Row) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for column, cell in zip(board.columns, row.cells, strict=True):
        name = f"{column.measure} @ {column.judge}{' ' + column.study if column.study else ''}"
        numbers = zip(("", " low", " high"), (cell.value, cell.low, cell.high), strict=True)
        flat |= {f"{name}{end}": known(number) for end, number in numbers}
    return flat


def _column(column: Column) -> dict[str, Any]:
    return {"measure": column.measure, "judge": column.judge, "study": column.study, "better": column.better}


def _cell(cell: Cell) -> dict[str, Any]:
    measured = cell.status == "measured"
    return {
        **{"status": cell.status, "value": known(cell.value), "low": known(cell.low), "high": known(cell.high)},
        **{name: getattr(cell, name) if measured else None for name in ("n", "expected", "runs")},
        "independent": cell.independent if measured else None,
        **{name: getattr(cell, name) or None for name in ("raters", "items")},
    }


def _standing(standing: Standing | None) -> dict[str, Any]:
    rank, best, worst = (standing.rank, standing.best, standing.worst) if standing else (None, None, None)
    return {"rank": rank, "rank_best": best, "rank_worst": worst, "tie": standing.tie if standing else ""}


def _bound(which: str, bound: Bound | None) -> dict[str, Any]:
    return {which: bound.value if bound else None, f"{which}_is": bound.answer if bound else ""}
