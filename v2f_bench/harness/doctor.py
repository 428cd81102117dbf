"""The doctor: whether a data set's folder holds what a run needs, file by file, without decoding anything."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from v2f_bench.data.protocol import SAMPLE_RATE
from v2f_bench.harness.bench import lay_protocol
from v2f_bench.harness.face_check import face_check_here
from v2f_bench.harness.prepare import FACE_SIZES
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import DataError, Dataset, Part
from v2f_bench.interfaces.media import is_video
from v2f_bench.media.file import check_file
from v2f_bench.media.mtcnn_networks import HOW_TO_INSTALL
from v2f_bench.media.sound import SOUNDFILE
from v2f_bench.plugins import registry

TYPICAL_SECONDS = 4.0  # of a recording whose header does not tell, or that is no file
_FFMPEG = {".m4a", ".aac", ".mp4", ".flv", ".avi", ".mkv", ".mov", ".webm"}
_PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}


@dataclass(frozen=True)
class TrackState:
    """Whether a track's runs could start, and over what."""

    track: str
    problem: str = ""  # why not
    protocol: str = ""
    trials: int = 0
    gallery: int = 0


@dataclass(frozen=True)
class Diagnosis:
    """What a folder holds."""

    parts: list[Part]
    problem: str = ""  # why not even a list of its clips can be made
    clips: int = 0
    speakers: int = 0
    voices: int = 0
    faces: int = 0
    seconds: float = 0  # of recordings
    labels: dict[str, dict[str, int]] = field(default_factory=dict)  # sex: speakers by value; emotion: clips by value
    left_out: list[dict[str, str]] = field(default_factory=list)  # `file` and `reason`
    store_bytes: int = 0
    free_bytes: int = 0  # where the store would lie
    tracks: list[TrackState] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        """Whether a run of any track could start, and its store be written."""
        whole = all(part.found or not part.needed for part in self.parts)
        return whole and any(not state.problem for state in self.tracks) and self.store_bytes < self.free_bytes


def examine(dataset: Dataset, workplace: Workplace) -> Diagnosis:
    """Look at every file that the data set lists: is it there, no pointer, not empty, and what its name says?

    Only headers are read. What shows in the content alone (damage in the middle, silence, a picture without a face, one
    recording under two names) is found when the data are prepared.
    """
    parts = dataset.parts()
    try:
        index = dataset.index()
    except DataError as error:
        return Diagnosis(parts, problem=str(error))
    rows = index.to_dict("records")
    left_out: list[dict[str, str]] = []
    usable, seconds, names = [], 0.0, set()
    with workplace.progress.bar(f"look at {dataset.name}", len(rows)) as bar:
        for row, (lengths, faults) in zip(rows, _looked_at(dataset, rows, workplace.jobs), strict=True):
            if row["clip"] in names:
                file = row["voice"] or row["face"]
                faults, lengths = [{"file": file, "reason": f"{file}: a clip before it has the same name"}], {}
            left_out += faults
            if lengths:
                names.add(row["clip"])
                usable.append({**row, "voice": "voice" in lengths, "face": "face" in lengths})
                seconds += lengths.get("voice", 0.0)
            bar.advance()
    clips = pd.DataFrame(usable, columns=list(index.columns)).set_index("clip", drop=False)
    voices, faces = int(clips["voice"].sum()), int(clips["face"].sum())
    return Diagnosis(
        [*parts, *_detector(dataset, rows)],
        clips=len(clips),
        speakers=int(clips["speaker"].nunique()),
        voices=voices,
        faces=faces,
        seconds=seconds,
        labels=_labels(clips),
        left_out=left_out,
        store_bytes=round(seconds * SAMPLE_RATE) * 2 + faces * FACE_SIZES[0] ** 2 * 3,
        free_bytes=_free_bytes(workplace.cache),
        tracks=[_track_state(dataset, clips, track) for track in sorted(dataset.tracks, reverse=True)],
    )


