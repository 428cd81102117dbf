"""Boards laid out as text: a file a format. Values come from `leaderboard/`; all names in them may be from outside."""

from v2f_bench.render.markdown import board_as_markdown, groups_as_markdown

__all__ = ["board_as_markdown", "groups_as_markdown"]
