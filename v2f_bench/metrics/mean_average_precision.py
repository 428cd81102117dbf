"""Whether the generated face finds all pictures of its speaker among the pictures of all test speakers."""

from __future__ import annotations

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric
from v2f_bench.metrics.galleries import Pictures
from v2f_bench.metrics.vectors import all_cosines, answers, unit, usable
from v2f_bench.stats import average_precision

BLOCK = 256  # trials at a time: memory stays flat in their number


class MeanAveragePrecision(Metric):
    """Mean over trials of the average precision of the speaker's pictures, all test pictures ranked by cosine.

    The measure of cross-modal retrieval in Nagrani et al. 2018 ("Learnable PINs", ECCV) and Wen et al. 2019 (DIMNet,
    section 4); Manning, Raghavan & Schütze 2008, equation 8.8, not interpolated, pictures of one score entering
    together. Pictures: the gallery's, and the reference set's that are not in it. Chance is the exact expectation of a
    random order (Bestgen 2015, "Exact expected average precision of the random baseline"). It depends on how many
    pictures there are, so it compares within one protocol.
    """

    name = "map"
    summary = "mean average precision over all test pictures, several of each speaker"
    judged_by = ("identity",)
    tracks = frozenset({"identity"})

    def measure(self, evidence: Evidence) -> list[Measure]:
        generated, pictures = answers(evidence), Pictures.of(evidence)
        relevant_to = evidence.trials["speaker"].to_numpy()
        failed = ~usable(unit(generated))
        precisions = np.full(len(generated), np.nan)
        for start in range(0, len(generated) if len(pictures.speakers) else 0, BLOCK):
            rows = slice(start, start + BLOCK)
            scores = np.nan_to_num(all_cosines(generated[rows], pictures.vectors))
            precisions[rows] = average_precision(scores, pictures.speakers[None, :] == relevant_to[rows, None])
        relevant = (pictures.speakers[None, :] == relevant_to[:, None]).sum(axis=1)
        chance = expected_average_precision(relevant[relevant > 0], len(pictures.speakers))
        return [
            Measure(
                self.name,
                better="higher",
                unit="average precision",
                failure="a missing or unjudgeable face finds nothing: 0",
                values=np.where(failed & ~np.isnan(precisions), 0.0, precisions),
                chance=float(chance.mean()) if len(chance) else None,
            )
        ]


def expected_average_precision(relevant: np.ndarray, candidates: int) -> np.ndarray:
    """The expected average precision of a random order of `candidates`, of which `relevant`, int [n], are: float [n].

    The candidate at place k is relevant with probability R / N; if it is, (k - 1) (R - 1) / (N - 1) others are expected
    before it. The sum over k of both, divided by R k.
    """
    if candidates < 2:
        return np.ones(len(relevant))
    harmonic = (1 / np.arange(1, candidates + 1)).sum()
    return (harmonic + (relevant - 1) / (candidates - 1) * (candidates - harmonic)) / candidates
