"""The formats of leaderboards and comparisons, by name and by the ending of a file. A new one is one more `Form`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from v2f_bench.interfaces import UsageError

if TYPE_CHECKING:
    from v2f_bench.leaderboard import Leaderboard
    from v2f_bench.leaderboard.compare import PairedTable


class Format(StrEnum):
    TERMINAL = "terminal"
    MARKDOWN = "md"
    CSV = "csv"
    CSV_LONG = "csv-long"
    JSON = "json"
    LATEX = "latex"
    HTML = "html"
    SVG = "svg"


@dataclass(frozen=True)
class Form:
    """How a format is made. Modules are those of `render/`, and are imported when their format is asked for.

    Attributes:
        leaderboard: module:function that makes text of a `Leaderboard`.
        comparison: module:function that makes text of several `PairedTable`; "" where there is none.
        endings: of files in that format.
        every_column: whether it shows where rows stand in every column, not only in the one that ranks.
    """

    leaderboard: str
    comparison: str
    endings: tuple[str, ...] = ()
    every_column: bool = False


FORMS = {
    Format.TERMINAL: Form("terminal:as_terminal", "paired:as_terminal", (".txt",)),
    Format.MARKDOWN: Form("markdown:as_markdown", "paired:as_markdown", (".md", ".markdown")),
    Format.CSV: Form("csv:as_csv", "paired:as_csv", (".csv",)),
    Format.CSV_LONG: Form("csv:as_long_csv", "", every_column=True),
    Format.JSON: Form("json:as_json", "paired:as_json", (".json",), every_column=True),
    Format.LATEX: Form("latex:as_latex", "paired:as_latex", (".tex",)),
    Format.HTML: Form("html:as_html", "", (".html", ".htm"), every_column=True),  # its comparison: `report/`
    Format.SVG: Form("picture:as_svg", "", (".svg",), every_column=True),
}
COMPARED = tuple(name for name, form in FORMS.items() if form.comparison or name is Format.HTML)
ENDINGS = {ending: name for name, form in FORMS.items() for ending in form.endings}


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
    text: str = _function(FORMS[form].leaderboard)(leaderboard)
    return text


def render_comparison(tables: Sequence[PairedTable], form: Format) -> str:
    """The comparisons as text of a format, with a line end at its end. UsageError for a format that has none."""
    if not FORMS[form].comparison:
        raise UsageError(f"a comparison has no format {form}; there is: {', '.join(COMPARED)}")
    text: str = _function(FORMS[form].comparison)(tables)
    return text


def _function(name: str) -> Callable[[Any], str]:
    module, _, function = name.partition(":")
    made: Callable[[Any], str] = getattr(import_module(f"v2f_bench.render.{module}"), function)
    return made
