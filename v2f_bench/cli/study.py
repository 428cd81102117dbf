"""`v2f-bench study`: what people say of the faces."""

from __future__ import annotations

import typer

from v2f_bench.cli.study_export import export
from v2f_bench.cli.study_plan import plan
from v2f_bench.cli.study_score import score
from v2f_bench.cli.study_serve import serve

study = typer.Typer(
    help="Ask people: plan a study, export it from runs, serve it, score the answers.\n\n"
    "Example: v2f-bench study export --run runs/synthetic-speakers/cae/seed0-1a2b3c4d --design match-2afc -o my-study",
    invoke_without_command=True,
    rich_markup_mode=None,
)


@study.callback()
def _help(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


study.command()(plan)
study.command()(export)
study.command()(serve)
study.command()(score)
