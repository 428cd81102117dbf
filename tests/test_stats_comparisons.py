"""Seeds as a level, paired comparisons, correction for many, tie groups: against scipy, hand and simulation."""

import re
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest, norm, permutation_test, ttest_1samp, ttest_rel

from v2f_bench.stats import (
    Interval,
    Runs,
    Sample,
    Scores,
    auc_of_weights,
    compare,
    compare_pairs,
    holm,
    interval_over_runs,
    jackknife,
    mean_influence,
    mean_interval,
    sample_intervals,
    sign_flip_tests,
    tie_groups,
    weighted_interval,
)
from v2f_bench.stats.paired import exchange_test

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


def runs_of(values, speaker):
    """The means of runs, [s, n], as what `interval_over_runs` takes: numbers with influences, and single intervals."""
    place = np.unique(speaker, return_inverse=True)[1]
    runs = Sample(place, place.max() + 1, values).runs
    return runs, [mean_interval(row, speaker, method="expanded", resamples=400) for row in values]


def over_runs(runs, own):
    return Interval(*interval_over_runs(runs, own))


def aucs_of(rng, seeds, ratio, clusters=SPEAKERS):
    """The areas under the ROC curve of some runs, as `interval_over_runs` takes them, and the area that is true.

    Scores are normal about 1 and 0. A speaker shifts those with its own target and those with others, by variance 1; a
    run those with own targets, by `ratio` times what the speakers do to the mean.
    """
    shift, of_run = rng.standard_normal((2, clusters)), ratio * 2 * seeds / clusters
    values, influence, own = [], [], []
    for _ in range(seeds):
        positive = 1 + np.sqrt(of_run) * rng.standard_normal() + shift[0] + 0.5 * rng.standard_normal(clusters)
        negative = shift[1] + 0.5 * rng.standard_normal(clusters)
        statistic = auc_of_weights(Scores(positive, np.arange(clusters), negative, np.arange(clusters), clusters))
        own.append(weighted_interval(statistic, clusters, method="expanded", resamples=400))
        values.append(own[-1].value)
        influence.append(jackknife(statistic, clusters))
    truth = norm.cdf(1 / np.sqrt(2 * 1.25 + of_run))
    return Runs(np.array(values), np.array(influence)), own, truth


def coverage(draw, repeats):
    """How often the interval over runs holds the truth; `draw` gives runs, their own intervals, and the truth."""
    hits = 0
    for _ in range(repeats):
        runs, own, truth = draw()
        found = over_runs(runs, own)
        hits += found.low <= truth <= found.high
    return hits / repeats


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [0, 1, 3])
@pytest.mark.parametrize("seeds", [3, 5])
def test_coverage_over_seeds_and_speakers(seeds, ratio):
    rng = np.random.default_rng([seeds, ratio])
    assert 0.93 <= coverage(lambda: (*runs_of(*simulated_runs(rng, seeds, ratio)), 0.0), 1500) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [0, 1])
@pytest.mark.parametrize("seeds", [3, 5])
def test_coverage_of_a_statistic_over_seeds_and_speakers(seeds, ratio):
    """The area under the curve, whose runs vary as much as its speakers do (ratio 1)."""
    rng = np.random.default_rng([seeds, ratio])
    assert 0.93 <= coverage(lambda: aucs_of(rng, seeds, ratio), 1000) <= 0.97


def test_averaged_intervals_of_single_seeds_would_not_cover_another_run():
    """As statistics were once treated."""
    rng, hits = np.random.default_rng(3), 0
    for _ in range(400):
        _, own, truth = aucs_of(rng, 3, 1)
        hits += np.mean([one.low for one in own]) <= truth <= np.mean([one.high for one in own])
    assert hits / 400 < 0.91


def test_an_interval_over_speakers_alone_would_not_cover_another_run():
    rng, hits = np.random.default_rng(3), 0
    for _ in range(400):
        values, speaker = simulated_runs(rng, 3, 1)
        found = mean_interval(values.mean(axis=0), speaker)
        hits += found.low <= 0 <= found.high
    assert hits / 400 < 0.88


def test_the_seeds_level_has_the_variance_of_the_mean_over_seeds():
    """Speakers all alike, so that only the runs vary: Student's interval of the runs."""
    from scipy.stats import t

    runs = np.random.default_rng(1).standard_normal(100)
    found = over_runs(*runs_of(np.repeat(runs[:, None], 500, axis=1), np.arange(500)))
    reach = t.ppf(0.975, 99) * runs.std(ddof=1) / np.sqrt(100)
    assert (found.high - found.low) / 2 == pytest.approx(reach, rel=1e-6)
    three = np.array([-1.0, 0.0, 1.0])
    found = over_runs(*runs_of(np.repeat(three[:, None], 500, axis=1), np.arange(500)))
    assert found == pytest.approx((0, -t.ppf(0.975, 2) / np.sqrt(3), t.ppf(0.975, 2) / np.sqrt(3)))


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_than_three_seeds_are_taken_as_given(seeds):
    """Two runs say next to nothing of how runs vary: t with one degree of freedom gives .06 ± .69."""
    values, speaker = simulated_runs(np.random.default_rng(2), seeds, 50)
    runs, own = runs_of(values, speaker)
    found = over_runs(runs, own)
    assert found.value == pytest.approx(values.mean())
    if seeds == 1:
        assert found == pytest.approx(own[0])
    over_speakers = mean_interval(values.mean(axis=0), speaker, method="expanded")
    assert found.high - found.low == pytest.approx(over_speakers.high - over_speakers.low, rel=0.1)


