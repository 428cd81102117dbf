"""`v2f-bench report`: a page about a run, to open from disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from v2f_bench.cli.options import DataRoot, NoPeople
from v2f_bench.cli.tables import read_runs, say, write_page

if TYPE_CHECKING:
    from v2f_bench.record import Record


def report(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs, or folders that hold some.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", dir_okay=False, help="Default: report.html in the run's folder, or here."),
    ] = None,
    beside: Annotated[
        list[Path] | None,
        typer.Option("--beside", help="Runs for its tables; default: those in the folder of the data set."),
    ] = None,
    data_root: DataRoot = None,
    no_people: NoPeople = False,
) -> None:
    """Write a page about runs: numbers beside other runs, curves, confusions, and trials with the voices to play.

    Best, worst, drawn by lot, and those on which judges disagree. `v2f-bench run` writes one for each run. The page
    needs no network and no JavaScript.

    \b
    Examples:
      v2f-bench report runs/synthetic-speakers/cae/seed0-1a2b3c4d
      v2f-bench report runs/synthetic-speakers/cae runs/synthetic-speakers/cgan --output both.html
      v2f-bench report runs/voxceleb/cae/seed0-1a2b3c4d --no-people --output for-the-web.html
    """
    from v2f_bench.cli.display import progress_display
    from v2f_bench.leaderboard import leaderboard
    from v2f_bench.report import REPORT, open_people, report_page

    records = read_runs(runs)
    others = read_runs(beside or _around(records))
    boards = leaderboard({**others, **records}, say=say).boards
    people = open_people(records, data_root, progress_display(), not no_people)
    if output is None:
        output = next(iter(records)) / REPORT if len(records) == 1 else Path(REPORT)
    write_page(output, report_page(records, boards, people, not no_people))


def _around(records: dict[Path, Record]) -> list[Path]:
    """Where runs of the same data set lie: the folder above that of the method, as `v2f-bench run` lays them out."""
    return list(
        dict.fromkeys(
            folder.parent.parent if folder.parent.name == record.method.name else folder
            for folder, record in records.items()
        )
    )
