"""`v2f-bench score`: pictures made by anything, scored and ranked as a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def score(
    folder: Annotated[Path, typer.Argument(help="Folder of <trial>.png.")],
    dataset: Annotated[str, typer.Option("--dataset", "-d", help="Data set; `v2f-bench list` shows them.")],
    name: Annotated[str, typer.Option("--name", "-n", help="What made them, as it shall stand in tables.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed that they were made with; seeds of one name are one row.")] = 0,
    trained_with: Annotated[
        str, typer.Option(help="Pretrained networks that its training used, by comma, as `list judges` names them.")
    ] = "",
    data_root: Annotated[Path | None, typer.Option(help="Folder of the data set, for those that need one.")] = None,
    dataset_settings: Annotated[
        list[str] | None, typer.Option("--dataset-set", help="Data set option name=value; repeatable.")
    ] = None,
    track: Annotated[str | None, typer.Option(help="identity or emotion; default: the first that fits.")] = None,
    lists: Annotated[
        list[Path] | None,
        typer.Option("--list", help="Published list: a line is a voice, its face, others; or a pair with 0 or 1."),
    ] = None,
    judge: Annotated[list[Path] | None, typer.Option("--judge", help="Card of your own judge; repeatable.")] = None,
    fetch_weights: Annotated[bool, typer.Option("--fetch-weights", help="Download missing judges' weights.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="No number of a judge that is not independent.")] = False,
    output: Annotated[Path, typer.Option("--output", "-o", file_okay=False, help="Folder for the runs.")] = Path(
        "runs"
    ),
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes that prepare data; default: one a CPU.")] = None,
) -> None:
    """Score the pictures <trial>.png of FOLDER on DATASET, and print the table with all runs of its protocol.

    `v2f-bench trials` gives out the voices. A picture that is missing, unreadable, not square or shows no face is
    counted by reason, and costs what each metric's policy says. The record is kept below OUTPUT, as that of a run.

    \b
    Examples:
      v2f-bench score my-faces --dataset synthetic-speakers --name my-method
      v2f-bench score my-faces -d voxceleb-vggface --data-root ~/data/vox -n sf2f --trained-with facenet-vggface2
    """
    from v2f_bench.cli.display import progress_display
    from v2f_bench.harness.command import BenchRequest, open_bench, open_jury
    from v2f_bench.harness.folder import Entrant, score_folder
    from v2f_bench.interfaces import UsageError
    from v2f_bench.leaderboard import render_table
    from v2f_bench.leaderboard.record import find_records, read_record

    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder")
    if not name.strip() or Path(name).name != name:
        raise UsageError(f"--name {name!r} cannot be the name of a folder")
    request = BenchRequest(
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
    )
    bench, workplace = open_bench(request, track, progress_display())
    jury = open_jury(request, bench, workplace)
    networks = tuple(network.strip() for network in trained_with.split(",") if network.strip())
    run = score_folder(folder, Entrant(name, networks, seed), bench, jury, workplace)
    record = read_record(run)
    beside = [
        path for path in find_records(output) if read_record(path)["protocol"]["hash"] == record["protocol"]["hash"]
    ]
    typer.echo(render_table(beside, strict))
    if record["failures"]:
        counts = ", ".join(f"{reason} {count}" for reason, count in record["failures"].items())
        typer.echo(f"\nno face to judge: {counts} of {record['posed']} trials")
    typer.echo(f"\nrecord in {run}")
