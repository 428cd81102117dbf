"""Intervals against scipy, and their coverage by simulation."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from v2f_bench.stats import Interval, mean_interval, median_interval, statistic_interval
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


@pytest.mark.parametrize("method", ["percentile", "bca", "expanded"])
@pytest.mark.parametrize("clusters", [60, 150])
def test_coverage_over_speakers_whose_trials_hang_together(clusters, method):
    """Trials of one speaker share an effect (80 % of the variance): an interval over speakers covers 95 in 100."""
    assert 0.93 <= covered(mean_interval, clusters, method=method) <= 0.97


@pytest.mark.parametrize("method", ["percentile", "bca", "expanded"])
def test_coverage_where_speakers_are_skewed(method):
    assert 0.93 <= covered(mean_interval, 150, skewed=True, method=method) <= 0.97


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


def test_a_statistic_of_the_whole_agrees_with_the_mean_for_the_mean():
    speaker = np.repeat(np.arange(80), 3)
    values = RNG.standard_normal(240) + RNG.standard_normal(80)[speaker]
    by_mean = mean_interval(values, speaker)
    by_statistic = statistic_interval(lambda rows: float(values[rows].mean()), speaker, resamples=800)
    assert by_statistic.value == pytest.approx(by_mean.value)
    assert by_statistic.high - by_statistic.low == pytest.approx(by_mean.high - by_mean.low, rel=0.12)


@pytest.mark.parametrize("method", ["percentile", "bca", "expanded"])
def test_methods_of_a_statistic_of_the_whole_are_those_of_the_mean(method):
    speaker = np.repeat(np.arange(40), 3)
    values = np.exp(RNG.standard_normal(40))[speaker]
    by_mean = mean_interval(values, speaker, resamples=20_000, method=method)
    by_statistic = statistic_interval(lambda rows: values[rows].mean(), speaker, resamples=8000, method=method)
    assert by_statistic == pytest.approx(by_mean, rel=0.05)


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
