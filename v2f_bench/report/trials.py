"""Which trials a page shows: some of all, the best, the worst, some by lot, and those on which judges disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from v2f_bench.hashing import key_of
from v2f_bench.leaderboard.columns import RANKING_JUDGES
from v2f_bench.record import Record, Result, column_name

OVERVIEW, EACH = 12, 6  # trials on the contact sheet, and on each of the others
# What single trials are ordered by, the first that a run has: numbers with many values before right and wrong.
TELLING = ("retrieval/normalised-mean-rank", "emotion-agreement/accuracy", "identity-cosine/target")


@dataclass(frozen=True)
class Choice:
    """Some trials, and by what they were chosen."""

    title: str
    how: str
    trials: list[str]


def telling_results(record: Record) -> list[Result]:
    """The results that order single trials, by each judge, that of the data set's own judge first."""
    for measure in TELLING:
        results = [one for one in record.results if one.measure == measure and one.aggregate == "mean"]
        if results:
            return sorted(results, key=lambda one: (one.judge not in RANKING_JUDGES, one.judge))
    return []


def choices(record: Record, trials: pd.DataFrame) -> list[Choice]:
    """What of a run's trials is shown. `trials`: its table, by trial (see `record.read_trials`)."""
    names = list(trials.index)
    spread = [names[place] for place in np.linspace(0, len(names) - 1, OVERVIEW).round().astype(int)] if names else []
    shown = [Choice("Contact sheet", f"{OVERVIEW} trials at equal distances in the list.", list(dict.fromkeys(spread)))]
    applicable = trials.index[trials["applicable"].astype(bool)] if "applicable" in trials else trials.index
    rng = np.random.default_rng(record.seed)
    drawn = rng.permutation(np.array(sorted(applicable), dtype=object))[:EACH]
    by_lot = Choice("By lot", f"Drawn by the run's seed ({record.seed}), not picked.", [str(name) for name in drawn])
    results = telling_results(record)
    if not results:
        return [*shown, by_lot]
    first = results[0]
    values = trials.loc[applicable, column_name(first.measure, first.judge)].dropna()
    order = _best_first(values, first.better)
    what = f"{first.measure} by {first.judge}"
    shown += [
        Choice("Best", f"By {what}; equal ones by a hash of their names.", order[:EACH]),
        Choice("Worst", f"By {what}; equal ones by a hash of their names.", order[::-1][:EACH]),
        by_lot,
    ]
    if len(results) > 1:
        judges = ", ".join(one.judge for one in results)
        how = f"Where the places that {judges} give a trial among all, by {first.measure}, lie furthest apart."
        shown.append(Choice("Judges disagree", how, _disagreed(trials.loc[applicable], results)))
    return shown


def _best_first(values: pd.Series, better: str) -> list[str]:
    signed = values if better == "lower" else -values
    return sorted(values.index, key=lambda trial: (signed[trial], key_of("shown", trial)))


def _disagreed(trials: pd.DataFrame, results: Sequence[Result]) -> list[str]:
    places = pd.DataFrame(
        {one.judge: trials[column_name(one.measure, one.judge)].rank(pct=True) for one in results}
    ).dropna()
    apart = places.max(axis=1) - places.min(axis=1)
    return _best_first(apart, "higher")[:EACH]
