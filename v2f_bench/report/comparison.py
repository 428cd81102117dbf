"""The page of a comparison: paired differences, and the trials on which two methods differ most, to see and hear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from v2f_bench import __version__
from v2f_bench.leaderboard.compare import PairedTable, TrialGap
from v2f_bench.leaderboard.measure_titles import measure_title
from v2f_bench.record import read_trials
from v2f_bench.render.page import page
from v2f_bench.report.cards import Sheet, card
from v2f_bench.report.people import People, faces_of

MOST = 8  # trials on a sheet


def comparison_page(tables: Sequence[PairedTable], people: Mapping[Path, People], shown: bool = True) -> str:
    """The page of some comparisons of the same two methods.

    Args:
        people: voices and photographs, by the folder of the first method's first run.
        shown: False leaves every voice and face out.
    """
    sheets = [most_different(table, people[table.first.folders[0]], shown) for table in tables]
    return page("compare.html", tables=tables, sheets_of_tables=sheets, version=__version__)


def most_different(table: PairedTable, people: People, shown: bool = True) -> list[Sheet]:
    """The trials on which each is ahead of the other by most; the faces are those of the first run of each."""
    column = table.told_apart_by
    if column is None or not table.trials:
        return []
    rows = read_trials(table.first.folders[0])
    made = {
        name: faces_of(entry.folders[0]) for name, entry in zip(table.names, (table.first, table.second), strict=True)
    }
    title = measure_title(column.measure, column.better)

    def sheet(name: str, gaps: Sequence[TrialGap]) -> Sheet:
        cards = [
            card(
                gap.trial,
                rows.loc[gap.trial],
                table.protocol.track,
                people,
                made,
                [f"{title}: {gap.first:.3f} and {gap.second:.3f}"],
                shown,
            )
            for gap in gaps
        ]
        return Sheet(f"{name} is ahead by most", f"By {column.measure} by {column.judge}, the mean over runs.", cards)

    ahead = [gap for gap in table.trials[:MOST] if gap.better_by > 0]
    behind = [gap for gap in table.trials[::-1][:MOST] if gap.better_by < 0]
    sheets = [(table.names[0], ahead), (table.names[1], behind)]
    return [sheet(name, gaps) for name, gaps in sheets if gaps]
