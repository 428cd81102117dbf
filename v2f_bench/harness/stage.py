"""One stage of work. Its output is a folder that appears complete or not at all, with a key of all its inputs."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from v2f_bench.files import write_text_whole
from v2f_bench.harness.circumstances import peak_memory_mib
from v2f_bench.interfaces import Progress

MARKER = "stage.json"
PATIENCE = 5.0  # seconds of waiting for another process, after which a message says so


def stage(
    folder: Path,
    key: str,
    make: Callable[[Path], None],
    resumable: bool = False,
    facts: dict[str, Any] | None = None,
    progress: Progress | None = None,
) -> bool:
    """Let `make` fill `folder`, unless it is finished already with the same `key`. Returns whether work was done.

    `make` gets an unfinished folder beside the final one. When `make` returns, the unfinished folder is renamed to
    `folder`, so a kill leaves at most an unfinished folder. The next attempt begins with an empty one, or, if `make` is
    `resumable`, with what the killed attempt with the same key left there. A process waits while another one works on
    the same folder. `facts` are stored in `folder`, with the time and memory that the work took.
    """
    if is_done(folder, key):
        return False
    with locked(folder, progress):
        if is_done(folder, key):
            return False
        unfinished = folder.with_name(f".{folder.name}.unfinished")
        if is_done(unfinished, key):  # killed between its last two steps
            _take_place(unfinished, folder)
            return False
        started_key = unfinished / "key"
        resumed = resumable and started_key.exists() and started_key.read_text() == key
        if not resumed:
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            started_key.write_text(key)
        start = time.perf_counter()
        make(unfinished)
        marker = {
            **(facts or {}),
            "key": key,
            "seconds": round(time.perf_counter() - start, 3),
            "resumed": resumed,
            "peak_memory_mib": peak_memory_mib(),
            "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        }
        write_text_whole(unfinished / MARKER, json.dumps(marker))
        _take_place(unfinished, folder)
    return True


def adopt(folder: Path, key: str, others: Iterable[Path]) -> bool:
    """Take the finished output with the same key from one of `others`, if one has it. Returns whether that was done.

    Files are linked if the disk allows it, and copied otherwise. They are never changed afterwards.
    """
    if is_done(folder, key):
        return False
    source = next((other for other in others if other != folder and is_done(other, key)), None)
    if source is None:
        return False
    with locked(folder):
        if is_done(folder, key):
            return False
        unfinished = folder.with_name(f".{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(source, unfinished, copy_function=_link)
        _take_place(unfinished, folder)
    return True


@contextmanager
def locked(folder: Path, progress: Progress | None = None) -> Iterator[None]:
    """A block in which no other process works on `folder`. A message says so if that takes long to wait for."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.with_name(f".{folder.name}.lock"))
    try:
        lock.acquire(timeout=PATIENCE)
    except Timeout:
        if progress is not None:
            progress.line(f"waiting for another process that is working on {folder}")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _take_place(unfinished: Path, folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    unfinished.rename(folder)
    (folder / "key").unlink(missing_ok=True)


def is_done(folder: Path, key: str) -> bool:
    """Whether `folder` holds the finished output of the work with that key."""
    return read_marker(folder).get("key") == key


def read_marker(folder: Path) -> dict[str, Any]:
    """The key, time and memory of the work that made `folder`; empty where there is no finished work."""
    try:
        return dict(json.loads((folder / MARKER).read_text()))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return {}


def made_under(folder: Path) -> dict[str, Any]:
    """The facts, time and memory of the work that made `folder`, for the record."""
    return {name: value for name, value in read_marker(folder).items() if name != "key"}
