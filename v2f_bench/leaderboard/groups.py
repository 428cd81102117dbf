"""The headline numbers by group of trials: sex, age, ethnicity, emotion, intensity, duration of the voice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tabulate import tabulate

from v2f_bench.interfaces import UsageError
from v2f_bench.leaderboard.entries import Entry, gather
from v2f_bench.leaderboard.table import Column, escaped, headline_columns, refused

LABELS = ("sex", "age", "ethnicity", "emotion", "intensity", "duration")


def render_groups(folders: list[Path], label: str, strict: bool = False) -> str:
    """Markdown: for each protocol and headline measure a row a method and a column a group of `label`.

    Raises:
        UsageError: there are no groups of that name.
    """
    if label not in LABELS:
        raise UsageError(f"--by takes {', '.join(LABELS)}, not {label!r}")
    sections = []
    for entries in gather(folders).values():
        columns = headline_columns(entries, strict)
        tables = [table for column in columns if (table := _table(entries, column, label, strict))]
        title = f"### {escaped(entries[0].first['dataset']['name'])}: by {label}"
        none = f"No trial has the label {label}."
        few = "Value ± half of its 95 % interval (n trials). (few): under ten speakers, says little."
        sections.append("\n\n".join([title, *([few, *tables] if tables else [none])]))
    return "\n\n".join(sections)


def _table(entries: list[Entry], column: Column, label: str, strict: bool) -> str:
    found = {entry.name: _slices(entry, column, label, strict) for entry in entries}
    groups = list(dict.fromkeys(group for slices in found.values() for group in slices))
    rows = [
        [escaped(name), *(_cell(slices[group]) if group in slices else "" for group in groups)]
        for name, slices in found.items()
        if slices
    ]
    if not rows:
        return ""
    headers = [f"{column.title} ({escaped(column.judge)})", *map(escaped, groups)]
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)


def _slices(entry: Entry, column: Column, label: str, strict: bool) -> dict[str, list[dict[str, Any]]]:
    """The measure in each group: one slice a seed."""
    found: dict[str, list[dict[str, Any]]] = {}
    for record in entry.records:
        for result in record["results"]:
            if (result["measure"], result["judge"]) == (column.measure, column.judge) and not (
                strict and refused(result)
            ):
                for one in result["slices"]:
                    if one["by"] == label:
                        found.setdefault(one["group"], []).append(one)
    return found


def _cell(seeds: list[dict[str, Any]]) -> str:
    """The mean over the seeds of value and interval."""
    known = [one for one in seeds if one["value"] is not None]
    if not known:
        return "not measured"
    text = f"{np.mean([one['value'] for one in known]):z.3f}"
    ends = [(one["low"], one["high"]) for one in known if one["low"] is not None]
    if ends:
        text += f" ± {np.mean([high - low for low, high in ends]) / 2:.3f}"
    return f"{text} ({known[0]['n']})" + (" (few)" if known[0]["small"] else "")
