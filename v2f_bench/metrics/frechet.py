"""Distances between the distributions of generated and real faces, in Inception's space and in an identity judge's."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric


class _Frechet(Metric):
    """Fréchet distance of two normal distributions fitted to the features of generated and of real test faces.

    |m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^½) (Heusel et al. 2017, equation 6). The real faces are the protocol's reference
    set, at the protocol's resolution as the generated ones are. The value falls with n, so it compares only within one
    table; the ceiling is real photographs against other real photographs, as many as there are trials.
    """

    floor = "mean-face"
    headline: ClassVar[bool] = False

    def measure(self, evidence: Evidence) -> list[Measure]:
        generated, real = evidence.seen["generated"], _finite(evidence.seen["reference"])

        def statistic(rows: np.ndarray) -> float:
            return frechet_distance(_finite(generated[rows]), real)

        return [
            Measure(
                self.name,
                better="lower",
                unit="squared distance of features",
                failure="a missing or unjudgeable face is left out, and n says so",
                statistic=statistic,
                covers=np.isfinite(generated).all(axis=1),
                headline=self.headline,
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
    means = [x.mean(axis=0, dtype=np.float64) for x in (first, second)]
    scaled = [(x - m) / np.sqrt(len(x) - 1) for x, m in zip((first, second), means, strict=True)]
    if max(len(first), len(second)) > first.shape[1]:
        # Triangular factors of the covariances stand for the data where there are more rows than features.
        scaled = [np.linalg.qr(x, mode="r") if len(x) > x.shape[1] else x for x in scaled]
    cross = np.linalg.svd(scaled[0] @ scaled[1].T, compute_uv=False).sum()
    spread = sum(float((x**2).sum()) for x in scaled)
    return float(((means[0] - means[1]) ** 2).sum() + spread - 2 * cross)


def _finite(vectors: np.ndarray) -> np.ndarray:
    return vectors[np.isfinite(vectors).all(axis=1)]
