"""The results of a study in words and tables, for the terminal and as markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tabulate import tabulate

from v2f_bench.study.results import Analysis, Comparison, Estimate, MethodResult, Results, Strengths

MEANS = {
    "human-match": "share of questions in which the method's face was chosen for the voice it was made of",
    "human-preference": "share of comparisons won, a tie counting half",
    "human-emotion": "share of questions in which the intended emotion was named",
    "human-same-person": "share of right answers, pairs of one person and of two with the same weight",
    "human-realism": "mean of the shares of made faces taken for real and of photographs taken for made (HYPE); .50: "
    "cannot be told apart",
}


FEW = 10  # speakers, below which a group says little


def report(results: Results) -> str:
    """Markdown."""
    kept = results.kept
    head = [
        f"## {results.design} on {results.dataset}: {results.protocol['name']} ({results.protocol['hash']})",
        f"{results.measure}: {MEANS[results.measure]}. Chance {_number(results.chance)}. 95 % intervals over raters "
        "and speakers together.",
        _methods(kept, results),
    ]
    if kept.comparisons:
        head.append(_comparisons(kept.comparisons, results))
    if kept.strengths:
        head.append(_strengths(kept.strengths))
    head += _groups(kept)
    return "\n\n".join([*head, "\n".join(f"* {line}" for line in _notes(results))])


def _methods(analysis: Analysis, results: Results) -> str:
    others = {each.method: each.estimate for each in results.everybody.methods}
    left_out = bool(results.excluded)
    rows = [
        [
            each.method,
            *_cells(each.estimate),
            _p(each.p_chance_holm),
            *([_short(others[each.method])] if left_out else []),
        ]
        for each in sorted(analysis.methods, key=lambda each: -_sortable(each.estimate.value))
    ]
    for name, bound, all_of_it in (
        ("*real photographs*", analysis.calibration, results.everybody.calibration),
        ("*floor*", analysis.floor, results.everybody.floor),
    ):
        if bound is not None:
            rows.append([name, *_cells(bound), "", *([_short(all_of_it)] if left_out else [])])
    headers = ["method", results.measure, "95 % interval", "answers", "raters", "speakers", "p (chance)"]
    return _table(rows, [*headers, *(["with all raters"] if left_out else [])])


def _comparisons(comparisons: Sequence[Comparison], results: Results) -> str:
    rows = [
        [f"{each.first} − {each.second}", *_cells(each.estimate)[:2], _p(each.p), _p(each.p_holm)]
        for each in comparisons
    ]
    what = "wins less losses" if results.measure == "human-preference" else "difference"
    return _table(rows, ["pair", what, "95 % interval", "p", "p (Holm)"])


def _groups(analysis: Analysis) -> list[str]:
    """A table for each label of the speakers: methods by groups."""
    estimates = {
        (each.method, group.by, group.group): group.estimate for each in analysis.methods for group in each.groups
    }
    tables = []
    for label in dict.fromkeys(by for _, by, _ in estimates):
        groups = list(dict.fromkeys(group for _, by, group in estimates if by == label))
        if len(groups) < 2:
            continue
        rows = [
            [each.method, *(_short(estimates[each.method, label, group]) for group in groups)]
            for each in analysis.methods
        ]
        sizes = [max(estimates[each.method, label, group].items for each in analysis.methods) for group in groups]
        headers = [
            f"{group} ({size} speakers{', few' if size < FEW else ''})"
            for group, size in zip(groups, sizes, strict=True)
        ]
        tables.append(_table(rows, [f"by {label}", *headers]))
    return tables


def _strengths(fitted: Strengths) -> str:
    rows = [
        [each.name, _number(each.strength), _interval(each.low, each.high), each.scale]
        for each in sorted(fitted.strengths, key=lambda each: (each.scale, -_sortable(each.strength)))
    ]
    text = _table(rows, ["Bradley–Terry", "strength (log-odds)", "95 % interval", "scale"])
    notes = [f"{fitted.ties:.0%} of the comparisons were ties.", *(f"{note}." for note in fitted.notes)]
    return "\n\n".join([text, "\n".join(f"* {note}" for note in notes)])


def _notes(results: Results) -> list[str]:
    agreement = results.kept.agreement
    notes = [
        f"Krippendorff's alpha of answers about methods: {agreement.alpha:.3f} ({agreement.ratings} answers to "
        f"{agreement.units} questions)"
        if not math.isnan(agreement.alpha)
        else f"Krippendorff's alpha: not available: {agreement.unavailable}",
        f"{results.kept.raters} raters count, {len(results.excluded)} are left out by the rules of the export",
    ]
    notes += [f"left out: {rater}: {'; '.join(reasons)}" for rater, reasons in results.excluded.items()]
    notes += [f"not scored: {source}: {reason}" for source, reason in results.refused.items()]
    for each in results.kept.methods:
        if each.missing:
            notes.append(_about_missing(each, results))
    if results.responsible:
        notes.append(f"shown on the responsibility of {results.responsible}")
    notes.append(
        "What people choose here is mostly sex, age and other traits that many share: nobody is known from a voice"
    )
    return notes


def _about_missing(each: MethodResult, results: Results) -> str:
    return (
        f"{each.method} has no face for {each.missing} of {each.expected} trials, which count as "
        f"{results.failed:.2f}; over the faces that were shown it has {_short(each.unadjusted)}"
    )


def _cells(estimate: Estimate) -> list[str]:
    counts = [str(estimate.n), str(estimate.raters), str(estimate.items)]
    return [_number(estimate.value), _interval(estimate.low, estimate.high), *counts]


def _short(estimate: Estimate | None) -> str:
    if estimate is None or math.isnan(estimate.value):
        return "not measured"
    return f"{_number(estimate.value)} [{_interval(estimate.low, estimate.high)}]"


def _number(value: float) -> str:
    return "not measured" if math.isnan(value) else f"{value:z.3f}"


def _interval(low: float, high: float) -> str:
    return "none" if math.isnan(low) else f"{low:z.3f} to {high:z.3f}"


def _p(value: float) -> str:
    return "" if math.isnan(value) else "< .001" if value < 0.001 else f"{value:.3f}"


def _sortable(value: float) -> float:
    return -math.inf if math.isnan(value) else value


def _table(rows: Sequence[Sequence[object]], headers: Sequence[str]) -> str:
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    return tabulate(cells, headers=headers, tablefmt="github", disable_numparse=True)
