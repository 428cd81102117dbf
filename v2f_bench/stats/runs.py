"""Training runs as a level of variation beside the clusters: what another run on other speakers would give.

Arrays may have leading axes, written `...`: as many methods at once, each treated as if it were alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from v2f_bench.stats.bootstrap import Interval

FEWEST_RUNS = 3  # below which the variance of the runs is not estimated
BOUND = 0.8  # how surely the runs' variance is not above the value at which its degrees of freedom are read


@dataclass(frozen=True)
class Runs:
    """One number of each of s training runs: `values`, float [..., s], and `influence`, float [..., s, c] (see
    `influence.py`), over the same c clusters. A run that says nothing of a cluster has the influence 0 there."""

    values: np.ndarray
    influence: np.ndarray

    def __neg__(self) -> Runs:
        return Runs(-self.values, -self.influence)

    @property
    def mean_influence(self) -> np.ndarray:
        return np.asarray(self.influence.mean(axis=-2))

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the variance between the runs; 0 where it is not estimated."""
        runs = self.values.shape[-1]
        return runs - 1 if runs >= FEWEST_RUNS else 0

    def variance(self) -> tuple[np.ndarray, np.ndarray]:
        """The variance of the mean over the runs by the runs themselves, in all and beyond what clusters explain: float
        [...] both.

        What a run does to single clusters adds to the spread of the runs and to that of the clusters. What the clusters
        explain of the spread between runs is therefore taken off, as in the analysis of variance.
        """
        runs, clusters = self.influence.shape[-2:]
        between = self.values.var(axis=-1, ddof=1) / runs
        apart = self.influence - self.mean_influence[..., None, :]
        explained = clusters / (clusters - 1) * (apart**2).sum(axis=(-2, -1)) / (runs - 1) / runs
        return between, np.maximum(0.0, between - explained)


@dataclass(frozen=True)
class Estimate:
    """Numbers with their standard errors (NaN where there is none) and the degrees of freedom of these: float [...]."""

    value: np.ndarray
    error: np.ndarray
    freedom: np.ndarray

    def interval(self, level: float = 0.95) -> np.ndarray:
        """Value, low and high: float [..., 3]."""
        reach = self.reach(level)
        return np.stack([self.value, self.value - reach, self.value + reach], axis=-1)

    def reach(self, level: float = 0.95) -> np.ndarray:
        """Half of the interval, by Student's t: float [...]."""
        return np.asarray(scipy.special.stdtrit(self.freedom, (1 + level) / 2) * self.error)

    @property
    def p_value(self) -> np.ndarray:
        """Two-sided, of the value being zero, by Student's t; NaN without a standard error: float [...]."""
        with np.errstate(divide="ignore", invalid="ignore"):
            by_t = 2 * scipy.special.stdtr(self.freedom, -np.abs(self.value) / self.error)
        return np.where(self.error == 0, (self.value == 0).astype(float), by_t)


def estimate(groups: Sequence[Runs]) -> Estimate:
    """The sum over `groups` of the mean over their runs: of one method, or of one and the negative of another.

    All groups are over the same clusters; their runs are independent. Two levels vary: the clusters (speakers), and the
    training runs of each group that has three or more. The variance of fewer runs cannot be told from what was
    measured: they are taken as given, and the interval says nothing about another run.

    A variance from few degrees of freedom is itself uncertain. The degrees of freedom of the sum are those of Welch
    (1947) and Satterthwaite (1946), V**2 / sum(V_level**2 / f_level). There the runs' variance is read at its upper
    80 % bound: three runs that happen to agree would otherwise not only seem to vary little, but seem to be sure of it.
    In simulations with 20, 60 and 150 clusters the 95 % interval covers in 95 to 97 % with 3 and 5 runs, whether the
    runs add nothing to the variance or three times what the clusters do; in 91 to 97 % where clusters are very skewed
    (gamma, shape .5).
    """
    value = np.asarray(sum(group.values.mean(axis=-1) for group in groups))
    clusters = groups[0].influence.shape[-1]
    if clusters < 2:
        return Estimate(value, np.full(value.shape, np.nan), np.full(value.shape, np.nan))
    influence = np.asarray(sum(group.mean_influence for group in groups))
    of_clusters = clusters / (clusters - 1) * (influence**2).sum(axis=-1)
    variance, parts = of_clusters, [(of_clusters, clusters - 1)]
    for group in groups:
        if group.freedom:
            between, excess = group.variance()
            variance = variance + excess
            parts.append((between * group.freedom / scipy.special.chdtri(group.freedom, BOUND), group.freedom))
    uncertainty = np.asarray(sum(part**2 / freedom for part, freedom in parts))
    total = np.asarray(sum(part for part, _ in parts))
    freedom = np.full(value.shape, clusters - 1.0)
    np.divide(total**2, uncertainty, out=freedom, where=uncertainty > 0)
    return Estimate(value, np.sqrt(variance), freedom)


def interval_over_runs(runs: Runs, own: Sequence[Interval] | np.ndarray, level: float = 0.95) -> np.ndarray:
    """The mean over the runs, with its interval over clusters and runs: float [..., 3], value, low and high.

    `own`, float [..., s, 3], are the intervals of the single runs over clusters. They give the shape: where a number is
    skewed (a share near 0, an area near 1) their ends lie unequally far from it, and so do ours, at distances scaled to
    the standard error of the mean over the runs. One run has its own interval, and runs that all agree have the
    interval of each.
    """
    both = estimate([runs])
    own = np.asarray(own, dtype=float)
    ends = np.stack([own[..., 0] - own[..., 1], own[..., 2] - own[..., 0]], axis=-1)  # [..., s, 2]
    clusters = runs.influence.shape[-1]
    if clusters < 2:
        return np.stack([both.value, both.error, both.error], axis=-1)
    single = np.sqrt(clusters / (clusters - 1) * (runs.influence**2).sum(axis=-1).mean(axis=-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = both.reach(level) / (scipy.special.stdtrit(clusters - 1, (1 + level) / 2) * single)
        away = scale[..., None] * ends.mean(axis=-2)
    intervals = np.stack([both.value, both.value - away[..., 0], both.value + away[..., 1]], axis=-1)
    shapeless = ~(single > 1e-6 * both.error)  # clusters are alike, or differ by rounding
    intervals = np.where(shapeless[..., None], both.interval(level), intervals)
    known = np.isfinite(both.error) & np.isfinite(ends).all(axis=(-2, -1))
    intervals[~known, 1:] = np.nan
    return intervals
