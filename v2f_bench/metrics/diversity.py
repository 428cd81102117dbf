"""Whether different people's faces come out different: a method that has collapsed draws one face for all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric, OfWeights
from v2f_bench.metrics.vectors import answers, unit, usable


class Diversity(Metric):
    """Mean pairwise cosine distance, 1 - cos, between outputs for different speakers; and its ratio to real faces'.

    After the diversity score of Zhu et al. 2017 (BicycleGAN), which is the mean pairwise LPIPS distance;
    here the distance is the identity judge's, and pairs are of different speakers, since one voice may well have one
    face. `diversity` divides by the same mean over the target faces of the same trials: 0 is one face for all, near 1
    is as it should be. Higher is better as far as the ceiling, real photographs: collapse is the failure it is there to
    see. Faces more different than people are (noise, say) exceed the ceiling, and that is no merit: identity measures
    and `fid` show what it is.
    """

    name = "diversity"
    summary = "mean pairwise identity distance of different speakers' outputs, against that of real faces"
    judged_by = ("identity",)
    floor = "mean-face"

    def measure(self, evidence: Evidence) -> list[Measure]:
        import pandas as pd

        generated, real = unit(answers(evidence)), unit(evidence.seen["target"])
        speaker = pd.factorize(evidence.trials["speaker"])[0]

        def measure(name: str, unit: str, number: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Measure:
            """`number` of the mean distances of generated and of real faces."""

            def of(rows: np.ndarray, clusters: np.ndarray) -> OfWeights:
                made = mean_distances(generated[rows], clusters, missing=0.0)
                true = mean_distances(real[rows], clusters)
                return lambda weights: number(made(weights), true(weights))

            def statistic(rows: np.ndarray) -> float:
                if not len(rows):
                    return np.nan
                people = np.unique(speaker[rows], return_inverse=True)[1]
                return float(of(rows, people)(np.ones((1, people.max() + 1)))[0])

            def by_weights(place: np.ndarray) -> OfWeights:
                return of(np.arange(len(place)), place)

            return Measure(
                name,
                better="higher",
                unit=unit,
                failure="a pair with a missing or unjudgeable face counts as no difference",
                statistic=statistic,
                covers=np.ones(len(generated), bool),
                by_weights=by_weights,
                headline=name == self.name,
            )

        return [
            measure("diversity", "ratio to real faces", lambda made, true: made / np.where(true > 1e-9, true, np.nan)),
            measure("diversity/distance", "1 - cosine", lambda made, true: made),
        ]


def mean_distances(
    vectors: np.ndarray, speaker: np.ndarray, missing: float | None = None
) -> Callable[[np.ndarray], np.ndarray]:
    """The mean of 1 - cos over all pairs of unit vectors, [n, D], of different speakers, int [n], by weight of speaker.

    A function of how often each speaker is there, float [b, speakers], to float [b]; NaN without a pair. A pair with a
    row that is NaN has the distance `missing`, or is left out; copies of a speaker are no pair. The sum of all cosines
    is the squared length of the vectors' sum, and so within a speaker: no pair is formed.
    """
    known, people = usable(vectors), int(speaker.max()) + 1
    sums = np.zeros((people, vectors.shape[1]))
    np.add.at(sums, speaker[known], vectors[known])
    squares = (sums**2).sum(axis=1)
    counts, known_counts = (np.bincount(s, minlength=people) for s in (speaker, speaker[known]))

    def pairs(weights: np.ndarray, of_each: np.ndarray) -> np.ndarray:
        return np.asarray((weights @ of_each) ** 2 - weights**2 @ of_each**2)

    def mean(weights: np.ndarray) -> np.ndarray:
        seen = pairs(weights, known_counts)
        everything = seen if missing is None else pairs(weights, counts)
        cosines = ((weights @ sums) ** 2).sum(axis=1) - weights**2 @ squares
        total = seen - cosines + (missing or 0.0) * (everything - seen)
        return np.asarray(total / np.where(everything > 0, everything, np.nan))

    return mean
