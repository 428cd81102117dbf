"""`v2f-bench study export`: a study made of runs, as a folder to give out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    runs: Annotated[
        list[str],
        typer.Option("--run", help="Folder of a run, or RUN=PICTURES where its faces lie elsewhere; repeatable."),
    ],
    design: Annotated[
        str,
        typer.Option("--design", "-D", help="match-2afc, which-method, name-emotion, same-person or realism."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", file_okay=False, help="Folder to make.")],
    show: Annotated[str, typer.Option(help="name-emotion: face, voice or film.")] = "face",
    items: Annotated[
        int, typer.Option(min=2, help="Items: trials of the protocol, of as many speakers as there are.")
    ] = 100,
    raters: Annotated[int, typer.Option(min=1, help="Lists of questions: as many as raters are expected.")] = 30,
    trials: Annotated[int, typer.Option(min=2, help="Questions a rater about the methods.")] = 50,
    anchors: Annotated[
        int, typer.Option(min=0, help="Questions a rater about real photographs, and as many about a bad floor.")
    ] = 5,
    checks: Annotated[int, typer.Option(min=0, help="Questions a rater that check attention.")] = 3,
    seconds: Annotated[float, typer.Option(min=0.5, max=60, help="Voices are cut to this length.")] = 5.0,
    rules: Annotated[
        list[str] | None,
        typer.Option(
            "--rule",
            help="Who is left out, name=value: max_failed_checks, min_median_seconds, max_same_answer, min_answered.",
        ),
    ] = None,
    contact: Annotated[str, typer.Option(help="Who is responsible, and how to reach them; for the consent text.")] = "",
    consent: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Your consent text (UTF-8, an empty line between paragraphs).")
    ] = None,
    completion_code: Annotated[
        str, typer.Option(help="The code that Prolific gave you; without one, each rater gets a code of their own.")
    ] = "",
    redirect: Annotated[str, typer.Option(help="Where raters go on at the end (https://...).")] = "",
    url: Annotated[str, typer.Option(help="Where the site will stand; for the tables of links.")] = "",
    take_responsibility: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Who answers for showing people whose licence forbids it or is silent, and by what right.",
        ),
    ] = "",
    seed: Annotated[int | None, typer.Option(min=0, help="Of all that is drawn; without it, a secret one.")] = None,
    data_root: Annotated[Path | None, typer.Option(help="Folder of the data set, for those that need one.")] = None,
) -> None:
    """Make a study of the faces of finished runs: OUTPUT/site to give out, OUTPUT/key.json to keep.

    The site opens from disk (site/index.html), from any static host, or by `v2f-bench study serve OUTPUT`. No name,
    size, order or time of a file tells which method made what.

    \b
    Examples:
      v2f-bench study export --run runs/synthetic-speakers/cae/seed0-1a2b3c4d -D match-2afc -o my-study
      v2f-bench study export --run RUN1 --run RUN2 -D which-method -o pairs --raters 40 --contact "A. Lab, a@lab.org"
      v2f-bench study export --run RUN -D realism -o hype --completion-code C1A2B3 --url https://study.lab.org
    """
    from v2f_bench.cli.display import progress_display
    from v2f_bench.interfaces import UsageError, apply_settings
    from v2f_bench.study.designs import design_named
    from v2f_bench.study.export import ExportRequest, export_study
    from v2f_bench.study.folder import KEY, SITE, Rules
    from v2f_bench.study.questions import Size
    from v2f_bench.study.runs import open_material
    from v2f_bench.study.texts import paragraphs

    chosen = design_named(design)
    if show not in chosen.modalities:
        raise UsageError(f"--show {show}: {chosen.name} shows {' or '.join(chosen.modalities)}")
    for option, link in (("--redirect", redirect), ("--url", url)):
        if link and not link.startswith(("https://", "http://")):
            raise UsageError(f"{option} takes an address that begins with https://, not {link!r}")
    if completion_code and not (completion_code.isascii() and completion_code.isalnum()):
        raise UsageError(f"--completion-code takes letters and digits, not {completion_code!r}")
    request = ExportRequest(
        design=chosen.name,
        modality=show,
        items=items,
        size=Size(raters, trials, anchors, checks),
        seed=seed,
        voice_seconds=seconds,
        rules=apply_settings(Rules(), rules or [], "--rule"),
        contact=contact,
        consent=tuple(paragraphs(_text(consent))) if consent else (),
        completion_code=completion_code,
        redirect=redirect,
        url=url,
        responsible=take_responsibility.strip(),
    )
    display = progress_display()
    made = export_study(open_material(runs, data_root, request.responsible, display), request, output, display)
    typer.echo(
        f"{made.key.design}: {raters} lists of {made.questions} questions, about {made.minutes} minutes each; "
        f"{len(made.key.items)} items, {len(made.key.methods)} method{'s' * (len(made.key.methods) != 1)}"
    )
    for note in made.notes:
        typer.echo(f"note: {note}")
    typer.echo(
        f"\ngive out   {output / SITE}: open index.html, put it on a static host, or `v2f-bench study serve {output}`\n"
        f"keep       {output / KEY}: who sees it knows the answers\n"
        f"at the end `v2f-bench study score ANSWERS --study {output}`"
    )


def _text(path: Path) -> str:
    from v2f_bench.interfaces import UsageError

    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not readable as UTF-8 text ({error})") from None
