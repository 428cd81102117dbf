"""Carry out run specs in this process. Specs that share a bench open it once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from v2f_bench.harness.bench import Bench
from v2f_bench.harness.judges import Judges
from v2f_bench.harness.opening import open_bench, open_judges, open_plan, open_workplace
from v2f_bench.harness.results import measure_names
from v2f_bench.harness.run import Outcome, attempt
from v2f_bench.harness.spec import RunSpec
from v2f_bench.interfaces import Progress, UsageError
from v2f_bench.interfaces.options import did_you_mean
from v2f_bench.plugins import registry


def execute(specs: Iterable[RunSpec], progress: Progress, measures: Sequence[str] = ()) -> list[Outcome]:
    """Carry out every spec in turn. If one fails, the others are still carried out.

    Args:
        measures: metrics, or single measures of them, that the caller wants to show. It is checked before any training
            that they can be computed.

    Raises:
        UsageError: one of `measures` cannot be computed.
    """
    outcomes: list[Outcome] = []
    for (bench_spec, place), together in groupby(specs, key=lambda spec: (spec.bench, spec.place)):
        workplace = open_workplace(place, progress)
        bench = open_bench(bench_spec, workplace)
        judges = open_judges(bench_spec, bench, workplace)
        _check_measures(measures, bench, judges)
        for spec in together:
            outcome = attempt(open_plan(spec, bench, workplace), bench, judges, workplace)
            outcomes.append(outcome)
            if outcome.problem and not outcome.unsuited:
                progress.line(f"{spec.method} seed {spec.seed} failed: {outcome.problem}")
    return outcomes


def _check_measures(measures: Sequence[str], bench: Bench, judges: Judges) -> None:
    """UsageError for a measure that cannot be computed on the bench with the judges that are available."""
    for measure in measures:
        metric = registry().find("metric", measure.partition("/")[0])
        kinds = metric.cls.judged_by
        if not any(ready.judge.kind in kinds for ready in judges.ready):
            no_judge = f"no judge of kind {' or '.join(kinds)} is available"
            raise UsageError(f"measure {measure}: {no_judge}; `v2f-bench weights list` shows why")
        names = measure_names(metric.cls(), judges, bench)
        if not names:
            raise UsageError(f"measure {measure}: {metric.name} has nothing to measure in {bench.protocol.name}")
        if measure not in (metric.name, *names):
            hint = did_you_mean(measure, names)
            raise UsageError(f"there is no measure {measure!r}{hint} There is: {', '.join(names)}.")
