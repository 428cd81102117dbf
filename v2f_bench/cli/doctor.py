"""`v2f-bench doctor`: whether a data set's folder holds what a run needs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from v2f_bench.harness.doctor import Diagnosis
    from v2f_bench.interfaces import Dataset


def doctor(
    dataset: Annotated[str, typer.Argument(help="Data set; `v2f-bench list` shows them.")],
    data_root: Annotated[Path | None, typer.Option(help="Folder of the data set, for those that need one.")] = None,
    dataset_settings: Annotated[
        list[str] | None, typer.Option("--dataset-set", help="Data set option name=value; repeatable.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Files that are read at once; default: one a CPU.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Examine the folder of DATASET: what is there, missing, only a pointer, or broken; which tracks can be run.

    Also prints the licence, the consent terms and the disk space that is needed. Every file is read as `prepare` reads
    it, and nothing is kept; faces in videos, and in pictures that are no crops, are not looked for. The exit code is 1
    if no run could start.

    \b
    Examples:
      v2f-bench doctor ravdess --data-root ~/data/ravdess
      v2f-bench doctor mead --data-root ~/data/mead --dataset-set view=left_30
    """
    from v2f_bench.cli.display import progress_display
    from v2f_bench.harness.circumstances import cpu_count
    from v2f_bench.harness.doctor import examine
    from v2f_bench.harness.make_bench import open_dataset
    from v2f_bench.harness.workplace import Workplace
    from v2f_bench.interfaces import DataError, apply_settings
    from v2f_bench.plugins import registry

    cls = registry().find("dataset", dataset).cls
    opened = open_dataset(cls, apply_settings(cls.options(), dataset_settings or [], dataset), data_root)
    workplace = Workplace(jobs=jobs or cpu_count(), progress=progress_display())
    diagnosis = examine(opened, workplace)
    if as_json:
        facts = dataclasses.asdict(diagnosis) | {"ready": diagnosis.ready, "licence": cls.card.licence}
        typer.echo(json.dumps(facts | {"consent": cls.card.consent}, indent=1))
    else:
        typer.echo("\n".join(_report(opened, diagnosis, workplace.cache)))
    if not diagnosis.ready:
        raise DataError(f"{dataset}: no run could start; `v2f-bench info {dataset}` tells how to get what is missing")


def _report(dataset: Dataset, diagnosis: Diagnosis, cache: Path) -> Iterator[str]:
    import pandas as pd

    from v2f_bench.cli.prepare import table_by_kind
    from v2f_bench.datasets.layout import missing_folder

    fault = f" {missing_folder(dataset.root)}" if dataset.root and not dataset.root.is_dir() else ""
    yield f"{dataset.name}: {dataset.root or 'made by code'}{fault}"
    yield from (f"  {part.in_words()}" for part in diagnosis.parts)
    if diagnosis.problem:
        yield from ("", diagnosis.problem) if all(part.found or not part.needed for part in diagnosis.parts) else ("",)
    else:
        yield ""
        yield (
            f"{diagnosis.clips} clips of {diagnosis.speakers} speakers: {diagnosis.voices} voices "
            f"({diagnosis.seconds / 3600:.1f} h), {diagnosis.faces} faces"
            + (f", {diagnosis.scenes} of them yet to be found in pictures or videos" if diagnosis.scenes else "")
        )
        for label, counts in diagnosis.labels.items():
            yield f"{label}: {', '.join(f'{count} {value}' for value, count in counts.items())}"
        for table, heading in ((diagnosis.left_out, "left out"), (diagnosis.changes, "changed")):
            if table:
                yield from ("", table_by_kind(pd.DataFrame(table), heading), "")
        if dataset.root and not diagnosis.left_out:
            yield "every file can be read"
        needed, free = _size(diagnosis.store_bytes), _size(diagnosis.free_bytes)
        yield f"disk: {needed} for the prepared data in {cache}; {free} are free"
        for state in diagnosis.tracks:
            yield f"{state.track}: " + (
                f"cannot be run: {state.problem}"
                if state.problem
                else f"{state.protocol}, {state.trials} trials, gallery of {state.gallery}"
            )
    yield f"licence: {dataset.card.licence}"
    yield f"consent: {dataset.card.consent}"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