def test_runs_that_all_agree_add_nothing():
    values, speaker = simulated_runs(np.random.default_rng(2), 1, 0)
    runs, own = runs_of(np.repeat(values, 3, axis=0), speaker)
    assert over_runs(runs, own) == pytest.approx(own[0])
    skewed = Interval(own[0].value, own[0].value - 0.01, own[0].value + 0.3)
    assert over_runs(runs, [skewed] * 3) == pytest.approx(skewed), "the shape of the single intervals is kept"


def test_a_number_without_an_interval_in_one_run_has_none_over_runs():
    values, speaker = simulated_runs(np.random.default_rng(2), 3, 0)
    runs, own = runs_of(values, speaker)
    own[1] = Interval(own[1].value, np.nan, np.nan)
    found = over_runs(runs, own)
    assert found.value == pytest.approx(values.mean())
    assert np.isnan(found[1:]).all()


def test_intervals_of_many_methods_at_once_are_those_of_each_alone():
    """Samples of two and three runs, means and medians, with and without gaps, and a number of the whole."""
    rng = np.random.default_rng(5)
    place, clusters = np.repeat(np.arange(30), 3), 30
    samples, own = [], []
    for number in range(12):
        values = rng.standard_normal((2 + number % 2, 90)) + rng.standard_normal(30)[place]
        values[:, : 5 * (number % 3)] = np.nan
        samples.append(Sample(place, clusters, values, "median" if number % 4 == 1 else "mean"))
        own.append([Interval(row, row - 0.2 - 0.1 * number, row + 0.3) for row in samples[-1].runs.values])
    whole = Sample(place, clusters, whole=Runs(rng.standard_normal(3), rng.standard_normal((3, clusters))))
    samples.append(whole)
    own.append([Interval(value, value - 1, value + 2) for value in whole.runs.values])
    samples.append(samples[1])
    own.append([own[1][0], Interval(0.0, np.nan, np.nan), *own[1][2:]])
    together = sample_intervals(samples, own)
    for sample, intervals, found in zip(samples, own, together, strict=True):
        assert found == pytest.approx(over_runs(sample.runs, intervals), rel=1e-12, nan_ok=True)
    assert np.isnan(together[-1].low), "a run without an interval"
    assert len({found.high - found.low for found in together[:-1]}) == 13, "each has its own"


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
    t_test = ttest_1samp(a - b, 0).confidence_interval()
    assert found.difference == pytest.approx(((a - b).mean(), t_test.low, t_test.high))


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
        found.append(compare(a, b, speaker, permutations=999, seed=repeat).p_value)
    assert kstest(found, "uniform").pvalue > 0.05
    assert 0.035 <= np.mean(np.array(found) <= 0.05) <= 0.065


def test_a_test_over_trials_would_not_be_uniform():
    rng = np.random.default_rng(5)
    speaker = np.repeat(np.arange(30), 4)
    found = []
    for repeat in range(200):
        a, b = rng.standard_normal((2, 30))[:, speaker] + 0.3 * rng.standard_normal((2, 120))
        found.append(compare(a, b, np.arange(120), permutations=999, seed=repeat).p_value)
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
    found = [compare(*alike(rng, ratio), permutations=499) for _ in range(1000)]
    assert 0.01 < np.mean([one.p_value <= 0.05 for one in found]) <= 0.065
    assert 0.93 <= np.mean([one.difference.low <= 0 <= one.difference.high for one in found]) <= 0.99


def test_with_the_runs_taken_as_given_they_would_be_told_apart():
    rng = np.random.default_rng(3)
    found = []
    for _ in range(200):
        a, b, speaker = alike(rng, 3)
        found.append(compare(a.mean(axis=0), b.mean(axis=0), speaker, permutations=499).p_value)
    assert np.mean(np.array(found) <= 0.05) > 0.3


def test_effect_size_is_the_paired_t_over_the_root_of_the_speakers():
    rng = np.random.default_rng(6)
    a, b = rng.standard_normal((2, 40))
    assert compare(a, b, np.arange(40)).effect_size == pytest.approx(ttest_rel(a, b).statistic / np.sqrt(40))
    means = compare(np.array([1.0, 3.0, 5.0]), np.zeros(3), np.array(["x", "x", "y"])).effect_size
    # x differs by -2 from the mean of 3 in its two trials together, y by 2 in its one; there are 2 speakers, 3 trials.
    assert means == pytest.approx(3 / np.std([-2 * 2 / 3, 2 * 2 / 3], ddof=1))
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
    several = np.zeros((4, 40))
    several[0, :10], several[1], several[2, 3] = 1, 1, 1
    assert sign_flip_tests(several, permutations=999) == pytest.approx([2 / 2**10, 1 / 1000, 1.0, 1.0])


