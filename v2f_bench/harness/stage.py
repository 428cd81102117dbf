"""One stage of work: its output is a folder that appears whole or not at all, under a key of all that went into it."""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock

from v2f_bench.harness.circumstances import peak_memory_mib

MARKER = "stage.json"


def stage(folder: Path, key: str, make: Callable[[Path], None], resumable: bool = False) -> bool:
    """Have `make` fill `folder`, unless a finished one with the same `key` is there already. True if work was done.

    `make` gets a folder beside the final one, which takes its place when all is written. A kill leaves at most that
    unfinished folder. The next attempt starts with an empty one, or, where `make` is `resumable`, with what the killed
    attempt at the same key left there. Two processes that want the same folder wait for each other.
    """
    if is_done(folder, key):
        return False
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        if is_done(folder, key):
            return False
        unfinished = folder.with_name(f".{folder.name}.unfinished")
        started_key = unfinished / "key"
        resumed = resumable and started_key.exists() and started_key.read_text() == key
        if not resumed:
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            started_key.write_text(key)
        start = time.perf_counter()
        make(unfinished)
        marker = {
            "key": key,
            "seconds": round(time.perf_counter() - start, 3),
            "resumed": resumed,
            "peak_memory_mib": peak_memory_mib(),
            "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        }
        started_key.unlink()
        (unfinished / MARKER).write_text(json.dumps(marker))
        if folder.exists():
            shutil.rmtree(folder)
        unfinished.rename(folder)
    return True


def is_done(folder: Path, key: str) -> bool:
    """Whether `folder` holds the finished output of the work with that key."""
    return read_marker(folder).get("key") == key


def read_marker(folder: Path) -> dict[str, Any]:
    """The key, time and memory of the work that made `folder`; empty where there is no finished work."""
    try:
        return dict(json.loads((folder / MARKER).read_text()))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return {}


def write_text_whole(path: Path, text: str) -> None:
    """Text to a file that appears whole or not at all."""
    write_whole(path, lambda unfinished: unfinished.write_text(text))


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """A file that appears whole or not at all: `write` fills another one beside it, which then takes its place."""
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.unfinished")  # two writers may meet
    try:
        write(unfinished)
        with unfinished.open("rb") as stream:
            os.fsync(stream.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
