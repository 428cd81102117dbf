"""A leaderboard as one HTML page: sort, filter, link to a row; works without JavaScript and without a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from v2f_bench import __version__
from v2f_bench.leaderboard import Board, Leaderboard
from v2f_bench.leaderboard.reported import REPORTED
from v2f_bench.render.page import data_uri, page
from v2f_bench.render.picture import board_svg

THUMBNAIL = "thumbnail.webp"  # beside a record: some of the run's faces


def as_html(leaderboard: Leaderboard) -> str:
    """The page of all boards, with every number that papers report, each in its own protocol."""
    return page(
        "site.html",
        boards=leaderboard.boards,
        reported=REPORTED,
        pictures=[board_svg(board) for board in leaderboard.boards],
        thumbnails=[thumbnails(board) for board in leaderboard.boards],
        version=__version__,
    )


def thumbnails(board: Board) -> Mapping[str, str]:
    """Some faces of each row, where its record has them beside it and the data set allows to show them."""
    if board.dataset.may_be_shown != "yes":
        return {}
    uris = {}
    for row in board.rows:
        file = next((folder / THUMBNAIL for folder in row.folders if (folder / THUMBNAIL).is_file()), None)
        if file is not None:
            uris[row.name] = data_uri(Path(file).read_bytes(), "image/webp")
    return uris
