"""`v2f-bench generate`: one voice to one face, by a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def generate(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run: runs/<dataset>/<method>/<run id>.")],
    voice: Annotated[Path, typer.Option("--voice", "-v", help="A recording: wav, flac, mp3, m4a, mp4, ...")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The PNG to write.")],
    proposal: Annotated[
        Path | None,
        typer.Option("--proposal", "-p", help="A face crop, framed as the data set's, for methods that change one."),
    ] = None,
    seed: Annotated[int, typer.Option(help="For methods that draw at random.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
) -> None:
    """Draw one face for one voice with the method of a finished run.

    \b
    Example:
      v2f-bench generate runs/synthetic-speakers/cae/seed0-1a2b3c4d --voice me.wav --proposal me.png -o face.png
    """
    from v2f_bench.harness.generate_one import generate_one

    generate_one(run, voice, proposal, output, seed, device)
    typer.echo(f"{output}: a guess from statistical regularities of the training data, not a likeness of a person")
