"""Seeds as a level, paired comparisons, correction for many, tie groups: against scipy, hand and simulation."""

import re
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest, permutation_test

from v2f_bench.stats import (
    compare,
    holm,
    mean_interval,
    median_interval,
    seeded_interval,
    sign_flip_test,
    tie_groups,
)

SPEAKERS = 60


def simulated_runs(rng, seeds, ratio, clusters=SPEAKERS, per_speaker=2):
    """Values [seeds, n] of mean 0 and the speaker of each trial.

    Speakers have variance 1, runs `ratio` times as much in the mean over all, what a run does to a speaker a quarter.
    """
    speaker = np.repeat(np.arange(clusters), per_speaker)
    run = np.sqrt(ratio * seeds / clusters) * rng.standard_normal((seeds, 1))
    both = 0.5 * rng.standard_normal((seeds, clusters))[:, speaker]
    noise = 0.5 * rng.standard_normal((seeds, len(speaker)))
    return run + rng.standard_normal(clusters)[speaker] + both + noise, speaker


def seeded_coverage(interval, seeds, ratio, repeats=2000):
    rng = np.random.default_rng([seeds, int(10 * ratio)])
    hits = 0
    for repeat in range(repeats):
        found = interval(*simulated_runs(rng, seeds, ratio), resamples=1000, seed=repeat % 4)
        hits += found.low <= 0 <= found.high
    return hits / repeats


@pytest.mark.parametrize("ratio", [0, 1, 3])
@pytest.mark.parametrize("seeds", [3, 5])
def test_coverage_over_seeds_and_speakers(seeds, ratio):
    assert 0.93 <= seeded_coverage(seeded_interval, seeds, ratio) <= 0.97


def test_an_interval_over_speakers_alone_would_not_cover_another_run():
    def without_seeds(values, speaker, **options):
        return mean_interval(values.mean(axis=0), speaker, **options)

    assert seeded_coverage(without_seeds, 3, 1, repeats=400) < 0.88


def test_the_seeds_level_has_the_variance_of_the_mean_over_seeds():
    """Speakers all alike, so that only the runs vary: the ends are resampled runs, stretched by sqrt(s / (s - 1)) and
    by t(s - 1) against the many speakers' t."""
    from scipy.stats import t

    runs = np.random.default_rng(1).standard_normal(100)
    found = seeded_interval(np.repeat(runs[:, None], 500, axis=1), np.arange(500), resamples=8000)
    reach = t.ppf(0.975, 99) * runs.std(ddof=1) / np.sqrt(100)
    assert (found.high - found.low) / 2 == pytest.approx(reach, rel=0.03)
    three = np.array([-1.0, 0.0, 1.0])
    found = seeded_interval(np.repeat(three[:, None], 500, axis=1), np.arange(500))
    stretch = np.sqrt(3 / 2) * t.ppf(0.975, 2) / t.ppf(0.975, 499)
    assert found == pytest.approx((0, -stretch, stretch))  # the lowest run drawn three times has a chance of 1 / 27


@pytest.mark.parametrize("method", ["percentile", "expanded"])
def test_a_single_seed_is_the_interval_over_speakers(method):
    values, speaker = simulated_runs(np.random.default_rng(2), 1, 0)
    values[0, ::7] = np.nan
    assert seeded_interval(values, speaker, method=method) == pytest.approx(
        mean_interval(values[0], speaker, method=method)
    )
    assert seeded_interval(values, speaker, aggregate="median", method=method) == pytest.approx(
        median_interval(values[0], speaker, method=method)
    )


def test_runs_that_all_agree_add_nothing():
    values, speaker = simulated_runs(np.random.default_rng(2), 1, 0)
    for aggregate, interval in (("mean", mean_interval), ("median", median_interval)):
        repeated = seeded_interval(np.repeat(values, 3, axis=0), speaker, aggregate=aggregate)
        assert repeated == pytest.approx(interval(values[0], speaker))


