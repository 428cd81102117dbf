"""`v2f-bench validate`: whether a run that somebody hands in is what it says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from v2f_bench.cli.options import DataRoot

if TYPE_CHECKING:
    from v2f_bench.validation import Check


def validate(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs, or folders that hold some.")],
    against: Annotated[
        list[Path] | None, typer.Option("--against", help="Records that their judges are held against; repeatable.")
    ] = None,
    faces: Annotated[bool, typer.Option(help="Also score the faces anew, if they and the data set are here.")] = True,
    data_root: DataRoot = None,
) -> None:
    """Check runs: their files, protocol, trials, numbers, judges and faces; exits 1 where something differs.

    Numbers are computed anew from per-trial values, exactly; and from the faces, where they and the data set are here,
    with the judges of the record (up to 0.001: processors differ in the last digits). What could not be checked is
    said.

    \b
    Examples:
      v2f-bench validate submission
      v2f-bench validate submission --against leaderboards/records
      v2f-bench validate leaderboards/records --no-faces
    """
    from v2f_bench.cli.display import progress_display
    from v2f_bench.cli.tables import read_runs
    from v2f_bench.interfaces import BenchError, DataError
    from v2f_bench.record import find_records
    from v2f_bench.validation import validate as verdict_on

    folders = list(dict.fromkeys(folder for root in runs for folder in find_records(root)))
    if not folders:
        raise BenchError(f"no records below {', '.join(map(str, runs))}")
    others = list(read_runs(against, with_slices=False).values()) if against else []
    display, refused = progress_display(), 0
    for folder in folders:
        verdict = verdict_on(folder, others, display, data_root, faces)
        refused += bool(verdict.problems)
        typer.echo(f"{folder}: {'REFUSED' if verdict.problems else 'nothing found'}")
        for line in (line for check in verdict.checks for line in _lines(check)):
            typer.echo(f"  {line}")
    if refused:
        raise DataError(f"{refused} of {len(folders)} runs are not what they say (see above)")


def _lines(check: Check) -> list[str]:
    mark = "DIFFERS" if check.problems else "checked" if check.done else "not checked"
    first = f"{mark:11} {check.name}" + (f": {check.done}" if check.done else "")
    return [
        first,
        *(f"            differs: {problem}" for problem in check.problems),
        *(f"            not checked: {reason}" for reason in check.not_checked),
    ]
