"""How numbers and names are written, in whatever format."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence

from v2f_bench.leaderboard.board import Board, Cell, Row
from v2f_bench.leaderboard.columns import Column
from v2f_bench.leaderboard.differences import Gap
from v2f_bench.leaderboard.groups import GroupCell
from v2f_bench.leaderboard.measure_titles import measure_title
from v2f_bench.leaderboard.standings import Standing
from v2f_bench.record import Slice

ANSWER = "†"
DISAGREE = "¶"
INDEPENDENCE = {True: "", False: "‡", None: "§"}
NOT_MEASURED = "not measured"
REFUSED = "refused"
FEW = "few"  # of groups with under ten speakers
JOINER = "\u200d"


def plain(text: str) -> str:
    """Foreign text on one line, without control and formatting characters: nothing in it moves the cursor, or turns
    the direction of writing. Emojis keep their joiner."""
    letters = (" " if letter.isspace() else letter for letter in text)
    kept = (one for one in letters if one == JOINER or unicodedata.category(one) not in ("Cc", "Cf", "Cs"))
    return " ".join("".join(kept).split())


def digits(value: float) -> str:
    """As many as say something: three decimals below 10, one above."""
    return f"{value:z.3f}" if abs(value) < 10 else f"{value:.1f}"


def number(value: float | None) -> str:
    return "" if value is None else digits(value)


def half(low: float, high: float) -> str:
    """Half of an interval; "" where there is none."""
    return "" if math.isnan(low) else digits((high - low) / 2)


def with_half(value: float, low: float, high: float) -> str:
    """As in "0.154 ± 0.042"."""
    return digits(value) + (f" ± {reach}" if (reach := half(low, high)) else "")


def rank_words(standing: Standing | None) -> str:
    """As in "2 [1, 4]": the rank, and those that it cannot be told apart from."""
    if standing is None or standing.rank is None:
        return ""
    return str(standing.rank) if standing.best is None else f"{standing.rank} [{standing.best}, {standing.worst}]"


def cell_words(cell: Cell) -> str:
    if cell.status == "refused":
        return f"{REFUSED} {INDEPENDENCE[False]}"
    if cell.status == "not measured":
        return NOT_MEASURED
    return f"{with_half(cell.value, cell.low, cell.high)} {INDEPENDENCE[cell.independent]}".rstrip()


def gap_words(gap: Gap | None) -> str:
    if gap is None:
        return ""
    ends = "" if math.isnan(gap.low) else f" [{gap.low:+z.3f}, {gap.high:+z.3f}]"
    return f"{gap.value:+z.3f}{ends}{' *' if gap.significant else ''}"


def group_words(cell: GroupCell | None) -> str:
    """As in "0.250 ± 0.050 (40)": with the number of trials."""
    if cell is None:
        return ""
    if math.isnan(cell.value):
        return NOT_MEASURED
    return f"{with_half(cell.value, cell.low, cell.high)} ({cell.n})" + (f" ({FEW})" if cell.small else "")


def slice_words(one: Slice | None) -> str:
    """As `group_words`, of one run."""
    if one is None:
        return ""
    value, low, high = (float("nan") if end is None else end for end in (one.value, one.low, one.high))
    return group_words(GroupCell(value, low, high, one.n, one.speakers, one.small))


def row_name(row: Row, escape: Callable[[str], str] = plain) -> str:
    """With its marks, escaped as a whole."""
    marks = [ANSWER] * bool(row.answers) + [DISAGREE] * bool(row.judges_disagree)
    elsewhere = ["(pictures made elsewhere)"] * row.elsewhere
    return escape(" ".join([row.name, *marks, *elsewhere]))


def titles(columns: Sequence[Column], escape: Callable[[str], str] = plain) -> list[str]:
    """The columns' headings; where several judges give one measure, each with its judge; people with their study."""
    measures = [column.measure for column in columns]
    titles = []
    for column in columns:
        title = escape(measure_title(column.measure, column.better))
        if column.by_people:
            title += f" (people, study {escape(column.study[:8])})"
        elif measures.count(column.measure) > 1:
            title += f" ({escape(column.judge)})"
        titles.append(title)
    return titles


def heading(board: Board) -> str:
    return f"{plain(board.dataset.name)}: {plain(board.protocol.name)} ({plain(board.protocol.hash)})"


def overview(board: Board) -> str:
    """What the numbers of a board rest on."""
    protocol = board.protocol
    return (
        f"{protocol.trials} trials of {protocol.speakers} test speakers, gallery of {protocol.gallery}, "
        f"{protocol.splits['train'].speakers} training speakers; faces seen at {protocol.resolution} px. "
        "Value ± half of its 95 % interval (over speakers, and over seeds where there are three or more)."
    )
