"""Whether the generated face finds its speaker among the faces of all test speakers."""

from __future__ import annotations

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric
from v2f_bench.metrics.vectors import unit
from v2f_bench.stats import chance_in_top, rank_of_target

TOP = (1, 5, 10)


class Retrieval(Metric):
    """Rank of the speaker's gallery face by cosine to the generated face; R@k, and the normalised median rank.

    R@k depends on the gallery's size, which the protocol fixes; the normalised rank, (rank - 1) / (size - 1), does not:
    0 is first, 0.5 is chance. Retrieval@5 is reported by Liang et al. 2020, section 4.3. `within-sex` ranks only
    gallery faces of the speaker's sex, so that hearing the sex alone gains nothing. Ties count as chance would order
    them.
    """

    name = "retrieval"
    summary = "R@1, R@5, R@10 and normalised median rank in a fixed gallery; all and within one sex"
    judged_by = ("identity",)
    tracks = frozenset({"identity"})

    def measure(self, evidence: Evidence) -> list[Measure]:
        measures = self._over(evidence, np.ones((len(evidence.trials), len(evidence.gallery)), bool), "")
        if "sex" in evidence.trials:
            own, theirs = evidence.trials["sex"].to_numpy(), evidence.gallery["sex"].to_numpy()
            measures += self._over(evidence, own[:, None] == theirs[None, :], "within-sex/")
        return measures

    def _over(self, evidence: Evidence, taking_part: np.ndarray, prefix: str) -> list[Measure]:
        """Measures in the gallery that `taking_part` (bool [n, g]) leaves to each trial."""
        generated, gallery = unit(evidence.seen["generated"]), unit(evidence.seen["gallery"])
        failed = np.isnan(generated).any(axis=1)
        unusable = np.isnan(gallery).any(axis=1)
        taking_part = taking_part & ~unusable
        target = evidence.gallery["speaker"].searchsorted(evidence.trials["speaker"])
        scores = np.where(taking_part, np.nan_to_num(generated) @ np.nan_to_num(gallery).T, -np.inf)
        above, ties = rank_of_target(scores, target)
        size = taking_part.sum(axis=1)
        # A trial whose own target cannot be judged, or stands alone in its gallery, says nothing about the method.
        undefined = unusable[target] | (size < 2)

        def per_trial(values: np.ndarray, when_failed: float | np.ndarray) -> np.ndarray:
            return np.where(undefined, np.nan, np.where(failed, when_failed, values))

        place = (above + (ties + 1) / 2 - 1) / np.maximum(size - 1, 1)
        chances = {k: np.minimum(k / np.maximum(size, 1), 1) for k in TOP}
        return [
            Measure(
                f"retrieval/{prefix}R@{k}",
                better="higher",
                unit="fraction",
                failure="a missing or unjudgeable face is not retrieved",
                values=per_trial(chance_in_top(above, ties, k), 0.0),
                chance=_mean(chances[k][~undefined]),
                headline=k == 5,
            )
            for k in TOP
        ] + [
            Measure(
                f"retrieval/{prefix}normalised-{aggregate}-rank",
                better="lower",
                unit="fraction of the gallery",
                failure="a missing or unjudgeable face ranks last",
                values=per_trial(place, 1.0),
                aggregate=aggregate,
                chance=0.5,
                headline=aggregate == "mean",
            )
            for aggregate in ("median", "mean")
        ]


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None
