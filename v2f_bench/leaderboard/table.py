"""Markdown tables: one a protocol, with floors, ceilings, intervals, and paired differences to the baselines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tabulate import tabulate

from v2f_bench.leaderboard.entries import Entry, difference, gather
from v2f_bench.stats import Interval

ARROWS = {"higher": "↑", "lower": "↓", "neither": ""}
SHORT = {
    "retrieval/R@5": "R@5",
    "retrieval/within-sex/R@5": "R@5 within sex",
    "retrieval/normalised-mean-rank": "rank",
    "retrieval/within-sex/normalised-mean-rank": "rank within sex",
    "identity-cosine/target": "cosine to target",
}


@dataclass(frozen=True)
class Column:
    """One measure by one judge."""

    measure: str
    judge: str
    better: str

    @property
    def title(self) -> str:
        return f"{_escaped(SHORT.get(self.measure, self.measure))} {ARROWS[self.better]}".strip()


def render_table(folders: list[Path]) -> str:
    """Markdown for the runs in `folders`: for each protocol the ranking, the paired differences, and what to know."""
    tables = gather(folders)
    return "\n\n".join(_protocol_section(entries) for entries in tables.values()) if tables else "No finished runs."


def _protocol_section(entries: list[Entry]) -> str:
    columns = _columns(entries)
    sections = [_heading(entries[0]), _ranking(entries, columns)]
    learned = [entry for entry in entries if not entry.first["method"]["baseline"]]
    sections += [_differences(entry, entries, columns) for entry in learned]
    return "\n\n".join([*(section for section in sections if section), _notes(entries, columns)])


def _heading(entry: Entry) -> str:
    record = entry.first
    protocol, dataset = record["protocol"], record["dataset"]
    test = protocol["splits"]["test"]
    return (
        f"## {_escaped(dataset['name'])}: {_escaped(protocol['name'])} ({protocol['hash']})\n\n"
        f"{protocol['trials']} trials of {test['speakers']} test speakers, gallery of {protocol['gallery']}, "
        f"{protocol['splits']['train']['speakers']} training speakers; faces seen at {protocol['resolution']} px. "
        "Value ± half of its 95 % interval (bootstrap over speakers)."
    )


def _titles(columns: list[Column]) -> list[str]:
    """The columns' headings; where several judges give one measure, each with its judge."""
    measures = [column.measure for column in columns]
    several = {measure for measure in measures if measures.count(measure) > 1}
    return [f"{c.title} ({_escaped(c.judge)})" if c.measure in several else c.title for c in columns]


def _columns(entries: list[Entry]) -> list[Column]:
    """The headline measures that any entry has a number for, in the order of the records."""
    found: dict[Column, None] = {}
    for entry in entries:
        for result in entry.first["results"]:
            if result.get("headline") and not result["unavailable"]:
                found[Column(result["measure"], result["judge"], result["better"])] = None
    ranked = sorted(found, key=lambda column: column.measure != "retrieval/R@5")
    return sorted(ranked, key=lambda column: column.measure.startswith(("fid", "frechet")))


def _ranking(entries: list[Entry], columns: list[Column]) -> str:
    ordered = sorted(entries, key=lambda entry: _sort_key(entry, columns[0])) if columns else entries
    rows = []
    for entry in ordered:
        cells = [_cell(entry.number(column.measure, column.judge)) + _mark(entry, column) for column in columns]
        failed = sum(_failed(record) for record in entry.records)
        seeds = len(entry.seeds)
        posed = sum(record["posed"] for record in entry.records)
        rows.append([_name(entry), seeds, f"{posed - failed}/{posed}", *cells])
    for bound in ("floor", "ceiling"):
        cells = [_bound(ordered, column, bound) for column in columns]
        rows.append([f"*{bound}*", "", "", *cells])
    headers = ["method", "seeds", "faces", *_titles(columns)]
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)


def _differences(entry: Entry, entries: list[Entry], columns: list[Column]) -> str:
    """What `entry` is better by than each baseline, on the same trials; a star where the interval leaves out zero."""
    rivals = [other for other in entries if other.first["method"]["baseline"]]
    rows = []
    for rival in rivals:
        cells = []
        for column in columns:
            gap = difference(entry, rival, column.measure, column.judge)
            cells.append("" if gap is None else _gap(gap, -1 if column.better == "lower" else 1))
        rows.append([_name(rival), *cells])
    kept = [place for place, _ in enumerate(columns) if any(row[place + 1] for row in rows)]
    if not rows or not kept:
        return ""
    titles = _titles(columns)
    headers = [f"{_escaped(entry.name)} better than", *(titles[place] for place in kept)]
    table = [[row[0], *(row[place + 1] for place in kept)] for row in rows]
    return (
        "Paired differences on the same trials (positive: better) with 95 % intervals; * where zero lies outside.\n\n"
        + tabulate(table, headers=headers, tablefmt="github", disable_numparse=True)
    )


