"""How well a classifier's probabilities order the faces: one class against the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from v2f_bench.interfaces import Evidence, OfWeights
from v2f_bench.interfaces.labels import standard_label
from v2f_bench.metrics.vectors import usable


@dataclass(frozen=True)
class OneAgainstRest:
    """Of n trials, and the k classes of the judge that label one of them:

    classes: their shared names.
    label: bool [n, k], true at the trial's label; no true one where it has none or one that the judge does not know.
    probability: float [n, k], NaN where the face is missing or could not be judged.
    """

    classes: tuple[str, ...]
    label: np.ndarray
    probability: np.ndarray

    @classmethod
    def of(cls, evidence: Evidence, truth: np.ndarray) -> OneAgainstRest:
        """`truth`: text [n], the shared names of labels, "" for none."""
        names = [standard_label(label) for label in evidence.labels]
        places = [place for place, name in enumerate(names) if (truth == name).any()]
        generated = evidence.seen["generated"]
        seen = np.where(usable(generated)[:, None], generated, np.nan)
        if seen.shape[1] != len(names):  # not one face could be judged
            seen = np.full((len(truth), len(names)), np.nan)
        classes = tuple(names[place] for place in places)
        return cls(classes, truth[:, None] == np.array(classes, dtype=object), seen[:, places].astype(float))

    @property
    def known(self) -> np.ndarray:
        """Which trials have a label that the judge knows: bool [n]."""
        return np.asarray(self.label.any(axis=1))

    def area(self, rows: np.ndarray) -> float:
        """The mean over the classes of the area under the ROC curve, for trial positions `rows`; NaN for none."""
        return float(self._mean(np.ones((1, 1)), *self._pairs(rows, np.zeros(len(rows), int)))[0])

    def by_weights(self, place: np.ndarray) -> OfWeights:
        """The area by how often each speaker counts; both sides of every pair do. `place`: int [n], each trial's."""
        rows = np.flatnonzero(self.known)
        pairs = self._pairs(rows, place[rows])
        return lambda weights: self._mean(weights, *pairs)

    def details(self) -> dict[str, Any]:
        """The area of each class alone; None where there is no other class to compare with."""
        rows = np.flatnonzero(self.known)
        won, compared = self._pairs(rows, np.zeros(len(rows), int))
        areas = _ratio(won[:, 0, 0], compared[:, 0, 0])
        rounded = [round(float(area), 6) if np.isfinite(area) else None for area in areas]
        return {"area_of": dict(zip(self.classes, rounded, strict=True))}

    def _pairs(self, rows: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of each class the pairs won and the pairs compared, between clusters: [k, c, c] both; `place` int [rows]."""
        count = int(place.max(initial=-1)) + 1
        won, compared = (np.zeros((len(self.classes), count, count)) for _ in range(2))
        for number in range(len(self.classes)):
            own = self.label[rows, number]
            others = self.known[rows] & ~own
            score, other = self.probability[rows[own], number][:, None], self.probability[rows[others], number]
            cells = np.ix_(place[own], place[others])
            # nothing is above or equal to NaN: a pair with a failed face is lost
            np.add.at(won[number], cells, (score > other) + 0.5 * (score == other))
            np.add.at(compared[number], cells, 1.0)
        return won, compared

    def _mean(self, weights: np.ndarray, won: np.ndarray, compared: np.ndarray) -> np.ndarray:
        """[b] for how often each cluster was drawn, [b, c]; a class without a pair is left out of the mean."""
        drawn = [np.einsum("bc,kcd,bd->bk", weights, pairs, weights, optimize=True) for pairs in (won, compared)]
        present = drawn[1] > 0
        classes = present.sum(axis=1)
        return np.where(present, _ratio(*drawn), 0).sum(axis=1) / np.where(classes > 0, classes, np.nan)


def _ratio(won: np.ndarray, compared: np.ndarray) -> np.ndarray:
    """NaN where nothing was compared."""
    return won / np.where(compared > 0, compared, np.nan)
