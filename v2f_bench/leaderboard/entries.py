"""Records gathered: the runs of one protocol, one entry a method and set of options, its seeds taken together."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from v2f_bench.hashing import canonical_json
from v2f_bench.interfaces import BenchError
from v2f_bench.leaderboard.record import TRIALS, column_name, read_record
from v2f_bench.stats import Comparison, Interval, compare, seeded_interval


@dataclass(frozen=True)
class Entry:
    """One row of a table: a method with one set of options, over one or more seeds."""

    name: str
    options: dict[str, Any]
    folders: tuple[Path, ...]
    records: tuple[dict[str, Any], ...]

    @property
    def first(self) -> dict[str, Any]:
        return self.records[0]

    @property
    def seeds(self) -> list[int]:
        return [record["seed"] for record in self.records]

    @cached_property
    def trials(self) -> list[pd.DataFrame]:
        return [_read_trials(folder / TRIALS) for folder in self.folders]

    def result(self, measure: str, judge: str | None) -> dict[str, Any] | None:
        """The first seed's result of a measure by a judge; None where the record has none."""
        for result in self.first["results"]:
            if (result["measure"], result.get("judge")) == (measure, judge):
                return dict(result)
        return None

    def values(self, measure: str, judge: str) -> np.ndarray | None:
        """The per-trial values of a measure: float64 [seeds, trials], trials in the first seed's order; None for a
        measure without any."""
        column = column_name(measure, judge)
        if any(column not in trials for trials in self.trials):
            return None
        order = self.trials[0].index
        return np.stack([trials[column].reindex(order).to_numpy(float) for trials in self.trials])

    @property
    def speakers(self) -> np.ndarray:
        return self.trials[0]["speaker"].to_numpy()

    def number(self, measure: str, judge: str) -> Interval | None:
        """The measure's mean over the seeds, with its interval over seeds and speakers; None where not available.

        A statistic of the whole has no per-trial values: its interval is the mean of the seeds' own.
        """
        result = self.result(measure, judge)
        if result is None or result["unavailable"] or result["value"] is None:
            return None
        if len(self.records) == 1:
            return Interval(result["value"], _known(result["low"]), _known(result["high"]))
        values = self.values(measure, judge)
        if values is None or result["aggregate"] is None:
            found = [entry for record in self.records for entry in record["results"] if _is(entry, measure, judge)]
            return Interval(*(float(np.mean([_known(entry[end]) for entry in found])) for end in Interval._fields))
        return seeded_interval(values, self.speakers, aggregate=result["aggregate"], method="expanded")


def gather(folders: list[Path]) -> dict[str, list[Entry]]:
    """The entries of each protocol, by protocol hash. Only these may be ranked together."""
    groups: dict[tuple[str, str, str, str], dict[int, tuple[Path, dict[str, Any]]]] = defaultdict(dict)
    for folder in folders:
        record = read_record(folder)
        protocol, method = record["protocol"]["hash"], record["method"]["name"]
        key = (record["dataset"]["name"], protocol, method, _configuration(record))
        groups[key].setdefault(record["seed"], (folder, record))  # a run once more is no further seed
    tables: dict[str, list[Entry]] = defaultdict(list)
    for (_, protocol, method, _), found in sorted(groups.items()):  # one order, however the runs were come by
        runs = sorted(found.values(), key=lambda run: run[1]["seed"])
        options = runs[0][1]["options"]
        tables[protocol].append(Entry(method, options, tuple(f for f, _ in runs), tuple(r for _, r in runs)))
    return {protocol: _told_apart(entries) for protocol, entries in tables.items()}


def difference(first: Entry, second: Entry, measure: str, judge: str, pairs: int = 1) -> Comparison | None:
    """`first` against `second` on the same trials, over seeds and speakers; None where it cannot be had.

    `pairs`: how many comparisons are corrected for together; more of them need smaller p-values to be told.
    """
    a, b = first.values(measure, judge), second.values(measure, judge)
    if a is None or b is None:
        return None
    order = second.trials[0].index.get_indexer(first.trials[0].index)
    if (order < 0).any():
        return None
    return compare(a, b[:, order], first.speakers, permutations=max(9999, 40 * pairs), method="expanded")


def _configuration(record: dict[str, Any]) -> str:
    method = record["method"]
    made_of = [record["options"], method["version"], method["source_hash"], record["dataset"]["content"]]
    return canonical_json([*made_of, _way_of_training(record)])


def _way_of_training(record: dict[str, Any]) -> dict[str, Any]:
    """What changes a training beside the options: each device adds a batch of its own."""
    told = record["circumstances"].get("checkpoint", {})
    return {"devices": told.get("devices", 1), "precision": told.get("precision", "float32")}


def _told_apart(entries: list[Entry]) -> list[Entry]:
    """The entries; where one method stands with several sets of options, what differs is put behind its name."""
    told = []
    for entry in entries:
        same = [other for other in entries if other.name == entry.name]
        settings = [other.options | _way_of_training(other.first) for other in same]
        own = entry.options | _way_of_training(entry.first)
        differing = [
            f"{name}={value}" for name, value in own.items() if any(each.get(name) != value for each in settings)
        ]
        if not differing or settings.count(own) > 1:
            made_by = entry.first["method"]
            differing.append(f"version {made_by['version']}, source {made_by['source_hash'][:6]}")
        if len({other.first["dataset"]["content"] for other in same}) > 1:
            differing.append(f"data {entry.first['dataset']['content'][:6]}")
        label = ", ".join(differing)
        told.append(entry if len(same) == 1 else replace(entry, name=f"{entry.name} ({label})"))
    return told


def _read_trials(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path).set_index("trial")
    except (OSError, ValueError, KeyError) as error:
        raise BenchError(f"{path}: not readable ({error})") from None


def _is(result: dict[str, Any], measure: str, judge: str) -> bool:
    return bool(result["measure"] == measure and result.get("judge") == judge)


def _known(number: float | None) -> float:
    return float("nan") if number is None else number