def seconds_of(path: Path, part: str) -> float:
    """The length of a recording as its header tells (`part` "voice"); 0.0 of a picture or video ("face").

    Raises:
        DataError: the file is missing, empty, a Git-LFS pointer, shorter than its header says, or of another kind.
    """
    video = is_video(str(path))
    kind = "sound" if part == "voice" else "video" if video else "a picture"
    check_file(path, kind)
    suffix = path.suffix.lower()
    if part == "face" and suffix in _PICTURES:
        return _check_picture(path)
    if part == "voice" and suffix in SOUNDFILE:
        return _seconds_by_soundfile(path)
    if suffix in _FFMPEG:
        return _seconds_by_ffmpeg(path, "audio" if part == "voice" else "video")
    return TYPICAL_SECONDS if part == "voice" else 0.0  # a form of the data set's own: `prepare` will read it


def _detector(dataset: Dataset, rows: list[dict[str, Any]]) -> list[Part]:
    """The face detector, where there are pictures or videos in which faces are to be found."""
    if all(dataset.faces_cropped and not is_video(row["face"]) for row in rows if row["face"]):
        return []
    there = importlib.util.find_spec("facenet_pytorch") is not None
    return [Part("the package facenet-pytorch, to find faces", there, "" if there else HOW_TO_INSTALL)]


def _looked_at(
    dataset: Dataset, rows: list[dict[str, Any]], jobs: int
) -> Iterator[tuple[dict[str, float], list[dict[str, str]]]]:
    """Of each row, in order: the lengths of the parts that can be used; `file` and `reason` of what cannot."""

    def look(row: dict[str, Any]) -> tuple[dict[str, float], list[dict[str, str]]]:
        if row.get("fault"):
            return {}, [{"file": row["voice"] or row["face"] or row["clip"], "reason": row["fault"]}]
        lengths, faults = {}, []
        for part in ("voice", "face"):
            try:
                if row[part] and dataset.root is None:
                    lengths[part] = TYPICAL_SECONDS
                elif row[part] and dataset.root is not None:
                    lengths[part] = seconds_of(dataset.root / row[part], part)
            except DataError as error:
                faults.append({"file": row[part], "reason": str(error)})
        return lengths, faults

    with ThreadPoolExecutor(jobs) as pool:  # opening files waits for the disk, and the libraries let others go on
        yield from pool.map(look, rows)


def _check_picture(path: Path) -> float:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            picture.verify()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise DataError(f"{path}: not readable as a picture") from None
    return 0.0


def _seconds_by_soundfile(path: Path) -> float:
    import soundfile

    try:
        length = float(soundfile.info(path).duration)
    except (soundfile.LibsndfileError, RuntimeError):
        raise DataError(f"{path}: not readable as sound") from None
    with path.open("rb") as stream:
        head = stream.read(8)
    promised = int.from_bytes(head[4:], "little") + 8
    if head[:4] == b"RIFF" and path.stat().st_size < promised < 0x7FFFF000:  # more: a writer that did not know
        raise DataError(f"{path}: truncated")
    return length


def _seconds_by_ffmpeg(path: Path, wanted: str) -> float:
    import av

    try:
        with av.open(str(path)) as container:
            if not getattr(container.streams, wanted):
                raise DataError(f"{path}: has no {'sound' if wanted == 'audio' else 'video'} track")
            return container.duration / 1e6 if container.duration else TYPICAL_SECONDS
    except av.FFmpegError:
        raise DataError(f"{path}: not readable as {'sound' if wanted == 'audio' else 'video'}") from None


def _labels(clips: pd.DataFrame) -> dict[str, dict[str, int]]:
    found = {}
    if "sex" in clips:
        found["sex"] = clips.drop_duplicates("speaker")["sex"].replace("", "not known").value_counts().to_dict()
    if "emotion" in clips:
        found["emotion"] = clips["emotion"].replace("", "not known").value_counts().to_dict()
    return {label: counts for label, counts in found.items() if counts}


def _free_bytes(folder: Path) -> int:
    """Of the disk on which a folder is or would be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _track_state(dataset: Dataset, clips: pd.DataFrame, track: str) -> TrackState:
    try:
        protocol = lay_protocol(dataset, clips, track, face_check=face_check_here(registry()))
    except DataError as error:
        return TrackState(track, problem=str(error))
    return TrackState(track, "", protocol.name, len(protocol.trials), len(protocol.gallery))
