"""Construct a judge by its name or card, and open it."""

from __future__ import annotations

from pathlib import Path

from v2f_bench.interfaces import Judge
from v2f_bench.plugins import registry


def judge_of(name: str) -> Judge:
    """The judge of a name, or of the card at a path that ends in `.toml`; it is not opened yet.

    Raises:
        UsageError: there is no such judge, or its card has an error.
    """
    if name.endswith(".toml"):
        from v2f_bench.judges.onnx import read_card

        return read_card(Path(name).expanduser())
    judge: Judge = registry().find("judge", name).cls()
    return judge


def open_judge(judge: Judge, file: Path | None, device: str) -> None:
    """Open a judge that is not trained here. `file`: its weights, which have been checked; None where it needs none."""
    if file is None:
        judge.start(device)
    else:
        judge.load(file, device)
