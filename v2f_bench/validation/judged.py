"""The judges behind a record: whether their weights are those that everybody else's numbers rest on."""

from __future__ import annotations

from collections.abc import Iterable

from v2f_bench.interfaces import BenchError
from v2f_bench.plugins import registry
from v2f_bench.record import Record


def judge_problems(record: Record, others: Iterable[Record]) -> tuple[list[str], list[str]]:
    """What is wrong, and the judges of which neither the publisher nor another record says a hash.

    Args:
        others: records to hold it against; those of the same protocol over the same data count.
    """
    known = _seen_elsewhere(record, others)
    problems, unknown = [], []
    for judge in record.judges:
        if not judge.sha256:  # no file of its own
            continue
        stated = _stated(judge.name)
        elsewhere = known.get((judge.name, judge.version), set())
        if stated and not judge.sha256.startswith(stated):
            problems.append(f"judge {judge.name}: weights {judge.sha256[:12]}…, its publisher states {stated[:12]}…")
        elif elsewhere and judge.sha256 not in elsewhere:
            hashes = ", ".join(f"{sha256[:12]}…" for sha256 in sorted(elsewhere))
            problems.append(
                f"judge {judge.name}: weights {judge.sha256[:12]}…, every other record of this protocol has {hashes}"
            )
        elif not stated and not elsewhere:
            unknown.append(judge.name)
    return problems, unknown


def _seen_elsewhere(record: Record, others: Iterable[Record]) -> dict[tuple[str, str], set[str]]:
    known: dict[tuple[str, str], set[str]] = {}
    for other in others:
        same = (other.protocol.hash, other.dataset.content) == (record.protocol.hash, record.dataset.content)
        if same and other.run != record.run:
            for judge in other.judges:
                known.setdefault((judge.name, judge.version), set()).add(judge.sha256)
    return known


def _stated(name: str) -> str:
    """What the publisher of an installed judge's weights states as their sha256, or its beginning; "" for nothing."""
    for plugin in registry().all("judge"):
        if plugin.name == name:
            try:
                weights = plugin.make().weights
            except BenchError:  # it cannot be had here at all
                return ""
            return weights.sha256.lower() if weights is not None else ""
    return ""
