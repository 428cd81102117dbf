"""Run: one method with one seed on a bench, from training to the record."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path

from v2f_bench.artefacts import FACES, Faces
from v2f_bench.files import write_text_whole
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.containment import PLUGIN_EXCEPTIONS, in_words, reraise_disk_error
from v2f_bench.harness.fit import CHECKPOINT, facts_of, fit
from v2f_bench.harness.generate import generate
from v2f_bench.harness.judges import Judges
from v2f_bench.harness.plan import Plan
from v2f_bench.harness.recording import Made, score_and_record
from v2f_bench.harness.score import FacesToScore
from v2f_bench.harness.sheet import write_variations
from v2f_bench.harness.spec import RunSpec
from v2f_bench.harness.trials import applicable, offer
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import BenchError, Method
from v2f_bench.interfaces.values import ANSWERS
from v2f_bench.record import MethodFacts, Record

CRASH = "crash.txt"
SPEC = "spec.json"


@dataclass(frozen=True)
class Outcome:
    """How a run ended: with a record, or with the problem that left it without one, or without a wanted judge.

    It holds plain values only, so that a run may be carried out by another process.
    """

    spec: RunSpec
    folder: Path
    record: Record | None
    problem: str = ""
    unsuited: bool = False  # the method needs what the data set does not have: not counted as a failure


def attempt(plan: Plan, bench: Bench, judges: Judges, workplace: Workplace) -> Outcome:
    """Carry out a plan. An error, unless it is one of the disk, ends this run alone: it is returned, not raised."""
    folder = plan.folder(workplace.output)
    try:
        if unsuited := plan.method.unsuited(plan.options, offer(bench)):
            return Outcome(plan.spec, folder, None, unsuited, unsuited=True)
        record = run_plan(plan, bench, judges, workplace)
    except BenchError as error:
        return Outcome(plan.spec, folder, None, str(error))
    except PLUGIN_EXCEPTIONS as error:
        reraise_disk_error(error)
        return Outcome(plan.spec, folder, None, _crash_report(plan, folder, error))
    lost = [one for one in record.judges_missing if one.name in judges.wanted]
    return Outcome(plan.spec, folder, record, "; ".join(f"judge {one.name}: {one.reason}" for one in lost))


def run_plan(plan: Plan, bench: Bench, judges: Judges, workplace: Workplace) -> Record:
    """Fit, generate, score and record one plan. Stages that are finished already are not repeated."""
    folder = plan.folder(workplace.output)
    folder.mkdir(parents=True, exist_ok=True)
    write_text_whole(folder / SPEC, plan.spec.to_json())
    method = fit(plan, bench, folder, workplace.progress)
    generate(method, plan, bench, folder, workplace.progress)
    _write_variations(folder, method, plan, bench, workplace)
    made = Made(
        run=plan.run_id,
        method=MethodFacts(
            name=plan.plugin.name,
            distribution=plan.plugin.distribution,
            version=plan.plugin.version,
            source_hash=plan.source,
            summary=plan.method.summary,
            source=plan.method.source,
            needs=sorted(plan.needs),
            baseline=plan.method.baseline,
            trained_with=list(plan.method.trained_with),
        ),
        answers=sorted(plan.needs & set(ANSWERS)),
        options=plan.options_as_json(),
        preset=plan.spec.preset,
        seed=plan.seed,
        stages={name: folder / name for name in (CHECKPOINT, FACES)},
        facts=facts_of(folder / CHECKPOINT),
    )
    applies = applicable(bench, plan.needs)
    to_score = FacesToScore(Faces.of(folder / FACES), plan.faces_key, applies, plan.method.trained_with)
    record = score_and_record(folder, made, to_score, bench, judges, workplace)
    (folder / CRASH).unlink(missing_ok=True)
    return record


def _write_variations(folder: Path, method: Method, plan: Plan, bench: Bench, workplace: Workplace) -> None:
    """Draw the variations. A bug in `vary` costs only these sheets: a mended method would have to be trained anew."""
    try:
        write_variations(folder, method, plan, bench)
    except PLUGIN_EXCEPTIONS as error:
        reraise_disk_error(error)
        workplace.progress.line(f"{plan.plugin.name}: no sheet of variations: {in_words(error)}")


def _crash_report(plan: Plan, folder: Path, error: BaseException) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    trace = folder / CRASH
    trace.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return f"{plan.plugin.name} crashed: {in_words(error)} (trace in {trace})"
