"""A leaderboard for the terminal: a table that fits its width, with the columns and notes that matter most."""

from __future__ import annotations

import io
import shutil
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from v2f_bench.leaderboard import Board, Leaderboard
from v2f_bench.leaderboard.board import Bound
from v2f_bench.render import layout
from v2f_bench.render.words import cell_words, digits, group_words, heading, overview, plain

if TYPE_CHECKING:
    from rich.console import RenderableType

FALLBACK_WIDTH = 100  # columns, where output goes to no terminal and $COLUMNS says nothing
NAMES = 30  # columns that the names of rows may take; longer ones wrap
GAP = 2  # columns between two columns


def as_terminal(leaderboard: Leaderboard, width: int | None = None, colours: bool = False) -> str:
    """Text of at most `width` columns; None: as wide as the terminal is."""
    width = width or terminal_width()
    parts: list[RenderableType] = []
    for board in leaderboard.boards:
        parts += [*_board(board, width), ""]
    if leaderboard.reported:
        parts.append(f"Papers report {len(leaderboard.reported)} numbers on these data sets: --format md shows them.")
    return printed(parts, width, colours)


def terminal_width() -> int:
    return shutil.get_terminal_size((FALLBACK_WIDTH, 40)).columns


def printed(parts: Sequence[RenderableType], width: int, colours: bool = False) -> str:
    """Rich's renderables as text; text in them is taken as it is, without markup."""
    from rich.console import Console

    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width,
        force_terminal=colours,
        no_color=not colours,
        markup=False,
        emoji=False,
        highlight=False,
    )
    for part in parts:
        console.print(part)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()).strip("\n") + "\n"


def grid(headers: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> RenderableType:
    """A plain table; its first `left` columns are aligned to the left."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold")
    for place, header in enumerate(headers):
        table.add_column(
            Text(header),
            justify="left" if place < left else "right",
            overflow="fold",
            max_width=NAMES if place == 0 else None,
        )
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _board(board: Board, width: int) -> list[RenderableType]:
    from rich.text import Text

    headers, rows, hidden = _columns_that_fit(board, width)
    notes = [plain(note.text) for note in board.notes if note.brief]
    if hidden:
        notes.append(f"Not shown here: {', '.join(hidden)}.")
    tables: list[RenderableType] = [
        Text(heading(board), style="bold"),
        Text(overview(board)),
        "",
        grid(headers, rows),
        "",
    ]
    for label, tables_of_label in board.groups.items():
        tables += [
            Text(f"By {label}", style="bold"),
            *([] if tables_of_label else [f"No trial has the label {label}."]),
        ]
        for each in tables_of_label:
            laid = layout.groups(each)
            tables += [grid(laid.heads, [[line.name, *map(group_words, line.cells)] for line in laid.rows]), ""]
    return [*tables, *(Text(line) for note in notes for line in bullet(note, width))]


def bullet(note: str, width: int) -> list[str]:
    """A note as the lines of a list."""
    return textwrap.wrap(note, width, initial_indent="· ", subsequent_indent="  ")


def _columns_that_fit(board: Board, width: int) -> tuple[list[str], list[list[str]], list[str]]:
    """Headers, rows, and the titles of the columns that there is no room for."""
    laid = layout.ranking(board, without=("seeds", "faces"))
    heads, hidden = laid.heads, []
    rows = [[line.name, *line.facts] for line in laid.rows] + [[line.name, *line.facts] for line in laid.bounds]
    used = min(NAMES, _width(0, heads, rows)) + sum(GAP + _width(place, heads, rows) for place in range(1, len(heads)))
    for place, title in enumerate(laid.titles):
        cells = [cell_words(line.cells[place]) for line in laid.rows]
        cells += [_bound(line.cells[place]) for line in laid.bounds]
        longest = max(map(len, cells))
        lines = _wrapped(title, longest)
        if used + GAP + max(longest, *map(len, lines)) > width and place:
            hidden.append(title)
            continue
        used += GAP + max(longest, *map(len, lines))
        heads.append("\n".join(lines))
        for row_cells, cell in zip(rows, cells, strict=True):
            row_cells.append(cell)
    return heads, rows, hidden


def _width(place: int, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    return max(len(headers[place]), *(len(row[place]) for row in rows))


def _wrapped(title: str, width: int) -> list[str]:
    return textwrap.wrap(title, max(width, 8), break_long_words=False) or [title]


def _bound(bound: Bound | None) -> str:
    return "" if bound is None else digits(bound.value)
