"""What a study says of each run, kept in the run's record, where tables find it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from v2f_bench.artefacts import FACES, Faces
from v2f_bench.harness.stage import locked
from v2f_bench.interfaces import BenchError, DataError, Progress
from v2f_bench.record import HumanEstimate, HumanNumber, number_or_none, read_record, write_record
from v2f_bench.study.folder import Key, StudiedMethod
from v2f_bench.study.report import MEANS
from v2f_bench.study.results import Estimate, HumanResult, Results, human_results


def keep_in_records(results: Results, key: Key, progress: Progress) -> list[Path]:
    """Write the study's number for each run into its record; returns the folders of the runs that have it now.

    A number of the same study takes the place of the one before; those of other studies stay. A run that is gone, or
    whose faces are not those that were shown, is reported and left unchanged.
    """
    kept = []
    for number in human_results(results):
        method = key.methods[number.method]
        folder = Path(method.folder)
        try:
            if not folder.is_dir():
                raise DataError(f"{folder} is not there any more")
            with locked(folder / "record", progress):
                _check_same(method, folder)
                _write(folder, _as_recorded(number, method.faces, results.responsible))
        except BenchError as error:
            progress.line(f"not kept in the record of {number.method}: {error}")
        else:
            kept.append(folder)
    return kept


def _check_same(method: StudiedMethod, folder: Path) -> None:
    """DataError where the folder holds another run, or other faces, than the study showed."""
    if read_record(folder).run != method.run:
        raise DataError(f"{folder} holds another run than {method.run}")
    # Pictures made elsewhere lie elsewhere: their content is in the id of the run.
    if (folder / FACES).is_dir() and Faces.of(folder / FACES).content != method.faces:
        raise DataError(f"{folder / FACES} holds other pictures than the study showed")


def _write(folder: Path, number: HumanNumber) -> None:
    record = read_record(folder)
    others = [one for one in record.human if (one.measure, one.study) != (number.measure, number.study)]
    human = sorted([*others, number], key=lambda one: (one.measure, one.study))
    write_record(folder, replace(record, human=human))


def _as_recorded(number: HumanResult, faces: str, responsible: str) -> HumanNumber:
    own = Estimate(number.value, number.low, number.high, number.n, number.raters, number.items)
    return HumanNumber(
        measure=number.measure,
        means=MEANS[number.measure],
        study=number.study,
        estimate=_estimate(own),
        chance=number.chance,
        p_chance=number_or_none(number.p_chance),
        expected=number.expected,
        missing=number.missing,
        calibration=_estimate(number.calibration) if number.calibration else None,
        floor=_estimate(number.floor) if number.floor else None,
        responsible=responsible,
        faces=faces,
    )


def _estimate(estimate: Estimate) -> HumanEstimate:
    value, low, high = map(number_or_none, (estimate.value, estimate.low, estimate.high))
    return HumanEstimate(value, low, high, estimate.n, estimate.raters, estimate.items)
