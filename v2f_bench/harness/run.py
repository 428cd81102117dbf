"""Run: a method on a bench, from fit to record; and the whole table of methods and seeds."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from v2f_bench.harness.bench import Bench
from v2f_bench.harness.circumstances import circumstances
from v2f_bench.harness.fit import CHECKPOINT, fit
from v2f_bench.harness.generate import FACES, generate
from v2f_bench.harness.judging import Jury
from v2f_bench.harness.plan import Plan
from v2f_bench.harness.record import SCHEMA, write_record
from v2f_bench.harness.score import SCORES, TRIALS, score
from v2f_bench.harness.sheet import write_sheet
from v2f_bench.harness.stage import read_marker, write_text_whole, write_whole
from v2f_bench.harness.workplace import Workplace
from v2f_bench.hashing import source_key
from v2f_bench.interfaces import BenchError, NotAvailable
from v2f_bench.interfaces.values import ANSWERS

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
    plans: Iterable[tuple[Plan, str]],
    bench: Bench,
    jury: Jury,
    workplace: Workplace,
) -> list[Outcome]:
    """Every plan (with the name of its preset) in turn; one that fails leaves the others alone."""
    outcomes = []
    for plan, preset in plans:
        folder = plan.folder(workplace.output)
        unmet = bench.unmet(plan.method)
        if unmet:
            outcomes.append(Outcome(plan, folder, None, unmet, unsuited=True))
            continue
        try:
            record = run_plan(plan, preset, bench, jury, workplace)
            outcomes.append(Outcome(plan, folder, record))
        except NotAvailable as error:
            outcomes.append(Outcome(plan, folder, None, str(error), unsuited=True))
            continue
        except BenchError as error:
            outcomes.append(Outcome(plan, folder, None, str(error)))
        except Exception as error:
            # A plugin's own bug: whatever it is, the other plans go on, and the trace is kept with the run.
            outcomes.append(Outcome(plan, folder, None, _crash_report(plan, folder, error)))
        if outcomes[-1].problem:
            workplace.progress.line(f"{plan.plugin.name} seed {plan.seed} failed: {outcomes[-1].problem}")
    return outcomes


def run_plan(
    plan: Plan,
    preset: str,
    bench: Bench,
    jury: Jury,
    workplace: Workplace,
) -> dict[str, Any]:
    """Fit, generate, score and record one plan; whatever of it is already there is not done again."""
    folder = plan.folder(workplace.output)
    folder.mkdir(parents=True, exist_ok=True)
    write_text_whole(folder / "protocol.json", bench.protocol.to_json())
    method = fit(plan, bench, folder, workplace.device, workplace.progress)
    key = generate(method, plan, bench, folder, workplace.device, workplace.progress)
    write_sheet(folder, folder / FACES, bench)
    posed = bench.posed(plan.method)
    scores = score(folder / FACES, folder, key, bench, jury, posed, plan.method.trained_with, workplace.progress)
    write_whole(folder / TRIALS, lambda path: path.write_bytes((folder / SCORES / TRIALS).read_bytes()))
    record = _record(plan, preset, bench, jury, scores, folder, workplace.device)
    write_record(folder, record)
    (folder / CRASH).unlink(missing_ok=True)
    return record


def _record(
    plan: Plan,
    preset: str,
    bench: Bench,
    jury: Jury,
    scores: dict[str, Any],
    folder: Path,
    device: str,
) -> dict[str, Any]:
    method, protocol, clips = plan.method, bench.protocol, bench.store.clips
    return {
        "schema": SCHEMA,
        "run": plan.run_id,
        "method": {
            "name": plan.plugin.name,
            "distribution": plan.plugin.distribution,
            "version": plan.plugin.version,
            "source_hash": source_key(method),
            "summary": method.summary,
            "source": method.source,
            "needs": sorted(method.needs),
            "baseline": method.baseline,
            "trained_with": list(method.trained_with),
        },
        "answers": sorted(set(method.needs) & set(ANSWERS)),
        "options": plan.options_as_json(),
        "preset": preset,
        "dataset": {
            **protocol.dataset,
            "licence": bench.dataset.card.licence,
            "consent": bench.dataset.card.consent,
            "clips": len(clips),
            "left_out": len(bench.store.left_out),
        },
        "protocol": {
            "name": protocol.name,
            "track": protocol.track,
            "hash": protocol.hash,
            "sample_rate": protocol.sample_rate,
            "resolution": protocol.resolution,
            "gallery": len(protocol.gallery),
            "trials": len(protocol.trials),
            "splits": {
                split: {"clips": len(names), "speakers": int(clips.loc[names, "speaker"].nunique())}
                for split, names in protocol.splits.items()
            },
        },
        "posed": int(bench.posed(method).sum()),
        "seed": plan.seed,
        "judges": [
            {
                "name": ready.judge.name,
                "version": ready.judge.version,
                "kind": ready.judge.kind,
                "sha256": ready.sha256,
                "people": ready.judge.people,
                "licence": ready.judge.licence,
                "quality": ready.quality,
            }
            for ready in jury.judges
        ],
        "judges_missing": jury.missing,
        "failures": scores["failures"],
        "results": scores["results"],
        "circumstances": {
            **circumstances(device),
            "stages": {
                name: {key: value for key, value in read_marker(folder / name).items() if key != "key"}
                for name in (CHECKPOINT, FACES, SCORES)
            },
        },
    }


def _crash_report(plan: Plan, folder: Path, error: Exception) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    trace = folder / CRASH
    trace.write_text("".join(traceback.format_exception(error)))
    return f"{plan.plugin.name} crashed: {type(error).__name__}: {error} (trace in {trace})"
