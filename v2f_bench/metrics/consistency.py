"""Whether several recordings of one speaker get one face."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric, OfWeights
from v2f_bench.metrics.diversity import mean_distances
from v2f_bench.metrics.galleries import positions
from v2f_bench.metrics.vectors import answers, unit, usable


class Consistency(Metric):
    """Mean cosine between a generated face and those for the same speaker's other recordings, by the identity judge.

    `consistency` alone is 1 for a method that draws one face for all. `consistency/beyond-others` is therefore the same
    less the mean cosine of the faces for different speakers: 0 for one face for all, and for faces that have nothing to
    do with the speaker. Speakers with one trial take no part in the first. (Our own definition. Verification papers
    call the two parts genuine and impostor scores.) The ceiling is that of different real photographs of the speakers:
    one that stands for several trials counts once.
    """

    name = "consistency"
    summary = "cosine between the faces for several recordings of one speaker, and what it is beyond other speakers'"
    judged_by = ("identity",)
    tracks: ClassVar[frozenset[str]] = frozenset({"identity"})  # on the other a speaker's faces are to differ

    def measure(self, evidence: Evidence) -> list[Measure]:
        if not evidence.trials["speaker"].duplicated().any():
            return []
        generated = unit(answers(evidence))
        speakers = evidence.trials["speaker"].to_numpy()
        place = positions(speakers, dict.fromkeys(speakers))
        counted = ~_repeats_a_photo(evidence)
        own = np.full(len(generated), np.nan)
        if counted.any():
            own[counted] = mean_cosines(generated[counted], place[counted])
        failure = "a missing or unjudgeable face counts as cosine -1 within its speaker, 1 to others"

        def of(rows: np.ndarray, clusters: np.ndarray) -> OfWeights:
            """The difference on some trials, by how often each of their speakers counts."""
            known = ~np.isnan(own[rows])
            size = int(clusters.max()) + 1
            sums, counts = (np.bincount(clusters[known], each, size) for each in (own[rows][known], None))
            distance = mean_distances(generated[rows], clusters, missing=0.0)

            def difference(weights: np.ndarray) -> np.ndarray:
                with np.errstate(invalid="ignore"):
                    return np.asarray((weights @ sums) / (weights @ counts) - (1 - distance(weights)))

            return difference

        def statistic(rows: np.ndarray) -> float:
            rows = rows[counted[rows]]
            if not len(rows):
                return np.nan
            people = np.unique(place[rows], return_inverse=True)[1]
            return float(of(rows, people)(np.ones((1, people.max() + 1)))[0])

        def by_weights(of_trial: np.ndarray) -> OfWeights:
            rows = np.flatnonzero(of_trial >= 0)
            return of(rows, of_trial[rows])

        return [
            Measure(self.name, better="higher", unit="cosine", failure=failure, values=own),
            Measure(
                f"{self.name}/beyond-others",
                better="higher",
                unit="cosine",
                failure=failure,
                statistic=statistic,
                covers=counted,
                by_weights=by_weights,
            ),
        ]


def mean_cosines(vectors: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Of each unit vector, [n, D], the mean cosine to the other ones of its speaker, int [n]: float64 [n].

    NaN where there is no other one. A pair with a vector that is NaN counts as -1. The cosines to a vector sum to its
    product with the sum of the vectors: no pair is formed.
    """
    known = usable(vectors)
    vectors = np.where(known[:, None], vectors, 0.0)
    sums = np.zeros((int(place.max()) + 1, vectors.shape[1]))
    np.add.at(sums, place, vectors)
    counts, known_counts = (np.bincount(rows, minlength=len(sums))[place] for rows in (place, place[known]))
    others = counts - 1
    pairs = np.where(known, known_counts - 1, 0)  # of which both vectors are known
    cosines = np.einsum("nd,nd->n", vectors, sums[place]) - np.einsum("nd,nd->n", vectors, vectors)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((cosines - (others - pairs)) / np.where(others > 0, others, np.nan))


def _repeats_a_photo(evidence: Evidence) -> np.ndarray:
    """The trials whose face is a real photograph that has stood for the same speaker before: bool [n].

    Speakers with fewer photographs than trials have one in several trials; its cosine to itself says nothing.
    """
    photo = evidence.trials.get("real_photo")
    if photo is None or "real-photo" not in evidence.seen:
        return np.zeros(len(evidence.trials), bool)
    is_photo = np.isclose(evidence.seen["generated"], evidence.seen["real-photo"], atol=1e-4).all(axis=1)
    return is_photo & (photo != "").to_numpy() & evidence.trials.duplicated(["speaker", "real_photo"]).to_numpy()
