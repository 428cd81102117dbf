"""Records to tables."""

from v2f_bench.leaderboard.groups import render_groups
from v2f_bench.leaderboard.table import render_table

__all__ = ["render_groups", "render_table"]
