"""A classifier's judgement of every face against a label, and the numbers that are made of their confusion matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from v2f_bench.interfaces import Evidence, OfWeights
from v2f_bench.interfaces.labels import standard_label
from v2f_bench.metrics.vectors import usable

NO_FACE = "no face"


@dataclass(frozen=True)
class Confusion:
    """Of n trials and a judge of c classes:

    classes: the judge's labels, by their shared names.
    truth: the label of each trial, text [n]; "" where it has none.
    label: float [n, c], 1 at the trial's label; zeros for a trial without one or with one the judge does not know.
    judged: float [n, c + 1], the share of each class in what the judge said: 1 at the most probable one, or equal
        shares where several are; the last column is for a face that is missing or could not be judged.
    """

    classes: tuple[str, ...]
    truth: np.ndarray
    label: np.ndarray
    judged: np.ndarray

    @classmethod
    def of(cls, evidence: Evidence, truth: np.ndarray) -> Confusion:
        """`truth`: text [n], the shared names of labels, "" for none."""
        classes = tuple(standard_label(label) for label in evidence.labels)
        generated = evidence.seen["generated"]
        seen = usable(generated)
        judged = np.zeros((len(truth), len(classes) + 1))
        judged[~seen, -1] = 1
        if seen.any():
            best = generated[seen] == generated[seen].max(axis=1, keepdims=True)
            judged[seen, :-1] = best / best.sum(axis=1, keepdims=True)
        return cls(classes, truth, (truth[:, None] == np.array(classes, dtype=object)).astype(float), judged)

    @property
    def known(self) -> np.ndarray:
        """Which trials have a label that the judge knows: bool [n]."""
        return np.asarray(self.label.any(axis=1))

    def right(self) -> np.ndarray:
        """The probability that each trial is judged as labelled, ties broken at random: float [n]; NaN if not known."""
        return np.where(self.known, (self.label * self.judged[:, :-1]).sum(axis=1), np.nan)

    def number(self, of: Callable[[np.ndarray], np.ndarray]) -> dict[str, Any]:
        """A number of the confusion matrix as the parts of a measure: `of` maps [..., c, c + 1] to [...]."""

        def statistic(rows: np.ndarray) -> float:
            return float(of(self.label[rows].T @ self.judged[rows]))

        def by_weights(place: np.ndarray) -> OfWeights:
            cells = np.zeros((place.max() + 1, *self.label.shape[1:], self.judged.shape[1]))
            np.add.at(cells, place[self.known], self.label[self.known, :, None] * self.judged[self.known, None, :])
            return lambda weights: of(np.tensordot(weights, cells, axes=1))

        return {"statistic": statistic, "covers": self.known, "by_weights": by_weights}

    def details(self) -> dict[str, Any]:
        """The confusion matrix with its labels, and the trials that it leaves out."""
        unknown = self.truth[~self.known & (self.truth != "")]
        cells = self.label.T @ self.judged
        return {
            "rows": "label",
            "columns": "judged",
            "row_labels": list(self.classes),
            "column_labels": [*self.classes, NO_FACE],
            "confusion": [[round(float(cell), 6) for cell in row] for row in cells],
            "not_known_to_judge": {str(label): int((unknown == label).sum()) for label in np.unique(unknown)},
            "without_label": int((self.truth == "").sum()),
        }


def balanced_accuracy(cells: np.ndarray) -> np.ndarray:
    """The mean recall of the classes that label a trial: [...] of confusion matrices [..., c, c + 1]."""
    rows = cells.sum(axis=-1)
    return _mean_where(_diagonal(cells) / _nonzero(rows), rows > 0)


def macro_f1(cells: np.ndarray) -> np.ndarray:
    """The mean F1 of the classes that label a trial: [...] of confusion matrices [..., c, c + 1]."""
    rows, columns = cells.sum(axis=-1), cells[..., :-1].sum(axis=-2)
    return _mean_where(2 * _diagonal(cells) / _nonzero(rows + columns), rows > 0)


def kappa(cells: np.ndarray) -> np.ndarray:
    """Agreement beyond that of the margins (Cohen 1960, equation 1): [...] of confusion matrices [..., c, c + 1]."""
    n = _nonzero(cells.sum(axis=(-1, -2)))
    agreed = _diagonal(cells).sum(axis=-1) / n
    expected = (cells.sum(axis=-1) * cells[..., :-1].sum(axis=-2)).sum(axis=-1) / n**2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(expected < 1, (agreed - expected) / (1 - expected), np.nan)


def _diagonal(cells: np.ndarray) -> np.ndarray:
    return np.diagonal(cells, axis1=-2, axis2=-1)


def _nonzero(counts: np.ndarray) -> np.ndarray:
    """NaN for 0, where dividing would be undefined."""
    return np.where(counts > 0, counts, np.nan)


def _mean_where(values: np.ndarray, present: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.where(present, values, 0).sum(axis=-1) / _nonzero(present.sum(axis=-1))
