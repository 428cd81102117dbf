"""Values laid out as text, a file a format. Values come from `leaderboard/`; all names in them may be from outside."""

from v2f_bench.render.formats import EVERY_COLUMN, Format, format_for, render

__all__ = ["EVERY_COLUMN", "Format", "format_for", "render"]
