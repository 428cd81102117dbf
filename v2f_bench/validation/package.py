"""A run made ready for a pull request: record, per-trial values, faces or their hashes, and a checklist."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Container
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from v2f_bench import __version__
from v2f_bench.artefacts import FACES, FAILURES, Faces
from v2f_bench.files import write_text_whole, write_whole
from v2f_bench.harness.recording import PROTOCOL
from v2f_bench.interfaces import DataError, UsageError
from v2f_bench.record import INFLUENCE, RECORD, TRIALS, Record, read_record, read_trials
from v2f_bench.render.html import THUMBNAIL
from v2f_bench.report.people import thumbnail
from v2f_bench.validation.manifest import MANIFEST, SCHEMA, Manifest, hashes_of, write_manifest

if TYPE_CHECKING:
    import pandas as pd

CHECKLIST = "CHECKLIST.md"
ON_THUMBNAIL = 4  # speakers, one face of each


def submit(run: Path, output: Path, with_faces: bool = True, pictures: Path | None = None) -> Path:
    """Copy what others need of the run below `output`/<data set>/<method>/<run id>; returns that folder.

    The data set's own voices and photographs are never copied. Faces are, where its card lets them be shown.

    Args:
        with_faces: False keeps their hashes alone.
        pictures: where they lie, of pictures made elsewhere.

    Raises:
        UsageError: the folder is there already, with other content.
        DataError: the run is not whole.
    """
    record, trials = read_record(run), read_trials(run)
    where = pictures or run / FACES
    if not where.is_dir():
        raise DataError(f"{run}: its faces are not in {where}; name the folder in which they are")
    faces = Faces.of(where)
    own = {trial: path for trial, path in faces.pictures.items() if trial in trials.index}
    parts = (record.dataset.name, record.method.name, record.run)
    folder = output.joinpath(*(folder_name(part) for part in parts))
    if folder.exists():
        raise UsageError(f"{folder} exists already; remove it, or name another output folder")
    folder.mkdir(parents=True)
    names = [name for name in (RECORD, TRIALS, INFLUENCE, PROTOCOL) if (run / name).is_file()]
    for name in names:
        write_whole(folder / name, partial(shutil.copyfile, run / name))
    shown = record.dataset.may_be_shown == "yes"
    if with_faces and shown:
        (folder / FACES).mkdir()
        for trial, path in own.items():
            shutil.copyfile(path, folder / FACES / f"{trial}{path.suffix.lower()}")
        if faces.failures:
            write_text_whole(folder / FACES / FAILURES, json.dumps(faces.failures, sort_keys=True))
    if shown and (picture := thumbnail(faces, first_of_speakers(trials, own))):
        (folder / THUMBNAIL).write_bytes(picture)
        names.append(THUMBNAIL)
    files = hashes_of({name: folder / name for name in names})
    manifest = Manifest(SCHEMA, __version__, record.run, files, hashes_of(own), faces.failures)
    write_manifest(folder, manifest)
    write_text_whole(folder / CHECKLIST, _checklist(record, with_faces, len(own)))
    return folder


def first_of_speakers(trials: pd.DataFrame, known: Container[str]) -> list[str]:
    """The first trial of each of the first speakers, of the trials that are known: the same in every run of a protocol
    in which no face is missing."""
    ordered = trials[[trial in known for trial in trials.index]].sort_index()
    return list(ordered.drop_duplicates("speaker").sort_values("speaker").index[:ON_THUMBNAIL])


def folder_name(text: str) -> str:
    """Foreign text as the name of one folder: no separator, no way up, nothing that a shell or Windows reads."""
    return re.sub(r"[^\w.,()=+@ -]", "_", text).strip(". ")[:80] or "_"


def _checklist(record: Record, with_faces: bool, faces: int) -> str:
    from v2f_bench.render.markdown import escaped

    few = "\n* [ ] There are three seeds or more of this method; with fewer, say in the pull request why."
    kept = f"{faces} faces lie beside the record"
    if record.dataset.may_be_shown != "yes":
        kept = f"the hashes of {faces} faces are in {MANIFEST}; the data set's card does not let faces be shown"
    elif not with_faces:
        kept = f"the hashes of {faces} faces are in {MANIFEST}"
    trained = ", ".join(map(escaped, record.method.trained_with)) or "none"
    return f"""# {escaped(record.method.name)} on {escaped(record.dataset.name)}, {escaped(record.run)}

Protocol {escaped(record.protocol.name)} ({escaped(record.protocol.hash)}); {kept}.

Before the pull request:

* [ ] `v2f-bench validate .` finds nothing in this folder.
* [ ] Nothing was tuned on the test trials, and no test speaker was in any training data.
* [ ] Every pretrained network that the training used is named: {trained}.
* [ ] The method is described in public: {escaped(record.method.source) or "(no source is named in the record)"}.{few}
* [ ] Licence and consent of the data set were kept: {escaped(record.dataset.consent) or "not stated"}
* [ ] No name, voice or photograph of a person is in this folder beside what is listed in {MANIFEST}.

Then copy the folder below `leaderboards/records/` and open a pull request with a contact address.
"""
