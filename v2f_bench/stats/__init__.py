"""Intervals and comparisons: speakers are the unit, since clips of one speaker are not independent."""

from v2f_bench.stats.bootstrap import (
    Interval,
    Method,
    Statistic,
    mean_interval,
    median_interval,
    weighted_interval,
)
from v2f_bench.stats.influence import (
    jackknife,
    jackknife_by_rows,
    mean_influence,
    median_influence,
    standard_error,
)
from v2f_bench.stats.multiple import RankInterval, holm, rank_intervals, tie_groups
from v2f_bench.stats.paired import Comparison, compare, compare_pairs, sign_flip_tests
from v2f_bench.stats.ranks import (
    area_under_curve,
    average_precision,
    chance_in_top,
    rank_of_target,
    recall_in_gallery,
)
from v2f_bench.stats.runs import FEWEST_RUNS, Estimate, Runs, estimate, interval_over_runs
from v2f_bench.stats.samples import Aggregate, Sample, sample_intervals
from v2f_bench.stats.two_way import TwoWay, two_way_mean, two_way_test
from v2f_bench.stats.verification import Scores, auc_of_weights, eer_of_weights, equal_error_rate

__all__ = [
    "FEWEST_RUNS",
    "Aggregate",
    "Comparison",
    "Estimate",
    "Interval",
    "Method",
    "RankInterval",
    "Runs",
    "Sample",
    "Scores",
    "Statistic",
    "TwoWay",
    "area_under_curve",
    "auc_of_weights",
    "average_precision",
    "chance_in_top",
    "compare",
    "compare_pairs",
    "eer_of_weights",
    "equal_error_rate",
    "estimate",
    "holm",
    "interval_over_runs",
    "jackknife",
    "jackknife_by_rows",
    "mean_influence",
    "mean_interval",
    "median_influence",
    "median_interval",
    "rank_intervals",
    "rank_of_target",
    "recall_in_gallery",
    "sample_intervals",
    "sign_flip_tests",
    "standard_error",
    "tie_groups",
    "two_way_mean",
    "two_way_test",
    "weighted_interval",
]
