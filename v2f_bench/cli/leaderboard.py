"""`v2f-bench leaderboard`: finished runs as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def leaderboard(
    runs: Annotated[list[Path] | None, typer.Argument(help="Folders of runs; `runs` if none is given.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", dir_okay=False, help="Write to this file.")] = None,
    by: Annotated[
        list[str] | None, typer.Option("--by", help="Also by sex, age, ethnicity, emotion, intensity or duration.")
    ] = None,
    measures: Annotated[
        list[str] | None, typer.Option("--measure", help="Show this metric instead of the headline ones; repeatable.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="No number of a judge that is not independent.")] = False,
) -> None:
    """Print a markdown table of all finished runs below the given folders, one table a protocol.

    Only runs of one protocol are ranked together. Seeds of one method with one set of options are one row.

    \b
    Examples:
      v2f-bench leaderboard
      v2f-bench leaderboard --by sex --by age
      v2f-bench leaderboard --measure recognition-accuracy --measure sspp-gain
      v2f-bench leaderboard runs/synthetic-speakers --output leaderboards/synthetic-speakers.md
    """
    from v2f_bench.files import write_text_whole
    from v2f_bench.interfaces import BenchError
    from v2f_bench.leaderboard import render_groups, render_table
    from v2f_bench.leaderboard.record import find_records, read_record

    roots = runs or [Path("runs")]
    found = [folder for root in roots for folder in find_records(root)]
    if not found:
        raise BenchError(f"no finished runs below {', '.join(map(str, roots))}; `v2f-bench run` makes some")
    folders, problems = [], []
    for folder in found:
        try:
            read_record(folder)
            folders.append(folder)
        except BenchError as error:
            problems.append(str(error))
    for problem in problems:
        typer.echo(f"left out: {problem}", err=True)
    if not folders:
        raise BenchError(f"not one of {len(found)} records can be read")
    text = "\n\n".join(
        [render_table(folders, strict, measures or ()), *(render_groups(folders, label, strict) for label in by or [])]
    )
    if output is None:
        typer.echo(text)
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_text_whole(output, text + "\n")
        typer.echo(f"{len(folders)} run{'s' * (len(folders) != 1)} in {output}")
