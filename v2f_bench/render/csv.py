"""A leaderboard as CSV: one row a method, or one a cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from v2f_bench.leaderboard import Leaderboard
from v2f_bench.render.rows import long_rows, wide_rows

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a spreadsheet takes for the beginning of one


def as_csv(leaderboard: Leaderboard) -> str:
    return rows_as_csv(wide_rows(leaderboard))


def as_long_csv(leaderboard: Leaderboard) -> str:
    return rows_as_csv(long_rows(leaderboard))


def rows_as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Rows under the names of all of them. Text that a spreadsheet would run as a formula gets a ' before it."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([_safe(name) for name in names])
    writer.writerows([[_safe(row.get(name)) for name in names] for row in rows])
    return stream.getvalue()


def _safe(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA) else value
