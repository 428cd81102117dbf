"""Carry out run specs in this process: what several of them share is opened once."""

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
    """Carry out every spec in turn; one that fails leaves the others alone.

    Args:
        measures: metrics, or single measures of them, of which numbers are wanted: where none would come, that is said
            before anything is trained.

    Raises:
        UsageError: there would be no number of one of `measures`.
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
    """UsageError for a measure that its metric will not give a number for, with the judges that are here."""
    for measure in measures:
        metric = registry().find("metric", measure.partition("/")[0])
        kinds = metric.cls.judged_by
        if not any(ready.judge.kind in kinds for ready in judges.ready):
            lacking = f"no judge of {' or '.join(kinds)} is here; `v2f-bench weights list` tells why"
            raise UsageError(f"--measure {measure}: {lacking}")
        names = measure_names(metric.cls(), judges, bench)
        if not names:
            raise UsageError(f"--measure {measure}: {metric.name} finds nothing to measure in {bench.protocol.name}")
        if measure not in (metric.name, *names):
            hint = did_you_mean(measure, names)
            raise UsageError(f"there is no measure {measure!r}{hint} There is: {', '.join(names)}.")
