"""Kernel Inception distance: how far apart generated and real faces are, without bias by their number."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric
from v2f_bench.metrics.influence import influence_interval
from v2f_bench.metrics.vectors import answers, finite, usable

BLOCK = 512  # rows of a kernel matrix at a time


class Kid(Metric):
    """Kernel Inception distance: the unbiased squared MMD with the kernel (x·y / D + 1)³ (Bińkowski et al. 2018).

    Gretton et al. 2012, equation 3, over *all* pairs of faces: torch-fidelity's number with subsets as large as the
    sets, and so without their random draw. Being unbiased it can be compared between different n and falls below zero
    now and then where there is no difference. The real faces are the protocol's reference set. The ceiling is real
    against real at the same n: other real photographs of the trials' speakers, one a trial that has one. Any judge of
    kind `features` gives it too, then in that network's space.
    """

    name = "kid"
    summary = "kernel distance to real faces, unbiased, in Inception's or another network's features"
    judged_by = ("inception", "features")
    floor = "mean-face"

    def measure(self, evidence: Evidence) -> list[Measure]:
        generated = answers(evidence)
        known, real = usable(generated), Kernel(finite(evidence.seen["reference"]))

        def statistic(rows: np.ndarray) -> float:
            return real.distance(finite(generated[rows]))

        def influence() -> np.ndarray:
            found = np.full(len(generated), np.nan)
            found[known] = real.influence(generated[known])
            return found

        return [
            Measure(
                self.name,
                better="lower",
                unit="squared MMD",
                failure="a missing or unjudgeable face is left out, and n says so",
                statistic=statistic,
                covers=known,
                interval=influence_interval(lambda: real.distance(generated[known]), influence),
                headline=True,
                details={"real_faces": real.faces},
            )
        ]


class Kernel:
    """The squared MMD of any features to those of the real faces, [m, D]. No kernel matrix is ever kept whole."""

    def __init__(self, real: np.ndarray) -> None:
        self.faces = len(real)
        self._real = real

    def distance(self, features: np.ndarray) -> float:
        """The unbiased estimate for features [n, D]; NaN with fewer than two rows on either side."""
        n, m = len(features), len(self._real)
        if n < 2 or m < 2:
            return float("nan")
        within = _row_sums(features, features).sum() - _self_similarity(features).sum()
        across = _row_sums(features, self._real).sum()
        return float(within / (n * (n - 1)) + self._within_real - 2 * across / (n * m))

    def influence(self, features: np.ndarray) -> np.ndarray:
        """n times the derivative of `distance` by the weight of each row: float [n], of mean zero."""
        n, m = len(features), len(self._real)
        if n < 2 or m < 2:
            return np.full(n, np.nan)
        within = (_row_sums(features, features) - _self_similarity(features)) / (n - 1)
        across = _row_sums(features, self._real) / m
        return np.asarray(2 * ((within - within.mean()) - (across - across.mean())))

    @cached_property
    def _within_real(self) -> float:
        m = len(self._real)
        return float((_row_sums(self._real, self._real).sum() - _self_similarity(self._real).sum()) / (m * (m - 1)))


def _row_sums(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """For each row of [n, D] the sum of its kernel with all rows of [m, D]: float64 [n]."""
    blocks = (first[start : start + BLOCK] @ second.T for start in range(0, len(first), BLOCK))
    return np.concatenate([_kernel(products, first.shape[1]).sum(axis=1) for products in blocks])


def _self_similarity(features: np.ndarray) -> np.ndarray:
    return _kernel(np.einsum("nd,nd->n", features, features, dtype=np.float64), features.shape[1])


def _kernel(products: np.ndarray, dimensions: int) -> np.ndarray:
    return np.asarray((products.astype(np.float64) / dimensions + 1) ** 3)
