"""From a metric's measures to results: numbers with their interval, floor, ceiling, judge and slices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from v2f_bench.harness.bench import Bench
from v2f_bench.harness.independence import Ties, independence
from v2f_bench.harness.judging import Jury, ReadyJudge
from v2f_bench.harness.slices import slices
from v2f_bench.interfaces import Evidence, Measure, Metric, PluginError
from v2f_bench.leaderboard.record import column_name
from v2f_bench.stats import Interval, mean_interval, median_interval, statistic_interval


def metric_results(
    metric: Metric,
    seen: list[tuple[ReadyJudge, Evidence]],
    jury: Jury,
    posed: np.ndarray,
    ties: Ties,
) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """The results of one metric by every judge of its kinds, and the columns of per-trial values."""
    fitting = [(ready, evidence) for ready, evidence in seen if ready.judge.kind in metric.judged_by]
    if not fitting:
        reasons = "; ".join(f"{judge.name}: {judge.reason}" for judge in jury.missing if judge.kind in metric.judged_by)
        reasons = reasons or f"no judge of kind {' or '.join(metric.judged_by)}"
        return [unavailable(metric.name, reasons)], {}
    results: list[dict[str, Any]] = []
    columns: dict[str, np.ndarray] = {}
    for ready, evidence in fitting:
        about = _about_judge(ready, ties)
        for measure, told in _measured(metric, evidence, posed, jury):
            results.append({"metric": metric.name, "measure": measure.name, **about, **told})
            if measure.values is not None:
                columns[column_name(measure.name, ready.judge.name)] = measure.values
    return results, columns


def measure_names(metric: Metric, jury: Jury, bench: Bench) -> list[str]:
    """What a metric's measures will be called on this bench, by any judge that is here; sorted."""
    names = set()
    for ready in jury.judges:
        if ready.judge.kind in metric.judged_by:
            blind = np.stack([ready.clips[clip] for clip in bench.trials["random_face"]])
            names |= {measure.name for measure in metric.measure(ready.evidence(bench, blind))}
    return sorted(names)


def unavailable(metric: str, reason: str) -> dict[str, Any]:
    """The result of a metric that could not be had."""
    return {"metric": metric, "measure": metric, "judge": None, "unavailable": reason}


def interval_of(measure: Measure, clusters: np.ndarray, rows: np.ndarray | None = None) -> Interval:
    """The measure's number over `rows` (bool [n]; all if None) and its 95 % interval over `clusters`, [n] speakers."""
    rows = np.ones(len(clusters), bool) if rows is None else rows
    if measure.values is not None:
        interval = mean_interval if measure.aggregate == "mean" else median_interval
        # "expanded": percentiles widened for few clusters, where plain ones cover too little (see stats/bootstrap.py).
        return interval(measure.values[rows], clusters[rows], method="expanded")
    if measure.statistic is None:
        raise PluginError(f"{measure.name} has neither values nor a statistic")
    statistic, places = measure.statistic, np.flatnonzero(rows)
    if rows.all() and measure.interval is not None:
        return Interval(float(statistic(places)), *measure.interval(clusters))
    if rows.all():
        return statistic_interval(statistic, clusters)
    return Interval(float(statistic(places)), np.nan, np.nan)  # groups: hundreds of draws of each would take too long


def point(measure: Measure) -> float | None:
    """The measure's number without an interval; None where it is not defined."""
    if measure.values is not None:
        known = measure.values[~np.isnan(measure.values)]
        return float(np.mean(known) if measure.aggregate == "mean" else np.median(known)) if len(known) else None
    if measure.statistic is None or measure.covers is None:
        return None
    value = measure.statistic(np.arange(len(measure.covers)))
    return float(value) if np.isfinite(value) else None


def _measured(
    metric: Metric, evidence: Evidence, posed: np.ndarray, jury: Jury
) -> list[tuple[Measure, dict[str, Any]]]:
    """Each measure, limited to the trials that were posed, with its numbers."""

    def bound(role: str, name: str) -> float | None:
        if role not in evidence.seen:
            return None
        key = (metric.name, evidence.judge, role)
        if key not in jury.bounds:
            answered = _has_answer(evidence, role)
            measures = metric.measure(evidence.instead(role))
            jury.bounds[key] = {measure.name: point(_limited(measure, answered)) for measure in measures}
        return jury.bounds[key][name]

    told = []
    for measure in metric.measure(evidence):
        measure = _limited(measure, posed)
        floor = measure.floor or metric.floor
        told.append(
            (
                measure,
                {
                    **_number(measure, evidence, posed),
                    "floor": measure.chance if measure.chance is not None else bound(floor, measure.name),
                    "floor_is": "chance" if measure.chance is not None else floor,
                    "ceiling": bound(metric.ceiling, measure.name),
                    "ceiling_is": metric.ceiling,
                    "ceiling_n": int(_has_answer(evidence, metric.ceiling).sum()),
                    "aggregate": measure.aggregate if measure.values is not None else None,
                    "better": measure.better,
                    "unit": measure.unit,
                    "failure_policy": measure.failure,
                    "headline": measure.headline,
                    "slices": slices(measure, evidence.trials, interval_of),
                    "details": measure.details,
                    "unavailable": None,
                },
            )
        )
    return told


def _limited(measure: Measure, trials: np.ndarray) -> Measure:
    """The measure over `trials` (bool [n]) alone: who has no second picture, say, is nobody's failure."""
    return measure if measure.values is None else replace(measure, values=np.where(trials, measure.values, np.nan))


def _has_answer(evidence: Evidence, role: str) -> np.ndarray:
    """Which trials have a picture of that role at all: bool [n]. Not every speaker has a second photograph."""
    if role == "real-photo":
        return evidence.trials["real_photo"].ne("").to_numpy()
    return np.ones(len(evidence.trials), bool)


def _about_judge(ready: ReadyJudge, ties: Ties) -> dict[str, Any]:
    independent, reason = independence(ready.judge, ties)
    return {
        "judge": ready.judge.name,
        "judge_version": ready.judge.version,
        "judge_sha256": ready.sha256,
        "judge_quality": ready.quality,
        "independent": independent,
        "not_independent_because": reason,
    }


def _number(measure: Measure, evidence: Evidence, posed: np.ndarray) -> dict[str, Any]:
    speakers = evidence.trials["speaker"].to_numpy()
    interval = interval_of(measure, speakers)
    judged = np.isfinite(evidence.seen["generated"]).all(axis=1)
    if measure.values is not None:
        n = int((~np.isnan(measure.values)).sum())
    else:
        n = int(measure.covers.sum()) if measure.covers is not None else len(judged)
    return {
        **{name: float(x) if np.isfinite(x) else None for name, x in interval._asdict().items()},
        "n": n,
        "expected": len(judged),
        "failed": int((posed & ~judged).sum()),
        "speakers": len(set(speakers)),
    }
