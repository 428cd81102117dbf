"""From records to the values of tables: rows, cells, differences and notes; `render/` lays them out."""

from v2f_bench.leaderboard.board import Board, Choice, boards
from v2f_bench.leaderboard.entries import Entry, difference
from v2f_bench.leaderboard.gather import gather
from v2f_bench.leaderboard.groups import LABELS, GroupTable, group_tables

__all__ = ["LABELS", "Board", "Choice", "Entry", "GroupTable", "boards", "difference", "gather", "group_tables"]
