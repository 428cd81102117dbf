"""`v2f-bench score`: pictures made by anything, scored and ranked as a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from v2f_bench.cli.options import (
    DataRoot,
    DatasetName,
    DatasetSettings,
    Device,
    FetchWeights,
    Jobs,
    JudgeCards,
    JudgeNames,
    Lists,
    MetricNames,
    RankBy,
    Resolution,
    Runs,
    Strict,
    Threads,
    Track,
    Voices,
    names,
)
from v2f_bench.cli.tables import Format, read_runs, show_leaderboard


def score(
    folder: Annotated[Path, typer.Argument(help="Folder of <trial>.png (.jpg, ...) or <trial>.mp4, with trials.json.")],
    dataset: DatasetName,
    name: Annotated[str, typer.Option("--name", "-n", help="What made them, as it shall stand in tables.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed that they were made with; seeds of one name are one row.")] = 0,
    trained_with: Annotated[
        str, typer.Option(help="Judges (`list judges`, or of a --judge card) that its training used, by comma.")
    ] = "",
    any_protocol: Annotated[
        bool, typer.Option("--any-protocol", help="Score them although trials.json is gone, or of another protocol.")
    ] = False,
    data_root: DataRoot = None,
    dataset_settings: DatasetSettings = None,
    track: Track = None,
    lists: Lists = None,
    resolution: Resolution = 64,
    voices: Voices = "whole",
    judges: JudgeNames = "",
    judge: JudgeCards = None,
    metrics: MetricNames = "",
    fetch_weights: FetchWeights = False,
    rank_by: RankBy = "",
    strict: Strict = False,
    output: Runs = Path("runs"),
    device: Device = "auto",
    threads: Threads = None,
    jobs: Jobs = None,
) -> None:
    """Score the pictures <trial>.png, or films <trial>.mp4, of FOLDER on DATASET, and print the table with all runs of
    its protocol.

    `v2f-bench trials` gives out the voices. A picture that is missing, unreadable, not square or shows no face is
    counted by reason, and costs what each metric's policy says. Of a film, what looks
    at stills is shown the frame in the middle. The record is kept below OUTPUT, as that of a run. Of
    pictures scored again under the same name and seed, the newest result counts.

    \b
    Examples:
      v2f-bench score my-faces --dataset synthetic-speakers --name my-method
      v2f-bench score my-faces -d voxceleb-vggface --data-root ~/data/vox -n sf2f --trained-with facenet-vggface2
    """
    from v2f_bench.cli.display import progress_display
    from v2f_bench.harness.command import BenchRequest, place
    from v2f_bench.harness.opening import check_judges, judge_cards, open_bench, open_judges, open_workplace
    from v2f_bench.harness.submission import Submission, score_folder
    from v2f_bench.interfaces import BenchError, UsageError
    from v2f_bench.leaderboard import Choice

    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder")
    submission = Submission(name, names(trained_with), seed)
    request = BenchRequest(
        dataset=dataset,
        data_root=data_root,
        dataset_settings=tuple(dataset_settings or ()),
        track=track,
        lists=tuple(lists or ()),
        resolution=resolution,
        voices=voices,
        judges=names(judges),
        judge_cards=tuple(judge or ()),
        metrics=names(metrics),
        fetch_weights=fetch_weights,
    )
    display = progress_display()
    spec = request.spec()
    check_judges(submission.trained_with, judge_cards(spec))
    workplace = open_workplace(place(output, device, threads, jobs), display)
    bench = open_bench(spec, workplace)
    loaded = open_judges(spec, bench, workplace)
    run, record = score_folder(folder, submission, bench, loaded, workplace, any_protocol)
    beside = {path: other for path, other in read_runs([output]).items() if other.protocol.hash == record.protocol.hash}
    show_leaderboard(beside, Choice(rank_by=rank_by, strict=strict), Format.TERMINAL, [output])
    if record.failures:
        counts = ", ".join(f"{reason} {count}" for reason, count in record.failures.items())
        typer.echo(f"\nno face to judge: {counts} of {record.applicable} trials")
    typer.echo(f"\nrecord in {run}")
    if lost := [one for one in record.judges_missing if one.name in loaded.wanted]:
        raise BenchError("; ".join(f"judge {one.name}: {one.reason}" for one in lost))
