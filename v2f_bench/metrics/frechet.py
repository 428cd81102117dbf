"""Distances between the distributions of generated and real faces, in Inception's space and in an identity judge's."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric
from v2f_bench.metrics.influence import influence_interval
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
        generated, real = answers(evidence), finite(evidence.seen["reference"])
        known = usable(generated)

        def statistic(rows: np.ndarray) -> float:
            return frechet_distance(finite(generated[rows]), real)

        def influence() -> np.ndarray:
            found = np.full(len(generated), np.nan)
            found[known] = frechet_influence(generated[known], real)
            return found

        return [
            Measure(
                self.name,
                better="lower",
                unit="squared distance of features",
                failure="a missing or unjudgeable face is left out, and n says so",
                statistic=statistic,
                covers=known,
                interval=influence_interval(lambda: frechet_distance(generated[known], real), influence),
                headline=self.headline,
                details={"real_faces": len(real)},
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
    """Fréchet distance of float [n, D] and float [m, D]; NaN with fewer than two rows in either.

    tr (C1 C2)^½ is the sum of the singular values of X Yᵀ / sqrt((n-1)(m-1)) for the centred data X and Y; the smaller
    of the n×m and the D×D problem is solved, so a few hundred faces with 2,048 features take milliseconds.
    """
    if len(first) < 2 or len(second) < 2:
        return float("nan")
    (mean, x), (other_mean, y) = _centred(first), _centred(second)
    x_factor, y_factor = _factors(x, y)
    cross = np.linalg.svd(x_factor @ y_factor.T, compute_uv=False).sum()
    return float(((mean - other_mean) ** 2).sum() + (x**2).sum() + (y**2).sum() - 2 * cross)


def frechet_influence(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """n times the derivative of `frechet_distance` by the weight of each row of `first`: float [n], of mean zero.

    A weight scales a row of X, and the sum of singular values U S Vᵀ then changes by half of (U S Uᵀ)_ii; in terms of
    X Yᵀ V = U S, of which the rows need no factor of X.
    """
    if len(first) < 2 or len(second) < 2:
        return np.full(len(first), np.nan)
    (mean, x), (other_mean, y) = _centred(first), _centred(second)
    x_factor, y_factor = _factors(x, y)
    _, singular, right = np.linalg.svd(x_factor @ y_factor.T, full_matrices=False)
    there = singular > 1e-12 * singular.max(initial=1e-300)
    along = x @ (y_factor.T @ right[there].T) / np.sqrt(singular[there])  # [n, k]: U S^½
    n = len(first)
    shares = n * ((x**2).sum(axis=1) - (along**2).sum(axis=1))
    shift = 2 * np.sqrt(n - 1) * x @ (mean - other_mean)
    return np.asarray(shift + shares - shares.mean())


def _centred(data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean, and X with Xᵀ X the covariance: float64."""
    mean = data.mean(axis=0, dtype=np.float64)
    return mean, (data - mean) / np.sqrt(len(data) - 1)


def _factors(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Matrices with the same products Xᵀ X and Yᵀ Y; triangular, [D, D], where there are more rows than features."""
    if max(len(x), len(y)) <= x.shape[1]:
        return x, y
    return _triangular(x), _triangular(y)


def _triangular(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.qr(x, mode="r")) if len(x) > x.shape[1] else x
