"""Markdown tables: one a protocol, with floors, ceilings, intervals, and paired differences to the baselines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tabulate import tabulate

from v2f_bench.interfaces import UsageError
from v2f_bench.interfaces.options import did_you_mean
from v2f_bench.leaderboard.entries import Entry, difference, gather
from v2f_bench.stats import Interval, holm, tie_groups

SIGNIFICANT = 0.05
MAIN = ("retrieval/R@5", "emotion-agreement/accuracy")  # what a track ranks by
REALISM = ("face-found", "diversity", "fid", "kid", "frechet", "precision")
ARROWS = {"higher": "↑", "lower": "↓", "neither": ""}
SHORT = {
    "retrieval/R@5": "R@5",
    "retrieval/within-sex/R@5": "R@5 within sex",
    "retrieval/normalised-mean-rank": "rank",
    "retrieval/within-sex/normalised-mean-rank": "rank within sex",
    "identity-cosine/target": "cosine to target",
    "identity-cosine/gain-over-mean-face": "cosine gain over mean face",
    "emotion-agreement/accuracy": "emotion agreement",
    "emotion-agreement/AUC": "emotion AUC",
}
# Of a judge, by kind.
QUALITIES = {
    "verification_auc": ("verification AUC {}", "{:.3f}"),
    "accuracy": ("accuracy {}", "{:.3f}"),
    "mean_absolute_error": ("mean absolute error {} years", "{:.1f}"),
    "found": ("a face found in {}", "{:.1%}"),
}


@dataclass(frozen=True)
class Column:
    """One measure by one judge."""

    measure: str
    judge: str
    better: str

    @property
    def title(self) -> str:
        return f"{escaped(SHORT.get(self.measure, self.measure))} {ARROWS[self.better]}".strip()


def render_table(folders: list[Path], strict: bool = False, measures: Sequence[str] = ()) -> str:
    """Markdown for the runs in `folders`: for each protocol the ranking, the paired differences, and what to know.

    Args:
        strict: show no number of a judge that is known not to be independent of the method or of the test speakers.
        measures: metrics or single measures ("sspp-gain", "retrieval/R@1") to show instead of the headline ones; the
            first is ranked by.

    Raises:
        UsageError: no run has a number for one of `measures`.
    """
    tables = gather(folders)
    if not tables:
        return "No finished runs."
    _check_measures([entry for entries in tables.values() for entry in entries], measures)
    return "\n\n".join(_protocol_section(entries, strict, measures) for entries in tables.values())


def _protocol_section(entries: list[Entry], strict: bool, measures: Sequence[str]) -> str:
    columns = chosen_columns(entries, measures, strict) if measures else headline_columns(entries, strict)
    sections = [_heading(entries[0]), _ranking(entries, columns, strict)]
    learned = [entry for entry in entries if not entry.first["method"]["baseline"]]
    sections += [_differences(entry, entries, columns) for entry in learned]
    return "\n\n".join([*(section for section in sections if section), _notes(entries, columns, strict)])


def _heading(entry: Entry) -> str:
    record = entry.first
    protocol, dataset = record["protocol"], record["dataset"]
    return (
        f"## {escaped(dataset['name'])}: {escaped(protocol['name'])} ({escaped(protocol['hash'])})\n\n"
        f"{protocol['trials']} trials of {len(set(entry.speakers))} test speakers, gallery of {protocol['gallery']}, "
        f"{protocol['splits']['train']['speakers']} training speakers; faces seen at {protocol['resolution']} px. "
        "Value ± half of its 95 % interval (bootstrap over speakers)."
    )


def _titles(columns: list[Column]) -> list[str]:
    """The columns' headings; where several judges give one measure, each with its judge."""
    measures = [column.measure for column in columns]
    several = {measure for measure in measures if measures.count(measure) > 1}
    return [f"{c.title} ({escaped(c.judge)})" if c.measure in several else c.title for c in columns]


