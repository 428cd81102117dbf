"""Rows of an index made into what a store keeps: recordings, and faces found, chosen and aligned, many at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from v2f_bench.interfaces import DataError, Dataset, Judge
from v2f_bench.interfaces.labels import standard_label
from v2f_bench.interfaces.media import is_video
from v2f_bench.media.align import aligned, frontality, sharpness, which_face
from v2f_bench.media.pauses import without_pauses
from v2f_bench.media.picture import square, to_tensor
from v2f_bench.media.sound import resample, to_int16

SHORTEST = 0.5  # seconds; a voice below this says nothing
FRAMES = 8  # of a video, that are looked at
FRAME_SIDE = 360  # pixels, the shorter side of a frame that is looked at: a face in it is hardly smaller than its crop
PICTURE_SIDE = 720  # the same of a single picture, in which the face may be smaller
DETECTION_SIDE = 180  # the shorter side of what the detector sees
SMALLEST_FACE = 30.0  # pixels of these: a sixth of the shorter side
OVERLAP = 0.5  # of two of the detector's candidates, above which they are one: half the work of 0.7, the same faces
BATCH = 8  # pictures that a network sees at once: more take more memory and no less time
POINT_STEP = 64  # parts of a pixel to which points are rounded, so that the last bit of a sum moves no crop
AS_FRONTAL = 0.15  # frames whose frontality is this near the best one's are frontal: the sharpest of them is taken


@dataclass
class Frame:
    """A picture in which a face is looked for, and what was found in it."""

    time: float  # seconds; NaN for a picture
    pixels: np.ndarray  # uint8 [H, W, 3]
    missing: str = ""  # why there is no face
    face: np.ndarray | None = None  # uint8 [size, size, 3], aligned
    score: float = 0.0
    frontality: float = 0.0


@dataclass
class Clip:
    """What one row of an index became."""

    voice: np.ndarray | None = None  # int16 [T]
    face: np.ndarray | None = None  # uint8 [size, size, 3]
    faults: list[tuple[str, str]] = field(default_factory=list)  # of what is missing: its entry, and why
    frame_time: float = float("nan")  # seconds in the video
    frame_by: str = ""  # how the frame was chosen: sharpest or emotion; "" for a picture
    face_score: float = float("nan")  # of the detector, where it was asked


@dataclass(frozen=True)
class ClipReader:
    """Reads rows of a data set's index into clips.

    Args:
        rate: Hz of the voices.
        size: pixels a side of the faces.
        judge: an emotion judge, ready to look, if frames are to be chosen by the clip's emotion.
    """

    dataset: Dataset
    rate: int
    size: int
    judge: Judge | None = None

    def read(self, rows: list[dict[str, Any]]) -> list[Clip]:
        """A clip for each row. What cannot be read is told in its `faults`, and costs no other row anything.

        Which rows come together may change the last bit of what the detector says: for the same result, the same rows.

        Raises:
            NotAvailable: faces are to be found, and the detector is not installed.
        """
        clips = [Clip() for _ in rows]
        scenes: dict[int, list[Frame]] = {}
        for place, (row, clip) in enumerate(zip(rows, clips, strict=True)):
            if row.get("fault"):
                clip.faults.append((row["voice"] or row["face"], row["fault"]))
                continue
            if row["voice"]:
                clip.voice = _careful(clip, row, row["voice"], self._voice)
            if row["face"]:
                if self.dataset.faces_cropped and not is_video(row["face"]):
                    clip.face = _careful(clip, row, row["face"], self._cropped_face)
                elif frames := _careful(clip, row, row["face"], self._scenes):
                    scenes[place] = frames
            if sum(map(len, scenes.values())) >= BATCH:  # at once, since frames are large
                self._find_faces(scenes, rows, clips)
                scenes = {}
        if scenes:
            self._find_faces(scenes, rows, clips)
        return clips

    def _voice(self, entry: str) -> np.ndarray:
        silence = getattr(self.dataset.opt, "silence", 0.0)
        return usable_recording(*self.dataset.read_voice(entry), entry, self.rate, silence)

    def _cropped_face(self, entry: str) -> np.ndarray:
        return _not_blank(square(self.dataset.read_face(entry, self.size), self.size), entry)

    def _scenes(self, entry: str) -> list[Frame]:
        if is_video(entry):
            return [Frame(time, pixels) for time, pixels in self.dataset.read_frames(entry, FRAMES, FRAME_SIDE)]
        pixels = _not_blank(self.dataset.read_face(entry, PICTURE_SIDE), entry)
        return [Frame(float("nan"), _shrunk(pixels, PICTURE_SIDE))]

    def _find_faces(self, scenes: dict[int, list[Frame]], rows: list[dict[str, Any]], clips: list[Clip]) -> None:
        """The face of each clip whose frames are in `scenes`, by its place."""
        with _one_thread():
            align_faces([frame for frames in scenes.values() for frame in frames], self.size)
            felt = self._felt(list(scenes.values()), [rows[place] for place in scenes])
        for (place, frames), strength in zip(scenes.items(), felt, strict=True):
            _choose(clips[place], rows[place]["face"], frames, strength)

    def _felt(self, scenes: list[list[Frame]], rows: list[dict[str, Any]]) -> list[np.ndarray | None]:
        """How strongly each frame's face shows its clip's emotion, or None where the judge does not know that one."""
        felt: list[np.ndarray | None] = [None] * len(scenes)
        labels = [standard_label(label) for label in self.judge.labels] if self.judge else []
        asked = {
            place: labels.index(emotion)
            for place, row in enumerate(rows)
            if (emotion := standard_label(str(row.get("emotion", "")))) in labels and is_video(row["face"])
        }
        faces = [frame.face for place in asked for frame in scenes[place] if frame.face is not None]
        if not self.judge or not faces:
            return felt
        seen = np.concatenate(
            [self.judge.look(to_tensor(np.stack(faces[s : s + BATCH]), self.size)) for s in range(0, len(faces), BATCH)]
        )
        start = 0
        for place, column in asked.items():
            count = sum(frame.face is not None for frame in scenes[place])
            felt[place] = seen[start : start + count, column]
            start += count
        return felt


def usable_recording(samples: np.ndarray, rate: int, entry: str, wanted: int, silence: float = 0.0) -> np.ndarray:
    """A recording as methods hear it, int16 [T] at `wanted` Hz, from float32 [n] at `rate`.

    Args:
        silence: pauses of so many seconds or more are taken out; 0: none.

    Raises:
        DataError: too short, silent or not finite; names `entry`.
    """
    samples = resample(samples, rate, wanted)
    if len(samples) < SHORTEST * wanted:
        raise DataError(f"{entry}: {len(samples) / wanted:.2f} s is too short")
    if not np.isfinite(samples).all():
        raise DataError(f"{entry}: holds samples that are not finite")
    if not to_int16(samples).any():
        raise DataError(f"{entry}: silent")
    if silence:
        samples = without_pauses(samples, wanted, silence)
        if len(samples) < SHORTEST * wanted:
            raise DataError(f"{entry}: {len(samples) / wanted:.2f} s without its pauses is too short")
    return to_int16(samples)


def align_faces(frames: list[Frame], size: int) -> None:
    """Find the face in each frame and cut it out, aligned; `missing` tells where there is none, or two."""
    import torch

    from v2f_bench.media.mtcnn import find_faces

    networks = _networks()
    seen = [_shrunk(frame.pixels, DETECTION_SIDE) for frame in frames]
    for shape in sorted({pixels.shape for pixels in seen}):
        alike = [place for place, pixels in enumerate(seen) if pixels.shape == shape]
        for start in range(0, len(alike), BATCH):
            batch = alike[start : start + BATCH]
            pictures = torch.from_numpy(np.stack([seen[place] for place in batch])).permute(0, 3, 1, 2)
            found = find_faces(pictures, networks, SMALLEST_FACE, OVERLAP)
            images, boxes, scores, points = (
                part.numpy() for part in (found.images, found.boxes, found.scores, found.points)
            )
            for number, place in enumerate(batch):
                mine = images == number
                _cut_out(frames[place], shape, boxes[mine], scores[mine], points[mine], size)


def _cut_out(
    frame: Frame, seen: tuple[int, ...], boxes: np.ndarray, scores: np.ndarray, points: np.ndarray, size: int
) -> None:
    chosen = which_face(boxes, scores)
    if isinstance(chosen, str):
        frame.missing = chosen
        return
    larger = np.array([frame.pixels.shape[1] / seen[1], frame.pixels.shape[0] / seen[0]])
    five = (np.round(points[chosen] * POINT_STEP) / POINT_STEP + 0.5) * larger - 0.5
    frame.face = aligned(frame.pixels, five, size)
    frame.score, frame.frontality = float(scores[chosen]), frontality(five)


def _choose(clip: Clip, entry: str, frames: list[Frame], felt: np.ndarray | None) -> None:
    """The frame that becomes the clip's face: the strongest as felt, else the sharpest of the most frontal ones."""
    good = [frame for frame in frames if frame.face is not None]
    if not good:
        clip.faults.append((entry, f"{entry}: {_why_none(frames)}"))
        return
    if felt is not None and np.isfinite(felt).any():
        best, clip.frame_by = good[int(np.nanargmax(felt))], "emotion"
    else:
        most = max(frame.frontality for frame in good)
        frontal = [frame for frame in good if frame.frontality >= most - AS_FRONTAL]
        best = max(frontal, key=lambda frame: sharpness(frame.face))  # type: ignore[arg-type]
        clip.frame_by = "" if np.isnan(best.time) else "sharpest"
    clip.face, clip.frame_time, clip.face_score = best.face, best.time, best.score


