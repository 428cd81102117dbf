"""`v2f-bench leaderboard`: finished runs as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from v2f_bench.cli.options import Measures, RankBy, Strict


def leaderboard(
    runs: Annotated[list[Path] | None, typer.Argument(help="Folders of runs; `runs` if none is given.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", dir_okay=False, help="Write to this file.")] = None,
    by: Annotated[
        list[str] | None, typer.Option("--by", help="Also by sex, age, ethnicity, emotion, intensity or duration.")
    ] = None,
    measures: Measures = None,
    rank_by: RankBy = "",
    strict: Strict = False,
) -> None:
    """Print a markdown table of all finished runs below the given folders, one table a protocol.

    Only runs of one protocol are ranked together. Seeds of one method with one set of options are one row.

    \b
    Examples:
      v2f-bench leaderboard
      v2f-bench leaderboard --by sex --by age
      v2f-bench leaderboard --measure recognition-accuracy --measure sspp-gain
      v2f-bench leaderboard runs/synthetic-speakers --output leaderboards/synthetic-speakers.md
    """
    from v2f_bench.files import write_text_whole
    from v2f_bench.interfaces import BenchError
    from v2f_bench.leaderboard import Choice, boards, group_tables
    from v2f_bench.record import find_records, read_records, readable_tables
    from v2f_bench.render import board_as_markdown, groups_as_markdown

    def say(line: str) -> None:
        typer.echo(line, err=True)

    roots = runs or [Path("runs")]
    folders = list(dict.fromkeys(folder for root in roots for folder in find_records(root)))
    if not folders:
        raise BenchError(f"no finished runs below {', '.join(map(str, roots))}; `v2f-bench run` makes some")
    records = readable_tables(read_records(folders, say), say)
    if not records:
        raise BenchError(f"not one of {len(folders)} records can be read")
    choice = Choice(tuple(measures or ()), rank_by, strict)
    sections = [board_as_markdown(board) for board in boards(records, choice, say)]
    sections += [groups_as_markdown(group_tables(records, label, strict), label) for label in by or []]
    text = "\n\n".join(sections)
    if output is None:
        typer.echo(text)
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_text_whole(output, text + "\n")
        typer.echo(f"{len(records)} run{'s' * (len(records) != 1)} in {output}")
