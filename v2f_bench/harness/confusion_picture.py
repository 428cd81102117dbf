"""The confusion matrices of a run as pictures: for the trials of each label, the labels that a judge predicted."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from v2f_bench.files import write_whole
from v2f_bench.record import Result

PREFIX = "confusion-"
DARK = 0.55  # share of a row; above it, white digits are easier to read than black ones


def write_confusions(folder: Path, results: Iterable[Result], owner: str) -> None:
    """`folder`/confusion-<measure>-<judge>.png for each result whose details hold a confusion matrix.

    Pictures that are left of an earlier scoring are deleted.
    """
    with_matrix = [result for result in results if result.details and "confusion" in result.details]
    names = {f"{PREFIX}{result.measure.replace('/', '-')}-{result.judge}.png": result for result in with_matrix}
    for path in folder.glob(f"{PREFIX}*.png"):
        if path.name not in names:
            path.unlink()
    for name, result in names.items():
        write_whole(folder / name, partial(draw_confusion(result, owner).savefig, format="png", dpi=110))


def draw_confusion(result: Result, owner: str) -> Any:
    """A matplotlib figure of the matrix: a row for each label of trials, a column for each label that was predicted.

    The shade of a cell and its first number are the share of the row; its second number counts trials. Labels without
    trials are left out, and so are empty columns for what is no label.
    """
    from matplotlib.figure import Figure

    assert result.details is not None, "only results with a matrix are drawn"
    cells = np.array(result.details["confusion"], dtype=float)
    labels, columns = result.details["row_labels"], result.details["column_labels"]
    rows = [row for row in range(len(labels)) if cells[row].sum() > 0]
    shown = [column for column in range(len(columns)) if column < len(labels) or cells[:, column].sum() > 0]
    counts = cells[np.ix_(rows, shown)]
    shares = counts / counts.sum(axis=1, keepdims=True)
    figure = Figure(figsize=(1.6 + 0.75 * len(shown), 1.7 + 0.6 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(shares, vmin=0, vmax=1, cmap="Blues", aspect="auto")
    for place, share in np.ndenumerate(shares):
        if counts[place]:
            text = f"{share:.0%}\n{counts[place]:.4g}"
            axes.text(place[1], place[0], text, ha="center", va="center", size=8, color="w" if share > DARK else "k")
    axes.set_xticks(range(len(shown)), [columns[column] for column in shown], rotation=35, ha="right")
    axes.set_yticks(range(len(rows)), [f"{labels[row]} ({counts[i].sum():.0f})" for i, row in enumerate(rows)])
    axes.set_xlabel(f"judged by {result.judge}")
    axes.set_ylabel(f"{'emotion' if 'emotion' in result.metric else 'label'} of the trial (trials)")
    value = "not defined" if result.value is None else f"{result.value:.3f}"
    axes.set_title(f"{owner}: {result.measure} {value}", size=10)
    return figure
