"""`v2f-bench compare`: is one method really better than another?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from v2f_bench.cli.options import DataRoot, Measures, NoPeople
from v2f_bench.cli.tables import read_runs, say, write_page
from v2f_bench.render.formats import COMPARED, Format


def compare(
    first: Annotated[str, typer.Argument(help="A method by its name in --runs, or a folder of its runs.")],
    second: Annotated[str, typer.Argument(help="The other one.")],
    runs: Annotated[
        list[Path] | None, typer.Option("--runs", help="Folder in which methods are looked for; repeatable.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", dir_okay=False, help="Write to this file.")] = None,
    form: Annotated[
        Format | None,
        typer.Option(
            "--format",
            "-f",
            metavar=f"[{'|'.join(COMPARED)}]",
            help="Default: by the ending of --output, else terminal.",
        ),
    ] = None,
    measures: Measures = None,
    by: Annotated[
        list[str] | None, typer.Option("--by", help="Also by sex, age, ethnicity, emotion, intensity or duration.")
    ] = None,
    rank_by: Annotated[str, typer.Option("--rank-by", help="Order single trials by this judge's numbers.")] = "",
    data_root: DataRoot = None,
    no_people: NoPeople = False,
) -> None:
    """Compare two methods on the same trials: paired differences with intervals, p and effect size.

    All seeds of each count. Formats: terminal, md, csv, json, latex, and html: a page that also shows the trials on
    which they differ most, with the voices to play.

    \b
    Examples:
      v2f-bench compare cae copy-proposal
      v2f-bench compare 'cgan (conditions=both)' cae --by sex --output compared.html
      v2f-bench compare runs/synthetic-speakers/cae/seed0-1a2b3c4d elsewhere/cae --measure retrieval
    """
    from v2f_bench.cli.display import progress_display
    from v2f_bench.leaderboard.compare import compare as compare_runs
    from v2f_bench.leaderboard.compare import runs_called
    from v2f_bench.render import format_for, render_comparison

    chosen = format_for(output, form)
    sides = [
        read_runs([Path(name)]) if Path(name).is_dir() else runs_called(read_runs(runs or [Path("runs")]), name)
        for name in (first, second)
    ]
    tables = compare_runs(sides[0], sides[1], measures or (), by or (), rank_by, say)
    if chosen is Format.HTML:
        from v2f_bench.report import comparison_page, open_people

        shown = {table.first.folders[0]: table.first.records[0] for table in tables}
        people = open_people(shown, data_root, progress_display(), not no_people)
        text = comparison_page(tables, people, not no_people)
    else:
        text = render_comparison(tables, chosen)
    if output is None:
        typer.echo(text, nl=False)
        if chosen is Format.TERMINAL:
            typer.echo("\nThe trials on which they differ most, with voices: add --output compared.html")
        return
    write_page(output, text)
