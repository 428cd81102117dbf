"""Runs as a study reads them: their faces or films, and of the data set behind them voices and photographs.

This is the only module of the study that knows how runs and stores lie on disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from v2f_bench.artefacts import FACES, Faces, face_file, read_still
from v2f_bench.interfaces import Card, DataError, Progress, UsageError
from v2f_bench.study.permission import check_permission

if TYPE_CHECKING:
    import pandas as pd

    from v2f_bench.harness.bench import Bench
    from v2f_bench.record import Record

BLENDED = 8  # training faces whose mean is the floor of realism


@dataclass(frozen=True)
class RunFaces:
    """The faces that one run made. `label` tells it from the study's other runs."""

    label: str
    folder: Path
    faces: Faces
    name: str  # of its method
    run: str  # its id
    seed: int
    expected: tuple[str, ...]  # the trials that bring all that its method needs

    def face(self, trial: str, resolution: int) -> np.ndarray:
        """The face of a trial: uint8 [resolution, resolution, 3], resized as where it is scored.

        Raises:
            DataError: it is missing, unreadable or not square; names the file.
        """
        from v2f_bench.media.picture import to_pixels, to_tensor

        if trial not in self.faces.pictures:
            raise DataError(f"{face_file(self.faces.folder, trial)}: missing")
        path = self.faces.pictures[trial]
        pixels = read_still(path)
        if pixels.shape[0] != pixels.shape[1]:
            raise DataError(f"{path}: not square")
        return np.asarray(to_pixels(to_tensor(pixels[None], resolution))[0])

    def missing(self) -> dict[str, str]:
        """The expected trials without a usable face or film, and why."""
        missing = {}
        for trial in self.expected:
            try:
                self.face(trial, 8)  # of a film the middle frame
            except DataError as error:
                missing[trial] = str(error)
        return missing

    def film(self, trial: str) -> Path | None:
        """The film of a trial, where its method makes films."""
        return self.faces.film(trial)


@dataclass(frozen=True)
class Material:
    """What a study is made of: runs of one protocol, and the prepared data set that they were made on."""

    runs: tuple[RunFaces, ...]
    bench: Bench

    @property
    def card(self) -> Card:
        return self.bench.dataset.card

    @property
    def dataset(self) -> str:
        return self.bench.dataset.name

    @property
    def track(self) -> str:
        return self.bench.protocol.track

    @property
    def protocol(self) -> dict[str, str]:
        return {"name": self.bench.protocol.name, "hash": self.bench.protocol.hash}

    @property
    def resolution(self) -> int:
        """Pixels that every face is brought to."""
        return self.bench.protocol.resolution

    @property
    def rate(self) -> int:
        """Hz of every voice."""
        return self.bench.store.rate

    @property
    def trials(self) -> pd.DataFrame:
        """The protocol's trials with the labels of their speakers (see `Bench.trials`)."""
        return self.bench.trials

    def run(self, label: str) -> RunFaces:
        return next(run for run in self.runs if run.label == label)

    def voice(self, trial: str) -> np.ndarray:
        """The recording that a trial hands to methods: int16 [T]."""
        from v2f_bench.harness.trial_voices import trial_voice

        trials = self.bench.trials
        return np.array(trial_voice(self.bench.store, self.bench.protocol, trials[trials["trial"] == trial].iloc[0]))

    def photograph(self, clip: str) -> np.ndarray:
        """A real face: uint8 [resolution, resolution, 3]."""
        from v2f_bench.media.picture import to_pixels

        return np.asarray(to_pixels(self.bench.faces([clip]))[0])

    def blend(self, name: str) -> np.ndarray:
        """The mean of eight training faces, chosen by a hash of `name`: uint8 [resolution, resolution, 3]."""
        from v2f_bench.data.splits import hash_order
        from v2f_bench.media.picture import to_pixels

        faces = self.bench.faces(hash_order(self._training_faces, "blend", name)[:BLENDED])
        return np.asarray(to_pixels(faces.mean(dim=0, keepdim=True))[0])

    @cached_property
    def _training_faces(self) -> list[str]:
        train = self.bench.store.clips.loc[self.bench.protocol.splits["train"]]
        return list(train["clip"][train["face"]])


def open_material(given: Sequence[str], data_root: Path | None, responsible: str, progress: Progress) -> Material:
    """The runs that were named, and the data set they were made on, prepared.

    Args:
        given: folders of runs, each perhaps followed by `=` and the folder of its pictures, where these lie elsewhere
            (`v2f-bench score` leaves them where they were).
        responsible: who answers for showing the data set's people (see `check_permission`).

    Raises:
        UsageError: a run is named twice, they are of different protocols, or their people must not be shown.
        DataError: a run cannot be read, has no pictures, or its data set is not the one it was made on.
    """
    from v2f_bench.harness.reopen import reopen
    from v2f_bench.plugins import registry
    from v2f_bench.record import read_record

    places = [_place(each) for each in given]
    if len({folder.resolve() for folder, _ in places}) < len(places):
        raise UsageError("one run is named twice")
    records = [read_record(folder) for folder, _ in places]
    hashes = {record.protocol.hash for record in records}
    if len(hashes) > 1:
        protocols = "; ".join(f"{f}: {r.protocol.hash}" for (f, _), r in zip(places, records, strict=True))
        raise UsageError(f"only runs of one protocol can be compared ({protocols})")
    first = records[0].dataset
    cls = registry().find("dataset", first.name).cls
    check_permission(cls.name, cls.card, responsible)  # before hours of preparing, not after
    bench = reopen(places[0][0], records[0], data_root, progress)
    runs = [_run(folder, pictures, record, bench) for (folder, pictures), record in zip(places, records, strict=True)]
    return Material(_told_apart(runs), bench)


def _place(given: str) -> tuple[Path, Path | None]:
    folder, equals, pictures = given.rpartition("=")
    if not equals or Path(given).is_dir():
        return Path(given), None
    return Path(folder), Path(pictures)


def _run(folder: Path, pictures: Path | None, record: Record, bench: Bench) -> RunFaces:
    from v2f_bench.harness.trials import applicable

    where = pictures or folder / FACES
    if not where.is_dir():
        raise DataError(f"{folder}: its pictures are not in {where}; name their folder too: {folder}=FOLDER")
    faces = Faces.of(where)
    if not faces.pictures:
        raise DataError(f"{where}: holds no picture <trial>.png and no film <trial>.mp4")
    name = record.method.name
    expected = bench.trials["trial"][applicable(bench, frozenset(record.method.needs))]
    return RunFaces(name, folder, faces, name, record.run, record.seed, tuple(expected))


def _told_apart(runs: list[RunFaces]) -> tuple[RunFaces, ...]:
    """The runs, those of one method with their run id in the label. UsageError where two are the same run."""
    names = [run.name for run in runs]
    labelled = tuple(
        RunFaces(**{**vars(run), "label": f"{run.name} ({run.run})"}) if names.count(run.name) > 1 else run
        for run in runs
    )
    for place, run in enumerate(labelled):
        for other in labelled[:place]:
            if run.label == other.label:
                raise UsageError(f"{other.folder} and {run.folder} are one run, {run.label}")
    return labelled
