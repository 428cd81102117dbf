"""`v2f-bench run`: train or load, run, score and rank."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from v2f_bench.cli.options import (
    DataRoot,
    DatasetName,
    DatasetSettings,
    FetchWeights,
    Jobs,
    JudgeCards,
    JudgeNames,
    Lists,
    Measures,
    MetricNames,
    RankBy,
    Resolution,
    Runs,
    Strict,
    Threads,
    Track,
    names,
)
from v2f_bench.cli.tables import Format, show_leaderboard


class Precision(StrEnum):
    FULL = "float32"
    MIXED = "bfloat16"


def run(
    method: Annotated[str, typer.Option("--method", "-m", help="Method, or several by comma: cae,copy-proposal.")],
    dataset: DatasetName,
    data_root: DataRoot = None,
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
    dataset_settings: DatasetSettings = None,
    baselines: Annotated[bool, typer.Option(help="Also run the baselines of the track.")] = True,
    output: Runs = Path("runs"),
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda, cuda:1, mps; training on several: cuda:0,cuda:1.")
    ] = "auto",
    threads: Threads = None,
    precision: Annotated[
        Precision, typer.Option(help="Of training; bfloat16: mixed, faster on most GPUs.")
    ] = Precision.FULL,
    jobs: Jobs = None,
    track: Track = None,
    lists: Lists = None,
    resolution: Resolution = 64,
    voices: Annotated[
        str,
        typer.Option(help="whole, noise-swapped (another speaker's), noise-redrawn (its control), or lengths: 1s,3s."),
    ] = "whole",
    judges: JudgeNames = "",
    judge: JudgeCards = None,
    metrics: MetricNames = "",
    fetch_weights: FetchWeights = False,
    measures: Measures = None,
    rank_by: RankBy = "",
    strict: Strict = False,
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
    from v2f_bench.harness.command import BenchRequest, RunRequest, place
    from v2f_bench.harness.execute import execute
    from v2f_bench.interfaces import BenchError
    from v2f_bench.leaderboard import Choice
    from v2f_bench.report import write_reports

    request = RunRequest(
        bench=BenchRequest(
            dataset=dataset,
            data_root=data_root,
            dataset_settings=tuple(dataset_settings or ()),
            track=track,
            lists=tuple(lists or ()),
            resolution=resolution,
            judges=names(judges),
            judge_cards=tuple(judge or ()),
            metrics=names(metrics),
            fetch_weights=fetch_weights,
        ),
        place=place(output, device, threads, jobs, precision.value),
        methods=list(names(method)),
        voices=names(voices),
        seeds=parse_seeds(seed),
        preset=preset,
        settings=settings or [],
        baselines=baselines,
        measures=tuple(measures or ()),
    )
    display = progress_display()
    outcomes = execute(request.specs(), display, request.measures)
    records = {outcome.folder: outcome.record for outcome in outcomes if outcome.record}
    choice = Choice(tuple(measures or ()), rank_by=rank_by, strict=strict)
    if records:
        show_leaderboard(records, choice, Format.TERMINAL, [output])
    else:
        typer.echo("No finished runs.")
    for outcome in outcomes:
        if outcome.unsuited:
            typer.echo(f"left out: {outcome.spec.method}: {outcome.problem}")
    typer.echo(f"\n{len(records)} run{'s' * (len(records) != 1)} in {output}.")
    for page in write_reports(records, data_root, display):
        typer.echo(f"report: {page}")
    problems = [
        f"{outcome.spec.method}: {outcome.problem}"
        for outcome in outcomes
        if outcome.problem and (not outcome.unsuited or outcome.spec.method in request.methods)
    ]
    if problems:
        raise BenchError("\n       ".join(problems))


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