def _why_none(frames: list[Frame]) -> str:
    least = SMALLEST_FACE / min(DETECTION_SIDE, *frames[0].pixels.shape[:2])
    looked_for = f"(looked for: {100 * least:.0f} % of the shorter side or more)"
    if len(frames) == 1:
        return f"no face {looked_for}" if frames[0].missing == "no face" else frames[0].missing
    faceless = sum(frame.missing == "no face" for frame in frames)
    if faceless == len(frames):
        return f"no face in any of {faceless} frames {looked_for}"
    return f"two faces of alike size in {len(frames) - faceless} of {len(frames)} frames, no face in the others"


def _careful(clip: Clip, row: dict[str, Any], entry: str, read: Callable[[str], Any]) -> Any:
    """What `read` gives for an entry; where it fails, None, and the reason among the clip's faults."""
    try:
        return read(entry)
    except DataError as error:
        clip.faults.append((entry, str(error)))
    except Exception as error:  # a bug in the data set's plugin costs the clip, not the hours of work on the others
        clip.faults.append((entry, f"{entry}: reading {row['clip']} crashed: {type(error).__name__}: {error}"))
    return None


def _not_blank(pixels: np.ndarray, entry: str) -> np.ndarray:
    if (pixels == pixels[0, 0]).all():
        raise DataError(f"{entry}: a blank picture")
    return pixels


def _shrunk(pixels: np.ndarray, side: int) -> np.ndarray:
    """uint8 [H, W, 3] with a shorter side of at most `side`, by area."""
    height, width = pixels.shape[:2]
    smaller = side / min(height, width)
    if smaller >= 1:
        return pixels
    size = (max(round(width * smaller), 1), max(round(height * smaller), 1))
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))


@contextmanager
def _one_thread() -> Iterator[None]:
    """How many threads share a sum may change its last bit, and so a pixel."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


_loaded: list[Any] = []


def _networks() -> list[Any]:
    """The detector's networks, loaded once a process."""
    if not _loaded:
        from v2f_bench.media.mtcnn_networks import load_networks

        _loaded.extend(load_networks("cpu", "finding faces in pictures and videos"))
    return _loaded
