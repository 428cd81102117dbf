"""Prepare: a data set's clips, decoded once, in parallel, into a store."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from v2f_bench.data.protocol import SAMPLE_RATE
from v2f_bench.data.store import FORMAT, Store, StoreWriter
from v2f_bench.harness.stage import is_done, stage
from v2f_bench.harness.workplace import Workplace
from v2f_bench.hashing import canonical_json, key_of, source_key
from v2f_bench.interfaces import BenchError, DataError, Dataset
from v2f_bench.media.picture import square
from v2f_bench.media.sound import resample, to_int16

FACE_SIZE = 128  # pixels; what a store keeps. Protocols look at smaller ones.
SHORTEST = 0.5  # seconds; a voice below this says nothing
_SPAWN = multiprocessing.get_context("spawn")  # forked children inherit the locks of torch's threads


def prepare(dataset: Dataset, workplace: Workplace) -> Store:
    """The store of a data set, from the cache if it is there.

    A clip whose voice or face cannot be read is left out, with the reason, in the store's `left_out` table.
    """
    index = dataset.index()
    rows = index.to_dict("records")
    for row, again in zip(rows, index["clip"].duplicated(), strict=True):
        if again:
            row["fault"] = f"{row['voice'] or row['face']}: a clip before it has the same name, {row['clip']}"
    content = [[row["clip"], *_fingerprint(dataset, row)] for row in rows]
    sources = (source_key(type(dataset)), source_key(resample))
    key = key_of(dataset.name, sources, dataset.opt, FORMAT, SAMPLE_RATE, FACE_SIZE, content)
    folder = workplace.cache / "stores" / f"{dataset.name}-{key}"

    def make(unfinished: Path) -> None:
        writer = StoreWriter(unfinished, dataset.name, SAMPLE_RATE, FACE_SIZE)
        with workplace.progress.bar(f"prepare {dataset.name}", len(rows)) as bar:
            for row, (voice, face, reasons) in zip(rows, _read_all(dataset, rows, workplace.jobs), strict=True):
                for reason in reasons:
                    writer.leave_out(row["clip"], reason)
                if voice is not None or face is not None:
                    writer.add(_labels(row), voice, face)
                bar.advance()
        writer.close()

    if not is_done(folder, key) and sys.modules["__mp_main__"].__name__ == "__mp_main__":
        # A spawned worker runs the main script again, and would wait here for the lock that its parent holds.
        raise BenchError(
            "prepare was called in a worker process: put your script's calls under `if __name__ == '__main__':`"
        )
    stage(folder, key, make)
    return Store(folder)


def _read_all(dataset: Dataset, rows: list[dict[str, Any]], jobs: int) -> Iterator[tuple[Any, Any, list[str]]]:
    """The voice, face and faults of each row, in order."""
    if jobs == 1 or len(rows) < 50:
        yield from (_read(dataset, row) for row in rows)
        return
    try:
        with ProcessPoolExecutor(jobs, _SPAWN, _adopt, (dataset,)) as pool:
            yield from pool.map(_read_adopted, rows, chunksize=16)
    except BrokenProcessPool:
        raise BenchError(
            f"prepare {dataset.name}: a worker process was killed (out of memory?); try again with --jobs 1"
        ) from None


_adopted: Dataset


def _adopt(dataset: Dataset) -> None:
    global _adopted
    _adopted = dataset
    threadpool_limits(1)  # the processes share the CPUs already


def _read_adopted(row: dict[str, Any]) -> tuple[Any, Any, list[str]]:
    return _read(_adopted, row)


def _read(dataset: Dataset, row: dict[str, Any]) -> tuple[np.ndarray | None, np.ndarray | None, list[str]]:
    """int16 [T] voice and uint8 [FACE_SIZE, FACE_SIZE, 3] face of one index row, and why what is missing is missing."""
    if row.get("fault"):
        return None, None, [row["fault"]]
    found: dict[str, np.ndarray | None] = {"voice": None, "face": None}
    reasons = []
    for part, read in (("voice", _voice), ("face", _face)):
        try:
            found[part] = read(dataset, row[part]) if row[part] else None
        except DataError as error:
            reasons.append(str(error))
        except Exception as error:  # a bug in the data set's plugin costs the clip, not the hours of work on the others
            reasons.append(f"{row[part]}: reading {row['clip']} crashed: {type(error).__name__}: {error}")
    return found["voice"], found["face"], reasons


def _voice(dataset: Dataset, entry: str) -> np.ndarray:
    return usable_recording(*dataset.read_voice(entry), entry)


def usable_recording(samples: np.ndarray, rate: int, entry: str) -> np.ndarray:
    """A recording as methods hear it, int16 [T] at the protocol's rate, from float32 [n] at `rate`.

    Raises:
        DataError: too short, silent or not finite; names `entry`.
    """
    samples = resample(samples, rate, SAMPLE_RATE)
    if len(samples) < SHORTEST * SAMPLE_RATE:
        raise DataError(f"{entry}: {len(samples) / SAMPLE_RATE:.2f} s is too short")
    if not np.isfinite(samples).all():
        raise DataError(f"{entry}: holds samples that are not finite")
    recording = to_int16(samples)
    if not recording.any():
        raise DataError(f"{entry}: silent")
    return recording


def _face(dataset: Dataset, entry: str) -> np.ndarray:
    face = square(dataset.read_face(entry), FACE_SIZE)
    if (face == face[0, 0]).all():
        raise DataError(f"{entry}: a blank picture")
    return face


def _labels(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("voice", "face", "fault")}


def _fingerprint(dataset: Dataset, row: dict[str, Any]) -> list[str]:
    """What tells whether the media of a row changed: labels, size and time of its files."""
    marks = [canonical_json({name: str(value) for name, value in row.items()})]
    if dataset.root is not None:
        for entry in (row["voice"], row["face"]):
            file = dataset.root / entry
            if entry and file.is_file():
                status = file.stat()
                marks.append(f"{status.st_size}-{status.st_mtime_ns}")
    return marks
