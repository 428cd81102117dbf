"""Ranks in which ties are broken at random, in expectation: with a constant score every rank is that of chance."""

from __future__ import annotations

import numpy as np


def rank_of_target(scores: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many candidates score above the target, and how many score the same, itself included.

    `scores` is float [n, g], higher is better, -inf for a candidate that does not take part; `target` int [n] its
    column. Returns two int arrays [n], `above` and `ties`; the expected rank is above + (ties + 1) / 2. A score of NaN
    is a ValueError: nothing compares as above it, so it would rank first.
    """
    if np.isnan(scores).any():
        raise ValueError("NaN has no rank: say what a face that cannot be judged costs before ranking")
    own = np.take_along_axis(scores, target[:, None], axis=1)
    return (scores > own).sum(axis=1), (scores == own).sum(axis=1)


def chance_in_top(above: np.ndarray, ties: np.ndarray, k: int) -> np.ndarray:
    """The probability that the target is among the first k if ties are broken at random: float [n]."""
    return np.clip((k - above) / ties, 0, 1)


def recall_in_gallery(
    above: np.ndarray, ties: np.ndarray, candidates: np.ndarray | int, size: int, k: int
) -> np.ndarray:
    """The exact probability that the target is among the first k of a smaller gallery: float [n].

    `above` and `ties`, int [n], are those of `rank_of_target` among `candidates` (int, or [n]; the target included).
    The smaller gallery holds the target and `size` - 1 of the others, drawn at random without replacement; ties are
    broken at random. NaN where there are fewer candidates than `size`.

    With ties broken at random, 0 to ties - 1 of them are before the target, each number with the same probability. Of
    the r candidates that are then before it, a hypergeometric number is drawn. With `size` = `candidates` this is
    `chance_in_top`.
    """
    from scipy.stats import hypergeom

    above, ties, candidates = np.broadcast_arrays(above, ties, candidates)
    recall = np.full(above.shape, np.nan)
    for others in np.unique(candidates[candidates >= size]) - 1:
        within = candidates == others + 1
        # [r]: the chance that fewer than k of the r candidates before the target are drawn
        hits = hypergeom.cdf(k - 1, others, np.arange(others + 1), size - 1)
        total = np.concatenate([[0.0], np.cumsum(hits)])
        recall[within] = (total[above[within] + ties[within]] - total[above[within]]) / ties[within]
    return np.clip(recall, 0, 1)


def average_precision(scores: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Average precision of each ranking: float [...], NaN where nothing is relevant. Its mean over queries is the mAP.

    `scores` is float [..., g], higher is better, -inf for a candidate that does not take part; `relevant` bool [...,
    g]. It is the sum of the precisions at each step of recall, weighted by the step. Candidates with the same score
    enter together. It is not interpolated, as in scikit-learn. A score of NaN is a ValueError.
    """
    if np.isnan(scores).any():
        raise ValueError("NaN has no rank: say what a face that cannot be judged costs before ranking")
    order = np.argsort(-scores, axis=-1, kind="stable")
    scores = np.take_along_axis(scores, order, axis=-1)
    relevant = np.take_along_axis(relevant, order, axis=-1) & (scores > -np.inf)
    ends = np.concatenate([scores[..., :-1] != scores[..., 1:], np.ones((*scores.shape[:-1], 1), bool)], axis=-1)
    # the last place that has the same score, for every place
    last = np.where(ends, np.arange(scores.shape[-1]), scores.shape[-1])
    last = np.minimum.accumulate(last[..., ::-1], axis=-1)[..., ::-1]
    hits = relevant.cumsum(axis=-1)
    precision = np.take_along_axis(hits, last, axis=-1) / (last + 1)
    with np.errstate(invalid="ignore"):
        return np.asarray((precision * relevant).sum(axis=-1) / relevant.sum(axis=-1))


def area_under_curve(positive: np.ndarray, negative: np.ndarray) -> float:
    """Area under the ROC curve: the probability that a positive scores above a negative, ties counted half."""
    from scipy.stats import rankdata

    ranks = rankdata(np.concatenate([positive, negative]))
    wins = ranks[: len(positive)].sum() - len(positive) * (len(positive) + 1) / 2
    return float(wins / (len(positive) * len(negative)))
