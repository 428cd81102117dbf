"""`v2f-bench prepare`: decode a data set once, before the runs that need it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from v2f_bench.cli.options import DataRoot, DatasetName, DatasetSettings, Jobs

if TYPE_CHECKING:
    import pandas as pd

KINDS_SHOWN = 20
FILES_SHOWN = 3  # of each kind


def prepare(
    dataset: DatasetName,
    data_root: DataRoot = None,
    dataset_settings: DatasetSettings = None,
    jobs: Jobs = None,
) -> None:
    """Decode DATASET into the cache: voices, and faces found, aligned and cropped where its pictures are scenes.

    `run` does the same when it needs to; with the same settings it finds what is prepared. A file that cannot be used
    is left out, and told at the end. After Ctrl-C or a kill the same command goes on where it was.

    \b
    Examples:
      v2f-bench prepare --dataset synthetic-speakers
      v2f-bench prepare --dataset voxceleb-vggface --data-root ~/data/vox --jobs 8
    """
    from v2f_bench.cli.display import progress_display
    from v2f_bench.harness.command import BenchRequest, place
    from v2f_bench.harness.opening import open_data, open_workplace
    from v2f_bench.harness.prepare import prepare as prepare_data
    from v2f_bench.interfaces import DataError

    spec = BenchRequest(dataset, data_root, tuple(dataset_settings or ())).spec()
    store = prepare_data(open_data(spec), open_workplace(place(Path("runs"), jobs=jobs), progress_display()))
    counts = ", ".join(f"{store.meta[name]:,} {name}" for name in ("clips", "voices", "faces"))
    typer.echo(f"{counts} of {store.clips['speaker'].nunique():,} speakers in {store.folder}")
    if len(store.left_out):
        typer.echo(
            f"\n{left_out_table(store.left_out)}\n\nall {len(store.left_out):,} in {store.folder}/left_out.parquet"
        )
    if store.clips.empty:
        raise DataError(f"{dataset}: not one clip could be used")


def left_out_table(left_out: pd.DataFrame) -> str:
    """What was left out, by kind of reason, the most frequent first: count, reason, and the first files."""
    from tabulate import tabulate

    kinds = left_out.apply(lambda row: kind_of(row["reason"], row["file"]), axis="columns")
    groups = sorted(left_out.groupby(kinds)["file"], key=lambda group: -len(group[1]))
    rows = [
        (len(files), kind, ", ".join(files[:FILES_SHOWN]) + (", ..." if len(files) > FILES_SHOWN else ""))
        for kind, files in groups[:KINDS_SHOWN]
    ]
    if len(groups) > KINDS_SHOWN:
        rest = groups[KINDS_SHOWN:]
        rows.append((sum(len(files) for _, files in rest), f"{len(rest)} other reasons", "..."))
    return tabulate(rows, headers=("left out", "reason", "files"), disable_numparse=True, colalign=("right",))


def kind_of(reason: str, file: str) -> str:
    """A reason without what differs from file to file: its path, numbers, and what a library said in brackets."""
    _, _, said = reason.rpartition(f"{file}: ")
    return re.sub(r"\b\d[\d.,]*\b", "…", said.partition(" (")[0])
