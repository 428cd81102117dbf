"""A data set's clips read in batches that are shared among processes, for `prepare`, or threads, for the doctor."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import threading
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from v2f_bench.data.protocol import SAMPLE_RATE
from v2f_bench.harness.frame_judge import FrameJudge
from v2f_bench.interfaces import BenchError, DataError, Dataset, PluginError
from v2f_bench.media.changes import Change, noted
from v2f_bench.media.clips import Clip, ClipReader, Examined
from v2f_bench.media.text import normal

BATCH = 16  # rows that are read together: lost by a kill; the detector's batch
FEW = 2 * BATCH  # rows, below which starting processes takes longer than the work
INDEX_COLUMNS = ("clip", "speaker", "voice", "face")  # that every index has, as text
OF_SPEAKERS = ("sex", "ethnicity", "nationality")  # labels of which a speaker has one
_SPAWN = multiprocessing.get_context("spawn")  # forked children inherit the locks of torch's threads

Batch = list[dict[str, Any]]


def read_index(dataset: Dataset) -> tuple[pd.DataFrame, list[Change]]:
    """The data set's index in one form, and what was changed in its tables and names.

    Names and labels are in the form in which they are compared (see `normal`). The column `fault` tells why a row
    cannot be used: what the data set says, or that its name is taken.

    Raises:
        PluginError: the index is no table of clips.
        DataError: the folder is missing or incomplete; or one speaker has two sexes, ethnicities or nationalities.
    """
    with noted() as changes:
        index = _checked_index(dataset).reset_index(drop=True)
    for column in set(index) - {"age", "voice", "face", "fault"}:
        values = [normal(value) if isinstance(value, str) else value for value in index[column]]
        if column == "clip" and any(new != old for new, old in zip(values, index[column], strict=True)):
            changes.append(("", "letters and blanks in names were brought to one form"))
        index[column] = values
    for label in [label for label in OF_SPEAKERS if label in index]:
        _check_one_of_each(index, label, dataset.name)
    alike = "names that differ in capitals, blanks or the form of letters or numbers alone were taken for two speakers"
    changes += [(" / ".join(names), alike) for names in _alike(index["speaker"].unique())]
    return index.assign(fault=_faults(index)), changes


def _checked_index(dataset: Dataset) -> pd.DataFrame:
    """The index as the data set's plugin gives it; PluginError where it is no table of clips."""
    index = dataset.index()
    if not isinstance(index, pd.DataFrame):
        raise PluginError(f"{dataset.name}: index() gave a {type(index).__name__}, not a pandas.DataFrame")
    if lacking := [column for column in INDEX_COLUMNS if column not in index]:
        raise PluginError(f"{dataset.name}: index() gave a table without {', '.join(lacking)}")
    for column in INDEX_COLUMNS:
        for value in index[column]:
            if not isinstance(value, str):
                raise PluginError(f"{dataset.name}: index() has {value!r} in the column {column}, which holds text")
    return index


def _alike(names: Iterable[str]) -> list[list[str]]:
    """Names that are the same but for capitals, blanks, what cannot be seen, forms of letters such as full-width ones,
    and forms of numbers (7, 07 and, as pandas writes it beside empty cells, 7.0)."""
    by_form: dict[str, list[str]] = {}
    for name in names:
        seen = "".join(letter for letter in name if unicodedata.category(letter) != "Cf")
        form = "".join(unicodedata.normalize("NFKC", seen).casefold().split())
        number = re.fullmatch(r"0*(\d+?)(?:\.0*)?", form)
        by_form.setdefault(number[1] if number else form, []).append(name)
    return [sorted(names) for names in by_form.values() if len(names) > 1]


def _check_one_of_each(index: pd.DataFrame, label: str, dataset: str) -> None:
    known = index[index[label].fillna("") != ""].drop_duplicates(["speaker", label])
    for speaker, rows in known[known.duplicated("speaker", keep=False)].groupby("speaker"):
        first, second = (f"{rows[label].iloc[n]} in {rows['clip'].iloc[n]}" for n in (0, 1))
        raise DataError(f"{dataset}: the {label} of {speaker} is {first} and {second}; a speaker has one")


def _faults(index: pd.DataFrame) -> list[str]:
    own = index["fault"].fillna("") if "fault" in index else [""] * len(index)
    again = index["clip"].duplicated()
    files = index["voice"].where(index["voice"] != "", index["face"])
    return [
        f"{file}: a clip before it has the same name, {clip}" if taken else fault
        for fault, taken, file, clip in zip(own, again, files, index["clip"], strict=True)
    ]


def examine_all(dataset: Dataset, size: int, index: pd.DataFrame, jobs: int) -> Iterator[tuple[Batch, list[Examined]]]:
    """Each batch of rows with what `ClipReader.examine` says of it, in order.

    By threads: the libraries let others go on while they decode, and a few files wait for no process to start.
    """
    batches, reader = list(_batches(index, 0)), _reader(dataset, size, None)
    with ThreadPoolExecutor(jobs) as pool:
        yield from zip(batches, pool.map(reader.examine, batches), strict=True)


def read_all(
    dataset: Dataset, size: int, judge: FrameJudge | None, index: pd.DataFrame, first: int, jobs: int
) -> Iterator[tuple[Batch, list[Clip]]]:
    """Each batch of rows from `first` on, with what `ClipReader.read` makes of it, in order; by processes."""
    batches = _batches(index, first)
    if jobs == 1 or len(index) - first < FEW:
        reader = _reader(dataset, size, judge)
        for rows in batches:
            yield rows, reader.read(rows)
        return
    pool = ProcessPoolExecutor(jobs, _SPAWN, _start_worker, (dataset, size, judge))
    try:
        under_way: deque[tuple[Batch, Future[list[Clip]]]] = deque()
        for rows in batches:
            under_way.append((rows, pool.submit(_read_in_worker, rows)))
            if len(under_way) > 2 * jobs:  # no more: what is read waits in memory to be written
                done, clips = under_way.popleft()
                yield done, clips.result()
        for done, clips in under_way:
            yield done, clips.result()
    except BrokenProcessPool:
        raise BenchError(
            f"{dataset.name}: a worker process was killed (out of memory?); the same command goes on from "
            "there, with less memory by --jobs 1"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _batches(index: pd.DataFrame, first: int) -> Iterator[Batch]:
    """The rows from `first` on, each with its number, in the batches in which they would come from the beginning."""
    for start in range(first, len(index), BATCH):
        rows = index.iloc[start : start + BATCH]
        yield rows.assign(row=range(start, start + len(rows))).to_dict("records")


def _reader(dataset: Dataset, size: int, judge: FrameJudge | None) -> ClipReader:
    return ClipReader(dataset, SAMPLE_RATE, size, judge.open() if judge else None)


_worker_reader: ClipReader


def _start_worker(dataset: Dataset, size: int, judge: FrameJudge | None) -> None:
    """Make this process a worker on a data set."""
    global _worker_reader
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted too, and ends its workers in order
    threading.Thread(target=_end_with_parent, daemon=True).start()
    threadpool_limits(1)  # the processes share the CPUs already
    _worker_reader = _reader(dataset, size, judge)


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for its next task for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _read_in_worker(rows: Batch) -> list[Clip]:
    return _worker_reader.read(rows)
