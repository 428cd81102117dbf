"""The store: what `prepare` makes of a data set. It allows random access and is shared between processes.

It is a folder of six files, in format version 5 (no recording or picture is in it twice, see `overlap.py`):

* `clips.parquet`: one row a clip, in index order: the labels of the data set's index; `voice` and `face` (whether it
  has one); `voice_start` and `voice_samples` (position in `voices.i16`; 0 samples: no voice); `face_row` (row of
  `faces.u8`; -1: no face); `digest`, a sha256 of its labels, voice and face as read; and where the face was found in a
  scene: `frame_time` (seconds in the video), `frame_by` (how the frame was chosen: "sharpest" or "emotion"; "" for
  pictures) and `face_score` (the detector's, 0 to 1);
* `voices.i16`: little-endian int16 samples, all recordings one after another, mono at `rate`;
* `faces.u8`: uint8 [n, size, size, 3] RGB, one after another;
* `store.json`: format, data set, rate, size, counts, and `content`, a sha256 over the digests of all
  clips;
* `left_out.parquet`: what could not be used: `clip`, `file` (the index's entry) and `reason`; for a copy also `part`
  (voice or face) and `copy_of`, the clip of the original;
* `changes.parquet`: what was changed when files were read: `clip` ("" for a table or a name), `file` and `change`.

While the store is written it has another file, `journal.jsonl`: a line for each clip, each fault, each change and each
complete batch that is written. A writer that finds a journal cuts all files back to the last complete batch, and
continues from there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from v2f_bench.interfaces import BenchError, Clips, PluginError, Voices
from v2f_bench.interfaces.values import random_starts

FORMAT = 5
STEP = np.float32(1 / 32768)  # of int16: to [-1, 1], exactly
HIDDEN = ("voice_start", "voice_samples", "face_row", "frame_time", "frame_by", "face_score", "digest")  # from methods


class Store:
    """A finished store, memory-mapped. `clips` is the table, indexed by clip name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.meta: dict[str, Any] = json.loads((folder / "store.json").read_text())
        if self.meta["format"] != FORMAT:
            raise BenchError(f"{folder}: store format {self.meta['format']}, not {FORMAT}; delete it to make it anew")
        self.rate: int = self.meta["rate"]
        self.size: int = self.meta["size"]
        self.clips = pd.read_parquet(folder / "clips.parquet").set_index("clip", drop=False)
        self.left_out = pd.read_parquet(folder / "left_out.parquet")
        self.changes = pd.read_parquet(folder / "changes.parquet")
        self._start, self._samples, self._face_row = (
            self.clips[name].to_numpy() for name in ("voice_start", "voice_samples", "face_row")
        )
        self._voices = _mapped(folder / "voices.i16", "<i2", (-1,))
        self._faces = _mapped(folder / "faces.u8", "u1", (-1, self.size, self.size, 3))

    @property
    def copies(self) -> dict[tuple[str, str], str]:
        """By (part, clip) of each copy that was left out, the clip of the original."""
        copies = self.left_out[self.left_out["copy_of"] != ""]
        return dict(zip(zip(copies["part"], copies["clip"], strict=True), copies["copy_of"], strict=True))

    def content_of(self, clips: Sequence[str]) -> str:
        """A sha256 over the digests of some clips: of their labels, and voices and faces as decoded."""
        return content_hash(self.clips["digest"].iloc[self.places(clips)])

    def voice(self, clip: str) -> np.ndarray:
        """The recording of a clip: int16 [T], a view of the file."""
        return self._recording(self.places([clip])[0])

    def faces(self, clips: Sequence[str]) -> np.ndarray:
        """The faces of clips: uint8 [N, size, size, 3]. PluginError where a clip has none."""
        return self.faces_at(self.places(clips))

    def voices(self, clips: Sequence[str]) -> Voices:
        """The recordings of clips, whole."""
        return self.voices_at(self.places(clips))

    def places(self, clips: Sequence[str]) -> np.ndarray:
        """The rows of clips in the table: int [N]. KeyError for one that is not in the store."""
        places = self.clips.index.get_indexer(list(clips))
        if (places < 0).any():
            raise KeyError(clips[int(places.argmin())])
        return places

    def faces_at(self, places: np.ndarray) -> np.ndarray:
        """`faces` of the clips at these rows of the table."""
        rows = self._face_row[places]
        if (rows < 0).any():
            clip = self.clips.index[places[int(rows.argmin())]]
            raise PluginError(f"clip {clip} has no face; the table's column `face` says which do")
        return self._faces[rows]

    def voices_at(self, places: np.ndarray) -> Voices:
        """`voices` of the clips at these rows of the table."""
        return pad([self._recording(place) for place in places], self.rate)

    def crops_at(self, places: np.ndarray, seconds: float, rng: np.random.Generator) -> Voices:
        """A random stretch of `seconds` of each recording, drawn as by `Voices.crop`; the rest is not read."""
        import torch

        wanted = round(seconds * self.rate)
        starts = random_starts(self._samples[places].tolist(), wanted, rng)
        samples = np.empty((len(places), wanted), np.float32)
        for row, place, start in zip(samples, places, starts, strict=True):
            stretch = self._recording(place)[start : start + wanted]
            np.multiply(stretch if len(stretch) == wanted else np.resize(stretch, wanted), STEP, out=row)
        return Voices(torch.from_numpy(samples), torch.full((len(places),), wanted), self.rate)

    def _recording(self, place: int) -> np.ndarray:
        start = self._start[place]
        return self._voices[start : start + self._samples[place]]


class StoredClips(Clips):
    """Some clips of a store, as a method is given them: with faces at one resolution."""

    def __init__(self, store: Store, clips: Sequence[str], resolution: int) -> None:
        self._places = store.places(clips)
        self.table = store.clips.iloc[self._places].drop(columns=list(HIDDEN)).reset_index(drop=True)
        self.rate = store.rate
        self.resolution = resolution
        self._store = store

    def voices(self, rows: Sequence[int] | np.ndarray) -> Voices:
        return self._store.voices_at(self._places[np.asarray(rows, dtype=int)])

    def crops(self, rows: Sequence[int] | np.ndarray, seconds: float, rng: np.random.Generator) -> Voices:
        return self._store.crops_at(self._places[np.asarray(rows, dtype=int)], seconds, rng)

    def faces(self, rows: Sequence[int] | np.ndarray) -> Any:
        from v2f_bench.media.picture import to_tensor

        return to_tensor(self._store.faces_at(self._places[np.asarray(rows, dtype=int)]), self.resolution)


def content_hash(digests: Iterable[str]) -> str:
    """A sha256 over the digests of clips, in their order."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def pad(recordings: Sequence[np.ndarray], rate: int) -> Voices:
    """int16 [T] recordings of different lengths as one batch."""
    import torch

    lengths = [len(recording) for recording in recordings]
    samples = np.empty((len(recordings), max(lengths)), np.float32)
    for row, recording in zip(samples, recordings, strict=True):
        np.multiply(recording, STEP, out=row[: len(recording)])  # in one pass
        row[len(recording) :] = 0
    return Voices(torch.from_numpy(samples), torch.tensor(lengths), rate)


def _mapped(path: Path, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    if path.stat().st_size == 0:  # an empty file cannot be mapped
        return np.zeros([0 if n == -1 else n for n in shape], dtype)
    return np.asarray(np.memmap(path, dtype, mode="r")).reshape(shape)  # a plain array's views cost less
