"""Precision (do generated faces look real?) and recall (are all kinds of real faces generated?)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric, OfWeights
from v2f_bench.metrics.vectors import answers, usable

NEIGHBOUR = 3
BLOCK = 512  # rows of a distance matrix at a time


class PrecisionRecall(Metric):
    """Improved precision and recall (Kynkäänniemi et al. 2019, equations 1 and 2, k = 3), as torch-fidelity has them.

    A set of faces covers the balls around each of them that reach to its third nearest neighbour in the set.
    Precision: the share of generated faces that the real reference set covers. Recall: the share of reference faces
    that the generated ones cover; its interval is over the speakers of these, with the generated faces as they are.
    Both change with the sizes of the sets, so they compare within one table; the ceiling is real against real at the
    same n: other real photographs of the trials' speakers, one a trial that has one.
    """

    name = "precision-recall"
    summary = "share of generated faces among real ones, and of real faces among generated ones, in feature space"
    judged_by = ("inception", "features")
    floor = "mean-face"

    def measure(self, evidence: Evidence) -> list[Measure]:
        generated, real = answers(evidence), evidence.seen["reference"]
        known, real_known = usable(generated), usable(real)
        real_faces = real[real_known]
        precise = np.where(known, np.nan, 0.0)
        if len(real_faces) > NEIGHBOUR:
            precise[known] = covered(generated[known], real_faces)
        else:
            precise[:] = np.nan

        def recalled(rows: np.ndarray) -> np.ndarray:
            """Which reference faces the generated ones of these trials cover: float [m]; NaN if not judged."""
            shares = np.where(real_known, 0.0, np.nan)
            faces = generated[rows][known[rows]]
            if len(faces) > NEIGHBOUR:
                shares[real_known] = covered(real_faces, faces)
            return shares

        def by_weights(place: np.ndarray) -> OfWeights:
            """Over the speakers of the reference faces; one who has no trial counts once, whatever the weights."""
            shares = recalled(np.arange(len(place)))
            number = dict(zip(evidence.trials["speaker"], place, strict=True))
            whose = np.array([number.get(speaker, -1) for speaker in evidence.reference["speaker"]])[real_known]
            speakers = int(place.max()) + 1
            sums = np.bincount(whose + 1, shares[real_known], speakers + 1)
            counts = np.bincount(whose + 1, minlength=speakers + 1)
            return lambda weights: (weights @ sums[1:] + sums[0]) / (weights @ counts[1:] + counts[0])

        details = {"real_faces": len(real_faces)}
        return [
            Measure(
                "precision-recall/precision",
                better="higher",
                unit="fraction",
                failure="a missing or unjudgeable face does not look real",
                values=precise,
                details=details,
            ),
            Measure(
                "precision-recall/recall",
                better="higher",
                unit="fraction",
                failure="a missing or unjudgeable face covers nothing; fewer than four cover nothing at all",
                statistic=lambda rows: _mean(recalled(rows)),
                covers=known,
                by_weights=by_weights,
                details=details,
            ),
        ]


def covered(faces: np.ndarray, by: np.ndarray, neighbour: int = NEIGHBOUR) -> np.ndarray:
    """Which of `faces`, [n, D], lie in the ball of any of `by`, [m, D], m > neighbour: bool [n]."""
    # The nearest row of a set to one of its own is that row itself, so the third neighbour is the fourth nearest.
    radii = np.concatenate([np.partition(block, neighbour)[:, neighbour].copy() for block in _distances(by, by)])
    return np.concatenate([np.zeros(0, bool), *((block <= radii).any(axis=1) for block in _distances(faces, by))])


def _distances(first: np.ndarray, second: np.ndarray) -> Iterator[np.ndarray]:
    """Squared distances of the rows of [n, D] to those of [m, D], a block of rows at a time: float64 [b, m]."""
    second = second.astype(np.float64)
    lengths = _squares(second)
    for start in range(0, len(first), BLOCK):
        block = first[start : start + BLOCK].astype(np.float64)
        yield np.maximum(_squares(block)[:, None] + lengths - 2 * block @ second.T, 0)


def _squares(rows: np.ndarray) -> np.ndarray:
    return np.einsum("nd,nd->n", rows, rows)


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
