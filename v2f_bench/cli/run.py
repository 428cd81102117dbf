"""`v2f-bench run`: train or load, run, score and rank."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Precision(StrEnum):
    FULL = "float32"
    MIXED = "bfloat16"


def run(
    method: Annotated[str, typer.Option("--method", "-m", help="Method, or several by comma: cae,copy-proposal.")],
    dataset: Annotated[str, typer.Option("--dataset", "-d", help="Data set; `v2f-bench list` shows them.")],
    data_root: Annotated[Path | None, typer.Option(help="Folder of the data set, for those that need one.")] = None,
    seed: Annotated[str, typer.Option("--seed", "--seeds", help="Seed, or several: 0,1,2 or 0-2.")] = "0",
    preset: Annotated[
        str,
        typer.Option(
            help="quick: minutes on a laptop; paper: the source's own numbers; `info` shows a method's others."
        ),
    ] = "quick",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Method option name=value (or method.name=value); value,value: a run of each."),
    ] = None,
    dataset_settings: Annotated[
        list[str] | None, typer.Option("--dataset-set", help="Data set option name=value; repeatable.")
    ] = None,
    baselines: Annotated[bool, typer.Option(help="Also run the baselines of the track.")] = True,
    output: Annotated[Path, typer.Option("--output", "-o", file_okay=False, help="Folder for the runs.")] = Path(
        "runs"
    ),
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda, cuda:1, mps; training on several: cuda:0,cuda:1.")
    ] = "auto",
    precision: Annotated[
        Precision, typer.Option(help="Of training; bfloat16: mixed, faster on most GPUs.")
    ] = Precision.FULL,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes that prepare data; default: one a CPU.")] = None,
    track: Annotated[str | None, typer.Option(help="identity or emotion; default: the first that fits.")] = None,
    lists: Annotated[
        list[Path] | None,
        typer.Option("--list", help="Published list: a line is a voice, its face, others; or a pair with 0 or 1."),
    ] = None,
    judge: Annotated[list[Path] | None, typer.Option("--judge", help="Card of your own judge; repeatable.")] = None,
    fetch_weights: Annotated[bool, typer.Option("--fetch-weights", help="Download missing judges' weights.")] = False,
    measures: Annotated[
        list[str] | None, typer.Option("--measure", help="Show this metric instead of the headline ones; repeatable.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="No number of a judge that is not independent.")] = False,
) -> None:
    """Train or load METHOD on DATASET, generate a face for each trial, score them, and print the table.

    What an earlier run with the same settings has finished is not done again; after an interruption the same command
    goes on. Each run leaves its record, faces and checkpoint in OUTPUT/<dataset>/<method>/<run id>/.

    \b
    Examples:
      v2f-bench run --method cae --dataset synthetic-speakers
      v2f-bench run --method cae --dataset synthetic-speakers --seed 0-2 --set width=16,24
      v2f-bench run --method cae --dataset voxceleb-vggface --data-root ~/data/vox --preset paper --judge facenet.toml
    """
    from v2f_bench.cli.display import progress_display
    from v2f_bench.harness.command import BenchRequest, RunRequest, run_request
    from v2f_bench.interfaces import BenchError
    from v2f_bench.leaderboard import render_table

    request = RunRequest(
        bench=BenchRequest(
            dataset=dataset,
            data_root=data_root,
            dataset_settings=tuple(dataset_settings or ()),
            track=track,
            lists=tuple(lists or ()),
            judge_cards=tuple(judge or ()),
            fetch_weights=fetch_weights,
            output=output,
            device=device,
            jobs=jobs,
        ),
        methods=[name.strip() for name in method.split(",") if name.strip()],
        seeds=parse_seeds(seed),
        preset=preset,
        settings=settings or [],
        baselines=baselines,
        precision=precision.value,
        measures=tuple(measures or ()),
    )
    display = progress_display()
    outcomes = run_request(request, display)
    typer.echo(render_table([outcome.folder for outcome in outcomes if outcome.record], strict, measures or ()))
    for outcome in outcomes:
        if outcome.unsuited:
            typer.echo(f"left out: {outcome.plan.plugin.name}: {outcome.problem}")
    done = [outcome for outcome in outcomes if outcome.record]
    count = f"{len(done)} run{'s' * (len(done) != 1)}"
    typer.echo(f"\n{count} in {output}. `v2f-bench leaderboard {output}` prints this table again.")
    failed = [outcome for outcome in outcomes if outcome.problem and not outcome.unsuited]
    unsuited = [o for o in outcomes if o.unsuited and o.plan.plugin.name in request.methods]
    if failed or unsuited:
        raise BenchError("\n       ".join(f"{o.plan.plugin.name}: {o.problem}" for o in failed + unsuited))


def parse_seeds(text: str) -> list[int]:
    """Seeds from "3", "0,1,2" or "0-2" (both ends included), in any mixture; UsageError for anything else."""
    from v2f_bench.interfaces import UsageError

    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isdecimal() and (last.isdecimal() if dash else True)):
            raise UsageError(f"--seed takes numbers like 0, 0,1,2 or 0-2, not {text!r}")
        seeds += range(int(first), int(last if dash else first) + 1)
    if not seeds:
        raise UsageError(f"--seed {text!r} names no seed: the first of a range comes before the last")
    return list(dict.fromkeys(seeds))
