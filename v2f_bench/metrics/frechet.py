"""Distances between the distributions of generated and real faces, in Inception's space and in an identity judge's."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import ClassVar

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric
from v2f_bench.metrics.vectors import answers, finite, usable


class _Frechet(Metric):
    """Fréchet distance of two normal distributions fitted to the features of generated and of real test faces.

    |m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^½) (Heusel et al. 2017, equation 6). The real faces are the protocol's reference
    set, at the protocol's resolution as the generated ones are. The value falls with n, so it compares only within one
    table; the ceiling is real against real at the same n: other real photographs of the trials' speakers, one a trial
    that has one, against the same reference set.
    """

    floor = "mean-face"
    headline: ClassVar[bool] = False

    def measure(self, evidence: Evidence) -> list[Measure]:
        generated = answers(evidence)
        known, real = usable(generated), Normal(finite(evidence.seen["reference"]))

        def statistic(rows: np.ndarray) -> float:
            return real.distance(finite(generated[rows]))

        def influence() -> np.ndarray:
            influence = np.full(len(generated), np.nan)
            influence[known] = real.influence(generated[known])
            return influence

        return [
            Measure(
                self.name,
                better="lower",
                unit="squared distance of features",
                failure="a missing or unjudgeable face is left out, and n says so",
                statistic=statistic,
                covers=known,
                influence=influence,
                headline=self.headline,
                details={"real_faces": real.faces},
            )
        ]


class Fid(_Frechet):
    """Fréchet Inception distance: features of torch-fidelity's InceptionV3 (2,048 numbers)."""

    name = "fid"
    summary = "Fréchet Inception distance by torch-fidelity's network, with real-against-real beside it"
    judged_by = ("inception",)
    headline = True


class FrechetIdentity(_Frechet):
    """The same distance in the identity judge's space: available offline, and blind to what is not identity."""

    name = "frechet-identity"
    summary = "Fréchet distance in the identity judge's space"
    judged_by = ("identity",)
    headline = True


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Fréchet distance of float [n, D] and float [m, D]; NaN with fewer than two rows in either."""
    return Normal(second).distance(first)


class Normal:
    """The normal distribution fitted to the features of the real faces, float [m, D], and distances to it.

    tr (C1 C2)^½ is the sum of the singular values of X Yᵀ / sqrt((n-1)(m-1)) for the centred data X and Y. A triangular
    factor stands for data with more rows than features, so no problem larger than n×m or D×D is solved, and a few
    hundred faces with 2,048 features take milliseconds.
    """

    def __init__(self, real: np.ndarray) -> None:
        self.faces = len(real)
        self._real = real

    def distance(self, features: np.ndarray) -> float:
        """The Fréchet distance of features [n, D]; NaN with fewer than two rows on either side."""
        if len(features) < 2 or self.faces < 2:
            return float("nan")
        mean = _mean(features)
        factor = _factor(features, mean)
        return self._distance(mean, factor, np.linalg.svd(factor @ self._factor.T, compute_uv=False))

    def influence(self, features: np.ndarray) -> np.ndarray:
        """n times the derivative of the distance by the weight of each row: float [n], of mean zero.

        A weight scales a row of X, and the sum of singular values U S Vᵀ then changes by half of (U S Uᵀ)_ii; in terms
        of X Yᵀ V = U S, whose rows need no factor of X.
        """
        n = len(features)
        if n < 2 or self.faces < 2:
            return np.full(n, np.nan)
        mean = _mean(features)
        factor = _factor(features, mean)
        _, singular, right = np.linalg.svd(factor @ self._factor.T, full_matrices=False)
        there = singular > 1e-12 * singular.max(initial=1e-300)
        onto = self._factor.T @ right[there].T / np.sqrt(singular[there])
        shares, shift = np.empty(n), np.empty(n)
        for rows, x in _centred_blocks(features, mean):
            along = x @ onto  # U S^½
            shares[rows] = n * (np.einsum("nd,nd->n", x, x) - np.einsum("nk,nk->n", along, along))
            shift[rows] = 2 * np.sqrt(n - 1) * x @ (mean - self._mean)
        return np.asarray(shift + shares - shares.mean())

    def _distance(self, mean: np.ndarray, factor: np.ndarray, singular: np.ndarray) -> float:
        spread = np.vdot(factor, factor) + np.vdot(self._factor, self._factor)
        return float(((mean - self._mean) ** 2).sum() + spread - 2 * singular.sum())

    @cached_property
    def _mean(self) -> np.ndarray:
        return _mean(self._real)

    @cached_property
    def _factor(self) -> np.ndarray:
        return _factor(self._real, self._mean)


def _mean(data: np.ndarray) -> np.ndarray:
    return np.asarray(data.mean(axis=0, dtype=np.float64))


def _centred_blocks(data: np.ndarray, mean: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """The rows X, float64, with Xᵀ X the covariance, in blocks: memory does not grow with their number."""
    size = 2 * data.shape[1]
    for start in range(0, len(data), size):
        rows = slice(start, start + size)
        yield rows, (data[rows] - mean) / np.sqrt(len(data) - 1)


def _factor(data: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """A matrix with the same product Xᵀ X as the centred data, and no more rows than columns."""
    factor = np.empty((0, data.shape[1]))
    for _, block in _centred_blocks(data, mean):
        factor = np.concatenate([factor, block])
        if len(factor) > data.shape[1]:
            factor = np.asarray(np.linalg.qr(factor, mode="r"))
    return factor
