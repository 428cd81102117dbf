"""The record: one JSON file that is the run, and the one place that says what each of its keys means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from v2f_bench.files import write_text_whole
from v2f_bench.interfaces import BenchError

SCHEMA = 1
RECORD = "record.json"
TRIALS = "trials.parquet"  # beside it: one row a trial

KEYS = {
    "schema": "version of this layout",
    "run": "run id: the seed, and the first digits of the key of method, options, protocol, data and seed",
    "method": "name, distribution, version, source hash, summary, source (publication), needs, baseline, trained_with",
    "answers": "which of the method's needs only the true answer could give; its results are no achievement",
    "options": "every option of the method, as run",
    "preset": "the preset that the options started from",
    "dataset": "name, version, options, label map, licence, consent terms, how often people recognise its emotions, "
    "clips used and left out, sha256 of its content as read",
    "protocol": "name, track, hash, sample rate, resolution, and how many speakers and clips each split has",
    "posed": "how many trials bring all that the method needs",
    "seed": "the run's seed",
    "judges": "each judge that scored: version, sha256 of its weights, training people, its own quality",
    "judges_missing": "each judge that could not be had, and why",
    "failures": "how many trials have no face that can be judged, for each reason",
    "results": "one entry a measure; its keys below",
    "circumstances": "of each stage: versions, commit and hardware where it was done, its time and memory",
}
RESULT_KEYS = {
    "metric": "the metric plugin",
    "measure": "the number's name",
    "judge": "the judge it rests on; None where none could be had",
    "judge_version": "that judge's version",
    "judge_sha256": "hash of that judge's weights",
    "judge_quality": "that judge's own quality on real faces of test speakers",
    "independent": "whether the judge had no part in the method's training and met no test speaker; None: not known",
    "not_independent_because": "the reason, where `independent` is not True",
    "value": "the number; None where it is not defined",
    "low": "lower end of the 95 % interval, bootstrap over speakers",
    "high": "upper end",
    "n": "trials that the number rests on, faces that failed by policy included",
    "expected": "trials of the protocol",
    "failed": "trials whose face is missing or could not be judged",
    "speakers": "test speakers",
    "floor": "what blind guessing scores on the same trials",
    "floor_is": "`chance` where it is known exactly, else the blind answer that was scored",
    "ceiling": "what the answer in ceiling_is scores on the same trials",
    "ceiling_is": "the answer that was scored",
    "ceiling_n": "trials that the ceiling rests on: those for which there is such a face",
    "aggregate": "how the per-trial values make one number: mean or median; None for a statistic of the whole",
    "better": "higher, lower or neither",
    "unit": "unit of the number",
    "failure_policy": "what a failed face costs",
    "headline": "whether it stands in short tables",
    "slices": "the number by group of trials (sex, age, ...): value, interval, n, speakers; `small`: few speakers",
    "details": "more than a number, by measure: a confusion matrix, say",
    "unavailable": "why there is no number; None where there is one",
}
UNAVAILABLE_KEYS = ("metric", "measure", "judge", "unavailable")  # of a result without a number


def column_name(measure: str, judge: str) -> str:
    """The column of `trials.parquet` with the per-trial values of a measure by a judge."""
    return f"{measure} @ {judge}"


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """`folder`/record.json; the keys must be those of this file."""
    unexplained = (set(record) ^ set(KEYS)).union(*(set(result) - set(RESULT_KEYS) for result in record["results"]))
    if unexplained:
        raise BenchError(f"record: keys missing from it or from the schema: {', '.join(sorted(unexplained))}")
    write_text_whole(folder / RECORD, json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_record(folder: Path) -> dict[str, Any]:
    """The record of a run. BenchError where there is none, or of another schema."""
    path = folder / RECORD
    try:
        record: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        raise BenchError(f"{folder}: no finished run here (no {RECORD})") from None
    except ValueError as error:
        raise BenchError(f"{path}: not readable ({error})") from None
    schema = record.get("schema") if isinstance(record, dict) else None
    if schema != SCHEMA:
        raise BenchError(f"{path}: schema {schema}; this version reads {SCHEMA}")
    if missing := [key for key in KEYS if key not in record]:
        raise BenchError(f"{path}: damaged: it has no {', '.join(missing)}")
    for result in record["results"]:
        wanted = UNAVAILABLE_KEYS if result.get("unavailable") else RESULT_KEYS
        if missing := [key for key in wanted if key not in result]:
            raise BenchError(f"{path}: damaged: a result has no {', '.join(missing)}")
    return record


def find_records(root: Path) -> list[Path]:
    """The folders of the finished runs below `root`, sorted."""
    return sorted(path.parent for path in root.rglob(RECORD))
