"""`v2f-bench generate`: one voice to a face, a sheet of faces or a film, by a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def generate(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run: runs/<dataset>/<method>/<run id>.")],
    voice: Annotated[Path, typer.Option("--voice", "-v", help="A recording: wav, flac, mp3, m4a, mp4, ...")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The picture to write: .png or .jpg; or a film: .mp4.")
    ],
    proposal: Annotated[
        Path | None,
        typer.Option("--proposal", "-p", help="A face crop, framed as the data set's, for methods that change one."),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--source", "-s", help="A film whose face is changed, for methods that change one."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="For methods that draw at random.")] = 0,
    samples: Annotated[
        int, typer.Option(min=1, max=64, help="That many draws side by side, each of the next seed.")
    ] = 1,
    vary: Annotated[
        str, typer.Option(help="A sheet of one of the method's variations; `info METHOD` lists them.")
    ] = "",
    swap_emotions: Annotated[bool, typer.Option("--swap-emotions", help="Short for --vary emotion.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
) -> None:
    """Draw one face for one voice with the method of a finished run; or several, or a sheet of what it can vary; or
    change the face in a film.

    A film keeps its size, its frames' times and its length, and gets the voice as its sound: a longer voice is cut, a
    shorter one is followed by silence. Of several faces the largest is followed; frames without it stay as they are.

    \b
    Examples:
      v2f-bench generate runs/synthetic-speakers/cae/seed0-1a2b3c4d --voice me.wav --proposal me.png -o face.png
      v2f-bench generate runs/synthetic-speakers/emotion-vae/seed0-1a2b3c4d --voice me.wav --swap-emotions -o sheet.png
      v2f-bench generate runs/synthetic-speakers/cgan/seed0-1a2b3c4d --voice me.wav --samples 8 -o draws.png
      v2f-bench generate runs/synthetic-speakers/cyclegan/seed0-1a2b3c4d --voice me.wav --source film.mp4 -o out.mp4
    """
    from v2f_bench.interfaces import UsageError

    if swap_emotions and vary not in ("", "emotion"):
        raise UsageError("--swap-emotions is short for --vary emotion; give one of the two")
    variation = "emotion" if swap_emotions else vary
    if variation and samples > 1:
        raise UsageError("--samples and --vary make two different sheets; give one of the two")
    if source and (proposal or variation or samples > 1):
        raise UsageError("--source makes a film: leave --proposal, --samples and --vary out")
    changes: list[tuple[str, str]]
    if source:
        from v2f_bench.cli.display import progress_display
        from v2f_bench.harness.generate_film import generate_film

        changes = generate_film(run, voice, source, output, seed, device, progress_display())
    else:
        from v2f_bench.harness.generate_one import NoProposal, Wanted, generate_one

        try:
            changes = generate_one(run, voice, proposal, output, seed, device, Wanted(samples, variation))
        except NoProposal as error:
            raise UsageError(f"{error} (--proposal FILE)") from error
    for file, change in changes:
        typer.echo(f"{file}: {change}", err=True)
    typer.echo(f"{output}: a guess from statistical regularities of the training data, not a likeness of a person")
