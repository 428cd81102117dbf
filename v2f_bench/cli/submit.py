"""`v2f-bench submit`: a run made ready for a pull request."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def submit(
    run: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Folder of a finished run.")],
    output: Annotated[Path, typer.Option("--output", "-o", file_okay=False, help="Folder to put it in.")] = Path(
        "submission"
    ),
    faces: Annotated[
        Path | None, typer.Option("--faces", exists=True, file_okay=False, help="Its faces, where they lie elsewhere.")
    ] = None,
    hashes_only: Annotated[bool, typer.Option("--hashes-only", help="Hashes of the faces instead of faces.")] = False,
) -> None:
    """Make a folder ready for a pull request: record, per-trial values, faces or their hashes, and a checklist.

    No voice and no photograph of the data set is copied; faces are, where the data set's card lets them be shown. What
    `v2f-bench validate` would refuse is refused here already.

    \b
    Examples:
      v2f-bench submit runs/synthetic-speakers/cae/seed0-1a2b3c4d
      v2f-bench submit runs/synthetic-speakers/sf2f/seed0-1a2b3c4d --faces my-faces --output pull-request
    """
    from v2f_bench.cli.display import progress_display
    from v2f_bench.interfaces import DataError
    from v2f_bench.validation import submit as make_ready
    from v2f_bench.validation import validate

    verdict = validate(run, [], progress_display(), with_faces=False, pictures=faces)
    if verdict.problems:
        raise DataError(f"{run} is not ready: " + "\n       ".join(verdict.problems))
    folder = make_ready(run, output, not hashes_only, faces)
    typer.echo(f"ready: {folder}\nnext:  read {folder / 'CHECKLIST.md'}, then v2f-bench validate {folder}")