def test_medians_are_compared_by_medians():
    """A few trials far off move the mean the other way."""
    rng = np.random.default_rng(1)
    ours, theirs = 0.30 + 0.01 * rng.standard_normal(40), 0.32 + 0.01 * rng.standard_normal(40)
    ours[:8] = 1.0
    found = compare(ours, theirs, np.arange(40), aggregate="median")
    assert found.difference.value == pytest.approx(np.median(ours) - np.median(theirs))
    assert found.difference.high < 0 < compare(ours, theirs, np.arange(40)).difference.value
    assert found.p_value < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("clusters", [20, 100])
def test_medians_and_statistics_that_are_alike_are_told_apart_in_five_of_a_hundred(clusters):
    rng = np.random.default_rng(clusters)
    speaker = np.repeat(np.arange(clusters), 3)
    found = []
    for _ in range(1000):
        a, b = rng.gamma(2.0, size=(2, clusters))[:, speaker] + rng.standard_normal((2, len(speaker)))
        found.append(compare(a, b, speaker, aggregate="median").p_value)
    assert 0.02 <= np.mean(np.array(found) <= 0.05) <= 0.065


@pytest.mark.slow
@pytest.mark.parametrize(("gallery", "skill"), [(15, 3.0), (60, 3.5), (100, 3.5), (60, 1.0)])
def test_medians_of_ranks_that_are_alike_are_seldom_told_apart(gallery, skill):
    """Ranks take few values, so that a median stands still or jumps."""
    rng = np.random.default_rng(gallery)
    speaker = np.repeat(np.arange(gallery), 3)
    p_values = []
    for _ in range(200):
        scores = rng.standard_normal((2, len(speaker), gallery))
        scores[:, np.arange(len(speaker)), speaker] += skill + rng.standard_normal((2, gallery))[:, speaker]
        own = scores[:, np.arange(len(speaker)), speaker]
        a, b = (scores > own[..., None]).sum(axis=2) / (gallery - 1)
        p_values.append(compare(a, b, speaker, aggregate="median", permutations=499).p_value)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.085  # of 200: 5 % and two standard errors


def test_three_clusters_cannot_tell_medians_apart():
    speaker = np.arange(3).repeat(3)
    assert compare(np.full(9, 1.0), np.full(9, 2.0), speaker, aggregate="median").p_value >= 0.25


def test_the_exchange_of_few_clusters_is_every_exchange():
    """Against a plain loop over all of them."""
    rng = np.random.default_rng(5)
    speaker = np.repeat(np.arange(6), 2)
    a, b = rng.integers(4, size=(2, 2, 12)).astype(float)
    a += 1
    gap = abs(np.median(a, axis=1).mean() - np.median(b, axis=1).mean())
    extreme = 0
    for pattern in product([False, True], repeat=6):
        swap = np.array(pattern)[speaker]
        x, y = np.where(swap, b, a), np.where(swap, a, b)
        extreme += abs(np.median(x, axis=1).mean() - np.median(y, axis=1).mean()) >= gap - 1e-12
    assert exchange_test(a, b, speaker) == extreme / 64


def test_numbers_of_the_whole_are_compared_by_their_influences():
    """Means, given as statistics with influences, have the t test of the paired values."""
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((2, 50))
    samples = [
        Sample(np.arange(50), 50, whole=Runs(np.array([x.mean()]), mean_influence(x, np.arange(50), 50)[None]))
        for x in (a, b)
    ]
    (found,) = compare_pairs(samples, [(0, 1)])
    theirs = ttest_rel(a, b)
    assert found.p_value == pytest.approx(theirs.pvalue)
    assert found.difference == pytest.approx(((a - b).mean(), *theirs.confidence_interval()))


def test_numbers_of_the_whole_over_other_trials_are_not_compared():
    rng = np.random.default_rng(3)
    samples = [
        Sample(np.arange(50), 50, whole=Runs(rng.standard_normal(1), rng.standard_normal((1, 50))), covered=covered)
        for covered in (50, 50, 30)
    ]
    same, other = compare_pairs(samples, [(0, 1), (0, 2)])
    assert same.trials == 50
    assert np.isnan([other.p_value, *other.difference]).all()


def test_many_pairs_at_once_give_what_each_gives_alone():
    rng = np.random.default_rng(8)
    speaker = np.repeat(np.arange(25), 3)
    values = [rng.standard_normal((seeds, 75)) for seeds in (1, 3, 2)]
    values[0][0, :6] = np.nan
    values[2][1, 40:50] = np.nan
    samples = [Sample(speaker, 25, each) for each in values]
    pairs = [(0, 1), (0, 2), (1, 2), (2, 0)]
    for (first, second), found in zip(pairs, compare_pairs(samples, pairs), strict=True):
        assert found == compare(values[first], values[second], speaker)


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
