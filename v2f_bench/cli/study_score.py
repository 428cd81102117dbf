"""`v2f-bench study score`: answers to numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def score(
    answers: Annotated[
        list[Path], typer.Argument(help="Answer files, folders of them, or the answers.sqlite of `study serve`.")
    ],
    study: Annotated[Path, typer.Option("--study", "-s", help="Folder that `study export` made.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", dir_okay=False, help="Results file; default: in the study's folder."),
    ] = None,
) -> None:
    """Score the answers to a study, and print what people say of each method.

    Intervals hold for other raters and other speakers. Raters are left out by the rules that the export fixed; the
    numbers over all raters stand beside. Files that cannot be scored are named with the reason. Tables of who took
    part, in Prolific's and Mechanical Turk's forms, are written to STUDY/recruit where raters came from there. Each
    run's number is kept in its record too, so that `v2f-bench leaderboard` shows it.

    \b
    Examples:
      v2f-bench study score downloads/*.json --study my-study
      v2f-bench study score my-study/answers.sqlite --study my-study
    """
    from v2f_bench.cli.display import progress_display
    from v2f_bench.interfaces import DataError
    from v2f_bench.study.answers import read_answers
    from v2f_bench.study.folder import RESULTS, read_key
    from v2f_bench.study.keeping import keep_in_records
    from v2f_bench.study.recruit import participants, write_reviews
    from v2f_bench.study.report import report
    from v2f_bench.study.results import write_results
    from v2f_bench.study.scoring import score_study

    key = read_key(study)
    sessions, refused = read_answers(answers, key)
    if not sessions:
        reasons = "\n       ".join(f"{each.source}: {each.reason}" for each in refused)
        raise DataError(f"no answers to score\n       {reasons}" if refused else "no answers to score")
    results = score_study(key, sessions, refused)
    path = output or study / RESULTS
    path.parent.mkdir(parents=True, exist_ok=True)
    write_results(path, results)
    typer.echo(report(results))
    written = [path, *write_reviews(study, participants(key, sessions))]
    typer.echo(f"\nwritten: {', '.join(map(str, written))}")
    for folder in keep_in_records(results, key, progress_display()):
        typer.echo(f"kept in: {folder}")
    if refused:
        raise DataError(f"{len(refused)} of {len(refused) + len(sessions)} were not scored (see above)")
