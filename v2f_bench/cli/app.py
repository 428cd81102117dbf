"""The verbs."""

from __future__ import annotations

import typer

from v2f_bench import __version__
from v2f_bench.cli.compare import compare
from v2f_bench.cli.doctor import doctor
from v2f_bench.cli.generate import generate
from v2f_bench.cli.info import info
from v2f_bench.cli.leaderboard import leaderboard
from v2f_bench.cli.list import list_plugins
from v2f_bench.cli.prepare import prepare
from v2f_bench.cli.report import report
from v2f_bench.cli.run import run
from v2f_bench.cli.score import score
from v2f_bench.cli.study import study
from v2f_bench.cli.submit import submit
from v2f_bench.cli.trials import trials
from v2f_bench.cli.validate import validate
from v2f_bench.cli.weights import weights

app = typer.Typer(
    name="v2f-bench",
    help="Train or load models that draw a face from a voice, run them on a fixed protocol, score and rank them.\n\n"
    "Example: v2f-bench run --method cae --dataset synthetic-speakers",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(run)
app.command(name="list")(list_plugins)
app.command()(info)
app.command()(doctor)
app.command()(prepare)
app.command()(trials)
app.command()(score)
app.command()(leaderboard)
app.command()(compare)
app.command()(report)
app.command()(submit)
app.command()(validate)
app.command()(generate)
app.add_typer(weights, name="weights")
app.add_typer(study, name="study")


@app.callback(invoke_without_command=True)
def _version(
    version: bool = typer.Option(False, "--version", help="Print the version and stop.", is_eager=True),
) -> None:
    if version:
        typer.echo(f"v2f-bench {__version__}")
        raise typer.Exit
