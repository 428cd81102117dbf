"""`v2f-bench weights`: the files that judges need, and how they get here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from v2f_bench.interfaces import WeightsFile

weights = typer.Typer(
    help="Show, fetch and place the weights that judges need. Nothing is fetched without being asked for.\n\n"
    "Example: v2f-bench weights get facenet-vggface2",
    invoke_without_command=True,
    rich_markup_mode=None,
)


@weights.callback()
def _help(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@weights.command(name="list")
def list_weights(
    cards: Annotated[list[Path] | None, typer.Argument(help="Judge cards whose files to list too.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """List every judge that needs a file: how big, under which licence, and whether it is here and the right one.

    \b
    Examples:
      v2f-bench weights list
      v2f-bench weights list cards/*.toml --json
    """
    from tabulate import tabulate

    from v2f_bench.judges.onnx import read_card
    from v2f_bench.judges.weights import WEIGHTS_VARIABLE, places, state_of
    from v2f_bench.plugins import registry

    judges = [plugin.cls for plugin in registry().all("judge")]
    needing = [*(judge for judge in judges if judge.weights), *(read_card(card) for card in cards or [])]
    folder = _folder()
    rows: list[dict[str, Any]] = []
    for judge in needing:
        file = next((place for place in places(judge.weights, folder) if place.is_file()), None)
        rows.append(
            {
                "judge": judge.name,
                "file": Path(judge.weights.file).name,
                "MB": round(file.stat().st_size / 1e6 if file else judge.weights.megabytes, 1) or None,
                "licence": judge.weights.licence,
                "sha256": judge.weights.sha256,
                "state": state_of(judge.weights, folder),
                "path": None if file is None else str(file),
                "url": judge.weights.url,
            }
        )
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "weights": rows}, indent=1))
        return
    shown = [
        {**row, "sha256": f"{row['sha256'][:8]}…" if row["sha256"] else "not stated"}
        | ({"licence": f"{row['licence'][:38]}…"} if len(row["licence"]) > 39 else {})
        for row in rows
    ]
    columns = ("judge", "file", "MB", "licence", "sha256", "state")
    typer.echo(tabulate([[row[column] for column in columns] for row in shown], headers=columns, tablefmt="simple"))
    typer.echo(f"\nfolder: {folder}, then ${WEIGHTS_VARIABLE}")
    typer.echo(f"without a file: {', '.join(sorted(judge.name for judge in judges if not judge.weights))}")
    typer.echo("`v2f-bench weights get JUDGE` fetches one; `where JUDGE` says where to put it by hand.")


@weights.command()
def get(
    names: Annotated[list[str], typer.Argument(metavar="JUDGE...", help="Judges by name, or judge cards.")],
) -> None:
    """Fetch the weights of judges, saying what, from where, how big, under which licence and to which place.

    A file that is there already is checked, not fetched again; one with a wrong hash is refused.

    \b
    Examples:
      v2f-bench weights get facenet-vggface2
      v2f-bench weights get deepface-arcface deepface-emotion
    """
    from v2f_bench.cli.display import progress_display
    from v2f_bench.hashing import file_sha256
    from v2f_bench.judges.weights import fetch_weights

    display = progress_display()
    for name, wanted in [(name, _weights_of(name)) for name in names]:
        path = fetch_weights(wanted, _folder(), display)
        remark = "" if len(wanted.sha256) == 64 else ", which its publisher does not state in full"
        typer.echo(f"{name}: {path} (sha256 {file_sha256(path)}{remark})")


@weights.command()
def where(
    name: Annotated[str, typer.Argument(metavar="JUDGE", help="A judge by name, or a judge card.")],
) -> None:
    """Print the path of a judge's weights: where the file is, or where to put it by hand.

    \b
    Example:
      cp ~/Downloads/arcface_weights.pth "$(v2f-bench weights where deepface-arcface)"
    """
    from v2f_bench.judges.weights import places

    wanted, folder = _weights_of(name), _folder()
    here = [place for place in places(wanted, folder) if place.is_file()]
    folder.mkdir(parents=True, exist_ok=True)
    typer.echo(here[0] if here else folder / Path(wanted.file).name)


def _weights_of(name: str) -> WeightsFile:
    from v2f_bench.interfaces import UsageError
    from v2f_bench.judges.opening import judge_of

    judge = judge_of(name)
    if judge.weights is None:
        raise UsageError(f"{name} needs no weights file{': it is trained here' if judge.trained_here else ''}.")
    return judge.weights


def _folder() -> Path:
    from v2f_bench.harness.workplace import WEIGHTS, default_cache

    return default_cache() / WEIGHTS
