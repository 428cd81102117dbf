"""Records brought together: those of one protocol, one entry a method and configuration, its seeds together.

Runs are seeds of one entry only if they agree in all that a result may depend on, the code and the kind of device
included. The same run found twice counts once. Two different results for one seed are never merged: they become two
entries, told apart by what differs. Nothing depends on the order in which folders are given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from v2f_bench.hashing import canonical_json
from v2f_bench.interfaces.options import value_in_words
from v2f_bench.leaderboard.entries import ELSEWHERE, Entry
from v2f_bench.record import Record

SHORT_HASH = 6  # digits that tell two hashes apart in a name


@dataclass(frozen=True, eq=False)
class _Run:
    folder: Path
    record: Record

    @property
    def order(self) -> tuple[str, str, str]:
        """Between equal runs the earlier one counts, wherever it lies."""
        return (_finished(self.record), self.record.run, str(self.folder))


# What may differ between two runs of one configuration and one seed, the most telling first.
_CIRCUMSTANCES: dict[str, Callable[[Record], str]] = {
    "threads": lambda record: str(record.training.threads),
    "processor": lambda record: record.training.processor,
    "device": lambda record: record.training.device,
    "torch": lambda record: record.training.packages.get("torch", ""),
    "numpy": lambda record: record.training.packages.get("numpy", ""),
    "python": lambda record: record.training.python,
    "platform": lambda record: record.training.platform,
    "judges": lambda record: ", ".join(f"{j.name} {j.sha256[:SHORT_HASH]}".strip() for j in record.judges),
    "face check": lambda record: record.protocol.face_check,
    "made": lambda record: _finished(record),
    "run": lambda record: record.run,
}


def gather(records: dict[Path, Record], passed_over: Callable[[str], object]) -> dict[str, list[Entry]]:
    """The entries of each protocol, by data set and protocol hash. Only these may be ranked together.

    Args:
        records: by the folder of each run.
        passed_over: is called with a line for each result that a newer one of the same name and seed replaces.
    """
    protocols: dict[str, list[_Run]] = defaultdict(list)
    for folder, record in records.items():
        protocols[f"{record.dataset.name} {record.protocol.hash}"].append(_Run(folder, record))
    return {key: _entries(protocols[key], passed_over) for key in sorted(protocols)}


def _entries(runs: list[_Run], passed_over: Callable[[str], object]) -> list[Entry]:
    made_here = [run for run in runs if run.record.method.distribution != ELSEWHERE]
    scored = [run for run in runs if run.record.method.distribution == ELSEWHERE]
    groups: dict[str, list[_Run]] = defaultdict(list)
    for run in [*made_here, *_newest(scored, passed_over)]:
        groups[canonical_json([run.record.method.name, _configuration(run.record)])].append(run)
    parts = [part for key in sorted(groups) for part in _without_conflicts(groups[key])]
    return _named([sorted(part, key=lambda run: run.record.seed) for part in parts])


def _newest(runs: list[_Run], passed_over: Callable[[str], object]) -> Iterator[_Run]:
    """Of pictures scored under one name and seed the newest result: they were repaired, or made again."""
    by_name: dict[tuple[str, int], list[_Run]] = defaultdict(list)
    for run in runs:
        by_name[run.record.method.name, run.record.seed].append(run)
    for (name, seed), of_name in sorted(by_name.items()):
        *older, newest = sorted(of_name, key=lambda run: run.order)
        yield newest
        for run in older:
            if run.record.results != newest.record.results:
                times = f"of {_finished(run.record)}, for that of {_finished(newest.record)}"
                passed_over(f"passed over: {name}, seed {seed}: the result in {run.folder} {times}")


def _configuration(record: Record) -> dict[str, Any]:
    """All that a result may depend on beside seed and chance, in words that tell configurations apart."""
    method, training, core = record.method, record.training, record.core
    return {
        **record.options,
        "device": training.device_kind,
        "devices": training.devices,
        "precision": training.precision,
        "version": method.version,
        "source": method.source_hash[:SHORT_HASH],
        "data": record.dataset.content[:SHORT_HASH],
        "v2f-bench": core.version,
        "learning code": core.learning[:SHORT_HASH],
        "scoring code": core.scoring[:SHORT_HASH],
        "made": "elsewhere" if method.distribution == ELSEWHERE else "here",
    }


def _without_conflicts(runs: list[_Run]) -> list[list[_Run]]:
    """The runs of one configuration in groups in which each seed has one result; copies of a run are left out."""
    runs = _without_copies(runs)
    by_seed: dict[int, list[_Run]] = defaultdict(list)
    for run in runs:
        by_seed[run.record.seed].append(run)
    conflict = next((of_seed for _, of_seed in sorted(by_seed.items()) if len(of_seed) > 1), None)
    if conflict is None:
        return [runs]
    for fact in _CIRCUMSTANCES.values():
        if len({fact(run.record) for run in conflict}) > 1:
            parts: dict[str, list[_Run]] = defaultdict(list)
            for run in runs:
                parts[fact(run.record)].append(run)
            return [part for key in sorted(parts) for part in _without_conflicts(parts[key])]
    # Different results, and nothing that the records tell differs: each stands alone.
    return [[run] for run in sorted(runs, key=lambda run: run.order)]


def _without_copies(runs: Iterable[_Run]) -> list[_Run]:
    """Of runs with one seed and the same results the first, with what people said of any of them."""
    kept: list[_Run] = []
    for run in sorted(runs, key=lambda run: run.order):
        for place, other in enumerate(kept):
            if (run.record.seed, run.record.results) == (other.record.seed, other.record.results):
                known = {(one.measure, one.study) for one in other.record.human}
                more = [one for one in run.record.human if (one.measure, one.study) not in known]
                kept[place] = replace(other, record=replace(other.record, human=[*other.record.human, *more]))
                break
        else:
            kept.append(run)
    return kept


def _named(groups: list[list[_Run]]) -> list[Entry]:
    """The entries; where one method stands several times, what differs is put behind its name."""
    of_method: dict[str, list[Record]] = defaultdict(list)
    for runs in groups:
        of_method[runs[0].record.method.name].append(runs[0].record)
    words = {name: iter(_differing(alike)) for name, alike in of_method.items()}
    entries = []
    again: dict[str, int] = defaultdict(int)
    for runs in groups:
        name = runs[0].record.method.name
        if differing := next(words[name]):
            name += f" ({', '.join(differing)})"
        again[name] += 1
        if again[name] > 1:
            name += f" no. {again[name]}"
        entries.append(Entry(name, tuple(run.folder for run in runs), tuple(run.record for run in runs)))
    return entries


def _differing(alike: list[Record]) -> list[list[str]]:
    """In what the configuration of each record of one method, or else its circumstances, differ from those of the
    others, as `name=value`."""
    configurations = [_configuration(record) for record in alike]
    names = dict.fromkeys(name for own in configurations for name in own)
    differ = {name for name in names if len({canonical_json(own.get(name)) for own in configurations}) > 1}
    texts = [
        [f"{name}={value_in_words(value)}" for name, value in own.items() if name in differ] for own in configurations
    ]
    same: dict[str, list[int]] = defaultdict(list)
    for place, own in enumerate(configurations):
        same[canonical_json(own)].append(place)
    for places in same.values():
        facts = ((name, [fact(alike[place]) for place in places]) for name, fact in _CIRCUMSTANCES.items())
        name, values = next(((name, values) for name, values in facts if len(set(values)) > 1), ("", []))
        for place, value in zip(places, values, strict=False):
            texts[place].append(f"{name}={value}")
    return texts


def _finished(record: Record) -> str:
    return max((stage.finished for stage in record.circumstances.values()), default="")
