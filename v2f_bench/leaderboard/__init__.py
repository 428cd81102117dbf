"""From records to the values of tables: rows, cells, differences and notes; `render/` lays them out."""

from v2f_bench.leaderboard.board import Board, Choice, Leaderboard
from v2f_bench.leaderboard.build import leaderboard
from v2f_bench.leaderboard.entries import Entry
from v2f_bench.leaderboard.gather import gather
from v2f_bench.leaderboard.groups import LABELS, GroupTable

__all__ = ["LABELS", "Board", "Choice", "Entry", "GroupTable", "Leaderboard", "gather", "leaderboard"]
