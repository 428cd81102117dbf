"""What was changed in a file on its way in: noted where it is done, and collected by whoever has the file read.

A reader returns plain samples or pixels, and plugins read files in ways of their own; so what was changed does not pass
through return values. Readers call `note`, and whoever wants to know reads within `noted()`. Elsewhere a note is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Change = tuple[str, str]  # the file, "" for the one that is being read; and what was changed
_noted: ContextVar[list[Change] | None] = ContextVar("noted", default=None)


def note(change: str, file: str = "") -> None:
    """A change to a file, in words that are the same for every file but for numbers and what stands in brackets."""
    changes = _noted.get()
    if changes is not None and (file, change) not in changes:
        changes.append((file, change))


@contextmanager
def noted() -> Iterator[list[Change]]:
    """The changes that are noted within, each once, in their order; each thread has its own."""
    changes: list[Change] = []
    before = _noted.set(changes)
    try:
        yield changes
    finally:
        _noted.reset(before)
