"""A run's faces scored once more: the only check that finds values which were changed together with the record."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from v2f_bench.artefacts import Faces
from v2f_bench.harness.circumstances import circumstances
from v2f_bench.harness.face_check import find_detector
from v2f_bench.harness.independence import IndependenceFacts, independence
from v2f_bench.harness.judges import load_judges
from v2f_bench.harness.opening import candidates, chosen_metrics
from v2f_bench.harness.reopen import reopen
from v2f_bench.harness.score import SCORES, FacesToScore, score
from v2f_bench.harness.spec import BenchSpec
from v2f_bench.harness.trials import applicable
from v2f_bench.harness.workplace import Workplace, set_threads
from v2f_bench.interfaces import DataError, Progress
from v2f_bench.plugins import registry
from v2f_bench.record import Record, column_name, read_trials
from v2f_bench.validation.values import same

NAMED = 3  # trials in a message
# Judges compute in float32: another processor gives other last digits. Of a number between 0 and 1; a face that was
# exchanged moves its trial's values by hundreds of times as much.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Rescored:
    """What differs, how many numbers agree or not, and what could not be compared, each with the reason."""

    problems: list[str]
    compared: int
    not_compared: list[str]


def rescore(folder: Path, record: Record, faces: Faces, data_root: Path | None, progress: Progress) -> Rescored:
    """Score the faces as the record says that they were scored, and hold every number against it.

    Raises:
        BenchError: the data set, its protocol or the detector cannot be had here as the record has them.
    """
    facts = record.circumstances.get(SCORES)
    set_threads(facts.threads if facts and facts.threads else None)
    bench = reopen(folder, record, data_root, progress)
    detector, face_check = find_detector(registry(), "cpu", progress)
    if face_check != record.protocol.face_check:
        raise DataError(f"the face check here is {face_check}, that of the record {record.protocol.face_check}")
    bench = replace(bench, detector=detector)
    spec = BenchSpec(record.dataset.name, record.dataset.options, track=record.protocol.track)
    names = {judge.name for judge in record.judges}
    wanted = [candidate for candidate in candidates(spec) if candidate.name in names]
    metrics = chosen_metrics((), record.protocol.track)
    with tempfile.TemporaryDirectory() as unfinished:
        workplace = Workplace(output=Path(unfinished), progress=progress)
        judges = load_judges(wanted, metrics, bench, workplace, fetch=False)
        applies = applicable(bench, frozenset(record.method.needs))
        to_score = FacesToScore(faces, record.run, applies, record.method.trained_with)
        scores = score(to_score, Path(unfinished), bench, judges, workplace)
        values = read_trials(scores.folder)
    problems, lost = _judges_differ(record, {one.judge.name: (one.judge.version, one.sha256) for one in judges.ready})
    independence_facts = IndependenceFacts.of(bench, record.method.trained_with)
    for one in judges.ready:
        stated = next(judge for judge in record.judges if judge.name == one.judge.name)
        computed = independence(one.judge, independence_facts)[0]
        if stated.independent is not computed:
            problems.append(f"judge {one.judge.name}: independent is {stated.independent}, here {computed}")
    again = {(one.measure, one.judge): one for one in scores.results if one.judge not in lost}
    compared, missing = 0, []
    for stated_result in record.results:
        key = stated_result.measure, stated_result.judge
        name = column_name(*key)
        if key not in again:
            missing.append(f"{name}: {lost.get(stated_result.judge, 'not computed here')}")
            continue
        compared += 1
        for field in ("value", "floor", "ceiling"):
            mine, theirs = getattr(again[key], field), getattr(stated_result, field)
            if not same(theirs, mine, TOLERANCE):
                problems.append(f"{name}: {field} is {theirs} in the record, {mine} from the faces")
    if scores.failures != record.failures:
        problems.append(
            f"faces that cannot be judged: {record.failures} in the record, {scores.failures} from the faces"
        )
    problems += _trials_differ(read_trials(folder), values, [column_name(*key) for key in again])
    return Rescored(problems, compared, missing)


def _judges_differ(record: Record, here: dict[str, tuple[str, str]]) -> tuple[list[str], dict[str, str]]:
    """Judges whose weights are others than those of the record, and those that cannot be held against it, with why.

    `here`: version and sha256 of each judge that is here.
    A judge that is trained here repeats itself on the same processor with the same torch and threads alone.
    """
    problems, lost = [], {}
    facts, now = record.circumstances.get(SCORES), circumstances("cpu")
    alike = facts is not None and all(getattr(facts, name) == now[name] for name in ("processor", "threads", "device"))
    alike = alike and facts is not None and facts.packages.get("torch") == now["packages"]["torch"]
    for judge in record.judges:
        if judge.name not in here:
            lost[judge.name] = "the judge is not here"
            continue
        version, sha256 = here[judge.name]
        if version != judge.version:
            lost[judge.name] = f"version {judge.version} of the judge in the record, {version} here"
        elif sha256 != judge.sha256:
            differ = f"weights {judge.sha256[:12]}… in the record, {sha256[:12]}… here"
            if alike:
                problems.append(f"judge {judge.name}: {differ}, trained on the same processor with the same torch")
            lost[judge.name] = f"{differ}; torch, threads or processor differ" if not alike else differ
    return problems, lost


def _trials_differ(stated: pd.DataFrame, computed: pd.DataFrame, columns: list[str]) -> list[str]:
    """Single trials whose values differ: means can agree by chance."""
    shared = [name for name in columns if name in stated and name in computed]
    computed = computed.reindex(stated.index)
    mine, theirs = (table[shared].to_numpy(float) for table in (computed, stated))
    apart = ~np.isclose(mine, theirs, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    rows = np.flatnonzero(apart.any(axis=1))
    if not len(rows):
        return []
    names = ", ".join(str(stated.index[row]) for row in rows[:NAMED])
    more = ", …" if len(rows) > NAMED else ""
    return [f"{len(rows)} of {len(stated)} trials have other values than their faces give: {names}{more}"]