def _notes(entries: list[Entry], columns: list[Column]) -> str:
    lines = []
    answers = [_escaped(entry.name) for entry in entries if entry.first["answers"]]
    if answers:
        lines.append(f"† uses the answer ({', '.join(answers)}): a ceiling, no achievement.")
    if any(not result["independent"] for e in entries for result in e.first["results"] if "independent" in result):
        lines.append("‡ judged by a network that the method was trained with: not independent.")
    lines += dict.fromkeys(_judge_line(judge) for entry in entries for judge in entry.first["judges"])
    lines += _different_weights(entries)
    lines += dict.fromkeys(
        f"{_escaped(result['measure'])} is not available: {_escaped(result['unavailable'])}."
        for entry in entries
        for result in entry.first["results"]
        if result["unavailable"]
    )
    if any(column.measure.startswith("retrieval") for column in columns):
        lines.append("rank: mean normalised rank, 0 is first and 0.5 is chance.")
    failures = {result["failure_policy"] for e in entries for result in e.first["results"] if result.get("failed")}
    lines += sorted(f"Failed faces: {_escaped(policy)}." for policy in failures)
    lines.append(
        "These numbers say how well methods do on this data set by this judge. They do not say that a face can be "
        "known from a voice: what is right is mostly sex, age and other traits that many people share."
    )
    return "\n".join(f"* {line}" for line in lines)


def _different_weights(entries: list[Entry]) -> list[str]:
    """A warning for each judge that scored some rows with other weights: trained twice, on another device, say."""
    rows: dict[str, dict[str, list[str]]] = {}
    for entry in entries:
        for record in entry.records:
            for judge in record["judges"]:
                scored = rows.setdefault(judge["name"], {}).setdefault(judge["sha256"][:8], [])
                scored += [entry.name] if entry.name not in scored else []
    return [
        f"{_escaped(name)} had different weights for different rows, which are therefore not strictly comparable: "
        + "; ".join(f"{_escaped(sha256)}: {', '.join(map(_escaped, names))}" for sha256, names in by_weights.items())
        + "."
        for name, by_weights in rows.items()
        if len(by_weights) > 1
    ]


def _judge_line(judge: dict[str, Any]) -> str:
    quality = judge["quality"]
    auc = quality.get("verification_auc")
    if auc is not None:
        told = f"verification AUC {auc:.3f} on {quality['faces']} real faces of {quality['speakers']} test speakers"
    else:
        told = quality.get("note", "")
    text = f"Judge {judge['name']} {judge['version']} (met: {judge['people']})"
    return _escaped(f"{text}: {told}." if told else f"{text}.")


def _name(entry: Entry) -> str:
    return _escaped(entry.name) + (" †" if entry.first["answers"] else "")


def _mark(entry: Entry, column: Column) -> str:
    result = entry.result(column.measure, column.judge)
    return " ‡" if result is not None and result.get("independent") is False else ""


def _cell(number: Interval | None) -> str:
    if number is None:
        return "not measured"
    if np.isnan(number.low):
        return _digits(number.value)
    return f"{_digits(number.value)} ± {_digits((number.high - number.low) / 2)}"


def _gap(gap: Interval, sign: int) -> str:
    low, high = sorted((sign * gap.low, sign * gap.high))
    star = " *" if low > 0 or high < 0 else ""
    return f"{sign * gap.value:+.3f} [{low:+.3f}, {high:+.3f}]{star}"


def _bound(entries: list[Entry], column: Column, bound: str) -> str:
    for entry in entries:
        result = entry.result(column.measure, column.judge)
        if result is not None and result.get(bound) is not None:
            return f"{_digits(result[bound])} ({_escaped(result[f'{bound}_is'])})"
    return ""


def _digits(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _sort_key(entry: Entry, column: Column) -> float:
    number = entry.number(column.measure, column.judge)
    if number is None or np.isnan(number.value):
        return np.inf  # last
    return number.value if column.better == "lower" else -number.value


def _failed(record: dict[str, Any]) -> int:
    return max((result.get("failed") or 0 for result in record["results"]), default=0)


def _escaped(text: str) -> str:
    """Foreign text as plain text in a Markdown table cell."""
    for mark in ("\\", "|", "`", "*", "_", "~", "[", "]"):
        text = text.replace(mark, "\\" + mark)
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").split())
