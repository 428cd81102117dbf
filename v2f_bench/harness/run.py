"""Run: a method on a bench, from fit to record; and the whole table of methods and seeds."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from v2f_bench.files import write_text_whole, write_whole
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.fit import CHECKPOINT, fit
from v2f_bench.harness.generate import FACES, generate
from v2f_bench.harness.judging import Jury
from v2f_bench.harness.plan import Plan
from v2f_bench.harness.recording import record_of
from v2f_bench.harness.score import SCORES, score
from v2f_bench.harness.sheet import write_sheet, write_variations
from v2f_bench.harness.stage import made_under
from v2f_bench.harness.workplace import Workplace
from v2f_bench.hashing import source_key
from v2f_bench.interfaces import BenchError, Method, NotAvailable
from v2f_bench.interfaces.values import ANSWERS
from v2f_bench.leaderboard.record import TRIALS, write_record

CRASH = "crash.txt"


@dataclass(frozen=True)
class Outcome:
    """What became of one plan: its folder and record, or why there is none."""

    plan: Plan
    folder: Path
    record: dict[str, Any] | None
    problem: str = ""
    unsuited: bool = False  # the data set cannot serve the method: no fault of either


def run_plans(
    plans: Iterable[Plan],
    bench: Bench,
    jury: Jury,
    workplace: Workplace,
) -> list[Outcome]:
    """Every plan in turn; one that fails leaves the others alone."""
    outcomes = []
    for plan in plans:
        folder = plan.folder(workplace.output)
        unmet = bench.unmet(plan.method, plan.needs)
        if unmet:
            outcomes.append(Outcome(plan, folder, None, unmet, unsuited=True))
            continue
        try:
            record = run_plan(plan, bench, jury, workplace)
            outcomes.append(Outcome(plan, folder, record))
        except NotAvailable as error:
            outcomes.append(Outcome(plan, folder, None, str(error), unsuited=True))
            continue
        except BenchError as error:
            outcomes.append(Outcome(plan, folder, None, str(error)))
        except OSError:
            raise  # a full disk is nobody's bug, and stops the others too
        except Exception as error:
            # A plugin's own bug: whatever it is, the other plans go on, and the trace is kept with the run.
            outcomes.append(Outcome(plan, folder, None, _crash_report(plan, folder, error)))
        if outcomes[-1].problem:
            workplace.progress.line(f"{plan.plugin.name} seed {plan.seed} failed: {outcomes[-1].problem}")
    return outcomes


def run_plan(
    plan: Plan,
    bench: Bench,
    jury: Jury,
    workplace: Workplace,
) -> dict[str, Any]:
    """Fit, generate, score and record one plan; whatever of it is already there is not done again."""
    folder = plan.folder(workplace.output)
    folder.mkdir(parents=True, exist_ok=True)
    write_text_whole(folder / "protocol.json", bench.protocol.to_json())
    method = fit(plan, bench, folder, workplace.progress)
    key = generate(method, plan, bench, folder, workplace.progress)
    write_sheet(folder, folder / FACES, bench)
    _write_variations(folder, method, plan, bench, workplace)
    posed = bench.posed(plan.needs)
    scores = score(
        folder / FACES, folder, key, bench, jury, posed, plan.method.trained_with, plan.device, workplace.progress
    )
    write_whole(folder / TRIALS, lambda path: path.write_bytes((folder / SCORES / TRIALS).read_bytes()))
    record = record_of(
        bench,
        jury,
        scores,
        run=plan.run_id,
        method={
            "name": plan.plugin.name,
            "distribution": plan.plugin.distribution,
            "version": plan.plugin.version,
            "source_hash": source_key(plan.method),
            "summary": plan.method.summary,
            "source": plan.method.source,
            "needs": sorted(plan.needs),
            "baseline": plan.method.baseline,
            "trained_with": list(plan.method.trained_with),
        },
        answers=sorted(plan.needs & set(ANSWERS)),
        options=plan.options_as_json(),
        preset=plan.preset,
        posed=int(posed.sum()),
        seed=plan.seed,
        circumstances={name: made_under(folder / name) for name in (CHECKPOINT, FACES, SCORES)},
    )
    write_record(folder, record)
    (folder / CRASH).unlink(missing_ok=True)
    return record


def _write_variations(folder: Path, method: Method, plan: Plan, bench: Bench, workplace: Workplace) -> None:
    """A bug in `vary` costs its sheet alone: mending it would be another version of the method, to be trained anew."""
    try:
        write_variations(folder, method, plan, bench)
    except OSError:
        raise
    except Exception as error:
        workplace.progress.line(f"{plan.plugin.name}: no sheet of variations: {type(error).__name__}: {error}")


def _crash_report(plan: Plan, folder: Path, error: Exception) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    trace = folder / CRASH
    trace.write_text("".join(traceback.format_exception(error)))
    return f"{plan.plugin.name} crashed: {type(error).__name__}: {error} (trace in {trace})"
