"""Comparisons of two methods, a function a format; the page with trials is made in `report/`."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from v2f_bench.leaderboard.compare import PairedRow, PairedTable
from v2f_bench.render.paired_words import cells, headings, judges, row_title, short_title
from v2f_bench.render.words import plain


def as_csv(tables: Sequence[PairedTable]) -> str:
    from v2f_bench.render.csv import rows_as_csv

    return rows_as_csv([row for table in tables for row in flat_rows(table)])


def as_json(tables: Sequence[PairedTable]) -> str:
    rows = [row for table in tables for row in flat_rows(table)]
    notes = {table.protocol.hash: table.notes for table in tables}
    return json.dumps({"rows": rows, "notes": notes}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def as_markdown(tables: Sequence[PairedTable]) -> str:
    return "\n\n".join(map(_markdown_of, tables)) + "\n"


def as_latex(tables: Sequence[PairedTable]) -> str:
    return "\n".join(map(_latex_of, tables))


def flat_rows(table: PairedTable) -> list[dict[str, Any]]:
    """One row a measure and group, at full precision; None where there is no number."""
    return [_flat(table, row) for row in (*table.rows, *table.groups)]


def _flat(table: PairedTable, row: PairedRow) -> dict[str, Any]:
    gap = row.gap
    names = ("value", "low", "high", "p_value", "raw_p_value", "effect_size", "significant", "speakers", "trials")
    values = {
        **{"dataset": table.dataset.name, "protocol": table.protocol.name, "protocol_hash": table.protocol.hash},
        **{"first": table.names[0], "second": table.names[1], "measure": row.column.measure},
        **{"judge": row.column.judge, "better": row.column.better, "by": row.by, "group": row.group},
        **{"first_value": row.first.value, "first_low": row.first.low, "first_high": row.first.high},
        **{"second_value": row.second.value, "second_low": row.second.low, "second_high": row.second.high},
        **{f"difference_{name}" if name in names[:3] else name: getattr(gap, name, None) for name in names},
    }
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in values.items()}


def _markdown_of(table: PairedTable) -> str:
    from v2f_bench.render.markdown import escaped
    from v2f_bench.render.markdown import table as as_table

    def laid_out(rows: Sequence[PairedRow]) -> str:
        lines = [[escaped(row_title(row)), *map(escaped, cells(row))] for row in rows]
        return as_table(["measure", *map(escaped, headings(table))], lines)

    parts = [
        f"## {escaped(table.names[0])} and {escaped(table.names[1])}",
        f"{escaped(table.dataset.name)}, {escaped(table.protocol.name)} ({escaped(table.protocol.hash)})",
        laid_out(table.rows),
        *([laid_out(table.groups)] if table.groups else []),
        "\n".join(f"* {escaped(note)}" for note in table.notes),
    ]
    return "\n\n".join(parts)


def _latex_of(table: PairedTable) -> str:
    from v2f_bench.render.latex import HEAD, escaped, table_of

    def line(row: PairedRow) -> list[str]:
        return [escaped(row_title(row)), *(escaped(cell) for cell in cells(row))]

    blocks = [[line(row) for row in rows] for rows in (table.rows, table.groups) if rows]
    caption = (
        f"{escaped(table.names[0])} and {escaped(table.names[1])} on {escaped(table.dataset.name)}, "
        f"{escaped(table.protocol.name)} ({escaped(table.protocol.hash)})."
    )
    return HEAD + table_of("lrrlrrrr", ["measure", *map(escaped, headings(table))], blocks, caption, table.notes)


def as_terminal(tables: Sequence[PairedTable]) -> str:
    from rich.text import Text

    from v2f_bench.render.terminal import bullet, grid, printed, terminal_width

    width = terminal_width()
    parts: list[Any] = []
    for table in tables:
        title = f"{plain(table.names[0])} and {plain(table.names[1])}"
        where = f"{plain(table.dataset.name)}: {plain(table.protocol.name)} ({plain(table.protocol.hash)})"
        parts += [Text(f"{title} on {where}", style="bold"), ""]
        for rows in (table.rows, table.groups):
            if rows:
                lines = [[short_title(row, table), *_for_width(cells(row), width)] for row in rows]
                parts += [grid(["measure", *_for_width(_short(headings(table)), width)], lines), ""]
        parts += [Text(line) for line in bullet(judges(table), width)]
        parts += [Text(line) for note in table.notes for line in bullet(plain(note), width)]
        parts.append("")
    return printed(parts, width)


def _short(names: list[str]) -> list[str]:
    return [*names[:2], "better by", *names[3:]]


def _for_width(cells_of_row: list[str], width: int) -> list[str]:
    """Without the numbers of speakers and trials where there is no room."""
    return cells_of_row if width >= 120 else cells_of_row[:-2]
