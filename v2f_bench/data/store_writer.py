"""Write a store (see `store.py` for its files) in batches, so that a killed writer loses one batch at most."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from v2f_bench.data.overlap import without_repeats
from v2f_bench.data.store import FORMAT, content_hash
from v2f_bench.files import write_text_whole
from v2f_bench.hashing import canonical_json

JOURNAL = "journal.jsonl"
# What the journal has for a clip beside its row of the index, with the type of each column in the table.
_COLUMNS = {
    **{"voice": "bool", "face": "bool", "voice_start": "int64", "voice_samples": "int64", "face_row": "int64"},
    **{"frame_time": "float64", "frame_by": "str", "face_score": "float64"},
    **{"digest": "str", "voice_digest": "str", "face_digest": "str"},
}
_NO_SCENE = {"frame_time": float("nan"), "frame_by": "", "face_score": float("nan")}


@dataclass(frozen=True)
class Written:
    """How much of a store is written: rows of the index that are done, samples, faces, and bytes of the journal."""

    rows: int = 0
    samples: int = 0
    faces: int = 0
    journal: int = 0


class StoreWriter:
    """Writes a store of the clips in `labels`: the index's columns for the table, one row a clip.

    The folder is empty, or has what a killed writer with the same arguments left. `written.rows` is the number of rows
    of the index that are done; the next call must be about the row after these.
    """

    def __init__(self, folder: Path, dataset: str, rate: int, size: int, labels: pd.DataFrame) -> None:
        self._folder = folder
        self._meta = {"format": FORMAT, "dataset": dataset, "rate": rate, "size": size}
        self._files = labels[[part for part in ("voice", "face") if part in labels]].reset_index(drop=True)
        self._labels = labels.drop(columns=["voice", "face", "fault"], errors="ignore").reset_index(drop=True)
        self._row_bytes = size * size * 3
        self.written = self._last_commit()
        self._samples, self._faces = self.written.samples, self.written.faces
        self._lines: list[dict[str, Any]] = []  # of the batch under way
        cuts = (("voices.i16", self._samples * 2), ("faces.u8", self._faces * self._row_bytes))
        self._voices_file, self._faces_file = (_opened(folder / name, cut) for name, cut in cuts)
        self._journal = _opened(folder / JOURNAL, self.written.journal)

    def add(self, row: int, voice: np.ndarray | None, face: np.ndarray | None, **scene: Any) -> None:
        """Add the clip of a row of the index: its voice (int16 [T]) and its face (uint8 [size, size, 3]), or None.

        `scene` may bring `frame_time`, `frame_by` and `face_score`.
        """
        labels = {name: str(value) for name, value in self._labels.iloc[row].items()}
        digest = hashlib.sha256(canonical_json([labels, None if voice is None else len(voice)]).encode())
        line: dict[str, Any] = {"voice_start": self._samples, "voice_samples": 0, "face_row": -1}
        line |= {"voice_digest": "", "face_digest": ""}
        if voice is not None:
            data = voice.astype("<i2").tobytes()
            self._voices_file.write(data)
            digest.update(data)
            line |= {"voice_samples": len(voice), "voice_digest": hashlib.sha256(data).hexdigest()}
            self._samples += len(voice)
        if face is not None:
            data = face.tobytes()
            self._faces_file.write(data)
            digest.update(data)
            line |= {"face_row": self._faces, "face_digest": hashlib.sha256(data).hexdigest()}
            self._faces += 1
        line |= {"voice": voice is not None, "face": face is not None, "digest": digest.hexdigest()}
        self._lines.append({"row": row, **line, **_NO_SCENE, **scene})

    def leave_out(self, clip: str, file: str, reason: str) -> None:
        """Note a clip, or a part of one, that cannot be used."""
        self._lines.append({"clip": clip, "file": file, "reason": reason})

    def note_change(self, clip: str, file: str, change: str) -> None:
        """Note what was changed when a file was read; `clip` "" for a table of the data set."""
        self._lines.append({"clip": clip, "file": file, "change": change})

    def commit(self, rows: int) -> None:
        """Note that the first `rows` rows of the index are done: after a kill, writing continues after them."""
        self._voices_file.flush()
        self._faces_file.flush()
        self._lines.append({"done": rows, "samples": self._samples, "faces": self._faces})
        self._journal.write(b"".join(json.dumps(line).encode() + b"\n" for line in self._lines))
        self._journal.flush()
        self._lines = []
        self.written = Written(rows, self._samples, self._faces, self._journal.tell())

    def close(self) -> None:
        """Write the tables and `store.json` of what was committed, and delete the journal."""
        for file in (self._voices_file, self._faces_file, self._journal):
            file.close()
        clips, left_out, changes = self._tables()
        clips.drop(columns=["voice_digest", "face_digest"]).to_parquet(self._folder / "clips.parquet", index=False)
        left_out.to_parquet(self._folder / "left_out.parquet", index=False)
        changes.to_parquet(self._folder / "changes.parquet", index=False)
        content = content_hash(clips["digest"])
        counts = {"clips": len(clips), "voices": int(clips["voice"].sum()), "faces": int(clips["face"].sum())}
        counts |= {"left_out": len(left_out), "changes": len(changes)}
        write_text_whole(
            self._folder / "store.json", json.dumps({**self._meta, **counts, "content": content}, indent=1)
        )
        (self._folder / JOURNAL).unlink()

    def _tables(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """The tables of `clips.parquet`, with the digests, `left_out.parquet`, with copies, and `changes.parquet`."""
        clips: dict[str, list[Any]] = {name: [] for name in ("row", *_COLUMNS)}
        left_out: dict[str, list[Any]] = {name: [] for name in ("clip", "file", "reason")}
        changes: dict[str, list[Any]] = {name: [] for name in ("clip", "file", "change")}
        for line in self._committed():
            columns = clips if "row" in line else left_out if "reason" in line else changes if "change" in line else {}
            for name, values in columns.items():
                values.append(line[name])
        read = pd.DataFrame({name: pd.Series(clips[name], dtype=kind) for name, kind in _COLUMNS.items()})
        labels = self._labels.iloc[clips["row"]].reset_index(drop=True)
        table, repeats = without_repeats(pd.concat([labels, read], axis=1))
        table.loc[~table["voice"], "voice_samples"] = 0
        table.loc[~table["face"], "face_row"] = -1
        for row in table.index[table.index >= len(labels)]:  # portraits, which have a row of their own
            name = canonical_json([table.at[row, "clip"], table.at[row, "face_digest"]])
            table.at[row, "digest"] = hashlib.sha256(name.encode()).hexdigest()
        set_aside = pd.DataFrame(left_out | {"part": "", "copy_of": ""}, dtype="str")
        rows = [clips["row"][repeat.number] for repeat in repeats]
        copies = pd.DataFrame(
            {
                "clip": [self._labels["clip"].iloc[row] for row in rows],
                "file": [
                    self._files[repeat.part].iloc[row] if repeat.part in self._files else ""
                    for row, repeat in zip(rows, repeats, strict=True)
                ],
                **{name: [getattr(repeat, name) for repeat in repeats] for name in ("reason", "part", "copy_of")},
            },
            dtype="str",
        )
        return table, pd.concat([set_aside, copies], ignore_index=True), pd.DataFrame(changes, dtype="str")

    def _committed(self) -> Iterator[dict[str, Any]]:
        """The lines of the journal up to the last commit."""
        with (self._folder / JOURNAL).open("rb") as journal:
            while journal.tell() < self.written.journal:
                yield json.loads(journal.readline())

    def _last_commit(self) -> Written:
        """What was written up to the last complete batch; nothing where files are missing or too short."""
        path, last = self._folder / JOURNAL, Written()
        if not path.exists():
            return last
        with path.open("rb") as journal:
            for line in iter(journal.readline, b""):
                if line.startswith(b'{"done"') and line.endswith(b"\n"):
                    done = json.loads(line)
                    last = Written(done["done"], done["samples"], done["faces"], journal.tell())
        sizes = {"voices.i16": last.samples * 2, "faces.u8": last.faces * self._row_bytes}
        whole = all((self._folder / name).stat().st_size >= size for name, size in sizes.items())
        return last if whole else Written()


def _opened(path: Path, length: int) -> Any:
    """The file, cut to `length` bytes and opened for appending."""
    path.touch()
    os.truncate(path, length)
    return path.open("ab")
