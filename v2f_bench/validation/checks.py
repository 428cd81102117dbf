"""What is checked of a run that somebody hands in; each check says what it found, or why it could not look."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from v2f_bench.artefacts import FACES, Faces
from v2f_bench.data.protocol import Protocol
from v2f_bench.harness.recording import PROTOCOL
from v2f_bench.hashing import file_sha256
from v2f_bench.interfaces import BenchError, Progress
from v2f_bench.record import INFLUENCE, RECORD, TRIALS, Record, read_record, read_trials
from v2f_bench.render.html import THUMBNAIL
from v2f_bench.validation.judged import judge_problems
from v2f_bench.validation.manifest import MANIFEST, Manifest, read_manifest
from v2f_bench.validation.rescoring import rescore
from v2f_bench.validation.values import recompute

NAMED = 3  # trials, or files, in a message
SAME = ("trial", "speaker", "voice", "target", "proposal", "other", "random_face", "real_photo")


@dataclass(frozen=True)
class Check:
    """One check: what is wrong, what it looked at, and what it could not look at."""

    name: str
    problems: list[str] = field(default_factory=list)
    done: str = ""  # in words; "" where nothing could be checked
    not_checked: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Verdict:
    folder: Path
    checks: list[Check]

    @property
    def problems(self) -> list[str]:
        return [problem for check in self.checks for problem in check.problems]


def validate(
    folder: Path,
    others: Iterable[Record],
    progress: Progress,
    data_root: Path | None = None,
    with_faces: bool = True,
    pictures: Path | None = None,
) -> Verdict:
    """The verdict on the run in `folder`; the last check scores its faces anew, where they and the data set are here.

    Args:
        others: records that its judges are held against.
        with_faces: False leaves the last check out.
        pictures: where its faces lie, if not beside it.
    """
    try:
        record, trials = read_record(folder), read_trials(folder)
    except BenchError as error:
        return Verdict(folder, [Check("files", [str(error)])])
    checks = [_files(folder, record), _protocol(folder, record, trials), _trials(record, trials)]
    checks += [_numbers(record, trials), _judges(record, others)]
    where = pictures or folder / FACES
    try:
        faces = Faces.of(where) if where.is_dir() else None
        checks.append(_faces(folder, faces, trials))
    except BenchError as error:
        return Verdict(folder, [*checks, Check("faces", [str(error)])])
    if not with_faces or faces is None:
        reason = "left out on request" if not with_faces else f"no faces in {where}"
        return Verdict(folder, [*checks, Check("scores", not_checked=[reason])])
    if checks[1].problems or checks[2].problems:  # of other trials, or another protocol: nothing would agree
        return Verdict(folder, [*checks, Check("scores", not_checked=["the trials are not those of the protocol"])])
    return Verdict(folder, [*checks, _scores(folder, record, faces, data_root, progress)])


def _files(folder: Path, record: Record) -> Check:
    """The files are those that were made ready. The small picture need not be there."""
    try:
        manifest = read_manifest(folder)
    except BenchError as error:
        return Check("files", [str(error)])
    if manifest is None:
        return Check("files", done="readable", not_checked=[f"no {MANIFEST}: nobody made it ready"])
    problems = [f"{MANIFEST} is of the run {manifest.run}, not {record.run}"] if manifest.run != record.run else []
    optional = [THUMBNAIL] if THUMBNAIL in manifest.files and (folder / THUMBNAIL).is_file() else []
    for name in (RECORD, TRIALS, INFLUENCE, PROTOCOL, *optional):
        there = (folder / name).is_file()
        if name in manifest.files and not there:
            problems.append(f"{name} is missing")
        elif there and manifest.files.get(name) != file_sha256(folder / name):
            problems.append(f"{name} was changed after it was made ready")
    return Check("files", problems, f"{len(manifest.files)} files against {MANIFEST}")


def _protocol(folder: Path, record: Record, trials: pd.DataFrame) -> Check:
    """The protocol is whole, and the record and the table of trials are of it."""
    try:
        protocol = Protocol.read(folder / PROTOCOL)
    except BenchError as error:
        return Check("protocol", [str(error)])
    stated = record.protocol
    pairs = {
        **{"hash": (stated.hash, protocol.hash), "name": (stated.name, protocol.name)},
        **{"track": (stated.track, protocol.track), "sample rate": (stated.sample_rate, protocol.sample_rate)},
        **{"resolution": (stated.resolution, protocol.resolution), "gallery": (stated.gallery, len(protocol.gallery))},
        **{"face check": (stated.face_check, protocol.face_check), "trials": (stated.trials, len(protocol.trials))},
        **{"data set": (record.dataset.name, protocol.dataset.get("name"))},
    }
    problems = [
        f"{name} is {of_record} in the record, {of_protocol} in {PROTOCOL}"
        for name, (of_record, of_protocol) in pairs.items()
        if of_record != of_protocol
    ]
    asked = {trial["trial"]: trial for trial in protocol.trials}
    table = trials.reset_index()
    columns = [column for column in SAME if column in table]
    others = [
        row["trial"]
        for row in table[columns].to_dict("records")
        if row["trial"] in asked and any(row[column] != asked[row["trial"]].get(column) for column in columns)
    ]
    if others:
        problems.append(f"{len(others)} trials ask something else than in {PROTOCOL}: {_some(others)}")
    if surplus := [name for name in trials.index if name not in asked]:
        problems.append(f"{len(surplus)} trials are not of the protocol: {_some(surplus)}")
    if missing := [name for name in asked if name not in trials.index]:
        problems.append(f"{len(missing)} trials of the protocol are missing: {_some(missing)}")
    return Check("protocol", problems, f"{protocol.name} ({protocol.hash}), {len(protocol.trials)} trials")


def _trials(record: Record, trials: pd.DataFrame) -> Check:
    """The table of trials has each once, and as many apply, and fail, as the record says."""
    problems = []
    if trials.index.has_duplicates:
        problems.append(f"trials stand twice: {_some(list(trials.index[trials.index.duplicated()]))}")
    if len(trials) != record.protocol.trials:
        problems.append(f"{len(trials)} trials in the table, {record.protocol.trials} in the record")
    if "applicable" in trials and int(trials["applicable"].sum()) != record.applicable:
        problems.append(f"{int(trials['applicable'].sum())} trials apply, {record.applicable} in the record")
    if "failure" in trials:
        counts = {str(why): int(n) for why, n in trials["failure"].value_counts().items() if why}
        if counts != record.failures:
            problems.append(f"failed faces: {counts} in the table, {record.failures} in the record")
    return Check("trials", problems, f"{len(trials)} trials")


def _numbers(record: Record, trials: pd.DataFrame) -> Check:
    """The record's numbers, computed anew from the values of single trials."""
    differences, computed, whole = recompute(record, trials)
    not_checked = [f"{len(whole)} statistics of all faces together can be computed from faces alone"] if whole else []
    return Check("numbers", differences, f"{computed} numbers from per-trial values", not_checked)


