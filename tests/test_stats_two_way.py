"""Raters crossed with items: the variance against its definition, what cannot be known, and coverage in simulations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import binomtest

from v2f_bench.stats import mean_interval, two_way_mean, two_way_test
from v2f_bench.study.plan import logit_of_share
from v2f_bench.study.schedule import Scheduler


def asked(raters, items, trials, conditions, rng):
    """Who answers what in a study: rater, item and condition of each answer, as the export schedules them."""
    scheduler = Scheduler(np.ones((items, conditions), bool), list(map(str, range(items))), [1.0] * conditions, rng)
    slots = [(rater, slot.item, slot.condition) for rater in range(raters) for slot in scheduler.next_list(trials)]
    return np.array(slots).T


def test_the_variance_is_the_sum_over_pairs_that_share_a_rater_or_an_item():
    rng = np.random.default_rng(0)
    rater, item, method = asked(7, 12, 12, 2, rng)
    # Strong effects of both, so that the variance is far from the bound that it is not taken below.
    y = (rng.random(len(rater)) < expit(2 * rng.normal(size=7)[rater] + 3 * rng.normal(size=12)[item])).astype(float)
    only = method == 0
    y, rater, item = y[only], rater[only], item[only]
    u = (y - y.mean()) / len(y)
    same_rater, same_item = rater[:, None] == rater, item[:, None] == item
    products = u[:, None] * u
    raters, items = len(set(rater)), len(set(item))
    expected = (
        products[same_rater].sum() * raters / (raters - 1)
        + products[same_item].sum() * items / (items - 1)
        - products[same_rater & same_item].sum()
    )
    found = two_way_mean(y, rater, item)
    assert found.interval.value == pytest.approx(y.mean())
    assert found.error**2 == pytest.approx(expected)
    assert (found.raters, found.items, found.answers) == (raters, items, len(y))


def test_a_combination_of_groups_is_the_combination_of_their_means():
    rng = np.random.default_rng(1)
    rater, item, method = asked(6, 20, 18, 3, rng)
    y = rng.random(len(rater))
    found = two_way_mean(y, rater, item, method, (0.5, 0.5, -1.0))
    means = [y[method == each].mean() for each in range(3)]
    assert found.interval.value == pytest.approx(0.5 * means[0] + 0.5 * means[1] - means[2])
    turned = two_way_mean(y, rater, item, method, (-0.5, -0.5, 1.0))
    assert turned.interval.value == pytest.approx(-found.interval.value)
    assert turned.error == pytest.approx(found.error)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_names_and_order_of_answers_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    rater, item, method = asked(5, 9, 8, 2, rng)
    y = (rng.random(len(rater)) < 0.6).astype(float)
    found = two_way_test(y, rater, item, method, (1, -1))
    order = rng.permutation(len(y))
    names = np.array([f"rater {9 - each}" for each in rater])
    renamed = two_way_test(y[order], names[order], 100 - item[order], method[order], (1, -1))
    assert renamed.interval == pytest.approx(found.interval, nan_ok=True)
    assert renamed.error == pytest.approx(found.error, nan_ok=True)


def test_where_nothing_varies_the_interval_is_the_exact_one_of_the_fewer_clusters():
    rater, item = np.repeat(np.arange(8), 20), np.tile(np.arange(20), 8)
    everything_right = two_way_mean(np.ones(160), rater, item)
    exact = binomtest(8, 8).proportion_ci(method="exact")
    assert everything_right.interval.value == 1
    assert everything_right.interval[1:] == pytest.approx((exact.low, exact.high))
    assert everything_right.p_value(0.5) == pytest.approx(2 / 2**8)
    nothing_right = two_way_mean(np.zeros(160), rater, item)
    assert nothing_right.interval[1:] == pytest.approx((1 - exact.high, 1 - exact.low))
    both_right = two_way_mean(np.ones(160), rater, item, np.tile([0, 1], 80), (1, -1))
    assert both_right.interval.value == 0
    assert np.isnan(both_right.interval.low)
    assert both_right.p_value(0) == 1


def test_what_cannot_be_known_is_not_a_number():
    one_rater = two_way_mean(np.array([1.0, 0, 1]), np.zeros(3), np.arange(3))
    assert one_rater.interval.value == pytest.approx(2 / 3)
    assert np.isnan(one_rater.interval.low)
    assert np.isnan(one_rater.p_value(0.5))
    nobody = two_way_mean(np.array([np.nan]), np.zeros(1), np.zeros(1))
    assert np.isnan(nobody.interval.value)
    no_group = two_way_mean(np.ones(4), np.arange(4) % 2, np.arange(4) // 2, np.zeros(4, int), (1, -1))
    assert np.isnan(no_group.interval.value)
    left_out = two_way_mean(np.array([1.0, np.nan, 0, 1]), np.arange(4) % 2, np.arange(4) // 2)
    assert left_out.answers == 3


class Simulated:
    """Studies of two methods of one truth, all with the same questions. `own_...`: effects on one method alone."""

    def __init__(self, truth, raters, items, trials, rater_sd=0.4, item_sd=1.0, own_rater=0.0, own_item=0.0):
        self.rng = np.random.default_rng([int(100 * truth), raters, items, trials])
        self.rater, self.item, self.method = asked(raters, items, trials, 2, self.rng)
        self.sizes = raters, items
        self.deviations = rater_sd, item_sd, own_rater, own_item
        self.mean = logit_of_share(truth, float(np.linalg.norm(self.deviations)))

    def answers(self):
        """0 or 1 of each question, in one more study."""
        (raters, items), (rater_sd, item_sd, own_rater, own_item) = self.sizes, self.deviations
        logit = self.mean + rater_sd * self.rng.normal(size=raters)[self.rater]
        logit += item_sd * self.rng.normal(size=items)[self.item]
        logit += own_rater * self.rng.normal(size=(raters, 2))[self.rater, self.method]
        logit += own_item * self.rng.normal(size=(items, 2))[self.item, self.method]
        return (self.rng.random(len(logit)) < expit(logit)).astype(float)


def covers(interval, truth):
    return interval.low <= truth <= interval.high


@pytest.mark.slow
@pytest.mark.parametrize(
    ("truth", "raters", "items", "trials"),
    [(0.70, 20, 100, 100), (0.72, 20, 100, 50), (0.72, 30, 100, 50), (0.65, 40, 150, 50), (0.89, 30, 100, 20)],
)
def test_intervals_of_a_share_cover_it_in_93_to_97_of_100_studies(truth, raters, items, trials):
    world = Simulated(truth, raters, items, trials)
    intervals = [two_way_mean(world.answers(), world.rater, world.item, resamples=500).interval for _ in range(1000)]
    assert 0.93 <= np.mean([covers(interval, truth) for interval in intervals]) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize(
    ("raters", "items", "own_rater", "own_item"), [(20, 100, 0.2, 0.5), (30, 100, 0.0, 0.0), (40, 150, 0.3, 0.3)]
)
def test_two_equal_methods_are_told_apart_in_at_most_6_of_100_studies(raters, items, own_rater, own_item):
    world = Simulated(0.7, raters, items, 50, own_rater=own_rater, own_item=own_item)
    found = [
        two_way_mean(world.answers(), world.rater, world.item, world.method, (1, -1), resamples=500)
        for _ in range(1000)
    ]
    assert np.mean([difference.p_value(0) < 0.05 for difference in found]) <= 0.06
    assert 0.93 <= np.mean([covers(difference.interval, 0) for difference in found]) <= 0.97


@pytest.mark.slow
def test_intervals_that_leave_out_raters_or_items_are_too_narrow():
    # What the field publishes, on 20 raters x 100 items: binomial about 55 %, raters alone 78 %, items alone 87 %.
    world = Simulated(0.7, 20, 100, 100)
    covered = {"binomial": [], "raters": [], "items": [], "both": []}
    for _ in range(500):
        y = world.answers()
        exact = binomtest(int(y.sum()), len(y)).proportion_ci()
        covered["binomial"].append(exact.low <= 0.7 <= exact.high)
        covered["raters"].append(covers(mean_interval(y, world.rater), 0.7))
        covered["items"].append(covers(mean_interval(y, world.item), 0.7))
        covered["both"].append(covers(two_way_mean(y, world.rater, world.item, resamples=500).interval, 0.7))
    shares = {name: float(np.mean(each)) for name, each in covered.items()}
    assert shares["binomial"] == pytest.approx(0.55, abs=0.07)
    assert shares["raters"] == pytest.approx(0.78, abs=0.07)
    assert shares["items"] == pytest.approx(0.87, abs=0.07)
    assert shares["both"] == pytest.approx(0.95, abs=0.03)