def headline_columns(entries: list[Entry], strict: bool = False) -> list[Column]:
    """The headline measures that any entry has a number for: the track's main one first, realism last."""
    found: dict[Column, None] = {}
    for entry in entries:
        for result in entry.first["results"]:
            if result.get("headline") and not result["unavailable"] and not (strict and refused(result)):
                found[Column(result["measure"], result["judge"], result["better"])] = None

    def place(column: Column) -> int:
        if column.measure in MAIN:
            return 0
        return 2 if column.measure.startswith(REALISM) else 1

    return sorted(found, key=place)


def chosen_columns(entries: list[Entry], measures: Sequence[str], strict: bool = False) -> list[Column]:
    """The columns of `measures`, each the name of a metric or of one measure, in their order."""
    found: dict[Column, None] = {}
    for wanted in measures:
        for entry in entries:
            for result in entry.first["results"]:
                named = wanted in (result["measure"], result["metric"])
                if named and not result["unavailable"] and not (strict and refused(result)):
                    found[Column(result["measure"], result["judge"], result["better"])] = None
    return list(found)


def _check_measures(entries: list[Entry], measures: Sequence[str]) -> None:
    results = [result for entry in entries for result in entry.first["results"] if not result["unavailable"]]
    known = sorted({result[key] for result in results for key in ("metric", "measure")})
    for wanted in measures:
        if wanted not in known:
            raise UsageError(
                f"no run has a number for {wanted!r}{did_you_mean(wanted, known)} They have: {', '.join(known)}."
            )


def refused(result: dict[str, Any]) -> bool:
    """Whether strict tables leave the number out."""
    return result.get("independent") is False


def _ranking(entries: list[Entry], columns: list[Column], strict: bool) -> str:
    ordered = sorted(entries, key=lambda entry: _sort_key(entry, columns[0])) if columns else entries
    letters = _tie_letters(ordered, columns[0]) if columns else [""] * len(ordered)
    rows = []
    for entry, letter in zip(ordered, letters, strict=True):
        cells = [_cell_of(entry, column, strict) for column in columns]
        failed = sum(sum(record["failures"].values()) for record in entry.records)
        posed = sum(record["posed"] for record in entry.records)
        rows.append([_name(entry), letter, len(entry.seeds), f"{posed - failed}/{posed}", *cells])
    for bound in ("floor", "ceiling"):
        cells = [_bound(ordered, column, bound) for column in columns]
        rows.append([f"*{bound}*", "", "", "", *cells])
    headers = ["method", "tie", "seeds", "faces", *_titles(columns)]
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)


def _tie_letters(ordered: list[Entry], column: Column) -> list[str]:
    """Letters that two methods share if they do not differ in `column`, by Holm-corrected paired permutation tests."""
    numbers = [entry.number(column.measure, column.judge) for entry in ordered]
    p_values = np.full((len(ordered), len(ordered)), np.nan)
    for i, first in enumerate(ordered):
        for j in range(i + 1, len(ordered)):
            gap = difference(first, ordered[j], column.measure, column.judge, pairs=len(ordered) ** 2)
            p_values[i, j] = np.nan if gap is None else gap.p_value
    if np.isnan(p_values).all():
        return [""] * len(ordered)
    values = [np.nan if number is None else number.value for number in numbers]
    return tie_groups([entry.name for entry in ordered], values, holm(p_values), column.better)  # type: ignore[arg-type]


def _differences(entry: Entry, entries: list[Entry], columns: list[Column]) -> str:
    """What `entry` is better by than each baseline, on the same trials; a star where that is not chance."""
    rivals = [other for other in entries if other.first["method"]["baseline"]]
    table = []
    for column in columns:
        gaps = [difference(entry, rival, column.measure, column.judge) for rival in rivals]
        adjusted = holm(np.array([np.nan if gap is None else gap.p_value for gap in gaps]))
        sign = -1 if column.better == "lower" else 1
        table.append(
            ["" if gap is None else _gap(gap.difference, sign, p) for gap, p in zip(gaps, adjusted, strict=True)]
        )
    kept = [place for place, cells in enumerate(table) if any(cells)]
    if not rivals or not kept:
        return ""
    titles = _titles(columns)
    headers = [f"{escaped(entry.name)} better than", *(titles[place] for place in kept)]
    rows = [[_name(rival), *(table[place][number] for place in kept)] for number, rival in enumerate(rivals)]
    return (
        "Paired differences on the same trials (positive: better) with 95 % intervals; * where p < 0.05 by a paired "
        "permutation test over speakers, Holm-corrected over the rivals.\n\n"
        + tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)
    )


