"""`v2f-bench leaderboard`: finished runs as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from v2f_bench.cli.options import Measures, RankBy, Strict
from v2f_bench.cli.tables import Format, read_runs, show_leaderboard, without_collector, write_leaderboard


def leaderboard(
    runs: Annotated[list[Path] | None, typer.Argument(help="Folders of runs; `runs` if none is given.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", dir_okay=False, help="Write to this file.")] = None,
    form: Annotated[
        Format | None, typer.Option("--format", "-f", help="Default: by the ending of --output, else terminal.")
    ] = None,
    measures: Measures = None,
    methods: Annotated[
        list[str] | None,
        typer.Option("--method", "-m", help="Only these rows: a name or a pattern with *; repeatable."),
    ] = None,
    order: Annotated[
        str, typer.Option(help="Of rows: rank, name, overall (see --overall), or given (as --method names them).")
    ] = "rank",
    overall: Annotated[
        bool, typer.Option("--overall", help="Also the mean normalised rank over all columns, with its interval.")
    ] = False,
    by: Annotated[
        list[str] | None, typer.Option("--by", help="Also by sex, age, ethnicity, emotion, intensity or duration.")
    ] = None,
    rank_by: RankBy = "",
    strict: Strict = False,
) -> None:
    """Show all finished runs below the given folders, one table a protocol.

    Only runs of one protocol are ranked together. Seeds of one method with one set of options are one row. Formats:
    terminal, md, csv (a row a method), csv-long (a row a number, for pandas), json, latex, html (a page that needs no
    network) and svg (which rows can be told apart).

    \b
    Examples:
      v2f-bench leaderboard
      v2f-bench leaderboard --measure recognition-accuracy --method cae --method 'cgan*' --order given
      v2f-bench leaderboard laptop/runs cluster/runs --output table.tex
      v2f-bench leaderboard --measure retrieval/R@5 --measure identity-cosine/target --output narrow.tex
      v2f-bench leaderboard runs/synthetic-speakers --by sex --by age --output page.html
      v2f-bench leaderboard --format csv-long --output numbers.csv     (then pandas.read_csv("numbers.csv"))
    """
    from v2f_bench.leaderboard import Choice
    from v2f_bench.render import FORMS, format_for

    chosen = format_for(output, form)
    choice = Choice(
        measures=tuple(measures or ()),
        methods=tuple(methods or ()),
        order=order,
        rank_by=rank_by,
        strict=strict,
        by=tuple(by or ()),
        overall=overall,
        every_column=FORMS[chosen].every_column,
    )
    roots = runs or [Path("runs")]
    with without_collector():
        records = read_runs(roots, with_slices=bool(by))
        if output is None:
            show_leaderboard(records, choice, chosen, roots)
        else:
            write_leaderboard(records, choice, chosen, output)
