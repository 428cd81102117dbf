"""Progress on the terminal: live bars where there is one, plain lines with the time left where there is not."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from v2f_bench.interfaces import Bar, Progress

PLAIN_SECONDS = 10.0  # between two lines about one piece of work


def progress_display() -> Progress:
    """The display for this session's standard error."""
    return LiveProgress() if sys.stderr.isatty() else PlainProgress()


class PlainProgress:
    """Lines on standard error, one every ten seconds of work and one at its end."""

    @contextmanager
    def bar(self, title: str, total: int) -> Iterator[Bar]:
        counter = _PlainBar(title, total)
        yield counter
        counter.finish()

    def line(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


class _PlainBar:
    def __init__(self, title: str, total: int) -> None:
        self.title, self.total, self.done, self.note = title, total, 0, ""
        self.start = self.last_shown = time.monotonic()

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.done += steps
        self.note = note or self.note
        now = time.monotonic()
        if now - self.last_shown >= PLAIN_SECONDS:
            self.last_shown = now
            left = (now - self.start) / max(self.done, 1) * max(self.total - self.done, 0)
            self._say(f"{self.done}/{self.total}, {_duration(left)} left{self._note()}")

    def finish(self) -> None:
        self._say(f"done in {_duration(time.monotonic() - self.start)}{self._note()}")

    def _note(self) -> str:
        return f" ({self.note})" if self.note else ""

    def _say(self, text: str) -> None:
        print(f"{self.title}: {text}", file=sys.stderr, flush=True)


class LiveProgress:
    """Bars that move, by rich."""

    def __init__(self) -> None:
        from rich.console import Console

        self.console = Console(stderr=True)

    @contextmanager
    def bar(self, title: str, total: int) -> Iterator[Bar]:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with RichProgress(*columns, console=self.console) as live:
            yield _LiveBar(live, live.add_task(title, total=total, note=""))

    def line(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False)


class _LiveBar:
    def __init__(self, live: object, task: object) -> None:
        self._live, self._task = live, task

    def advance(self, steps: int = 1, note: str = "") -> None:
        fields = {"note": note} if note else {}
        self._live.update(self._task, advance=steps, **fields)  # type: ignore[attr-defined]


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
