"""Intervals and comparisons: speakers are the unit, since clips of one speaker are not independent."""

from v2f_bench.stats.bootstrap import Interval, mean_interval, median_interval, statistic_interval
from v2f_bench.stats.ranks import area_under_curve, chance_in_top, rank_of_target

__all__ = [
    "Interval",
    "area_under_curve",
    "chance_in_top",
    "mean_interval",
    "median_interval",
    "rank_of_target",
    "statistic_interval",
]
