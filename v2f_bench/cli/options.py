"""Options that several verbs share: each stands here once, with its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DatasetName = Annotated[str, typer.Option("--dataset", "-d", help="Data set; `v2f-bench list` shows them.")]
DataRoot = Annotated[Path | None, typer.Option(help="Folder of the data set, for those that need one.")]
DatasetSettings = Annotated[
    list[str] | None, typer.Option("--dataset-set", help="Data set option name=value; repeatable.")
]
Track = Annotated[str | None, typer.Option(help="identity or emotion; default: the first that fits.")]
Lists = Annotated[
    list[Path] | None,
    typer.Option("--list", help="Published list: a line is a voice, its face, others; or a pair with 0 or 1."),
]
Resolution = Annotated[
    int, typer.Option(min=32, max=256, help="Pixels a side at which faces are judged; another one is another protocol.")
]
Voices = Annotated[
    str,
    typer.Option(
        help="whole, noise-swapped (noise of another speaker), its control noise-redrawn, or a length: 1s, 3s."
    ),
]
Runs = Annotated[Path, typer.Option("--output", "-o", file_okay=False, help="Folder for the runs.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]
Threads = Annotated[
    int | None, typer.Option(min=1, help="Threads of torch; a seed repeats a run only with as many. Default: all CPUs.")
]
Jobs = Annotated[int | None, typer.Option(min=1, help="Processes that prepare data; default: one a CPU.")]
JudgeNames = Annotated[
    str, typer.Option("--judges", help="Only these of `list judges`, by comma, and those of --judge; default: all.")
]
JudgeCards = Annotated[list[Path] | None, typer.Option("--judge", help="Card of your own judge; repeatable.")]
MetricNames = Annotated[str, typer.Option("--metrics", help="Only these metrics, by comma; default: all.")]
FetchWeights = Annotated[bool, typer.Option("--fetch-weights", help="Download missing judges' weights.")]
Strict = Annotated[bool, typer.Option("--strict", help="No number of a judge that is not independent.")]
RankBy = Annotated[
    str, typer.Option("--rank-by", help="Rank by this judge's numbers; default: an in-domain judge where there is one.")
]
Measures = Annotated[
    list[str] | None, typer.Option("--measure", help="Show this metric instead of the headline ones; repeatable.")
]
NoPeople = Annotated[
    bool, typer.Option("--no-people", help="No voices and faces in the page: for data that must not be shown.")
]


def names(text: str) -> tuple[str, ...]:
    """The names in a comma-separated list."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
