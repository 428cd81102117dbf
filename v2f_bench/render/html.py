"""A leaderboard as one HTML page: sort, filter, link to a row; works without JavaScript and without a network."""

from __future__ import annotations

from collections.abc import Mapping

from v2f_bench import __version__
from v2f_bench.leaderboard import Board, Leaderboard
from v2f_bench.leaderboard.reported import REPORTED
from v2f_bench.render.page import data_uri, page
from v2f_bench.render.picture import board_svg

THUMBNAIL = "thumbnail.webp"  # beside a record, if it is there: some of the run's faces
LARGEST_THUMBNAIL = 6144  # bytes; a larger one is not shown


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
    """Some faces of each row, of its first run that has them, where the data set allows to show them."""
    if board.dataset.may_be_shown != "yes":
        return {}
    uris = {}
    for row in board.rows:
        files = (folder / THUMBNAIL for folder in row.folders)
        file = next((file for file in files if file.is_file() and file.stat().st_size <= LARGEST_THUMBNAIL), None)
        if file is not None:
            uris[row.name] = data_uri(file.read_bytes(), "image/webp")
    return uris