def test_unknown_values_of_runs_are_left_out():
    values = np.array([[1.0, 2.0, np.nan], [3.0, 4.0, 8.0], [np.nan, np.nan, np.nan]])
    found = seeded_interval(values, np.arange(3))
    assert found.value == pytest.approx((1.5 + 5) / 2)
    assert np.isfinite(found).all()
    assert np.isnan(seeded_interval(values[2:], np.arange(3))).all()
    assert np.isnan(seeded_interval(values[:2], np.zeros(3))[1:]).all()


@pytest.mark.parametrize("clusters", [9, 30])
def test_permutation_test_agrees_with_scipy(clusters):
    """Nine speakers are enumerated, by us and by scipy; of thirty both draw."""
    rng = np.random.default_rng(1)
    a = rng.standard_normal(clusters)
    b = a + 0.9 * rng.standard_normal(clusters) - 0.4
    theirs = permutation_test(
        (a, b), lambda x, y, axis: (x - y).mean(axis), permutation_type="samples", vectorized=True, rng=2
    )
    found = compare(a, b, np.arange(clusters))
    assert 0.005 < theirs.pvalue < 0.5
    assert found.p_value == pytest.approx(theirs.pvalue, abs=1e-12 if clusters == 9 else 0.01)
    assert found.difference == pytest.approx(mean_interval(a - b, np.arange(clusters)))


def test_trials_of_a_speaker_change_sign_together():
    """Copies of each trial say nothing new."""
    rng = np.random.default_rng(4)
    differences = rng.standard_normal(12) + 0.5
    once = compare(differences, np.zeros(12), np.arange(12))
    copied = compare(np.repeat(differences, 5), np.zeros(60), np.repeat(np.arange(12), 5))
    assert 0.01 < once.p_value < 0.5
    assert copied.p_value == once.p_value
    assert copied.difference == pytest.approx(once.difference)
    assert copied.effect_size == pytest.approx(once.effect_size)
    assert (copied.clusters, copied.trials) == (12, 60)


@pytest.mark.parametrize("clusters", [11, 30])
def test_permutation_p_is_uniform_under_the_null(clusters):
    """Heavy-tailed differences, unequal numbers of trials; eleven speakers are enumerated, of thirty 999 drawn."""
    rng = np.random.default_rng(clusters)
    speaker = np.repeat(np.arange(clusters), rng.integers(1, 5, clusters))
    found = []
    for repeat in range(1000):
        shared, own = rng.standard_t(3, (2, clusters)), rng.standard_normal((2, len(speaker)))
        a, b = shared[:, speaker] + own
        found.append(compare(a, b, speaker, resamples=2, permutations=999, seed=repeat).p_value)
    assert kstest(found, "uniform").pvalue > 0.05
    assert 0.035 <= np.mean(np.array(found) <= 0.05) <= 0.065


def test_a_test_over_trials_would_not_be_uniform():
    rng = np.random.default_rng(5)
    speaker = np.repeat(np.arange(30), 4)
    found = []
    for repeat in range(200):
        a, b = rng.standard_normal((2, 30))[:, speaker] + 0.3 * rng.standard_normal((2, 120))
        found.append(compare(a, b, np.arange(120), resamples=2, permutations=999, seed=repeat).p_value)
    assert kstest(found, "uniform").pvalue < 1e-6


def alike(rng, ratio):
    """Two methods that are the same but for their runs: five of the one, three of the other."""
    values, speaker = simulated_runs(rng, 8, 0)
    runs = np.sqrt(ratio / SPEAKERS) * rng.standard_normal((8, 1))
    return (values + runs)[:5], (values + runs)[5:], speaker


