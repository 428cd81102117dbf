"""Rows of an index made into what a store keeps: recordings, and faces found, chosen and aligned, many at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from v2f_bench.interfaces import DataError, Dataset, Judge
from v2f_bench.interfaces.labels import standard_label
from v2f_bench.media.changes import Change, noted
from v2f_bench.media.faces import BATCH, Frame, align_faces, choose_frame, one_thread, shrunk, why_no_face
from v2f_bench.media.mono import mono
from v2f_bench.media.pauses import without_pauses
from v2f_bench.media.picture import holds_picture, square, to_tensor
from v2f_bench.media.sound import resample, to_int16
from v2f_bench.media.suffixes import is_video
from v2f_bench.media.video import holds_film

SHORTEST = 0.5  # seconds; a voice below this says nothing
FRAMES = 8  # of a video, in which a face is looked for
FRAME_SIDE = 360  # pixels, the shorter side of such a frame: a face in it is hardly smaller than its crop
PICTURE_SIDE = 720  # the same of a single picture, in which the face may be smaller


@dataclass
class Clip:
    """What one row of an index became."""

    voice: np.ndarray | None = None  # int16 [T]
    face: np.ndarray | None = None  # uint8 [size, size, 3]
    faults: list[tuple[str, str]] = field(default_factory=list)  # of what is missing: its entry, and why
    changes: list[Change] = field(default_factory=list)  # of what was read: its entry, and what was changed
    frame_time: float = float("nan")  # seconds in the video
    frame_by: str = ""  # how the frame was chosen: sharpest or emotion; "" for a picture
    face_score: float = float("nan")  # of the detector, where it was asked


@dataclass(frozen=True)
class Examined:
    """What one row of an index would become, without the search for faces in its pictures."""

    seconds: float | None  # of the voice; None where there is none
    has_face: bool  # or a picture, or frames of a video, in which one may be found
    voice_digest: str  # "" for none; what is the same in two rows is one recording
    face_digest: str
    faults: list[tuple[str, str]]
    changes: list[Change]


@dataclass(frozen=True)
class ClipReader:
    """Reads rows of a data set's index into clips.

    Args:
        rate: Hz of the voices.
        size: pixels a side of the faces.
        judge: an emotion judge, ready to use, if frames are to be chosen by the clip's emotion.
    """

    dataset: Dataset
    rate: int
    size: int
    judge: Judge | None = None

    def read(self, rows: list[dict[str, Any]]) -> list[Clip]:
        """A clip for each row. Why something cannot be read stands in its `faults`, and costs no other row anything.

        Which rows come together may change the last bit of what the detector says: for the same result, the same rows.

        Raises:
            NotAvailable: faces are to be found, and the detector is not installed.
        """
        clips = []
        scenes: dict[int, list[Frame]] = {}
        for place, row in enumerate(rows):
            clip, frames = self._load(row)
            clips.append(clip)
            if frames:
                scenes[place] = frames
            if sum(map(len, scenes.values())) >= BATCH:  # at once, since frames are large
                self._find_faces(scenes, rows, clips)
                scenes = {}
        if scenes:
            self._find_faces(scenes, rows, clips)
        return clips

    def examine(self, rows: list[dict[str, Any]]) -> list[Examined]:
        """What `read` would say of each row, but for the faces that it looks for in scenes and frames."""
        examined = []
        for row in rows:
            clip, frames = self._load(row)
            pictures = [frame.pixels for frame in frames] if clip.face is None else [clip.face]
            examined.append(
                Examined(
                    None if clip.voice is None else len(clip.voice) / self.rate,
                    bool(pictures),
                    _digest([] if clip.voice is None else [clip.voice]),
                    _digest(pictures),
                    clip.faults,
                    clip.changes,
                )
            )
        return examined

    def _load(self, row: dict[str, Any]) -> tuple[Clip, list[Frame]]:
        """What a row's files hold, and the pictures in which its face is yet to be found."""
        clip = Clip()
        frames: list[Frame] = []
        if row.get("fault"):
            clip.faults.append((row["voice"] or row["face"] or row["clip"], row["fault"]))
            return clip, frames
        if row["voice"]:
            clip.voice = _careful(clip, row, row["voice"], self._voice)
        if row["face"]:
            seen = _careful(clip, row, row["face"], self._face)
            if isinstance(seen, list):
                frames = seen
            else:
                clip.face = seen
        return clip, frames

    def _voice(self, entry: str) -> np.ndarray:
        silence = getattr(self.dataset.opt, "silence", 0.0)
        return usable_recording(*self.dataset.read_voice(entry), entry, self.rate, silence)

    def _face(self, entry: str) -> np.ndarray | list[Frame]:
        """The face of an entry whose pictures are crops of faces, or else the pictures in which to look for it.

        Its content decides whether it is a film, where there is a file, since names mislead.
        """
        path = self.dataset.root / entry if self.dataset.root is not None else None
        if is_video(entry) and not (path and path.is_file() and holds_picture(path)):
            return self._frames(entry)
        try:
            pixels = self.dataset.read_face(entry, self.size if self.dataset.faces_cropped else PICTURE_SIDE)
        except DataError:
            if path and path.is_file() and holds_film(path):
                return self._frames(entry)
            raise
        if (pixels == pixels[0, 0]).all():
            raise DataError(f"{entry}: a blank picture")
        if self.dataset.faces_cropped:
            return square(pixels, self.size)
        return [Frame(float("nan"), shrunk(pixels, PICTURE_SIDE))]

    def _frames(self, entry: str) -> list[Frame]:
        return [Frame(time, pixels) for time, pixels in self.dataset.read_frames(entry, FRAMES, FRAME_SIDE)]

    def _find_faces(self, scenes: dict[int, list[Frame]], rows: list[dict[str, Any]], clips: list[Clip]) -> None:
        """The face of each clip whose frames are in `scenes`, by its place."""
        with one_thread():
            align_faces([frame for frames in scenes.values() for frame in frames], self.size)
            strengths = self._emotion_strengths(list(scenes.values()), [rows[place] for place in scenes])
        for (place, frames), strength in zip(scenes.items(), strengths, strict=True):
            clip, entry = clips[place], rows[place]["face"]
            good = [frame for frame in frames if frame.face is not None]
            if not good:
                clip.faults.append((entry, f"{entry}: {why_no_face(frames)}"))
                continue
            best, by = choose_frame(good, strength)
            clip.face, clip.frame_time, clip.face_score = best.face, best.time, best.score
            clip.frame_by = "" if np.isnan(best.time) else by

    def _emotion_strengths(self, scenes: list[list[Frame]], rows: list[dict[str, Any]]) -> list[np.ndarray | None]:
        """How strongly each frame's face shows its clip's emotion, or None where the judge does not know that one."""
        strengths: list[np.ndarray | None] = [None] * len(scenes)
        labels = [standard_label(label) for label in self.judge.labels] if self.judge else []
        asked: dict[int, int] = {}
        for place, row in enumerate(rows):
            emotion = standard_label(str(row.get("emotion", "")))
            if emotion in labels and not np.isnan(scenes[place][0].time):
                asked[place] = labels.index(emotion)
        faces = [frame.face for place in asked for frame in scenes[place] if frame.face is not None]
        if not self.judge or not faces:
            return strengths
        batches = (np.stack(faces[start : start + BATCH]) for start in range(0, len(faces), BATCH))
        seen = np.concatenate([self.judge.predict(to_tensor(batch, self.size)) for batch in batches])
        start = 0
        for place, column in asked.items():
            count = sum(frame.face is not None for frame in scenes[place])
            strengths[place] = seen[start : start + count, column]
            start += count
        return strengths


