"""Intervals against scipy, and their coverage by simulation."""

import numpy as np
import pytest
from scipy.special import stdtrit
from scipy.stats import bootstrap

from v2f_bench.stats import (
    Interval,
    jackknife,
    jackknife_by_rows,
    mean_influence,
    mean_interval,
    median_influence,
    median_interval,
    standard_error,
)
from v2f_bench.stats.bootstrap import _interval, cluster_weights

RNG = np.random.default_rng(7)


@pytest.mark.parametrize("method", ["percentile", "bca"])
@pytest.mark.parametrize(("interval", "statistic"), [(mean_interval, np.mean), (median_interval, np.median)])
def test_interval_agrees_with_scipy_where_every_cluster_has_one_value(interval, statistic, method):
    values = np.random.default_rng(7).gamma(2.0, size=61)
    ours = interval(values, np.arange(61), resamples=20_000, method=method)
    theirs = bootstrap((values,), statistic, n_resamples=20_000, method=method, rng=1).confidence_interval
    assert ours.value == pytest.approx(statistic(values))
    assert ours.low == pytest.approx(theirs.low, abs=0.02)
    assert ours.high == pytest.approx(theirs.high, abs=0.02)


def test_the_agreement_with_scipy_tells_bca_from_percentile():
    values = np.random.default_rng(7).gamma(2.0, size=61)
    percentile = mean_interval(values, np.arange(61), resamples=20_000)
    bca = mean_interval(values, np.arange(61), resamples=20_000, method="bca")
    assert bca.low - percentile.low > 0.02
    assert bca.high - percentile.high > 0.02


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_from_the_same_resamples_the_ends_are_scipys_to_the_last_digit(method):
    """Few different values: many resamples have the observed mean, and must count half in the bias."""
    values = np.random.default_rng(3).integers(0, 4, 25).astype(float)
    theirs = bootstrap((values,), np.mean, n_resamples=999, method=method, rng=1)
    draws = theirs.bootstrap_distribution
    assert np.mean(draws == values.mean()) > 0.01
    without = np.array([np.delete(values, place).mean() for place in range(25)])
    ours = _interval(values.mean(), draws, without, 25, 0.95, method)
    assert ours[1:] == pytest.approx(tuple(theirs.confidence_interval), abs=1e-12)


def test_a_drawn_speaker_brings_all_its_trials():
    """The same resamples put together trial by trial."""
    speaker = np.array(["b", "a", "a", "c", "b", "a", "d"])
    values = RNG.standard_normal(7)
    members = [np.flatnonzero(speaker == name) for name in "abcd"]
    means, medians = [], []
    for weights in cluster_weights(4, 60, 5).astype(int):
        drawn = np.concatenate([np.repeat(rows, times) for rows, times in zip(members, weights, strict=True)])
        means.append(values[drawn].mean())
        medians.append(np.median(values[drawn]))
    for interval, draws in ((mean_interval, means), (median_interval, medians)):
        ours = interval(values, speaker, resamples=60, seed=5)
        assert ours[1:] == pytest.approx(np.quantile(draws, [0.025, 0.975]))


def covered(interval, clusters, *, trials=4, skewed=False, repeats=2000, median=False, **options):
    """How often the 95 % interval holds the truth: speakers with effects of variance 1, and one to `trials` trials."""
    rng = np.random.default_rng(clusters)
    hits = 0
    for repeat in range(repeats):
        speaker = np.repeat(np.arange(clusters), rng.integers(1, trials + 1, clusters))
        effect = (rng.gamma(2.0, size=clusters) - 2) / 2**0.5 if skewed else rng.standard_normal(clusters)
        values = effect[speaker] + 0.5 * rng.standard_normal(len(speaker))
        found = interval(values, speaker, resamples=1000, seed=repeat % 4, **options)
        hits += found.low <= 0 <= found.high
    return hits / repeats


@pytest.mark.slow
@pytest.mark.parametrize("method", ["percentile", "bca", "expanded"])
@pytest.mark.parametrize("clusters", [60, 150])
def test_coverage_over_speakers_whose_trials_hang_together(clusters, method):
    """Trials of one speaker share an effect (80 % of the variance): an interval over speakers covers 95 in 100."""
    assert 0.93 <= covered(mean_interval, clusters, method=method) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("method", ["percentile", "bca", "expanded"])
def test_coverage_where_speakers_are_skewed(method):
    assert 0.93 <= covered(mean_interval, 150, skewed=True, method=method) <= 0.97


@pytest.mark.slow
def test_coverage_of_the_median():
    assert 0.93 <= covered(median_interval, 60, repeats=1500) <= 0.97


