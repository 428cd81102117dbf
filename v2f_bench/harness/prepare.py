"""Prepare: a data set's clips, decoded once, in parallel, into a store."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG

import pandas as pd

from v2f_bench.data.protocol import SAMPLE_RATE
from v2f_bench.data.store import FORMAT, Store
from v2f_bench.data.store_writer import StoreWriter
from v2f_bench.files import write_text_whole
from v2f_bench.harness.frame_judge import FrameJudge, named_frame_judge
from v2f_bench.harness.reading import BATCH, read_all, read_index
from v2f_bench.harness.stage import is_done, stage
from v2f_bench.harness.workplace import Workplace
from v2f_bench.hashing import canonical_json, key_of
from v2f_bench.interfaces import BenchError, Dataset
from v2f_bench.keys import DECODING
from v2f_bench.media.changes import Change
from v2f_bench.sources import core_key, source_key

FACE_SIZES = (128, 256)  # pixels a side that a store may keep; protocols make smaller ones of these
SAMPLED, STRETCH = 5, 2048  # stretches of a file, and bytes of each, that stand for its content


def face_size(resolution: int) -> int:
    """The size at which a store keeps faces for a protocol of `resolution`."""
    return next(size for size in FACE_SIZES if size >= resolution)


def prepare(dataset: Dataset, workplace: Workplace, size: int = FACE_SIZES[0]) -> Store:
    """The store of a data set, with faces of `size` pixels a side, from the cache if it is there.

    A clip whose voice or face cannot be read is left out, with the reason, in the store's `left_out` table. What a
    killed attempt read is not read again.
    """
    index, changes = read_index(dataset)
    judge = named_frame_judge(getattr(dataset.opt, "frame_judge", "none"), workplace)
    sources = (source_key(type(dataset)), core_key(*DECODING))
    recipe = (FORMAT, SAMPLE_RATE, size, BATCH, *((judge.key,) if judge else ()))
    key = key_of(
        dataset.name,
        sources,
        dataset.media_options,
        dataset.faces_cropped,
        recipe,
        changes,
        fingerprint(dataset, index, workplace.cache / "fingerprints"),
    )
    folder = workplace.cache / "stores" / f"{dataset.name}-{key}"

    def make(unfinished: Path) -> None:
        if not (unfinished / "store.json").exists():  # else killed when all was written
            _write(unfinished, dataset, index, changes, size, judge, workplace)

    if not is_done(folder, key) and _in_spawned_worker():
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


def _in_spawned_worker() -> bool:
    """Whether this is the main script run again by a worker process, which would wait for the lock that its parent
    holds."""
    return sys.modules["__mp_main__"].__name__ == "__mp_main__"


def fingerprint(dataset: Dataset, index: pd.DataFrame, known: Path) -> str:
    """What tells whether a clip changed: its labels, and size, time and content of its files.

    The content is sampled: five stretches of a file tell two recordings apart. Where the inode numbers and times of
    change (ctime) of all files are as before, their content is too, and is not read again: the answer is kept in the
    folder `known`. So a copy on another disk, or a change of rights, costs no new store.
    """
    labels, entries, content = (hashlib.sha256() for _ in range(3))
    for row in index.itertuples(index=False):
        labels.update(canonical_json([str(value) for value in row]).encode())
    for path, status in _files(dataset, index):
        times = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)
        entries.update(f"{path}\0{times}".encode())
    known_by = (list(map(str, index.columns)), labels.hexdigest(), SAMPLED, STRETCH)
    remembered = known / key_of(*known_by, entries.hexdigest())
    if remembered.is_file():
        return remembered.read_text()
    for path, status in _files(dataset, index):
        content.update(f"{status.st_size}-{status.st_mtime_ns}".encode() + _sample(path, status.st_size))
    answer = key_of(*known_by, content.hexdigest())
    if dataset.root is not None:
        known.mkdir(parents=True, exist_ok=True)
        write_text_whole(remembered, answer)
    return answer


def _files(dataset: Dataset, index: pd.DataFrame) -> Iterator[tuple[str, os.stat_result]]:
    """The files of the index that are there, in its order, with what the disk's directory says of each."""
    for entry in (entry for pair in zip(index["voice"], index["face"], strict=True) for entry in pair if entry):
        path = f"{dataset.root}/{entry}"
        try:
            status = os.stat(path)  # noqa: PTH116 - a Path for each of a million files takes as long as the rest
        except OSError:
            continue
        if S_ISREG(status.st_mode):
            yield path, status


def _sample(path: str, size: int) -> bytes:
    """Stretches of a file, evenly spread; nothing of one that may not be read."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as above
            if size <= SAMPLED * STRETCH:
                return file.read()
            places = [number * (size - STRETCH) // (SAMPLED - 1) for number in range(SAMPLED)]
            return b"".join(os.pread(file.fileno(), STRETCH, place) for place in places)
    except OSError:
        return b""


def _write(
    folder: Path,
    dataset: Dataset,
    index: pd.DataFrame,
    changes: list[Change],
    size: int,
    judge: FrameJudge | None,
    workplace: Workplace,
) -> None:
    writer = StoreWriter(folder, dataset.name, SAMPLE_RATE, size, index)
    first = writer.written.rows
    for file, change in changes if not first else ():
        writer.note_change("", file, change)
    title = f"prepare {dataset.name}" + (f", after {first:,} clips" if first else "")
    start = time.monotonic()
    with workplace.progress.bar(title, len(index) - first) as bar:
        for rows, clips in read_all(dataset, size, judge, index, first, workplace.jobs):
            for row, clip in zip(rows, clips, strict=True):
                for file, reason in clip.faults:
                    writer.leave_out(row["clip"], file, reason)
                for file, change in clip.changes:
                    writer.note_change(row["clip"], file, change)
                if clip.voice is not None or clip.face is not None:
                    scene = {name: getattr(clip, name) for name in ("frame_time", "frame_by", "face_score")}
                    writer.add(row["row"], clip.voice, clip.face, **scene)
            writer.commit(rows[-1]["row"] + 1)
            speed = (writer.written.rows - first) / (time.monotonic() - start)
            bar.advance(len(rows), f"{speed:.1f} clips/s")
    writer.close()
