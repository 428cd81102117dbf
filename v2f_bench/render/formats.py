"""The formats of a leaderboard, by name and by the ending of a file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from v2f_bench.interfaces import UsageError

if TYPE_CHECKING:
    from v2f_bench.leaderboard import Leaderboard


class Format(StrEnum):
    TERMINAL = "terminal"
    MARKDOWN = "md"
    CSV = "csv"
    CSV_LONG = "csv-long"
    JSON = "json"
    LATEX = "latex"
    HTML = "html"
    SVG = "svg"


ENDINGS = {
    **{".md": Format.MARKDOWN, ".markdown": Format.MARKDOWN, ".csv": Format.CSV, ".json": Format.JSON},
    **{".tex": Format.LATEX, ".html": Format.HTML, ".htm": Format.HTML, ".svg": Format.SVG, ".txt": Format.TERMINAL},
}
# Formats that show where rows stand in every column, not only in the one that ranks.
EVERY_COLUMN = frozenset({Format.CSV_LONG, Format.JSON, Format.HTML, Format.SVG})


def format_for(output: Path | None, wanted: Format | None) -> Format:
    """The format that was asked for, or that of a file's ending. UsageError for an ending that says nothing."""
    if wanted is not None or output is None:
        return wanted or Format.TERMINAL
    if output.suffix.lower() not in ENDINGS:
        raise UsageError(
            f"{output}: the ending does not say in which format; use {', '.join(ENDINGS)}, or say --format "
            f"{', '.join(Format)}"
        )
    return ENDINGS[output.suffix.lower()]


def render(leaderboard: Leaderboard, form: Format) -> str:
    """The leaderboard as text of a format, with a line end at its end."""
    if form is Format.MARKDOWN:
        from v2f_bench.render.markdown import as_markdown as as_text
    elif form is Format.CSV:
        from v2f_bench.render.csv import as_csv as as_text
    elif form is Format.CSV_LONG:
        from v2f_bench.render.csv import as_long_csv as as_text
    elif form is Format.JSON:
        from v2f_bench.render.json import as_json as as_text
    elif form is Format.LATEX:
        from v2f_bench.render.latex import as_latex as as_text
    elif form is Format.HTML:
        from v2f_bench.render.html import as_html as as_text
    elif form is Format.SVG:
        from v2f_bench.render.picture import as_svg as as_text
    else:
        from v2f_bench.render.terminal import as_terminal

        return as_terminal(leaderboard)
    return as_text(leaderboard)
