"""A leaderboard as LaTeX tables with booktabs, in plain ASCII: what they hold cannot be a command.

Values and half intervals stand in columns of their own, with as many decimals in every row, so that points align.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence

from v2f_bench.leaderboard import Board, GroupTable, Leaderboard
from v2f_bench.leaderboard.board import Bound, Cell
from v2f_bench.leaderboard.groups import GroupCell
from v2f_bench.leaderboard.reported import ReportedRow
from v2f_bench.render import layout
from v2f_bench.render.words import INDEPENDENCE, REFUSED, overview, plain

HEAD = "% Needs \\usepackage{booktabs}.\n"
_SPECIAL = {
    **{letter: f"\\{letter}" for letter in "{}$&#_%"},
    **{"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "\\textless{}"},
    **{">": "\\textgreater{}", "|": "\\textbar{}", '"': "''", "`": "\\textasciigrave{}"},
    **{"[": "{[}", "]": "{]}", "*": "{*}"},  # after the end of a row they would be arguments of it
    **{"±": "$\\pm$", "−": "$-$", "–": "--", "—": "---", "×": "$\\times$", "·": "$\\cdot$", "≥": "$\\geq$"},
    **{"≤": "$\\leq$", "†": "\\textdagger{}", "‡": "\\textdaggerdbl{}", "§": "\\S{}", "¶": "\\P{}", "↑": "$\\uparrow$"},
    **{"↓": "$\\downarrow$", "Δ": "$\\Delta$", "λ": "$\\lambda$", "ß": "\\ss{}", "ø": "\\o{}", "Ø": "\\O{}"},
    **{"æ": "\\ae{}", "Æ": "\\AE{}", "œ": "\\oe{}", "Œ": "\\OE{}", "ł": "\\l{}", "Ł": "\\L{}", "’": "'", "‘": "`"},
    **{"“": "``", "”": "''", "…": "\\ldots{}", "²": "$^2$", "∩": "$\\cap$", "∞": "$\\infty$"},
}
_ACCENTS = {
    **{"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u", "\u0307": "."},
    **{"\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c"},
}


def as_latex(leaderboard: Leaderboard) -> str:
    parts = [_board(board) for board in leaderboard.boards]
    parts += [_groups(board, tables, label) for board in leaderboard.boards for label, tables in board.groups.items()]
    return "\n".join([HEAD, *parts, *([_reported(leaderboard.reported)] if leaderboard.reported else [])])


def escaped(text: str) -> str:
    """Foreign text as ASCII that LaTeX prints as it is. A letter that has no command is shown by its code point."""
    return "".join(map(_letter, unicodedata.normalize("NFC", plain(text))))


def _letter(letter: str) -> str:
    if letter in _SPECIAL:
        return _SPECIAL[letter]
    if letter.isascii():
        return letter
    parts = unicodedata.normalize("NFD", letter)
    if len(parts) == 2 and parts[0].isascii() and parts[1] in _ACCENTS:
        return f"\\{_ACCENTS[parts[1]]}{{{parts[0]}}}"
    return f"\\texttt{{U+{ord(letter):04X}}}"


def _board(board: Board) -> str:
    laid = layout.ranking(board, escaped, without=("faces",))
    places = [_decimals(board, place) for place in range(len(board.columns))]
    heads = [*map(escaped, laid.heads), *map(_over_two, laid.titles)]
    rows = [[line.name, *map(escaped, line.facts), *_in_two(map(_cell, line.cells, places))] for line in laid.rows]
    bounds = [
        [f"\\emph{{{line.name}}}", *line.facts, *_in_two(map(_bound, line.cells, places))] for line in laid.bounds
    ]
    columns = "l" * 3 + "r" * (len(laid.heads) - 3) + "r@{\\,}l" * len(laid.titles)
    caption = f"{escaped(board.dataset.name)}, {escaped(board.protocol.name)} ({escaped(board.protocol.hash)}). "
    notes = [note.text for note in board.notes if note.brief]
    return table_of(columns, heads, [rows, bounds], caption + escaped(overview(board)), notes)


def _over_two(title: str) -> str:
    return f"\\multicolumn{{2}}{{c}}{{{title}}}"


def _in_two(cells: Iterable[tuple[str, str]]) -> list[str]:
    """Numbers and what stands right of each, for columns that align at the points."""
    return [text for cell in cells for text in cell]


def _cell(cell: Cell, decimals: int) -> tuple[str, str]:
    if cell.status != "measured":
        return (REFUSED if cell.status == "refused" else "--"), ""
    mark = INDEPENDENCE[cell.independent]
    return _number(cell.value, decimals), _reach(cell.low, cell.high, decimals) + (_SPECIAL[mark] if mark else "")


def _bound(bound: Bound | None, decimals: int) -> tuple[str, str]:
    return ("", "") if bound is None else (_number(bound.value, decimals), f"{{\\scriptsize {escaped(bound.answer)}}}")


def _number(value: float, decimals: int) -> str:
    return f"${value:z.{decimals}f}$"


def _reach(low: float, high: float, decimals: int) -> str:
    return "" if math.isnan(low) else f"$\\pm\\,{(high - low) / 2:.{decimals}f}$"


def _decimals(board: Board, place: int) -> int:
    """Of a column: one where a value has two digits before the point, else three."""
    values = [abs(row.cells[place].value) for row in board.rows if row.cells[place].status == "measured"]
    return 1 if max(values, default=0.0) >= 10 else 3


def _groups(board: Board, tables: Sequence[GroupTable], label: str) -> str:
    caption = f"{escaped(board.dataset.name)}, {escaped(board.protocol.name)}: by {label}."
    shown = []
    for each in tables:
        title, *names = layout.groups(each, escaped).heads
        rows = [[line.name, *_in_two(map(_group, line.cells))] for line in layout.groups(each, escaped).rows]
        columns = "l" + "r@{\\,}l" * len(names)
        shown.append(table_of(columns, [title, *map(_over_two, names)], [rows], caption, []))
    return "\n".join(shown)


def _group(cell: GroupCell | None) -> tuple[str, str]:
    if cell is None or math.isnan(cell.value):
        return "--", ""
    return _number(cell.value, 3), f"{_reach(cell.low, cell.high, 3)} ({cell.n}{', few' if cell.small else ''})"


def _reported(rows: Sequence[ReportedRow]) -> str:
    cells = [[escaped(fact.text(row)) for fact in layout.REPORTED] for row in rows]
    caption = "As papers report it, each in its own protocol: not comparable with our tables, and not ranked."
    columns = "lllrp{.25\\linewidth}p{.22\\linewidth}"
    return table_of(columns, [fact.heading for fact in layout.REPORTED], [cells], caption, [])


def table_of(
    columns: str, heads: Sequence[str], blocks: Sequence[Sequence[Sequence[str]]], caption: str, notes: Sequence[str]
) -> str:
    body = "\n\\midrule\n".join("\n".join(" & ".join(row) + " \\\\" for row in rows) for rows in blocks if rows)
    lines = [
        *("\\begin{table*}[t]", "\\centering", f"\\caption{{{caption}}}", "\\footnotesize"),
        *(f"\\begin{{tabular}}{{{columns}}}", "\\toprule", " & ".join(heads) + " \\\\", "\\midrule", body),
        *("\\bottomrule", "\\end{tabular}"),
        *(["\\par\\smallskip\\raggedright\\scriptsize " + " ".join(map(escaped, notes))] if notes else []),
        "\\end{table*}\n",
    ]
    return "\n".join(lines)
