"""`v2f-bench trials`: the trials of a protocol as files, for methods that are no plugin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from v2f_bench.cli.options import DataRoot, DatasetName, DatasetSettings, Jobs, Lists, Resolution, Track, Voices


def trials(
    dataset: DatasetName,
    data_root: DataRoot = None,
    dataset_settings: DatasetSettings = None,
    track: Track = None,
    lists: Lists = None,
    resolution: Resolution = 64,
    voices: Voices = "whole",
    output: Annotated[Path, typer.Option("--output", "-o", file_okay=False, help="Folder for the files.")] = Path(
        "trials"
    ),
    jobs: Jobs = None,
) -> None:
    """Write the trial list of DATASET, and the voices and proposal faces that it names, to a folder.

    Make a face for each row of trials.csv with whatever you like, call it <trial>.png, and score the folder of these.
    training-clips.csv names the clips that may be learned from: train on no others. Copy trials.json beside your
    pictures: it says for which protocol they were made.

    \b
    Examples:
      v2f-bench trials --dataset synthetic-speakers --output trials
      cp trials/trials.json my-faces/
      v2f-bench score my-faces --dataset synthetic-speakers --name my-method
    """
    from v2f_bench.cli.display import progress_display
    from v2f_bench.harness.command import BenchRequest, place
    from v2f_bench.harness.opening import open_bench, open_workplace
    from v2f_bench.harness.submission import give_out_trials

    chosen = (tuple(dataset_settings or ()), track, tuple(lists or ()), resolution, voices)
    request = BenchRequest(dataset, data_root, *chosen)
    spec = request.spec()
    workplace = open_workplace(place(Path("runs"), jobs=jobs), progress_display())
    bench = open_bench(spec, workplace)
    listed = give_out_trials(bench, output, workplace)
    typer.echo(f"{len(bench.trials)} trials of {bench.protocol.name} ({bench.protocol.hash}) in {listed}")
