"""`v2f-bench trials`: the trials of a protocol as files, for methods that are no plugin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def trials(
    dataset: Annotated[str, typer.Option("--dataset", "-d", help="Data set; `v2f-bench list` shows them.")],
    data_root: Annotated[Path | None, typer.Option(help="Folder of the data set, for those that need one.")] = None,
    dataset_settings: Annotated[
        list[str] | None, typer.Option("--dataset-set", help="Data set option name=value; repeatable.")
    ] = None,
    track: Annotated[str | None, typer.Option(help="identity or emotion; default: the first that fits.")] = None,
    lists: Annotated[
        list[Path] | None,
        typer.Option("--list", help="Published list: a line is a voice, its face, others; or a pair with 0 or 1."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", file_okay=False, help="Folder for the files.")] = Path(
        "trials"
    ),
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes that prepare data; default: one a CPU.")] = None,
) -> None:
    """Write the trial list of DATASET, and the voices and proposal faces that it names, to a folder.

    Make a face for each row of trials.csv with whatever you like, call it <trial>.png, and score the folder of these.
    protocol.json has the splits: train on nobody of the test split.

    \b
    Examples:
      v2f-bench trials --dataset synthetic-speakers --output trials
      v2f-bench score my-faces --dataset synthetic-speakers --name my-method
    """
    from v2f_bench.cli.display import progress_display
    from v2f_bench.harness.command import BenchRequest, open_bench
    from v2f_bench.harness.folder import give_out_trials

    request = BenchRequest(
        dataset, data_root, tuple(dataset_settings or ()), track, tuple(lists or ()), device="cpu", jobs=jobs
    )
    bench, workplace = open_bench(request, track, progress_display())
    listed = give_out_trials(bench, output, workplace)
    typer.echo(f"{len(bench.trials)} trials of {bench.protocol.name} ({bench.protocol.hash}) in {listed}")
