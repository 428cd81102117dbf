"""Values laid out as text, a file a format. Values come from `leaderboard/`; all names in them may be from outside."""

from v2f_bench.render.formats import FORMS, Format, format_for, render, render_comparison

__all__ = ["FORMS", "Format", "format_for", "render", "render_comparison"]
