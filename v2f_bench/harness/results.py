"""From a metric's measures to results: numbers with their interval, floor, ceiling and slices."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import get_args

import msgspec
import numpy as np

from v2f_bench.harness.bench import Bench
from v2f_bench.harness.face_check import with_role_as_generated
from v2f_bench.harness.judges import Judges
from v2f_bench.harness.numbers import Number, number_of, value_of
from v2f_bench.harness.slices import slices_of
from v2f_bench.interfaces import Evidence, Measure, Metric, PluginError
from v2f_bench.interfaces.judge import JUDGE_KINDS
from v2f_bench.interfaces.metric import FILM_ROLES, ROLES
from v2f_bench.record import Result, number_or_none
from v2f_bench.stats import Aggregate

BETTER = ("higher", "lower", "neither")


@dataclass(frozen=True)
class Measured:
    """A result, and what it is computed from.

    `values`, float [n], has one value a trial, NaN for a trial that is not part of it. It is None for a statistic of
    all trials, which has `number.influence` instead.
    """

    result: Result
    values: np.ndarray | None
    number: Number


@dataclass(frozen=True)
class Case:
    """The evidence of one source about one run on all trials.

    `applicable`, bool [n], says which trials apply to the method. `detected` is the evidence of the detector, where the
    protocol has a face check.
    """

    evidence: Evidence
    applicable: np.ndarray
    detected: Evidence | None = None

    def with_role_as_generated(self, role: str, trials: np.ndarray) -> Evidence:
        """The evidence as if the faces of `role` were the method's, on some trials only: bool [n]."""
        kind = JUDGE_KINDS.get(self.evidence.kind)  # None: the evidence is not a judge's
        detected = self.detected if kind is not None and kind.needs_face else None
        return with_role_as_generated(role, self.evidence, detected).of(trials).with_own_tables()


def results_of(metric: Metric, case: Case, judges: Judges) -> list[Measured]:
    """The results of one metric from one source of evidence.

    Raises:
        PluginError: the metric broke its contract; says how.
    """
    evidence = case.with_role_as_generated("generated", case.applicable)
    judged = np.isfinite(evidence.seen["generated"]).all(axis=1)
    speakers = evidence.trials["speaker"].to_numpy()
    measured = []
    for measure in checked(metric, metric.measure(evidence), evidence):
        number = number_of(measure, speakers)
        if math.isinf(number.interval.value):
            raise PluginError(f"metric {metric.name}: {measure.name} is {number.interval.value}")
        floor_is = measure.floor or metric.floor
        chance = None if measure.chance is None else float(measure.chance)
        floor = _bound(metric, floor_is, measure.name, case, judges) if chance is None else chance
        ceiling_trials = case.applicable & has_picture(case.evidence, metric.ceiling)
        result = Result(
            metric=metric.name,
            measure=measure.name,
            judge=case.evidence.source,
            value=number_or_none(number.interval.value),
            low=number_or_none(number.interval.low),
            high=number_or_none(number.interval.high),
            n=number.trials,
            expected=len(judged),
            failed=int((~judged).sum()),
            speakers=len(number.speakers),
            floor=floor,
            floor_is=floor_is if chance is None else "chance",
            ceiling=_bound(metric, metric.ceiling, measure.name, case, judges),
            ceiling_is=metric.ceiling,
            ceiling_n=int(ceiling_trials.sum()),
            aggregate=measure.aggregate if measure.values is not None else None,
            better=measure.better,
            unit=measure.unit,
            failure_policy=measure.failure,
            headline=measure.headline,
            slices=slices_of(measure, evidence.trials),
            details=measure.details,
        )
        values = None
        if measure.values is not None:
            values = np.full(len(case.applicable), np.nan)
            values[case.applicable] = measure.values
        measured.append(Measured(result, values, number))
    return measured


def measure_names(metric: Metric, judges: Judges, bench: Bench) -> list[str]:
    """The names of a metric's measures on this bench with the available judges, sorted.

    The metric is tried on random training faces, or on films in which nothing moves, so that this can be asked before
    any training. PluginError where it breaks its contract.
    """
    names: set[str] = set()
    everything = np.ones(len(bench.trials), bool)
    for ready in judges.ready:
        if ready.judge.kind in metric.judged_by:
            evidence = Case(ready.trial_evidence(bench), everything).with_role_as_generated("generated", everything)
            names |= {measure.name for measure in checked(metric, metric.measure(evidence), evidence)}
    return sorted(names)


