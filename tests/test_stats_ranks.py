"""Ranks, average precision, areas and equal error rates: against scikit-learn, enumeration and simulation."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve, top_k_accuracy_score

from v2f_bench.stats import (
    Scores,
    area_under_curve,
    auc_of_weights,
    average_precision,
    chance_in_top,
    eer_of_weights,
    equal_error_rate,
    rank_of_target,
    recall_in_gallery,
    weighted_interval,
)
from v2f_bench.stats.bootstrap import _interval, cluster_weights

RNG = np.random.default_rng(7)


@pytest.mark.parametrize("k", [1, 5, 10])
def test_top_k_equals_scikit_learn(k):
    scores, target = RNG.standard_normal((300, 40)), RNG.integers(40, size=300)
    above, ties = rank_of_target(scores, target)
    expected = top_k_accuracy_score(target, scores, k=k, labels=np.arange(40))
    assert chance_in_top(above, ties, k).mean() == pytest.approx(expected)


def test_a_constant_score_is_at_chance():
    above, ties = rank_of_target(np.ones((10, 40)), np.arange(10))
    assert chance_in_top(above, ties, 5) == pytest.approx(np.full(10, 5 / 40))
    assert above + (ties + 1) / 2 == pytest.approx(np.full(10, 20.5))
    assert recall_in_gallery(above, ties, 40, 20, 5) == pytest.approx(np.full(10, 5 / 20))


def test_a_score_that_is_no_number_is_refused_and_not_ranked_first():
    scores = np.array([[np.nan, 1.0, 2.0]])
    with pytest.raises(ValueError, match="NaN"):
        rank_of_target(scores, np.array([0]))
    with pytest.raises(ValueError, match="NaN"):
        average_precision(scores, np.array([[True, False, False]]))


def test_recall_in_a_smaller_gallery_equals_the_mean_over_all_of_them():
    """Every gallery of the target and size - 1 of the other seven, ties among them broken at random."""
    rng = np.random.default_rng(8)
    for _ in range(20):
        scores = rng.integers(0, 4, 8).astype(float)
        above, ties = rank_of_target(scores[None], np.array([0]))
        for size in range(1, 9):
            for k in (1, 2, 3, 7):
                galleries = [scores[[0, *others]][None] for others in combinations(range(1, 8), size - 1)]
                chances = [chance_in_top(*rank_of_target(one, np.array([0])), k)[0] for one in galleries]
                assert recall_in_gallery(above, ties, 8, size, k)[0] == pytest.approx(np.mean(chances))


def test_recall_in_a_smaller_gallery_by_drawing_galleries():
    rng = np.random.default_rng(9)
    scores = np.round(rng.standard_normal((1, 300)), 1)
    scores[0, 0] = 1.5
    above, ties = rank_of_target(scores, np.array([0]))
    assert ties[0] > 1
    drawn = np.array([rng.choice(np.arange(1, 300), 49, replace=False) for _ in range(20_000)])
    galleries = np.concatenate([np.full((20_000, 1), scores[0, 0]), scores[0, drawn]], axis=1)
    chances = chance_in_top(*rank_of_target(galleries, np.zeros(20_000, int)), 5)
    found = recall_in_gallery(above, ties, 300, 50, 5)[0]
    assert 0.2 < found < 0.95
    assert found == pytest.approx(chances.mean(), abs=4 * chances.std() / np.sqrt(20_000))


def test_the_whole_gallery_is_the_smaller_one_of_its_size():
    above, ties, candidates = np.array([0, 3, 4, 9]), np.array([1, 4, 3, 1]), np.array([10, 10, 8, 10])
    for k in (1, 5, 20):
        found = recall_in_gallery(above, ties, candidates, 10, k)
        assert found[[0, 1, 3]] == pytest.approx(chance_in_top(above, ties, k)[[0, 1, 3]])
        assert np.isnan(found[2])  # eight candidates are no gallery of ten
        assert recall_in_gallery(above, ties, candidates, 8, k)[2] == pytest.approx(chance_in_top(above, ties, k)[2])


def test_average_precision_equals_scikit_learn_with_ties():
    scores, relevant = RNG.integers(0, 8, (200, 30)).astype(float), RNG.random((200, 30)) < 0.2
    relevant[:, 0] = True
    expected = [average_precision_score(*row) for row in zip(relevant, scores, strict=True)]
    assert average_precision(scores, relevant) == pytest.approx(expected)
    assert average_precision(scores[3], relevant[3]) == pytest.approx(expected[3])


def test_average_precision_leaves_out_who_does_not_take_part():
    scores = np.array([[0.9, -np.inf, 0.8, -np.inf, 0.7]])
    assert average_precision(scores, np.array([[False, True, True, False, True]])) == pytest.approx(
        [(1 / 2 + 2 / 3) / 2]
    )
    assert np.isnan(average_precision(scores, np.zeros((1, 5), bool)))


def test_area_under_curve_equals_scikit_learn_with_ties():
    positive, negative = RNG.integers(0, 6, 70).astype(float), RNG.integers(0, 5, 90).astype(float)
    labels = np.r_[np.ones(70), np.zeros(90)]
    assert area_under_curve(positive, negative) == pytest.approx(roc_auc_score(labels, np.r_[positive, negative]))


def eer_by_scikit_learn(positive, negative):
    labels = np.r_[np.ones(len(positive)), np.zeros(len(negative))]
    accepted, found, _ = roc_curve(labels, np.r_[positive, negative], drop_intermediate=False)
    return np.interp(0, accepted - (1 - found), accepted)


@pytest.mark.parametrize("decimals", [0, 1, 6])
def test_equal_error_rate_equals_scikit_learns_curve(decimals):
    """With no decimals nearly all scores are tied, and the point lies well inside a slanting piece of the curve."""
    for repeat in range(100):
        rng = np.random.default_rng([decimals, repeat])
        shift, *sizes = rng.integers(0, 3), *rng.integers(1, 40, 2)
        positive = np.round(rng.standard_normal(sizes[0]) + shift, decimals)
        negative = np.round(rng.standard_normal(sizes[1]), decimals)
        assert equal_error_rate(positive, negative) == pytest.approx(eer_by_scikit_learn(positive, negative))


def test_equal_error_rate_of_the_extremes():
    low, high = np.array([0.1, 0.2]), np.array([0.8, 0.9, 0.9])
    assert equal_error_rate(high, low) == 0
    assert equal_error_rate(low, high) == 1
    assert equal_error_rate(np.ones(3), np.ones(5)) == 0.5
    assert np.isnan(equal_error_rate(high, np.array([])))
    assert np.isnan(equal_error_rate(high, np.array([0.1, np.nan])))


def scored_trials(rng, speakers, per_speaker=3, others=8, decimals=1):
    """Scores of trials whose speakers are more or less easy; some places hold no negative, one trial no positive."""
    speaker = rng.permutation(np.repeat(np.arange(speakers), per_speaker))
    positive = 1 + rng.standard_normal(speakers)[speaker] + rng.standard_normal(len(speaker))
    negatives = rng.standard_normal(speakers)[speaker][:, None] + rng.standard_normal((len(speaker), others))
    negatives[rng.random(negatives.shape) < 0.3] = np.nan
    positive[4] = np.nan
    return np.round(positive, decimals), np.round(negatives, decimals), speaker


@pytest.mark.parametrize("method", ["percentile", "bca", "expanded"])
@pytest.mark.parametrize(
    ("of_weights", "plain"), [(auc_of_weights, area_under_curve), (eer_of_weights, equal_error_rate)]
)
def test_verification_intervals_equal_those_of_trials_resampled_one_by_one(of_weights, plain, method):
    positive, negatives, speaker = scored_trials(np.random.default_rng(10), 12)
    known = ~np.isnan(positive)

    def by_hand(weights):
        times = np.where(known, weights[speaker], 0).astype(int)
        drawn = np.repeat(np.arange(len(speaker)), times)
        others = negatives[drawn].ravel()
        return plain(positive[drawn], others[~np.isnan(others)])

    draws = np.array([by_hand(weights) for weights in cluster_weights(12, 80, 3)])
    without = np.array([by_hand(weights) for weights in 1 - np.eye(12)])
    expected = _interval(by_hand(np.ones(12)), draws, without, 12, 0.95, method)
    assert len(np.unique(draws)) > 50
    statistic = of_weights(Scores.pooled(positive, negatives, speaker))
    assert weighted_interval(statistic, 12, resamples=80, seed=3, method=method) == pytest.approx(expected)


def test_speakers_without_negatives_count_by_their_positives():
    positive, negatives, speaker = scored_trials(np.random.default_rng(10), 6)
    negatives[speaker == 2] = np.nan
    known = ~np.isnan(positive)
    pool = negatives[known][~np.isnan(negatives[known])]
    everything = np.ones((1, 6))
    area = auc_of_weights(Scores.pooled(positive, negatives, speaker))(everything)[0]
    assert area == pytest.approx(area_under_curve(positive[known], pool))
    alone = eer_of_weights(Scores.pooled(positive, negatives, np.zeros_like(speaker)))(np.ones((1, 1)))[0]
    assert alone == pytest.approx(equal_error_rate(positive[known], pool))


@pytest.mark.slow
@pytest.mark.parametrize("of_weights", [auc_of_weights, eer_of_weights])
def test_coverage_of_verification_intervals(of_weights):
    """Positives are normal about 1, negatives about 0, both of variance 2: the truth is known.

    Trials of a speaker hang together; every trial has negatives of its own.
    """
    truth = norm.cdf(1 / 2) if of_weights is auc_of_weights else norm.cdf(-0.5 / np.sqrt(2))
    rng = np.random.default_rng(11)
    hits = 0
    for repeat in range(1000):
        positive, negatives, speaker = scored_trials(rng, 80, decimals=6)
        statistic = of_weights(Scores.pooled(positive, negatives, speaker))
        found = weighted_interval(statistic, 80, resamples=400, seed=repeat % 4)
        hits += found.low <= truth <= found.high
    assert 0.93 <= hits / 1000 <= 0.97