def _judges(record: Record, others: Iterable[Record]) -> Check:
    problems, unknown = judge_problems(record, others)
    not_checked = [f"nobody else says what weights these have: {', '.join(unknown)}"] if unknown else []
    return Check("judges", problems, f"{len(record.judges) - len(unknown)} judges", not_checked)


def _faces(folder: Path, faces: Faces | None, trials: pd.DataFrame) -> Check:
    """The faces are those that were made ready, and of trials of the run."""
    manifest = read_manifest(folder)
    if faces is None:
        kept = f"{len(manifest.faces)} by hash alone" if manifest else "none here"
        return Check("faces", not_checked=[f"no pictures: {kept}"])
    problems = []
    if surplus := [name for name in faces.pictures if name not in trials.index]:
        problems.append(f"{len(surplus)} pictures are of no trial: {_some(surplus)}")
    if manifest is None:
        return Check("faces", problems, f"{len(faces.pictures)} pictures", [f"no {MANIFEST} to hold them against"])
    problems += _other_faces(faces, manifest)
    return Check("faces", problems, f"{len(faces.pictures)} pictures against {MANIFEST}")


def _other_faces(faces: Faces, manifest: Manifest) -> list[str]:
    changed = [
        trial
        for trial, path in faces.pictures.items()
        if trial in manifest.faces and file_sha256(path) != manifest.faces[trial]
    ]
    missing = [trial for trial in manifest.faces if trial not in faces.pictures]
    added = [trial for trial in faces.pictures if trial not in manifest.faces]
    kinds = (("other pictures than were made ready", changed), ("missing", missing), ("added later", added))
    problems = [f"{len(trials)} {what}: {_some(trials)}" for what, trials in kinds if trials]
    if faces.failures != manifest.failures:
        problems.append("the reasons for missing faces are others than were made ready")
    return problems


def _scores(folder: Path, record: Record, faces: Faces, data_root: Path | None, progress: Progress) -> Check:
    try:
        rescored = rescore(folder, record, faces, data_root, progress)
    except BenchError as error:
        return Check("scores", not_checked=[str(error)])
    return Check("scores", rescored.problems, f"{rescored.compared} numbers from the faces", rescored.not_compared)


def _some(names: list[str]) -> str:
    return ", ".join(map(str, names[:NAMED])) + (", …" if len(names) > NAMED else "")