def _notes(entries: list[Entry], columns: list[Column], strict: bool) -> str:
    lines = []
    if columns:
        title = _titles(columns)[0]
        lines.append(
            f"tie: methods that share a letter do not differ in {title} (p ≥ 0.05, Holm-corrected over all pairs)."
        )
    answers = [escaped(entry.name) for entry in entries if entry.first["answers"]]
    if answers:
        lines.append(f"† uses the answer ({', '.join(answers)}): a ceiling, no achievement.")
    lines += _independence_lines(entries, strict)
    shown = {column.judge for column in columns}
    judges = [judge for entry in entries for judge in entry.first["judges"] if judge["name"] in shown]
    lines += dict.fromkeys(map(_judge_line, judges))
    lines += _different_weights(entries)
    if len(contents := sorted({record["dataset"]["content"][:8] for e in entries for record in e.records})) > 1:
        lines.append(
            f"The rows rest on data of different content ({', '.join(map(escaped, contents))}): the files changed, or "
            "were decoded differently; they are therefore not strictly comparable."
        )
    lines += _missing_judges(entries)
    lines += _unavailable(entries)
    if any(column.measure.startswith("retrieval") for column in columns):
        lines.append("rank: mean normalised rank, 0 is first and 0.5 is chance.")
    lines += _emotion_lines(entries[0].first)
    lines += [told for entry in entries if (told := _failed_faces(entry))]
    failures = {result["failure_policy"] for e in entries for result in e.first["results"] if result.get("failed")}
    lines += sorted(f"Failed faces: {escaped(policy)}." for policy in failures)
    lines.append(
        "These numbers say how well methods do on this data set by this judge. They do not say that a face can be "
        "known from a voice: what is right is mostly sex, age and other traits that many people share."
    )
    return "\n".join(f"* {line}" for line in lines)


def _emotion_lines(record: dict[str, Any]) -> list[str]:
    """Of an emotion table: how often people recognise these emotions, and what the source calls them."""
    dataset, lines = record["dataset"], []
    if record["protocol"]["track"] != "emotion":
        return []
    if human := dataset.get("human"):
        shares = ", ".join(f"{shares['all']:.1%} ({escaped(shown)})" for shown, shares in human.items())
        lines.append(f"People choose the intended emotion in {shares}: {escaped(dataset['human_source'])}.")
    if named := dataset.get("labels", {}).get("emotion"):
        words = ", ".join(f"{escaped(word)} = {escaped(shared)}" for word, shared in named.items())
        lines.append(f"Emotions, as {escaped(dataset['name'])} calls them: {words}.")
    return lines


def _different_weights(entries: list[Entry]) -> list[str]:
    """A warning for each judge that scored some rows with other weights: trained twice, on another device, say."""
    rows: dict[str, dict[str, list[str]]] = {}
    for entry in entries:
        for record in entry.records:
            for judge in record["judges"]:
                scored = rows.setdefault(judge["name"], {}).setdefault(judge["sha256"][:8], [])
                scored += [entry.name] if entry.name not in scored else []
    return [
        f"{escaped(name)} had different weights for different rows, which are therefore not strictly comparable: "
        + "; ".join(f"{escaped(sha256)}: {', '.join(map(escaped, names))}" for sha256, names in by_weights.items())
        + "."
        for name, by_weights in rows.items()
        if len(by_weights) > 1
    ]


def _independence_lines(entries: list[Entry], strict: bool) -> list[str]:
    """Which numbers are marked, and why."""
    reasons: dict[tuple[bool | None, str], list[str]] = {}
    for entry in entries:
        for record in entry.records:
            for result in record["results"]:
                if not result["unavailable"] and result["independent"] is not True:
                    key = (result["independent"], f"{result['judge']}: {result['not_independent_because']}")
                    named = reasons.setdefault(key, [])
                    named += [entry.name] if entry.name not in named else []
    lines = []
    for (independent, reason), names in reasons.items():
        who = "" if len(names) == len(entries) else f" ({', '.join(map(escaped, names))})"
        if independent is None:
            lines.append(f"§ {escaped(reason)}{who}: whether it is independent is not known.")
        else:
            effect = "; its numbers are left out" if strict else ""
            lines.append(f"‡ {escaped(reason)}{who}: not independent{effect}.")
    return lines


