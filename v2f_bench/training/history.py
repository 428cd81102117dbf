"""What happened in training: losses and validation scores, as a table and as a picture of the curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from v2f_bench.files import write_text_whole, write_whole

POINTS = 400  # of a curve; losses in between are averaged


class History:
    """Rows of (step, name, value): the mean of each loss over an interval of steps, and validation scores."""

    def __init__(self, steps: int, rows: list[tuple[int, str, float]] | None = None) -> None:
        self.rows = list(rows or [])
        self._interval = max(1, steps // POINTS)
        self._sums: dict[str, tuple[float, int]] = {}

    def add(self, step: int, losses: dict[str, float]) -> None:
        """The losses of step number `step`, the first of which is 1."""
        for name, value in losses.items():
            total, count = self._sums.get(name, (0.0, 0))
            self._sums[name] = (total + value, count + 1)
        if step % self._interval == 0:
            self.rows += [(step, name, total / count) for name, (total, count) in self._sums.items()]
            self._sums = {}

    def add_score(self, step: int, score: float) -> None:
        self.rows.append((step, "validation", score))

    def write(self, folder: Path, name: str) -> None:
        """`<name>-losses.csv` and `<name>-losses.png`."""
        table = pd.DataFrame(self.rows, columns=["step", "loss", "value"])
        write_text_whole(folder / f"{name}-losses.csv", table.to_csv(index=False))
        write_whole(folder / f"{name}-losses.png", lambda path: _draw(table, name).savefig(path, format="png"))


def _draw(table: pd.DataFrame, title: str) -> Any:
    """One small plot a loss, side by side."""
    from matplotlib.figure import Figure

    names = list(table["loss"].unique()) or ["no losses"]
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(3.2 * columns, 2.4 * rows), layout="constrained")
    figure.suptitle(title)
    for place, name in enumerate(names, start=1):
        part = table[table["loss"] == name]
        axes = figure.add_subplot(rows, columns, place)
        axes.plot(part["step"], part["value"], linewidth=1)
        axes.set_title(name, fontsize="small")
        axes.tick_params(labelsize="x-small")
        axes.grid(alpha=0.3)
    return figure
