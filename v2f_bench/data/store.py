"""The store: what `prepare` makes of a data set, for random access by every method and shared between processes.

A folder of five files; format version 3 (no recording or picture is in it twice):

* `clips.parquet`: one row a clip, in index order: the labels of the data set's index, `voice_start` and
  `voice_samples` (position in `voices.i16`; 0 samples: no voice), and `face_row` (row of `faces.u8`; -1: no face);
* `voices.i16`: little-endian int16 samples, all recordings one after another, mono at `rate`;
* `faces.u8`: uint8 [n, size, size, 3] RGB, one after another;
* `store.json`: format, data set, rate, size, counts, and `content`, a sha256 of labels, voices and faces;
* `left_out.parquet`: what could not be used, and why.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from v2f_bench.data.overlap import repeated
from v2f_bench.hashing import canonical_json
from v2f_bench.interfaces import BenchError, Clips, PluginError, Voices

FORMAT = 3


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
        self._voices = _mapped(folder / "voices.i16", "<i2", (-1,))
        self._faces = _mapped(folder / "faces.u8", "u1", (-1, self.size, self.size, 3))

    def voice(self, clip: str) -> np.ndarray:
        """The recording of a clip: int16 [T], a view of the file."""
        row = self.clips.loc[clip]
        return self._voices[row["voice_start"] : row["voice_start"] + row["voice_samples"]]

    def faces(self, clips: Sequence[str]) -> np.ndarray:
        """The faces of clips: uint8 [N, size, size, 3]. PluginError where a clip has none."""
        rows = self.clips.loc[list(clips), "face_row"].to_numpy()
        if (rows < 0).any():
            raise PluginError(f"clip {clips[int(rows.argmin())]} has no face; the table's column `face` says which do")
        return self._faces[rows]

    def voices(self, clips: Sequence[str]) -> Voices:
        """The recordings of clips, whole."""
        return pad([self.voice(clip) for clip in clips], self.rate)


class StoreWriter:
    """Writes a store into an empty folder, clip by clip; `close` completes it."""

    def __init__(self, folder: Path, dataset: str, rate: int, size: int) -> None:
        self._folder = folder
        self._meta = {"format": FORMAT, "dataset": dataset, "rate": rate, "size": size}
        self._rows: list[dict[str, Any]] = []
        self._left_out: list[dict[str, str]] = []
        self._digests: dict[str, list[str]] = {"voice": [], "face": []}  # of each row; "" for none
        self._samples = 0
        self._faces = 0
        self._voices_file: BinaryIO = (folder / "voices.i16").open("wb")
        self._faces_file: BinaryIO = (folder / "faces.u8").open("wb")
        self._content = hashlib.sha256()

    def add(self, labels: dict[str, Any], voice: np.ndarray | None, face: np.ndarray | None) -> None:
        """One clip: its labels, its voice (int16 [T]) and its face (uint8 [size, size, 3]); either may be None."""
        row = {**labels, "voice_start": self._samples, "voice_samples": 0, "face_row": -1}
        digests = {"voice": "", "face": ""}
        if voice is not None:
            row["voice_samples"] = len(voice)
            self._samples += len(voice)
            digests["voice"] = self._write(self._voices_file, voice.astype("<i2"))
        if face is not None:
            row["face_row"] = self._faces
            self._faces += 1
            digests["face"] = self._write(self._faces_file, face)
        for part, digest in digests.items():
            self._digests[part].append(digest)
        row["voice"], row["face"] = voice is not None, face is not None
        self._content.update(canonical_json({name: str(value) for name, value in row.items()}).encode())
        self._rows.append(row)

    def _write(self, file: BinaryIO, media: np.ndarray) -> str:
        data = media.tobytes()
        file.write(data)
        self._content.update(data)
        return hashlib.sha256(data).hexdigest()

    def leave_out(self, clip: str, reason: str) -> None:
        """A clip, or a part of one, that cannot be used."""
        self._left_out.append({"clip": clip, "reason": reason})

    def close(self) -> None:
        self._voices_file.close()
        self._faces_file.close()
        self._set_repeats_aside()
        rows = pd.DataFrame(self._rows) if self._rows else pd.DataFrame(columns=["clip", "speaker", "voice", "face"])
        rows.to_parquet(self._folder / "clips.parquet", index=False)
        left_out = pd.DataFrame(self._left_out, columns=["clip", "reason"], dtype="str")
        left_out.to_parquet(self._folder / "left_out.parquet", index=False)
        counts = {"clips": len(self._rows), **{f"{part}s": sum(r[part] for r in self._rows) for part in self._digests}}
        content = self._content.hexdigest()
        text = json.dumps({**self._meta, **counts, "left_out": len(self._left_out), "content": content}, indent=1)
        (self._folder / "store.json").write_text(text)

    def _set_repeats_aside(self) -> None:
        for part, digests in self._digests.items():
            for number, reason in repeated(part, digests, self._rows):
                row = self._rows[number]
                row |= {part: False} | ({"voice_samples": 0} if part == "voice" else {"face_row": -1})
                self.leave_out(row["clip"], reason)
        self._rows = [row for row in self._rows if row["voice"] or row["face"]]


class StoredClips(Clips):
    """Some clips of a store, as a method sees them: faces at the protocol's resolution."""

    def __init__(self, store: Store, clips: Sequence[str], resolution: int) -> None:
        hidden = ["voice_start", "voice_samples", "face_row"]
        self.table = store.clips.loc[list(clips)].drop(columns=hidden).reset_index(drop=True)
        self.rate = store.rate
        self.resolution = resolution
        self._store = store
        self._names = self.table["clip"].to_numpy()

    def voices(self, rows: Sequence[int] | np.ndarray) -> Voices:
        return self._store.voices(self._names[np.asarray(rows, dtype=int)])

    def faces(self, rows: Sequence[int] | np.ndarray) -> Any:
        from v2f_bench.media.picture import to_tensor

        return to_tensor(self._store.faces(self._names[np.asarray(rows, dtype=int)]), self.resolution)


def pad(recordings: Sequence[np.ndarray], rate: int) -> Voices:
    """int16 [T] recordings of different lengths as one batch."""
    import torch

    lengths = torch.tensor([len(recording) for recording in recordings])
    samples = torch.zeros(len(recordings), int(lengths.max()))
    for row, recording in zip(samples, recordings, strict=True):
        row[: len(recording)] = torch.from_numpy(recording.astype(np.float32)) / 32768
    return Voices(samples, lengths, rate)


def _mapped(path: Path, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    if path.stat().st_size == 0:  # an empty file cannot be mapped
        return np.zeros([0 if n == -1 else n for n in shape], dtype)
    return np.memmap(path, dtype, mode="r").reshape(shape)
