"""Prepare: a data set's clips, decoded once, in parallel, into a store."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from v2f_bench.data.protocol import SAMPLE_RATE
from v2f_bench.data.store import FORMAT, Store
from v2f_bench.data.store_writer import StoreWriter
from v2f_bench.harness.frame_judge import FrameJudge, named_frame_judge
from v2f_bench.harness.stage import is_done, stage
from v2f_bench.harness.workplace import Workplace
from v2f_bench.hashing import canonical_json, key_of
from v2f_bench.interfaces import BenchError, Dataset
from v2f_bench.keys import DECODING
from v2f_bench.media.clips import Clip, ClipReader
from v2f_bench.sources import core_key, source_key

FACE_SIZES = (128, 256)  # pixels a side that a store may keep; protocols make smaller ones of these
BATCH = 16  # rows that are read together: what a kill costs, and what the detector sees at once
FEW = 2 * BATCH  # rows, below which starting processes takes longer than the work
_SPAWN = multiprocessing.get_context("spawn")  # forked children inherit the locks of torch's threads


def face_size(resolution: int) -> int:
    """The size at which a store keeps faces for a protocol of `resolution`."""
    return next(size for size in FACE_SIZES if size >= resolution)


def prepare(dataset: Dataset, workplace: Workplace, size: int = FACE_SIZES[0]) -> Store:
    """The store of a data set, with faces of `size` pixels a side, from the cache if it is there.

    A clip whose voice or face cannot be read is left out, with the reason, in the store's `left_out` table. What a
    killed attempt read is not read again.
    """
    index = dataset.index()
    index = index.assign(fault=_faults(index))
    judge = named_frame_judge(getattr(dataset.opt, "frame_judge", "none"), workplace)
    sources = (source_key(type(dataset)), core_key(*DECODING))
    recipe = (FORMAT, SAMPLE_RATE, size, BATCH, *((judge.key,) if judge else ()))
    key = key_of(
        dataset.name, sources, dataset.media_options, dataset.faces_cropped, recipe, _fingerprint(dataset, index)
    )
    folder = workplace.cache / "stores" / f"{dataset.name}-{key}"

    def make(unfinished: Path) -> None:
        if not (unfinished / "store.json").exists():  # else killed when all was written
            _write(unfinished, dataset, index, size, judge, workplace)

    if not is_done(folder, key) and sys.modules["__mp_main__"].__name__ == "__mp_main__":
        # A spawned worker runs the main script again, and would wait here for the lock that its parent holds.
        raise BenchError(
            "prepare was called in a worker process: put your script's calls under `if __name__ == '__main__':`"
        )
    done_now = stage(folder, key, make, resumable=True, progress=workplace.progress)
    store = Store(folder)
    if judge and done_now:
        by = store.clips["frame_by"].value_counts()
        workplace.progress.line(
            f"{judge.name} chose the frames of {by.get('emotion', 0):,} videos; of {by.get('sharpest', 0):,}, whose "
            "emotion it does not know, the sharpest frontal one was taken"
        )
    return store


def _write(
    folder: Path,
    dataset: Dataset,
    index: pd.DataFrame,
    size: int,
    judge: FrameJudge | None,
    workplace: Workplace,
) -> None:
    writer = StoreWriter(folder, dataset.name, SAMPLE_RATE, size, index)
    first = writer.written.rows
    title = f"prepare {dataset.name}" + (f", after {first:,} clips" if first else "")
    start = time.monotonic()
    with workplace.progress.bar(title, len(index) - first) as bar:
        for rows, clips in _read_all(dataset, size, judge, index, first, workplace.jobs):
            for row, clip in zip(rows, clips, strict=True):
                for file, reason in clip.faults:
                    writer.leave_out(row["clip"], file, reason)
                if clip.voice is not None or clip.face is not None:
                    found = {name: getattr(clip, name) for name in ("frame_time", "frame_by", "face_score")}
                    writer.add(row["row"], clip.voice, clip.face, **found)
            writer.commit(rows[-1]["row"] + 1)
            speed = (writer.written.rows - first) / (time.monotonic() - start)
            bar.advance(len(rows), f"{speed:.1f} clips/s")
    writer.close()


Batch = list[dict[str, Any]]


def _batches(index: pd.DataFrame, first: int) -> Iterator[Batch]:
    """The rows from `first` on, each with its number, in the batches in which they would come from the beginning."""
    for start in range(first, len(index), BATCH):
        rows = index.iloc[start : start + BATCH]
        yield rows.assign(row=range(start, start + len(rows))).to_dict("records")


def _read_all(
    dataset: Dataset, size: int, judge: FrameJudge | None, index: pd.DataFrame, first: int, jobs: int
) -> Iterator[tuple[Batch, list[Clip]]]:
    """Each batch of rows with its clips, in order."""
    batches = _batches(index, first)
    if jobs == 1 or len(index) - first < FEW:
        reader = _reader(dataset, size, judge)
        for rows in batches:
            yield rows, reader.read(rows)
        return
    pool = ProcessPoolExecutor(jobs, _SPAWN, _adopt, (dataset, size, judge))
    try:
        under_way: deque[tuple[Batch, Future[list[Clip]]]] = deque()
        for rows in batches:
            under_way.append((rows, pool.submit(_read_adopted, rows)))
            if len(under_way) > 2 * jobs:  # no more: what is read waits in memory to be written
                done, clips = under_way.popleft()
                yield done, clips.result()
        for done, clips in under_way:
            yield done, clips.result()
    except BrokenProcessPool:
        raise BenchError(
            f"prepare {dataset.name}: a worker process was killed (out of memory?); the same command goes on from "
            "there, with less memory by --jobs 1"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _reader(dataset: Dataset, size: int, judge: FrameJudge | None) -> ClipReader:
    return ClipReader(dataset, SAMPLE_RATE, size, judge.open() if judge else None)


_adopted: ClipReader


def _adopt(dataset: Dataset, size: int, judge: FrameJudge | None) -> None:
    """Make this process a worker on a data set."""
    global _adopted
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted too, and ends its workers in order
    threading.Thread(target=_end_with_parent, daemon=True).start()
    threadpool_limits(1)  # the processes share the CPUs already
    _adopted = _reader(dataset, size, judge)


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for its next task for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _read_adopted(rows: Batch) -> list[Clip]:
    return _adopted.read(rows)


def _faults(index: pd.DataFrame) -> list[str]:
    """Why each row cannot be used, "" where it can: what the data set says, or that its name is taken."""
    told = index["fault"].fillna("") if "fault" in index else [""] * len(index)
    again = index["clip"].duplicated()
    files = index["voice"].where(index["voice"] != "", index["face"])
    return [
        f"{file}: a clip before it has the same name, {clip}" if taken else fault
        for fault, taken, file, clip in zip(told, again, files, index["clip"], strict=True)
    ]


def _fingerprint(dataset: Dataset, index: pd.DataFrame) -> str:
    """What tells whether a clip changed: labels, and size and time of its files."""
    digest = hashlib.sha256()
    for row in index.itertuples(index=False):
        marks = [canonical_json([str(value) for value in row])]
        for entry in (row.voice, row.face) if dataset.root is not None else ():
            file = dataset.root / entry
            if entry and file.is_file():
                status = file.stat()
                marks.append(f"{status.st_size}-{status.st_mtime_ns}")
        digest.update("\n".join(marks).encode())
    return key_of(list(map(str, index.columns)), digest.hexdigest())
