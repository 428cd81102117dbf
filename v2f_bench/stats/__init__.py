"""Intervals and comparisons: speakers are the unit, since clips of one speaker are not independent."""

from v2f_bench.stats.bootstrap import (
    Interval,
    Method,
    mean_interval,
    median_interval,
    statistic_interval,
    weighted_interval,
)
from v2f_bench.stats.multiple import holm, tie_groups
from v2f_bench.stats.paired import Comparison, compare, sign_flip_test
from v2f_bench.stats.ranks import (
    area_under_curve,
    average_precision,
    chance_in_top,
    rank_of_target,
    recall_in_gallery,
)
from v2f_bench.stats.seeds import seeded_interval
from v2f_bench.stats.two_way import TwoWay, two_way_mean, two_way_test
from v2f_bench.stats.verification import eer_interval, equal_error_rate, pooled_auc_interval

__all__ = [
    "Comparison",
    "Interval",
    "Method",
    "TwoWay",
    "area_under_curve",
    "average_precision",
    "chance_in_top",
    "compare",
    "eer_interval",
    "equal_error_rate",
    "holm",
    "mean_interval",
    "median_interval",
    "pooled_auc_interval",
    "rank_of_target",
    "recall_in_gallery",
    "seeded_interval",
    "sign_flip_test",
    "statistic_interval",
    "tie_groups",
    "two_way_mean",
    "two_way_test",
    "weighted_interval",
]