@pytest.mark.parametrize("ratio", [0, 1, 3])
def test_methods_that_differ_by_their_seeds_alone_are_not_told_apart_too_often(ratio):
    """With seeds that do nothing of their own (ratio 0) the test is on the safe side, as documented."""
    rng = np.random.default_rng(ratio)
    found = [compare(*alike(rng, ratio), resamples=300, permutations=499) for _ in range(1000)]
    assert 0.01 < np.mean([one.p_value <= 0.05 for one in found]) <= 0.065
    assert 0.93 <= np.mean([one.difference.low <= 0 <= one.difference.high for one in found]) <= 0.99


def test_with_the_runs_taken_as_given_they_would_be_told_apart():
    rng = np.random.default_rng(3)
    found = []
    for _ in range(200):
        a, b, speaker = alike(rng, 3)
        found.append(compare(a.mean(axis=0), b.mean(axis=0), speaker, resamples=2, permutations=499).p_value)
    assert np.mean(np.array(found) <= 0.05) > 0.3


def test_effect_size_is_the_paired_t_over_the_root_of_the_speakers():
    from scipy.stats import ttest_rel

    rng = np.random.default_rng(6)
    a, b = rng.standard_normal((2, 40))
    assert compare(a, b, np.arange(40)).effect_size == pytest.approx(ttest_rel(a, b).statistic / np.sqrt(40))
    means = compare(np.array([1.0, 3.0, 5.0]), np.zeros(3), np.array(["x", "x", "y"])).effect_size
    assert means == pytest.approx(3.5 / np.std([2, 5], ddof=1))
    assert np.isnan(compare(np.ones(4), np.zeros(4), np.arange(4)).effect_size)


def test_a_trial_counts_where_every_run_of_both_has_a_value():
    a = np.array([[1.0, 2.0, 3.0, np.nan], [1.0, 2.0, 5.0, 4.0]])
    b = np.array([0.0, np.nan, 1.0, 1.0])
    found = compare(a, b, np.arange(4))
    assert (found.trials, found.clusters, found.seeds) == (2, 2, (2, 1))
    assert found.difference.value == pytest.approx(2.0)
    nothing = compare(a, np.full(4, np.nan), np.arange(4))
    assert np.isnan([*nothing.difference, nothing.p_value]).all()
    assert nothing.trials == 0


def test_no_difference_has_p_one_and_a_clear_one_the_smallest_there_is():
    assert compare(np.ones(20), np.ones(20), np.arange(20)).p_value == 1.0
    assert compare(np.ones((3, 20)), np.ones(20), np.arange(20)).p_value == 1.0
    assert sign_flip_test(np.ones(10)) == 2 / 2**10
    assert sign_flip_test(np.ones(40), permutations=999) == 1 / 1000
    assert sign_flip_test(np.ones(1)) == 1.0


PUBLISHED = {
    "Wikipedia, Holm-Bonferroni method": ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
    "pingouin.holm": ([0.50, 0.003, 0.32, 0.054, 0.0003], [0.64, 0.012, 0.64, 0.162, 0.0015]),
    "stdlib padjust": ([0.319, 0.201, 0.4, 0.374, 0.113], [0.957, 0.804, 0.957, 0.957, 0.565]),
}


@pytest.mark.parametrize("source", PUBLISHED)
def test_holm_of_published_examples(source):
    p_values, adjusted = PUBLISHED[source]
    assert holm(np.array(p_values)) == pytest.approx(adjusted)


