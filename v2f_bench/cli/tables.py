"""What verbs that show tables share: reading runs, printing a leaderboard, writing it to a file."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from v2f_bench.render.formats import Format

if TYPE_CHECKING:
    from v2f_bench.leaderboard import Choice
    from v2f_bench.record import Record

__all__ = [
    "Format",
    "full_page",
    "read_runs",
    "say",
    "show_leaderboard",
    "without_collector",
    "write_leaderboard",
    "write_page",
]

FIT_A_PAGE = 4  # columns of numbers, across the text of a paper


@contextmanager
def without_collector() -> Iterator[None]:
    """Python's collector of cycles would look through thousands of records again and again, and find nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def say(line: str) -> None:
    """On standard error: what was left out, and why."""
    typer.echo(line, err=True)


def read_runs(roots: Sequence[Path], with_slices: bool = True) -> dict[Path, Record]:
    """The records of all finished runs below some folders; what cannot be read is named and left out.

    Raises:
        BenchError: there is none.
    """
    from v2f_bench.interfaces import BenchError
    from v2f_bench.record import find_records, read_records

    for root in roots:
        if not root.exists():
            raise BenchError(f"{root} is not there; `v2f-bench run` makes runs")
    folders = list(dict.fromkeys(folder for root in roots for folder in find_records(root)))
    if not folders:
        raise BenchError(f"no finished runs below {', '.join(map(str, roots))}; `v2f-bench run` makes some")
    records = read_records(folders, say, with_slices)
    if not records:
        raise BenchError(f"not one of {len(folders)} records can be read")
    return records


def show_leaderboard(records: dict[Path, Record], choice: Choice, form: Format, roots: Sequence[Path]) -> None:
    """Print it; below a terminal's table stands how to get the whole page."""
    from v2f_bench.leaderboard import leaderboard
    from v2f_bench.render import render

    typer.echo(render(leaderboard(records, choice, say), form), nl=False)
    if form is Format.TERMINAL:
        typer.echo(f"\n{full_page(roots)}")


def full_page(roots: Sequence[Path]) -> str:
    """Where all that a terminal has no room for is one step away."""
    where = " ".join(map(str, roots))
    return f"All columns, differences and notes: v2f-bench leaderboard {where} --output page.html (or .md, .tex, .csv)"


def write_leaderboard(records: dict[Path, Record], choice: Choice, form: Format, output: Path) -> None:
    from v2f_bench.leaderboard import leaderboard
    from v2f_bench.render import render

    made = leaderboard(records, choice, say)
    write_page(output, render(made, form), f"{len(records)} runs in")
    widest = max((len(board.columns) for board in made.boards), default=0)
    if form is Format.LATEX and widest > FIT_A_PAGE:
        typer.echo(f"{widest} columns of numbers do not fit a page: choose some by --measure NAME, repeated")


def write_page(output: Path, text: str, what: str = "written:") -> None:
    """Text to a file, whole or not at all, and a line that says so."""
    from v2f_bench.files import write_text_whole

    output.parent.mkdir(parents=True, exist_ok=True)
    write_text_whole(output, text)
    typer.echo(f"{what} {output}")
