"""Which rows can be told apart: a picture over the data sets and metrics of a leaderboard.

As a critical-difference diagram (Demšar 2006, figure 1), but by our own tie groups: each line joins the rows that do
not differ by paired, corrected tests on the same trials, instead of a distance of mean ranks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from v2f_bench.leaderboard import Board, Leaderboard
from v2f_bench.leaderboard.columns import Column
from v2f_bench.leaderboard.standings import letters_of
from v2f_bench.render.figures import FAINT, INK, SHADE, name_rows, new_figure, svg_of
from v2f_bench.render.words import heading, row_name, titles

ACROSS = 3  # panels beside each other
PANEL, ROW, HEAD = 4.0, 0.17, 0.8  # inches: width of a panel, height of a row and of what stands around the rows


def as_svg(leaderboard: Leaderboard) -> str:
    """All boards below each other."""
    boards = [board for board in leaderboard.boards if _panels(board)]
    lines = [-(-len(_panels(board)) // ACROSS) for board in boards]
    heights = [count * (HEAD + ROW * len(board.rows)) + 0.3 for count, board in zip(lines, boards, strict=True)]
    figure = new_figure(ACROSS * PANEL, max(sum(heights), 1.0))
    if boards:
        parts = figure.subfigures(len(boards), 1, height_ratios=heights, squeeze=False)[:, 0]
        for part, board in zip(parts, boards, strict=True):
            draw_board(part, board)
    return svg_of(figure)


def board_svg(board: Board) -> str:
    """One board; "" where no column of it has tie groups."""
    if not _panels(board):
        return ""
    lines = -(-len(_panels(board)) // ACROSS)
    figure = new_figure(ACROSS * PANEL, lines * (HEAD + ROW * len(board.rows)) + 0.3)
    draw_board(figure, board)
    return svg_of(figure)


def draw_board(figure: Any, board: Board) -> None:
    """A panel for each column that has tie groups: values with intervals, the best row first, and a line a group."""
    panels = _panels(board)
    figure.suptitle(heading(board), fontsize=9, parse_math=False)
    axes = figure.subplots(-(-len(panels) // ACROSS), ACROSS, squeeze=False).ravel()
    for unused in axes[len(panels) :]:
        unused.set_axis_off()
    names = dict(zip(board.columns, titles(board.columns), strict=True))
    for column, axis in zip(panels, axes, strict=False):
        _draw_column(axis, board, column, names[column])


def _panels(board: Board) -> list[Column]:
    return [
        column
        for place, column in enumerate(board.columns)
        if any(one.tie for row in board.rows if (one := row.cells[place].standing))
    ]


def _draw_column(axis: Any, board: Board, column: Column, title: str) -> None:
    place = board.columns.index(column)
    rows = [row for row in board.rows if row.cells[place].status == "measured"]
    rows.sort(key=lambda row: row.cells[place].value, reverse=column.better == "higher")
    cells = [row.cells[place] for row in rows]
    low, high = (np.array([getattr(cell, end) for cell in cells]) for end in ("low", "high"))
    values, heights = np.array([cell.value for cell in cells]), np.arange(len(cells))
    answers = np.array([bool(row.answers) for row in rows])
    axis.hlines(heights, low, high, color=SHADE, linewidth=2)
    axis.plot(values[~answers], heights[~answers], "o", markersize=3.5, color=INK)
    axis.plot(values[answers], heights[answers], "o", markersize=3.5, color=INK, markerfacecolor="white")
    name_rows(axis, [row_name(row) for row in rows])
    axis.set_title(title, fontsize=8, parse_math=False)
    _draw_groups(axis, [letters_of(cell.standing.tie) if cell.standing else set() for cell in cells], low, high, values)


def _draw_groups(axis: Any, ties: list[set[str]], low: np.ndarray, high: np.ndarray, values: np.ndarray) -> None:
    """A line for each tie group, to the right of the data."""
    ends = np.concatenate([values, low, high])
    left, right = np.nanmin(ends), np.nanmax(ends)
    width = right - left or 1.0
    groups = sorted({letter for tie in ties for letter in tie}, key=lambda letter: [letter not in tie for tie in ties])
    members = [[height for height, tie in enumerate(ties) if letter in tie] for letter in groups]
    across = right + width * (0.08 + 0.05 * np.arange(len(groups)))
    axis.vlines(across, [m[0] - 0.3 for m in members], [m[-1] + 0.3 for m in members], color=INK, linewidth=1.5)
    dots = [(x, height) for x, group in zip(across, members, strict=True) for height in group]
    axis.plot(*zip(*dots, strict=True), "o", markersize=2, color=INK)
    axis.set_xlim(left - 0.04 * width, right + width * (0.1 + 0.05 * len(groups)))
    axis.set_xticks([tick for tick in axis.get_xticks() if left - 0.05 * width <= tick <= right + 0.02 * width])
    axis.tick_params(axis="x", labelsize=6.5)
    axis.grid(axis="x", color=FAINT, linewidth=0.5)
    axis.set_axisbelow(True)
    axis.spines["bottom"].set_bounds(left, right)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
