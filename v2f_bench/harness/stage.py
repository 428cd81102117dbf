"""One stage of work: its output is a folder that appears whole or not at all, under a key of all that went into it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock

from v2f_bench.files import write_text_whole
from v2f_bench.harness.circumstances import peak_memory_mib

MARKER = "stage.json"


def stage(
    folder: Path,
    key: str,
    make: Callable[[Path], None],
    resumable: bool = False,
    facts: dict[str, Any] | None = None,
) -> bool:
    """Have `make` fill `folder`, unless a finished one with the same `key` is there already. True if work was done.

    `make` gets a folder beside the final one, which takes its place when all is written. A kill leaves at most that
    unfinished folder. The next attempt starts with an empty one, or, where `make` is `resumable`, with what the killed
    attempt at the same key left there. Two processes that want the same folder wait for each other. `facts` are kept
    with the time and memory that it took.
    """
    if is_done(folder, key):
        return False
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.lock")):
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
