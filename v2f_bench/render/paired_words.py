"""How a comparison of two methods is written, in whatever format."""

from __future__ import annotations

import math

from v2f_bench.leaderboard.compare import PairedRow, PairedTable
from v2f_bench.leaderboard.measure_titles import measure_title
from v2f_bench.render.words import plain, with_half


def headings(table: PairedTable) -> list[str]:
    """Of the columns behind the name of a row."""
    first, second = map(plain, table.names)
    return [first, second, f"{first} better by", "p", "effect", "speakers", "trials"]


def cells(row: PairedRow) -> list[str]:
    own = [with_half(*number) if not math.isnan(number.value) else "" for number in (row.first, row.second)]
    gap = row.gap
    if gap is None:
        return [*own, "not compared", "", "", "", ""]
    ends = "" if math.isnan(gap.low) else f" [{gap.low:+z.3f}, {gap.high:+z.3f}]"
    effect = "" if math.isnan(gap.effect_size) else f"{gap.effect_size:+z.2f}"
    star = " *" if gap.significant else ""
    return [*own, f"{gap.value:+z.3f}{ends}{star}", p_words(gap.p_value), effect, str(gap.speakers), str(gap.trials)]


def row_title(row: PairedRow, with_judge: bool = True) -> str:
    judge = f" ({plain(row.column.judge)})" if with_judge else ""
    group = f", {plain(row.by)} {plain(row.group)}" if row.by else ""
    return f"{plain(measure_title(row.column.measure, row.column.better))}{judge}{group}"


def short_title(row: PairedRow, table: PairedTable) -> str:
    """With its judge only where several judge the measure; `judges` names them all below the table."""
    judges = {one.column.judge for one in table.rows if one.column.measure == row.column.measure}
    return row_title(row, with_judge=len(judges) > 1)


def judges(table: PairedTable) -> str:
    return f"By {', '.join(dict.fromkeys(plain(row.column.judge) for row in table.rows))}."


def p_words(p_value: float) -> str:
    """Three digits, and never 0."""
    return "" if math.isnan(p_value) else "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"
