"""Intervals and ranks against scipy, scikit-learn and simulation."""

import numpy as np
import pytest
from scipy.stats import bootstrap
from sklearn.metrics import roc_auc_score, top_k_accuracy_score

from v2f_bench.stats import (
    area_under_curve,
    chance_in_top,
    mean_interval,
    median_interval,
    rank_of_target,
    statistic_interval,
)

RNG = np.random.default_rng(7)


def test_interval_of_the_mean_agrees_with_scipy_where_every_cluster_has_one_value():
    values = RNG.gamma(2.0, size=150)
    ours = mean_interval(values, np.arange(150), resamples=20_000)
    theirs = bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=1).confidence_interval
    assert ours.value == pytest.approx(values.mean())
    assert ours.low == pytest.approx(theirs.low, abs=0.02)
    assert ours.high == pytest.approx(theirs.high, abs=0.02)


def test_interval_of_the_median_agrees_with_scipy():
    values = RNG.gamma(2.0, size=151)
    ours = median_interval(values, np.arange(151), resamples=20_000)
    theirs = bootstrap((values,), np.median, n_resamples=5_000, method="percentile", rng=1).confidence_interval
    assert ours.value == pytest.approx(np.median(values))
    assert ours.low == pytest.approx(theirs.low, abs=0.05)
    assert ours.high == pytest.approx(theirs.high, abs=0.05)


@pytest.mark.parametrize("per_speaker", [1, 4])
def test_coverage_over_speakers_whose_trials_hang_together(per_speaker):
    """Trials of one speaker share an effect: only an interval over speakers covers the truth 95 times in 100."""
    covered = []
    for repeat in range(400):
        rng = np.random.default_rng(repeat)
        speaker = np.repeat(np.arange(60), per_speaker)
        values = rng.standard_normal(60)[speaker] + 0.3 * rng.standard_normal(len(speaker))
        interval = mean_interval(values, speaker, resamples=600, seed=repeat)
        covered.append(interval.low <= 0 <= interval.high)
    assert 0.91 <= np.mean(covered) <= 0.98


def test_an_interval_over_trials_instead_would_not_cover():
    """The same simulation with each trial its own cluster: the test above can fail for the reason it names."""
    covered = []
    for repeat in range(200):
        rng = np.random.default_rng(repeat)
        speaker = np.repeat(np.arange(60), 4)
        values = rng.standard_normal(60)[speaker] + 0.3 * rng.standard_normal(240)
        interval = mean_interval(values, np.arange(240), resamples=400, seed=repeat)
        covered.append(interval.low <= 0 <= interval.high)
    assert np.mean(covered) < 0.85


def test_a_statistic_of_the_whole_agrees_with_the_mean_for_the_mean():
    speaker = np.repeat(np.arange(80), 3)
    values = RNG.standard_normal(240) + RNG.standard_normal(80)[speaker]
    by_mean = mean_interval(values, speaker)
    by_statistic = statistic_interval(lambda rows: float(values[rows].mean()), speaker, resamples=800)
    assert by_statistic.value == pytest.approx(by_mean.value)
    assert by_statistic.high - by_statistic.low == pytest.approx(by_mean.high - by_mean.low, rel=0.12)


def test_unknown_values_and_single_speakers_have_no_say():
    values = np.array([1.0, np.nan, 3.0])
    assert mean_interval(values, np.array(["a", "b", "c"])).value == 2.0
    alone = mean_interval(values, np.array(["a", "a", "a"]))
    assert alone.value == 2.0
    assert np.isnan(alone.low)
    assert np.isnan(mean_interval(np.array([np.nan]), np.array(["a"])).value)


def test_area_under_curve_equals_scikit_learn_with_ties():
    positive, negative = RNG.integers(0, 6, 70).astype(float), RNG.integers(0, 5, 90).astype(float)
    labels = np.r_[np.ones(70), np.zeros(90)]
    assert area_under_curve(positive, negative) == pytest.approx(roc_auc_score(labels, np.r_[positive, negative]))


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