def checked(metric: Metric, measures: list[Measure], evidence: Evidence) -> list[Measure]:
    """The measures, if they keep the contract of `Measure`. PluginError says how they break it."""
    trials, names = len(evidence.trials), set()
    if not isinstance(measures, list):
        raise PluginError(f"metric {metric.name}: measure() gave {type(measures).__name__}, not a list of Measure")
    for measure in measures:
        if not isinstance(measure, Measure):
            raise PluginError(f"metric {metric.name}: measure() gave {type(measure).__name__} among its measures")
        problem = _problem(metric, measure, trials)
        if measure.name in names:
            problem = "is given twice"
        if problem:
            raise PluginError(f"metric {metric.name}: {measure.name} {problem}")
        names.add(measure.name)
    return measures


def has_picture(evidence: Evidence, role: str) -> np.ndarray:
    """Which trials have a picture of that role: bool [n].

    Some speakers have no second photograph, and some protocols have no training speakers.
    """
    column = role.replace("-", "_")
    if column in ("real_photo", "random_face"):
        return evidence.trials[column].ne("").to_numpy()
    if role in FILM_ROLES:
        return (
            ~np.isnan(evidence.seen[role]).all(axis=1)
            if role in evidence.seen
            else np.zeros(len(evidence.trials), bool)
        )
    if role == "mean-face-of-sex":
        return ~np.isnan(evidence.seen[role]).all(axis=1)
    return np.ones(len(evidence.trials), bool)


def _problem(metric: Metric, measure: Measure, trials: int) -> str:
    """What is wrong with a measure, or ""."""
    if measure.name != metric.name and not measure.name.startswith(f"{metric.name}/"):
        return f"must be called {metric.name}, or {metric.name}/ and a part"
    if measure.better not in BETTER:
        return f"says that better is {measure.better!r}, not {', '.join(BETTER)}"
    if measure.aggregate not in get_args(Aggregate):
        return f"has the aggregate {measure.aggregate!r}, not {', '.join(get_args(Aggregate))}"
    for what, role in (("floor", measure.floor or metric.floor), ("ceiling", metric.ceiling)):
        if role not in (*ROLES, *FILM_ROLES) and (role or what == "ceiling"):
            return f"has the {what} {role!r}, which is no role; roles are: {', '.join((*ROLES, *FILM_ROLES))}"
    if (measure.values is None) == (measure.statistic is None):
        return "must have either values or a statistic"
    for what, array in (("values", measure.values), ("covers", measure.covers)):
        if array is not None and np.shape(array) != (trials,):
            return f"has {what} of shape {np.shape(array)}, not one a trial, [{trials}]"
    if measure.values is not None and not np.issubdtype(measure.values.dtype, np.number):
        return f"has values of type {measure.values.dtype}, not numbers"
    if measure.values is not None and np.isinf(measure.values).any():
        return "has infinite values; a trial without a value has NaN"
    if measure.chance is not None and not np.isfinite(measure.chance):
        return f"has the chance level {measure.chance}"
    try:
        msgspec.json.encode(measure.details)
    except (TypeError, ValueError) as error:
        return f"has details that cannot be written as JSON ({error})"
    return ""


def _bound(metric: Metric, role: str, name: str, case: Case, judges: Judges) -> float | None:
    """The value of the measure `name` for the faces of `role`, on the applicable trials that have such a picture."""
    if role not in case.evidence.seen:
        return None
    trials = case.applicable & has_picture(case.evidence, role)
    # Of some roles each run has its own: a method's films with other voices.
    rows = hashlib.sha256(case.evidence.seen[role].tobytes()).hexdigest()
    key = (metric.name, case.evidence.source, role, rows, trials.tobytes())
    if key not in judges.bound_cache:
        judges.bound_cache[key] = {}
        if trials.any():
            evidence = case.with_role_as_generated(role, trials)
            measures = checked(metric, metric.measure(evidence), evidence)
            judges.bound_cache[key] = {measure.name: value_of(measure, len(evidence.trials)) for measure in measures}
    return judges.bound_cache[key].get(name)
