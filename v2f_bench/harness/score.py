"""Score: every metric of the track on the faces of one run, each number with its interval, floor and ceiling."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from v2f_bench.harness.bench import Bench
from v2f_bench.harness.generate import FACES, FAILURES
from v2f_bench.harness.judging import ReadyJudge, embed
from v2f_bench.harness.stage import stage
from v2f_bench.hashing import key_of, source_key
from v2f_bench.interfaces import DataError, Evidence, Judge, Measure, Method, Metric, Progress
from v2f_bench.media.picture import read_picture, to_tensor
from v2f_bench.plugins import Plugin
from v2f_bench.stats import Interval, mean_interval, median_interval, statistic_interval

SCORES = "scores"
RESULTS = "results.json"
TRIALS = "trials.parquet"


def score(
    method: type[Method],
    folder: Path,
    generate_key: str,
    bench: Bench,
    judges: list[ReadyJudge],
    missing: dict[str, str],
    metrics: list[Plugin],
    progress: Progress,
) -> list[dict[str, Any]]:
    """The results of the faces in `folder`, one dict a measure (see `record.py` for their keys).

    Also written: `trials.parquet`, one row a trial, with a column for every per-trial value.
    """
    metrics = [plugin for plugin in metrics if bench.protocol.track in plugin.cls.tracks]
    key = key_of(
        "score",
        generate_key,
        [(ready.judge.name, ready.sha256) for ready in judges],
        missing,
        [(plugin.name, plugin.version, source_key(plugin.cls)) for plugin in metrics],
        method.trained_with,
    )

    def make(unfinished: Path) -> None:
        faces, failures = read_faces(folder / FACES, list(bench.trials["trial"]), bench.protocol.resolution)
        table = bench.trials.copy()
        table["failure"] = table["trial"].map(failures).fillna("")
        seen = [(ready, ready.evidence(bench, embed(ready.judge, faces))) for ready in judges]
        results: list[dict[str, Any]] = []
        with progress.bar("score", len(metrics)) as bar:
            for plugin in metrics:
                found, columns = _apply(plugin.cls(), seen, missing, bench.posed(method), method.trained_with)
                results += found
                table = pd.concat([table, pd.DataFrame(columns, index=table.index)], axis=1)
                bar.advance()
        table.to_parquet(unfinished / TRIALS, index=False)
        (unfinished / RESULTS).write_text(json.dumps({"failures": failures, "results": results}, indent=1))

    stage(folder / SCORES, key, make)
    return list(json.loads((folder / SCORES / RESULTS).read_text())["results"])


def read_faces(folder: Path, trials: list[str], resolution: int) -> tuple[torch.Tensor, dict[str, str]]:
    """The faces of `trials`, float32 [N, 3, resolution, resolution], NaN where there is none, and why there is none."""
    failures: dict[str, str] = json.loads((folder / FAILURES).read_text()) if (folder / FAILURES).exists() else {}
    faces = torch.full((len(trials), 3, resolution, resolution), torch.nan)
    for place, trial in enumerate(trials):
        if trial in failures:
            continue
        try:
            faces[place] = to_tensor(read_picture(folder / f"{trial}.png")[None], resolution)[0]
        except DataError as error:
            failures[trial] = str(error)
    return faces, failures


def _apply(
    metric: Metric,
    seen: list[tuple[ReadyJudge, Evidence]],
    missing: dict[str, str],
    posed: np.ndarray,
    trained_with: tuple[str, ...],
) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """The results of one metric by every judge of its kind, and the per-trial columns."""
    fitting = [(ready, evidence) for ready, evidence in seen if ready.judge.kind == metric.judge]
    if not fitting:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in missing.items()) or f"no {metric.judge} judge"
        return [{"metric": metric.name, "measure": metric.name, "judge": None, "unavailable": reasons}], {}
    results: list[dict[str, Any]] = []
    columns: dict[str, np.ndarray] = {}
    for ready, evidence in fitting:
        floors = metric.measure(evidence.instead(metric.floor))
        ceilings = metric.measure(evidence.instead(metric.ceiling))
        measures = [_limited(measure, posed) for measure in metric.measure(evidence)]
        for measure, floor, ceiling in zip(measures, floors, ceilings, strict=True):
            results.append(
                {
                    "metric": metric.name,
                    "measure": measure.name,
                    **_judge_columns(ready, trained_with),
                    **_number(measure, evidence, posed),
                    "floor": measure.chance if measure.chance is not None else point(floor),
                    "floor_is": "chance" if measure.chance is not None else metric.floor,
                    "ceiling": point(_limited(ceiling, np.isfinite(evidence.seen[metric.ceiling]).all(axis=1))),
                    "ceiling_is": metric.ceiling,
                    "better": measure.better,
                    "unit": measure.unit,
                    "failure_policy": measure.failure,
                    "headline": measure.headline,
                    "unavailable": None,
                }
            )
            if measure.values is not None:
                columns[column_name(measure.name, ready.judge)] = measure.values
    return results, columns


def column_name(measure: str, judge: Judge | str) -> str:
    """The column of `trials.parquet` with the per-trial values of a measure by a judge."""
    return f"{measure} @ {judge if isinstance(judge, str) else judge.name}"


def interval_of(measure: Measure, clusters: np.ndarray) -> Interval:
    """The measure's number and its 95 % interval over `clusters`, the speaker of each trial."""
    if measure.values is not None:
        interval = mean_interval if measure.aggregate == "mean" else median_interval
        return interval(measure.values, clusters)
    assert measure.statistic is not None, f"{measure.name} has neither values nor a statistic"
    return statistic_interval(measure.statistic, clusters)


def point(measure: Measure) -> float | None:
    """The measure's number without an interval; None where it is not defined."""
    if measure.values is not None:
        known = measure.values[~np.isnan(measure.values)]
        return float(np.mean(known) if measure.aggregate == "mean" else np.median(known)) if len(known) else None
    assert measure.statistic is not None
    covered = np.arange(len(measure.covers)) if measure.covers is not None else np.arange(0)
    value = measure.statistic(covered)
    return float(value) if np.isfinite(value) else None


def _limited(measure: Measure, trials: np.ndarray) -> Measure:
    """The measure over `trials` (bool [n]) alone: who has no second picture, say, is nobody's failure."""
    return measure if measure.values is None else replace(measure, values=np.where(trials, measure.values, np.nan))


def _judge_columns(ready: ReadyJudge, trained_with: tuple[str, ...]) -> dict[str, Any]:
    return {
        "judge": ready.judge.name,
        "judge_version": ready.judge.version,
        "judge_sha256": ready.sha256,
        "judge_quality": ready.quality,
        "independent": ready.judge.name not in trained_with,
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
