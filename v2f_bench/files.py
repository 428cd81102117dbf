"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import platform
import uuid
from collections.abc import Callable
from pathlib import Path


def write_text_whole(path: Path, text: str) -> None:
    """Text (UTF-8) to a file that appears whole or not at all."""
    write_whole(path, lambda unfinished: unfinished.write_text(text, encoding="utf-8"))


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """A file that appears whole or not at all: `write` fills another one beside it, which then takes its place.

    What a writer of this machine that was killed left beside the file is removed.
    """
    _remove_leftovers(path)
    unfinished = path.with_name(f".{path.name}.{_machine()}.{os.getpid()}.{uuid.uuid4().hex[:8]}.unfinished")
    try:
        write(unfinished)
        with unfinished.open("rb") as stream:
            os.fsync(stream.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _remove_leftovers(path: Path) -> None:
    prefix = f".{path.name}.{_machine()}."
    for leftover in path.parent.glob(f"{_literal(prefix)}*.unfinished"):
        process = leftover.name.removeprefix(prefix).partition(".")[0]
        if process.isdecimal() and not _is_running(int(process)):
            leftover.unlink(missing_ok=True)


def _machine() -> str:
    return platform.node().replace(".", "-").replace("/", "-") or "here"


def _literal(name: str) -> str:
    """A name as a pattern of `glob` that matches just itself."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
