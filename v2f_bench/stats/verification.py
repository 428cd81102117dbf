"""Verification: a score says whether two faces are of one person; area under the ROC curve and equal error rate."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from v2f_bench.stats.bootstrap import Statistic


class Scores(NamedTuple):
    """Scores of pairs of one person, `positive` float [p], and of two persons, `negative` float [q]; none is NaN.

    `positive_place`, int [p], and `negative_place`, int [q], are their clusters, numbered from 0 to `clusters` - 1.
    """

    positive: np.ndarray
    positive_place: np.ndarray
    negative: np.ndarray
    negative_place: np.ndarray
    clusters: int

    @classmethod
    def pooled(cls, positive: np.ndarray, negatives: np.ndarray, place: np.ndarray) -> Scores:
        """All scores of trials: with the trial's own target, float [n], and with others, float [n, m].

        NaN in `negatives` stands for no score. A trial whose positive score is NaN is left out with its negatives.
        `place`, int [n], is the cluster of each trial.
        """
        known = ~np.isnan(positive)
        trial, column = np.nonzero(~np.isnan(negatives[known]))
        place = place[known]
        clusters = int(place.max(initial=-1)) + 1
        return cls(positive[known], place, negatives[known][trial, column], place[trial], clusters)


def auc_of_weights(scores: Scores) -> Statistic:
    """Area under the ROC curve of all scores together, as a function of the clusters' weights.

    As the probability that a positive of any trial scores above a negative of any trial, ties counted half (Hanley &
    McNeil 1982), the area with cluster weights w is w' W w / (w' p  w' q) with the wins W and the numbers of positives
    p and negatives q of each cluster. It needs memory for p + q + clusters ** 2 numbers.
    """
    wins = np.empty((scores.clusters, scores.clusters))  # [positive's cluster, negative's cluster]
    for cluster, negative in enumerate(_by_cluster(scores.negative, scores.negative_place, scores.clusters)):
        won = (np.searchsorted(negative, scores.positive) + np.searchsorted(negative, scores.positive, "right")) / 2
        wins[:, cluster] = np.bincount(scores.positive_place, won, scores.clusters)
    positives = np.bincount(scores.positive_place, minlength=scores.clusters)
    negatives = np.bincount(scores.negative_place, minlength=scores.clusters)
    return lambda weights: ((weights @ wins) * weights).sum(axis=1) / ((weights @ positives) * (weights @ negatives))


def eer_of_weights(scores: Scores) -> Statistic:
    """As `auc_of_weights`, for the equal error rate (see `equal_error_rate`).

    Scores are sorted once. The corners of the curve are at the scores of positives. How many scores of each cluster
    pass each corner is counted once, [2 p, clusters]; then the crossing is found by bisection for each row of weights.
    """
    thresholds = np.unique(scores.positive)[::-1]
    accepted, passed = (
        np.stack([_passing(group, thresholds) for group in _by_cluster(values, place, scores.clusters)], axis=1)
        for values, place in ((scores.negative, scores.negative_place), (scores.positive, scores.positive_place))
    )
    refused = passed[-1] - passed
    negatives = np.bincount(scores.negative_place, minlength=scores.clusters)

    def rate(weights: np.ndarray) -> np.ndarray:
        all_negatives, all_positives = weights @ negatives, weights @ passed[-1]

        def at(corner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            """False acceptance rate, and its difference from the false refusal rate."""
            false_accept = (weights * accepted[corner]).sum(axis=1) / all_negatives
            return false_accept, false_accept - (weights * refused[corner]).sum(axis=1) / all_positives

        # The excess only rises from corner to corner: at most 0 at the first, at least 0 at the last.
        before, after = np.zeros(len(weights), int), np.full(len(weights), len(accepted) - 1)
        while (after - before > 1).any():
            middle = (before + after) // 2
            short = at(middle)[1] < 0
            before, after = np.where(short, middle, before), np.where(short, after, np.maximum(middle, before + 1))
        (low, lack), (high, excess) = at(before), at(after)
        share = np.divide(-lack, excess - lack, out=np.zeros(len(weights)), where=excess > lack)
        return np.asarray(low + share * (high - low))

    return rate


def equal_error_rate(positive: np.ndarray, negative: np.ndarray) -> float:
    """The rate at which false acceptance of `negative` (float [m]) equals false refusal of `positive` (float [n]).

    The corners of the ROC curve are joined by straight lines, as for its area. NaN where one of them is empty or has a
    NaN.
    """
    if not len(positive) or not len(negative) or np.isnan(positive).any() or np.isnan(negative).any():
        return float("nan")
    scores = Scores(positive, np.zeros(len(positive), int), negative, np.zeros(len(negative), int), 1)
    return float(eer_of_weights(scores)(np.ones((1, 1)))[0])


def _by_cluster(values: np.ndarray, place: np.ndarray, clusters: int) -> list[np.ndarray]:
    """The values of each cluster, ascending."""
    order = np.lexsort((values, place))
    return np.split(values[order], np.cumsum(np.bincount(place, minlength=clusters))[:-1])


def _passing(values: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """How many of `values`, ascending, lie above each of t `thresholds`, and how many at or above it: int32 [2 t]."""
    above = np.searchsorted(values, thresholds, "right"), np.searchsorted(values, thresholds, "left")
    return (len(values) - np.stack(above, axis=1)).ravel().astype(np.int32)
