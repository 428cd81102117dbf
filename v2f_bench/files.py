"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path


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
