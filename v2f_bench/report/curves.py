"""The pictures of a report: losses, cumulative match characteristics, histograms of ranks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from v2f_bench.interfaces import DataError
from v2f_bench.record import Record, column_name
from v2f_bench.render.figures import FAINT, INK, SHADE, new_figure, svg_of
from v2f_bench.stats.bootstrap import cluster_weights

RANKS = "retrieval/normalised-mean-rank"
RESAMPLES = 2000
BINS = 20
LOSSES = "-losses.csv"
ACROSS = 4  # small plots beside each other


@dataclass(frozen=True)
class Plot:
    title: str
    svg: str
    words: str  # what it shows, for those who do not see it


@dataclass(frozen=True)
class MatchCurve:
    """The share of trials whose speaker is among the first k faces of the gallery (CMC), with a band.

    `shares`, `low` and `high` are float [g], for k = 1 to g; the band is 95 % at each k, over speakers.
    """

    shares: np.ndarray
    low: np.ndarray
    high: np.ndarray


def match_curve(ranks: np.ndarray, speakers: np.ndarray, gallery: int) -> MatchCurve:
    """The curve of ranks, float [n] from 1 to `gallery` (equal scores share the mean of their ranks)."""
    at_most = ranks[:, None] <= np.arange(1, gallery + 1) + 1e-9
    names, place = np.unique(speakers, return_inverse=True)
    hits = np.zeros((len(names), gallery))
    np.add.at(hits, place, at_most.astype(float))
    trials = np.bincount(place, minlength=len(names)).astype(float)
    weights = cluster_weights(len(names), RESAMPLES, seed=0)
    drawn = (weights @ hits) / (weights @ trials)[:, None]
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return MatchCurve(at_most.mean(axis=0), low, high)


def rank_plots(record: Record, trials: pd.DataFrame) -> list[Plot]:
    """For each judge the match curve and the histogram of ranks; none on a track without a gallery."""
    plots = []
    for result in record.results:
        name = column_name(result.measure, result.judge)
        if result.measure == RANKS and name in trials:
            known = trials[trials[name].notna()]
            ranks = 1 + known[name].to_numpy(float) * (record.protocol.gallery - 1)
            curve = match_curve(ranks, known["speaker"].to_numpy(), record.protocol.gallery)
            plots += [_cmc(curve, result.judge), _histogram(ranks, record.protocol.gallery, result.judge)]
    return plots


def loss_plots(folder: Path) -> list[Plot]:
    """The curves of what was trained, by what the loop wrote below `folder`; a file that cannot be read is passed over
    with its name as the title."""
    plots = []
    for path in sorted(folder.glob(f"*{LOSSES}")):
        name = path.name.removesuffix(LOSSES)
        try:
            plots.append(_losses(_read_losses(path), name))
        except DataError as error:
            plots.append(Plot(f"{name}: {error}", "", ""))
    return plots


def _read_losses(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path)
        return table.astype({"step": float, "value": float})[["step", "loss", "value"]]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path.name}: not readable ({error})") from None


def _losses(table: pd.DataFrame, name: str) -> Plot:
    names = list(dict.fromkeys(table["loss"]))
    lines = -(-len(names) // ACROSS) or 1
    figure = new_figure(min(len(names), ACROSS) * 2.4 or 2.4, lines * 1.7)
    for axis, loss in zip(
        figure.subplots(lines, min(len(names), ACROSS) or 1, squeeze=False).ravel(), names, strict=False
    ):
        part = table[table["loss"] == loss]
        axis.plot(part["step"], part["value"], color=INK, linewidth=1)
        axis.set_title(str(loss), fontsize=8, parse_math=False)
        _bare(axis)
    for unused in figure.axes[len(names) :]:
        unused.set_axis_off()
    last = ", ".join(f"{loss} {table[table['loss'] == loss]['value'].iloc[-1]:.3g}" for loss in names)
    return Plot(f"{name}: losses by step", svg_of(figure), f"At the last step: {last}.")


def _cmc(curve: MatchCurve, judge: str) -> Plot:
    gallery = len(curve.shares)
    figure = new_figure(3.6, 2.8)
    axis = figure.subplots()
    k = np.arange(1, gallery + 1)
    axis.fill_between(k, curve.low, curve.high, color=SHADE, alpha=0.5, linewidth=0)
    axis.plot(k, curve.shares, color=INK, linewidth=1.2)
    axis.plot(k, k / gallery, color="#8c6d1f", linewidth=1, linestyle="--")
    axis.text(0.97, 0.06, "dashed: chance; band: 95 %", transform=axis.transAxes, ha="right", fontsize=6.5)
    axis.set(xlabel="k, of the gallery's faces", ylabel="speaker among the first k", xlim=(1, gallery), ylim=(0, 1))
    _bare(axis)
    some = ", ".join(f"{share:.3f} at {k}" for k, share in enumerate(curve.shares, 1) if k in (1, 5, 10, 50))
    return Plot(f"Cumulative match characteristic, {judge}", svg_of(figure), f"Share found: {some}.")


def _histogram(ranks: np.ndarray, gallery: int, judge: str) -> Plot:
    counts, edges = np.histogram(ranks, bins=min(BINS, gallery), range=(0.5, gallery + 0.5))
    figure = new_figure(3.6, 2.8)
    axis = figure.subplots()
    axis.bar(edges[:-1], counts, width=np.diff(edges), align="edge", color=INK, edgecolor="white", linewidth=0.5)
    axis.axhline(len(ranks) / len(counts), color="#8c6d1f", linewidth=1, linestyle="--")
    axis.set(xlabel="rank of the speaker's face", ylabel="trials", xlim=(0.5, gallery + 0.5))
    _bare(axis)
    return Plot(f"Ranks, {judge}", svg_of(figure), f"Dashed: chance. Median rank {np.median(ranks):.1f} of {gallery}.")


def _bare(axis: object) -> None:
    axis.tick_params(labelsize=6.5)  # type: ignore[attr-defined]
    axis.grid(color=FAINT, linewidth=0.5)  # type: ignore[attr-defined]
    axis.set_axisbelow(True)  # type: ignore[attr-defined]
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)  # type: ignore[attr-defined]