def test_holm_of_the_fifteen_of_benjamini_and_hochberg():
    """Benjamini & Hochberg 1995, section 3: of the fifteen, a family-wise procedure rejects the three smallest."""
    p_values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    p_values += [0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    adjusted = holm(np.array(p_values))
    assert np.flatnonzero(adjusted <= 0.05).tolist() == [0, 1, 2]
    assert adjusted[:4] == pytest.approx([0.0015, 0.0056, 0.0247, 0.114])


probabilities = st.lists(st.floats(0, 1) | st.just(float("nan")), max_size=12).map(np.array)


@given(probabilities)
def test_holm_lies_between_p_and_bonferroni_and_keeps_the_order(p_values):
    adjusted = holm(p_values)
    known = ~np.isnan(p_values)
    assert (np.isnan(adjusted) == ~known).all()
    p, q = p_values[known], adjusted[known]
    assert (p <= q).all()
    assert (q <= np.minimum(1, len(p) * p)).all()
    assert (np.diff(q[np.argsort(p)]) >= 0).all()
    assert holm(p) == pytest.approx(q)  # NaN is not counted


@given(probabilities, st.sampled_from([0.01, 0.05, 0.2]))
def test_holm_rejects_what_the_step_down_procedure_does(p_values, alpha):
    p = np.sort(p_values[~np.isnan(p_values)])
    rejected = 0
    while rejected < len(p) and p[rejected] * (len(p) - rejected) <= alpha:
        rejected += 1
    assert np.sum(holm(p_values) <= alpha) == rejected


def test_holm_refuses_what_is_no_probability():
    with pytest.raises(ValueError, match=r"1\.5"):
        holm(np.array([0.1, 1.5]))


def letters_of(label):
    return set(re.findall(r"[a-z]\d*", label))


significant = st.integers(0, 8).flatmap(
    lambda methods: st.lists(st.booleans(), min_size=methods * methods, max_size=methods * methods).map(
        lambda flags: np.array(flags, dtype=bool).reshape(methods, methods)
    )
)


@given(significant, st.sampled_from(["higher", "lower", "neither"]), st.randoms())
def test_two_methods_share_a_letter_exactly_if_they_do_not_differ(differ, better, random):
    methods = len(differ)
    names = [f"m{place}" for place in range(methods)]
    values = [random.choice([0.1, 0.2, 0.3]) for _ in names]
    found = tie_groups(names, values, np.where(differ, 0.01, 0.4), better)
    assert found == tie_groups(names, values, lambda i, j: 0.01 if differ[i, j] else 0.4, better)
    assert all(found)
    for i, j in combinations(range(methods), 2):
        assert bool(letters_of(found[i]) & letters_of(found[j])) != differ[i, j]
    members = [
        {i for i in range(methods) if one in letters_of(found[i])} for one in set().union(*map(letters_of, found))
    ]
    assert not any(first < second or second < first for first, second in combinations(members, 2))  # none to spare


def test_the_best_method_is_in_group_a_and_letters_follow_the_table():
    adjusted = np.ones((4, 4))
    adjusted[0, 2] = adjusted[0, 3] = adjusted[1, 3] = 0.001
    assert tie_groups(list("wxyz"), [4, 3, 2, 1], adjusted) == ["a", "ab", "bc", "c"]
    assert tie_groups(list("wxyz"), [4, 3, 2, 1], adjusted, better="lower") == ["c", "bc", "ab", "a"]
    assert tie_groups(list("wxyz"), [1, 1, 1, 1], adjusted, better="neither") == ["a", "ab", "bc", "c"]


def test_without_a_number_there_is_no_group_and_without_a_comparison_no_difference():
    adjusted = np.full((3, 3), 0.001)
    assert tie_groups(list("xyz"), [2, np.nan, 1], adjusted) == ["a", "", "b"]
    adjusted[0, 2] = np.nan
    assert tie_groups(list("xyz"), [2, np.nan, 1], adjusted) == ["a", "", "a"]


def test_more_groups_than_letters():
    found = tie_groups([str(place) for place in range(30)], -np.arange(30), np.zeros((30, 30)))
    assert found[25:28] == ["z", "a1", "b1"]


def test_tie_groups_refuses_numbers_that_do_not_fit():
    with pytest.raises(ValueError, match="2 names"):
        tie_groups(["a", "b"], [1.0], np.ones((2, 2)))
    with pytest.raises(ValueError, match="matrix"):
        tie_groups(["a", "b"], [1.0, 2.0], np.ones((3, 3)))
