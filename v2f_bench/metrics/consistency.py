"""Whether several recordings of one speaker get one face."""

from __future__ import annotations

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric
from v2f_bench.metrics.galleries import positions
from v2f_bench.metrics.vectors import answers, unit, usable


class Consistency(Metric):
    """Mean cosine between a generated face and those for the same speaker's other recordings, by the identity judge.

    `consistency` alone is 1 for a method that draws one face for all. `consistency/beyond-others` is therefore the same
    less the mean cosine to the faces for other speakers' recordings: 0 for one face for all, and for faces that have
    nothing to do with the speaker. Speakers with one trial take no part. (Our own definition. Verification papers call
    the two parts genuine and impostor scores.) The ceiling is that of real photographs of the speakers.
    """

    name = "consistency"
    summary = "cosine between the faces for several recordings of one speaker, and what it is beyond other speakers'"
    judged_by = ("identity",)

    def measure(self, evidence: Evidence) -> list[Measure]:
        if not evidence.trials["speaker"].duplicated().any():
            return []
        own, others = mean_cosines(unit(answers(evidence)), evidence.trials["speaker"].to_numpy())
        return [
            Measure(
                name,
                better="higher",
                unit="cosine",
                failure="a missing or unjudgeable face counts as cosine -1 within its speaker, 1 to others",
                values=values,
            )
            for name, values in ((self.name, own), (f"{self.name}/beyond-others", own - others))
        ]


def mean_cosines(vectors: np.ndarray, speakers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each unit vector, [n, D], the mean cosine to the other ones of its speaker, text [n], and to other speakers'.

    float64 [n] both; NaN where there is no other one. A pair with a vector that is NaN counts as -1 within a speaker
    and as 1 between speakers. The cosines to a vector sum to its product with the sum of the vectors: no pair is
    formed.
    """
    place = positions(speakers, dict.fromkeys(speakers))
    known = usable(vectors)
    vectors = np.where(known[:, None], vectors, 0.0)
    sums = np.zeros((int(place.max()) + 1, vectors.shape[1]))
    np.add.at(sums, place, vectors)
    counts, known_counts = (np.bincount(rows, minlength=len(sums))[place] for rows in (place, place[known]))
    mates, strangers = counts - 1, len(vectors) - counts
    pairs = np.where(known, known_counts - 1, 0)  # with mates, of which both vectors are known
    to_mates = np.einsum("nd,nd->n", vectors, sums[place]) - np.einsum("nd,nd->n", vectors, vectors)
    to_strangers = vectors @ sums.sum(axis=0) - np.einsum("nd,nd->n", vectors, sums[place])
    known_strangers = np.where(known, known.sum() - known_counts, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        own = (to_mates - (mates - pairs)) / np.where(mates > 0, mates, np.nan)
        others = (to_strangers + (strangers - known_strangers)) / np.where(strangers > 0, strangers, np.nan)
    return own, others
