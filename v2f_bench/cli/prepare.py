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

    `run` does the same when it needs to; with the same settings it finds what is prepared. Files that cannot be used
    are left out. These are listed at the end, and those in which something was changed (made upright, scaled, one
    channel used). After Ctrl-C or a kill the same command goes on where it was.

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
    for name, table, heading in (("left_out", store.left_out, "left out"), ("changes", store.changes, "changed")):
        if len(table):
            typer.echo(f"\n{table_by_kind(table, heading)}")
            typer.echo(f"\nall {len(table):,} in {store.folder}/{name}.parquet")
    if store.clips.empty:
        raise DataError(f"{dataset}: no clip can be used")


def table_by_kind(files: pd.DataFrame, heading: str) -> str:
    """Files by what was done with them or why not, the most frequent first: how many, what, and the first of them.

    Args:
        files: `file` ("" for a table of the data set), and `reason` or `change`.
        heading: of the count.
    """
    import numpy as np
    from tabulate import tabulate

    reason = "reason" if "reason" in files else "change"

    kinds = [kind_of(text, file) for text, file in zip(files[reason], files["file"], strict=True)]
    groups = sorted(files["file"].groupby(np.array(kinds)), key=lambda group: -len(group[1]))
    rows = [
        (
            len(names),
            kind,
            ", ".join(name or "its tables" for name in names[:FILES_SHOWN]) + ", ..." * (len(names) > FILES_SHOWN),
        )
        for kind, names in groups[:KINDS_SHOWN]
    ]
    if len(groups) > KINDS_SHOWN:
        rest = groups[KINDS_SHOWN:]
        rows.append((sum(len(names) for _, names in rest), f"{len(rest)} other kinds", "..."))
    return tabulate(rows, headers=(heading, reason, "files"), disable_numparse=True, colalign=("right",))


def kind_of(reason: str, file: str) -> str:
    """A reason without what differs from file to file: its path, numbers, and what a library said in brackets."""
    _, _, words = reason.rpartition(f"{file}: ")
    return re.sub(r"\b\d[\d.,]*\b", "…", words.partition(" (")[0])