def test_few_speakers_need_the_expanded_interval():
    """What the documentation of `weighted_interval` warns of."""
    assert covered(mean_interval, 10, method="percentile") < 0.92
    assert covered(mean_interval, 10, method="bca") < 0.92
    assert 0.93 <= covered(mean_interval, 10, method="expanded") <= 0.97


def test_an_interval_over_trials_instead_would_not_cover():
    """The same simulation with each trial its own cluster: the tests above can fail for the reason they name."""

    def over_trials(values, speaker, **options):
        return mean_interval(values, np.arange(len(values)), **options)

    assert covered(over_trials, 60, repeats=150) < 0.85


def uneven(rng, clusters=80):
    """Values of trials, and the speaker of each: one to five trials a speaker, which share an effect."""
    speaker = np.repeat(np.arange(clusters), rng.integers(1, 6, clusters))
    return rng.standard_normal(clusters)[speaker] + rng.standard_normal(len(speaker)), speaker


def test_influences_of_the_mean_have_its_bootstrap_variance():
    values, speaker = uneven(RNG)
    sums, counts = np.bincount(speaker, values), np.bincount(speaker)
    weights = cluster_weights(80, 20_000, 3)
    draws = (weights @ sums) / (weights @ counts)
    assert standard_error(mean_influence(values, speaker, 80)) == pytest.approx(
        draws.std() * (80 / 79) ** 0.5, rel=0.03
    )


def test_the_jackknife_gives_the_influences_of_a_smooth_number():
    """Of the mean to second order, by weights and by rows alike; of a ratio against the delta method."""
    values, speaker = uneven(RNG)
    sums, counts = np.bincount(speaker, values), np.bincount(speaker).astype(float)
    direct = mean_influence(values, speaker, 80)
    by_weights = jackknife(lambda weights: (weights @ sums) / (weights @ counts), 80)
    by_rows = jackknife_by_rows(lambda rows: values[rows].mean(), speaker, 80)
    assert by_weights == pytest.approx(by_rows, abs=1e-12)
    assert by_weights == pytest.approx(direct, abs=0.05 * np.abs(direct).max())
    other = np.bincount(speaker, np.exp(values))
    ratio = jackknife(lambda weights: (weights @ other) / (weights @ sums), 80)
    top, bottom = np.exp(values).mean(), values.mean()
    delta = mean_influence(np.exp(values), speaker, 80) / bottom - top / bottom**2 * direct
    assert standard_error(ratio) == pytest.approx(standard_error(delta), rel=0.15)


def test_a_number_that_one_speaker_alone_defines_has_no_influence():
    assert np.isnan(jackknife_by_rows(lambda rows: np.nan if 0 not in rows else 1.0, np.arange(5), 5)).all()


def test_influences_of_the_median_have_its_bootstrap_variance():
    values, speaker = uneven(np.random.default_rng(4), clusters=200)
    interval = median_interval(values, speaker, resamples=10_000)
    found = standard_error(median_influence(values, speaker, 200))
    assert found == pytest.approx((interval.high - interval.low) / 2 / 1.96, rel=0.2)
    assert not median_influence(np.ones(9), np.arange(9), 9).any(), "values that are all alike do not move"


def median_coverage(clusters, repeats=1500):
    rng, hits = np.random.default_rng(clusters), 0
    for _ in range(repeats):
        values, speaker = uneven(rng, clusters)
        error = standard_error(median_influence(values, speaker, clusters))
        hits += abs(np.median(values)) <= stdtrit(clusters - 1, 0.975) * error
    return hits / repeats


@pytest.mark.parametrize("clusters", [30, 120])
def test_an_interval_by_the_influences_of_the_median_covers(clusters):
    assert 0.93 <= median_coverage(clusters) <= 0.97


def test_unknown_values_and_single_speakers_have_no_say():
    values = np.array([1.0, np.nan, 3.0])
    assert mean_interval(values, np.array(["a", "b", "c"])).value == 2.0
    for interval in (mean_interval, median_interval):
        alone = interval(values, np.array(["a", "a", "a"]))
        assert alone.value == 2.0
        assert np.isnan(alone[1:]).all()
        assert np.isnan(interval(np.array([np.nan]), np.array(["a"]))).all()


@pytest.mark.parametrize("method", ["percentile", "bca", "expanded"])
def test_values_that_are_all_alike_have_an_interval_without_width(method):
    assert mean_interval(np.full(30, 0.25), np.arange(30), method=method) == Interval(0.25, 0.25, 0.25)


def test_an_unknown_method_says_what_there_is():
    with pytest.raises(ValueError, match="percentile"):
        mean_interval(np.arange(5.0), np.arange(5), method="basic")