def usable_recording(samples: np.ndarray, rate: int, entry: str, wanted: int, silence: float = 0.0) -> np.ndarray:
    """A recording as methods hear it, int16 [T] at `wanted` Hz, from float32 [n] or [n, channels] at `rate`.

    Args:
        silence: pauses of so many seconds or more are taken out; 0: none.

    Raises:
        DataError: too short, silent, not finite or at no known level; names `entry`.
    """
    if not np.isfinite(samples).all():
        raise DataError(f"{entry}: holds samples that are not finite")
    try:
        samples = resample(mono(samples), rate, wanted)
    except DataError as error:
        raise DataError(f"{entry}: {error}") from None
    if len(samples) < SHORTEST * wanted:
        raise DataError(f"{entry}: {len(samples) / wanted:.2f} s is too short")
    if not to_int16(samples).any():
        raise DataError(f"{entry}: silent")
    if silence:
        samples = without_pauses(samples, wanted, silence)
        if len(samples) < SHORTEST * wanted:
            raise DataError(f"{entry}: {len(samples) / wanted:.2f} s without its pauses is too short")
    return to_int16(samples)


def _careful(clip: Clip, row: dict[str, Any], entry: str, read: Callable[[str], Any]) -> Any:
    """What `read` gives for an entry; where it fails, None, and the reason among the clip's faults."""
    try:
        with noted() as changes:
            content = read(entry)
    except DataError as error:
        clip.faults.append((entry, str(error)))
    except Exception as error:  # a bug in the data set's plugin costs the clip, not the hours of work on the others
        clip.faults.append((entry, f"{entry}: reading {row['clip']} crashed: {type(error).__name__}: {error}"))
    else:
        clip.changes += [(file or entry, change) for file, change in changes]
        return content
    return None


def _digest(arrays: list[np.ndarray]) -> str:
    if not arrays:
        return ""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
