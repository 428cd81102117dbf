"""Slices: every measure in groups of trials, by labels of the speaker, duration of the voice, recording session."""

from __future__ import annotations

import numpy as np
import pandas as pd

from v2f_bench.harness.numbers import group_interval
from v2f_bench.interfaces import Measure
from v2f_bench.record import Slice, number_or_none

SMALL = 10  # speakers; a number from fewer is marked
AGE_BANDS = ((0, 30, "under 30"), (30, 45, "30 to 44"), (45, 60, "45 to 59"), (60, np.inf, "60 and over"))
DURATION_BANDS = ((0, 2, "under 2 s"), (2, 4, "2 to 4 s"), (4, 8, "4 to 8 s"), (8, np.inf, "8 s and over"))
BY_NAME = ("sex", "ethnicity", "emotion", "intensity", "session")


def groups(trials: pd.DataFrame) -> dict[tuple[str, str], np.ndarray]:
    """The trials of each group, (label, group): bool [n]. Trials without a label are the group "not known"."""
    groups: dict[tuple[str, str], np.ndarray] = {}
    for label in BY_NAME:
        if label in trials and trials[label].fillna("").ne("").any():
            names = trials[label].fillna("").replace("", "not known").astype(str)
            groups |= {(label, name): (names == name).to_numpy() for name in sorted(names.unique())}
    for label, bands in (("age", AGE_BANDS), ("duration", DURATION_BANDS)):
        if label in trials and trials[label].notna().any():
            numbers = pd.to_numeric(trials[label], errors="coerce").to_numpy(float)
            cut = {(label, name): (numbers >= low) & (numbers < high) for low, high, name in bands}
            cut[label, "not known"] = np.isnan(numbers)
            groups |= {group: rows for group, rows in cut.items() if rows.any()}
    return groups


def slices_of(measure: Measure, trials: pd.DataFrame) -> list[Slice]:
    """The measure in each group."""
    speakers = trials["speaker"].to_numpy()
    counted = np.ones(len(speakers), bool) if measure.covers is None else measure.covers
    if measure.values is not None:
        counted = ~np.isnan(measure.values)
    slices = []
    for (label, group), rows in groups(trials).items():
        value, low, high = map(number_or_none, group_interval(measure, speakers, rows))
        n, people = int((rows & counted).sum()), len(set(speakers[rows & counted]))
        slices.append(Slice(label, group, value, low, high, n, people, people < SMALL))
    return slices
