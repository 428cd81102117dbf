"""The doctor: does a data set's folder hold what a run needs? Each file is read as `prepare` reads it."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from v2f_bench.data.overlap import without_repeats
from v2f_bench.data.protocol import SAMPLE_RATE
from v2f_bench.harness.face_check import face_check_here
from v2f_bench.harness.make_bench import make_protocol
from v2f_bench.harness.prepare import FACE_SIZES
from v2f_bench.harness.reading import Batch, examine_all, read_index
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import DataError, Dataset, Part
from v2f_bench.media.clips import Examined
from v2f_bench.media.mtcnn_networks import HOW_TO_INSTALL
from v2f_bench.media.suffixes import is_video
from v2f_bench.plugins import registry

TYPICAL_SECONDS = 4.0  # assumed length of a recording of a data set that is made by code


@dataclass(frozen=True)
class TrackState:
    """Whether runs of a track could start, and the size of their protocol."""

    track: str
    problem: str = ""  # why they could not
    protocol: str = ""
    trials: int = 0
    gallery: int = 0


@dataclass(frozen=True)
class Diagnosis:
    """What a data set's folder holds."""

    parts: list[Part]
    problem: str = ""  # why the clips cannot even be listed
    clips: int = 0
    speakers: int = 0
    voices: int = 0
    faces: int = 0
    seconds: float = 0  # of recordings
    labels: dict[str, dict[str, int]] = field(default_factory=dict)  # sex: speakers by value; emotion: clips by value
    left_out: list[dict[str, str]] = field(default_factory=list)  # `file` and `reason`
    changes: list[dict[str, str]] = field(default_factory=list)  # `file` and `change`
    scenes: int = 0  # of `faces`, those that must still be detected in a picture or video
    store_bytes: int = 0
    free_bytes: int = 0  # on the disk for the store
    tracks: list[TrackState] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        """Whether a run of any track could start, and there is space for its store."""
        whole = all(part.found or not part.needed for part in self.parts)
        return whole and any(not state.problem for state in self.tracks) and self.store_bytes < self.free_bytes


def examine(dataset: Dataset, workplace: Workplace) -> Diagnosis:
    """Read every file that the data set lists, as `prepare` does, but write nothing.

    The diagnosis lists what `prepare` would leave out, with the same reasons, and counts what it would change. Faces
    are not detected in uncropped pictures and videos, since that takes most of the time of `prepare`.
    """
    try:
        parts = dataset.parts()
        index, changes = read_index(dataset)
    except DataError as error:
        return Diagnosis(_parts_or_none(dataset), problem=str(error))
    left_out: list[dict[str, str]] = []
    changed = [{"file": file, "change": change} for file, change in changes]
    rows, seconds = [], []
    with workplace.progress.bar(f"read {dataset.name}", len(index)) as bar:
        for batch, examined in _examined(dataset, index, workplace.jobs):
            for row, clip in zip(batch, examined, strict=True):
                left_out += [{"file": file, "reason": reason} for file, reason in clip.faults]
                changed += [{"file": file, "change": change} for file, change in clip.changes]
                rows.append(
                    {
                        **{name: value for name, value in row.items() if name not in ("row", "fault")},
                        **{"voice": clip.seconds is not None, "face": clip.has_face},
                        **{"voice_digest": clip.voice_digest, "face_digest": clip.face_digest},
                        **{"voice_file": row["voice"], "face_file": row["face"]},
                    }
                )
                seconds.append(clip.seconds or 0.0)
            bar.advance(len(batch))
    names = [*index.columns.drop("fault"), "voice_digest", "face_digest", "voice_file", "face_file"]
    table = pd.DataFrame(rows, columns=names).assign(seconds=seconds).astype({"voice": bool, "face": bool})
    table = table[table["voice"] | table["face"]].reset_index(drop=True)
    clips, repeats = without_repeats(table)
    left_out += [
        {"file": table.at[repeat.number, f"{repeat.part}_file"], "reason": repeat.reason} for repeat in repeats
    ]
    clips = clips.set_index("clip", drop=False)
    faces, seconds_of_voice = int(clips["face"].sum()), float(clips["seconds"][clips["voice"]].sum())
    return Diagnosis(
        [*parts, *_detector(dataset, index)],
        clips=len(clips),
        speakers=int(clips["speaker"].nunique()),
        voices=int(clips["voice"].sum()),
        faces=faces,
        seconds=seconds_of_voice,
        labels=_labels(clips),
        left_out=left_out,
        changes=changed,
        scenes=sum(_is_scene(dataset, file) for file in clips["face_file"][clips["face"]]),
        store_bytes=round(seconds_of_voice * SAMPLE_RATE) * 2 + faces * FACE_SIZES[0] ** 2 * 3,
        free_bytes=_free_bytes(workplace.cache),
        tracks=[_track_state(dataset, clips, track) for track in sorted(dataset.tracks, reverse=True)],
    )


def _examined(dataset: Dataset, index: pd.DataFrame, jobs: int) -> Iterator[tuple[Batch, list[Examined]]]:
    if dataset.root is not None:
        yield from examine_all(dataset, FACE_SIZES[0], index, jobs)
        return
    rows = index.to_dict("records")  # made by code: there is nothing to read
    yield rows, [Examined(TYPICAL_SECONDS if row["voice"] else None, bool(row["face"]), "", "", [], []) for row in rows]


def _parts_or_none(dataset: Dataset) -> list[Part]:
    """What the folder should hold; [] where a table that says so cannot be read."""
    try:
        return dataset.parts()
    except DataError:
        return []


def _is_scene(dataset: Dataset, entry: str) -> bool:
    return not dataset.faces_cropped or is_video(entry)


def _detector(dataset: Dataset, index: pd.DataFrame) -> list[Part]:
    """The face detector, where the data set has uncropped pictures or videos."""
    if not any(_is_scene(dataset, entry) for entry in index["face"] if entry):
        return []
    installed = importlib.util.find_spec("facenet_pytorch") is not None
    return [Part("the package facenet-pytorch, to find faces", installed, "" if installed else HOW_TO_INSTALL)]


def _labels(clips: pd.DataFrame) -> dict[str, dict[str, int]]:
    counted = {}
    if "sex" in clips:
        of_speakers = clips["sex"].replace("", None).groupby(clips["speaker"]).first().fillna("not known")
        counted["sex"] = of_speakers.value_counts().to_dict()
    if "emotion" in clips:
        counted["emotion"] = clips["emotion"].replace("", "not known").value_counts().to_dict()
    return {label: counts for label, counts in counted.items() if counts}


def _free_bytes(folder: Path) -> int:
    """Free space of the disk on which a folder is or would be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _track_state(dataset: Dataset, clips: pd.DataFrame, track: str) -> TrackState:
    try:
        protocol = make_protocol(dataset, clips, track, face_check=face_check_here(registry()))
    except DataError as error:
        return TrackState(track, problem=str(error))
    return TrackState(track, "", protocol.name, len(protocol.trials), len(protocol.gallery))
