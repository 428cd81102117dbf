"""Ranks with ties counted as chance would: a constant score ranks nobody first."""

from __future__ import annotations

import numpy as np


def rank_of_target(scores: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many candidates score above the target, and how many score as it does, itself included.

    `scores` is float [n, g], higher is better, -inf for a candidate that does not take part; `target` int [n] its
    column. Returns two int arrays [n], `above` and `ties`; the expected rank is above + (ties + 1) / 2.
    """
    own = np.take_along_axis(scores, target[:, None], axis=1)
    return (scores > own).sum(axis=1), (scores == own).sum(axis=1)


def chance_in_top(above: np.ndarray, ties: np.ndarray, k: int) -> np.ndarray:
    """The probability that the target is among the first k when its ties are broken at random: float [n]."""
    return np.clip((k - above) / ties, 0, 1)


def area_under_curve(positive: np.ndarray, negative: np.ndarray) -> float:
    """Area under the ROC curve: the probability that a positive scores above a negative, ties counted half."""
    from scipy.stats import rankdata

    ranks = rankdata(np.concatenate([positive, negative]))
    wins = ranks[: len(positive)].sum() - len(positive) * (len(positive) + 1) / 2
    return float(wins / (len(positive) * len(negative)))