def _unavailable(entries: list[Entry]) -> list[str]:
    """What could not be measured, a line a reason."""
    lacking: dict[str, dict[str, None]] = {}
    for entry in entries:
        for record in entry.records:
            for result in record["results"]:
                if result["unavailable"]:
                    lacking.setdefault(result["unavailable"], {})[result["measure"]] = None
    return [
        f"{', '.join(map(escaped, measures))}: not available: {escaped(reason)}."
        for reason, measures in lacking.items()
    ]


def _missing_judges(entries: list[Entry]) -> list[str]:
    names = dict.fromkeys(judge["name"] for e in entries for record in e.records for judge in record["judges_missing"])
    if not names:
        return []
    return [f"Judges that could not be had: {', '.join(map(escaped, names))} (`v2f-bench weights list` tells why)."]


def _judge_line(judge: dict[str, Any]) -> str:
    quality = judge["quality"]
    halved = quality.get("at_half_resolution", {})
    measured = []
    for key, (words, number) in QUALITIES.items():
        if quality.get(key) is not None:
            soft = f" ({number.format(halved[key])} at half the resolution)" if halved.get(key) is not None else ""
            measured.append(words.format(number.format(quality[key])) + soft)
    text = f"Judge {judge['name']} {judge['version']} (met: {judge['people']})"
    if measured:
        text += f": {', '.join(measured)} on {quality['faces']} real faces of {quality['speakers']} test speakers"
    elif quality.get("note"):
        text += f": {quality['note']}"
    return escaped(f"{text}.")


def _failed_faces(entry: Entry) -> str:
    """How many of the entry's faces could not be judged, for each reason; "" where all could."""
    counts: Counter[str] = Counter()
    for record in entry.records:
        counts.update(record["failures"])
    reasons = ", ".join(f"{escaped(reason)} {count}" for reason, count in counts.most_common())
    return f"Without a face that can be judged: {escaped(entry.name)}: {reasons}." if counts else ""


def _name(entry: Entry) -> str:
    return escaped(entry.name) + (" †" if entry.first["answers"] else "")


def _cell_of(entry: Entry, column: Column, strict: bool) -> str:
    result = entry.result(column.measure, column.judge)
    if result is None:
        return "not measured"
    if strict and refused(result):
        return "refused ‡"
    mark = {True: "", False: " ‡", None: " §"}[result["independent"]]
    return _cell(entry.number(column.measure, column.judge)) + mark


def _cell(number: Interval | None) -> str:
    if number is None:
        return "not measured"
    if np.isnan(number.low):
        return _digits(number.value)
    return f"{_digits(number.value)} ± {_digits((number.high - number.low) / 2)}"


def _gap(gap: Interval, sign: int, p_value: float) -> str:
    low, high = sorted((sign * gap.low, sign * gap.high))
    star = " *" if p_value < SIGNIFICANT else ""
    return f"{sign * gap.value:+z.3f} [{low:+z.3f}, {high:+z.3f}]{star}"


def _bound(entries: list[Entry], column: Column, bound: str) -> str:
    for entry in entries:
        result = entry.result(column.measure, column.judge)
        if result is not None and result.get(bound) is not None:
            return f"{_digits(result[bound])} ({escaped(result[f'{bound}_is'])})"
    return ""


def _digits(value: float) -> str:
    return f"{value:z.3f}" if abs(value) < 10 else f"{value:.1f}"


def _sort_key(entry: Entry, column: Column) -> float:
    number = entry.number(column.measure, column.judge)
    if number is None or np.isnan(number.value):
        return np.inf  # last
    return number.value if column.better == "lower" else -number.value


def escaped(text: str) -> str:
    """Foreign text as plain text in a Markdown table cell."""
    for mark in ("\\", "|", "`", "*", "_", "~", "[", "]"):
        text = text.replace(mark, "\\" + mark)
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").split())
