"""Kernel Inception distance: how far apart generated and real faces are, without bias by their number."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric
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
        kernel = Kernel(answers(evidence), finite(evidence.seen["reference"]))
        return [
            Measure(
                self.name,
                better="lower",
                unit="squared MMD",
                failure="a missing or unjudgeable face is left out, and n says so",
                statistic=kernel.distance,
                covers=kernel.known,
                influence=kernel.influence,
                headline=True,
                details={"real_faces": len(kernel.real)},
            )
        ]


class Kernel:
    """The squared MMD between trials' features, [n, D], and those of real faces, [m, D].

    Rows of the former that are not finite take no part (`known`, bool [n]). No kernel matrix is ever kept whole: a face
    is known by the sums of its row. What is the same for every choice of trials is computed once.
    """

    def __init__(self, features: np.ndarray, real: np.ndarray) -> None:
        self.known, self.real = usable(features), real
        self._features = features

    def distance(self, rows: np.ndarray) -> float:
        """The unbiased estimate from the trials at positions `rows`; NaN with fewer than two faces on either side."""
        rows = rows[self.known[rows]]
        n, m = len(rows), len(self.real)
        if n < 2 or m < 2:
            return float("nan")
        all_of_them = np.array_equal(rows, np.flatnonzero(self.known))
        within = self._within[rows] if all_of_them else _sums_with_others(self._features[rows])
        return float(within.sum() / (n * (n - 1)) + self._within_real - 2 * self._across[rows].mean())

    def influence(self) -> np.ndarray:
        """n times the derivative of the distance of all trials by the weight of each: float [n], NaN if not known."""
        if min(self.known.sum(), len(self.real)) < 2:
            return np.full(len(self.known), np.nan)
        contribution = 2 * (self._within / (self.known.sum() - 1) - self._across)
        return np.asarray(contribution - contribution[self.known].mean())

    @cached_property
    def _within(self) -> np.ndarray:
        """Each face's sum with the others of the trials: float [n]; NaN if not known."""
        return self._of_known(_sums_with_others)

    @cached_property
    def _across(self) -> np.ndarray:
        """Each face's mean with the real ones: float [n]; NaN if not known."""
        return self._of_known(lambda features: _row_sums(features, self.real) / len(self.real))

    @cached_property
    def _within_real(self) -> float:
        m = len(self.real)
        return float(_sums_with_others(self.real).sum() / (m * (m - 1)))

    def _of_known(self, sums: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        means = np.full(len(self.known), np.nan)
        means[self.known] = sums(self._features[self.known])
        return means


def _sums_with_others(features: np.ndarray) -> np.ndarray:
    """For each row of [n, D] the sum of its kernel with all others: float64 [n]."""
    itself = _kernel(np.einsum("nd,nd->n", features, features, dtype=np.float64), features.shape[1])
    return _row_sums(features, features) - itself


def _row_sums(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """For each row of [n, D] the sum of its kernel with all rows of [m, D]: float64 [n]."""
    blocks = (first[start : start + BLOCK] @ second.T for start in range(0, len(first), BLOCK))
    return np.concatenate([_kernel(products, first.shape[1]).sum(axis=1) for products in blocks])


def _kernel(products: np.ndarray, dimensions: int) -> np.ndarray:
    return np.asarray((products.astype(np.float64) / dimensions + 1) ** 3)
