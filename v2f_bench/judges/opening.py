"""Judges by their names or cards, and how one is made ready to predict."""

from __future__ import annotations

from pathlib import Path

from v2f_bench.interfaces import Judge
from v2f_bench.plugins import registry


def judge_of(name: str) -> Judge:
    """The judge of a name, or of the card at a path that ends in `.toml`; not opened yet.

    Raises:
        UsageError: there is none, or its card is not right.
    """
    if name.endswith(".toml"):
        from v2f_bench.judges.onnx import read_card

        return read_card(Path(name).expanduser())
    judge: Judge = registry().find("judge", name).cls()
    return judge


def open_judge(judge: Judge, file: Path | None, device: str) -> None:
    """Make a judge ready that is not trained here. `file`: its weights, checked already; None where it needs none."""
    if file is None:
        judge.start(device)
    else:
        judge.load(file, device)
