"""Whether a threshold on the cosine tells the speaker's own face from other people's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric, OfWeights
from v2f_bench.metrics.galleries import Lineup, strata
from v2f_bench.metrics.lists import verification_over_lists
from v2f_bench.stats import Scores, area_under_curve, auc_of_weights, eer_of_weights, equal_error_rate

FAILURE = "a missing or unjudgeable face scores below all others with its own speaker; with others it is not compared"


class Verification(Metric):
    """Area under the ROC curve, and equal error rate, of cosines over all pairs of a trial and a gallery face.

    Positive: the generated face with its speaker's gallery face. Negative: the same with every other gallery face; all
    trials' scores are pooled, so one threshold serves all, as in the verification lists of Nagrani et al. 2018
    ("Learnable PINs", ECCV) and Wen et al. 2019 (DIMNet, section 4), where sex alone gives an AUC of .73.
    `within-sex` takes negatives of the speaker's sex alone. AUC as Hanley & McNeil 1982, ties counted half; 0.5 is
    chance for both. Where every face failed, the AUC is 0 and the error rate 1. Published lists, where the protocol has
    them, ask their own pairs beside these.
    """

    name = "verification"
    summary = "AUC and equal error rate of the speaker's face against other gallery faces; all and within one sex"
    judged_by = ("identity",)
    tracks = frozenset({"identity"})

    def measure(self, evidence: Evidence) -> list[Measure]:
        lineup, measures = Lineup.of(evidence), []
        for prefix, taking_part in strata(evidence).items():
            if prefix != "within-sex-and-age/":
                positive, negatives = _pairs(lineup, taking_part)
                measures += [_area(prefix, positive, negatives), _error_rate(prefix, positive, negatives)]
        return measures + verification_over_lists(evidence)


def _area(prefix: str, positive: np.ndarray, negatives: np.ndarray) -> Measure:
    return Measure(
        f"verification/{prefix}AUC",
        better="higher",
        unit="area",
        failure=FAILURE,
        statistic=_pooled(area_under_curve, positive, negatives, worst=0.0),
        covers=~np.isnan(positive),
        by_weights=_by_weights(auc_of_weights, positive, negatives, worst=0.0),
        chance=0.5,
    )


def _error_rate(prefix: str, positive: np.ndarray, negatives: np.ndarray) -> Measure:
    return Measure(
        f"verification/{prefix}EER",
        better="lower",
        unit="fraction",
        failure=FAILURE,
        statistic=_pooled(equal_error_rate, positive, negatives, worst=1.0),
        covers=~np.isnan(positive),
        by_weights=_by_weights(eer_of_weights, positive, negatives, worst=1.0),
        chance=0.5,
    )


def _pairs(lineup: Lineup, taking_part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each trial's score with its own speaker's face, float [n], -inf for a failed one, NaN where there is nobody to
    compare with; and its scores with others, float [n, g], NaN where there is none."""
    ranking = lineup.ranked(taking_part)
    trials = np.arange(len(taking_part))
    if not taking_part.size:
        return np.full(len(trials), np.nan), np.full(taking_part.shape, np.nan)
    positive = ranking.per_trial(np.nan_to_num(lineup.cosines[trials, lineup.target]), -np.inf)
    negatives = np.where(taking_part & ~ranking.undefined[:, None], lineup.cosines, np.nan)
    negatives[trials, lineup.target] = np.nan
    return positive, negatives


def _pooled(
    number: Callable[[np.ndarray, np.ndarray], float], positive: np.ndarray, negatives: np.ndarray, worst: float
) -> Callable[[np.ndarray], float]:
    def statistic(rows: np.ndarray) -> float:
        own, others = positive[rows], negatives[rows]
        own, others = own[~np.isnan(own)], others[~np.isnan(others)]
        if len(own) and len(others):
            return number(own, others)
        return worst if len(own) else np.nan

    return statistic


def _by_weights(
    number: Callable[[Scores], OfWeights], positive: np.ndarray, negatives: np.ndarray, worst: float
) -> Callable[[np.ndarray], OfWeights]:
    def by_weights(place: np.ndarray) -> OfWeights:
        if np.isneginf(positive).any() and np.isnan(negatives).all():
            return lambda weights: np.full(len(weights), worst)
        return number(Scores.pooled(positive, negatives, place))

    return by_weights
