"""Score: every metric of the track on the faces of a folder, each number with its interval, floor and ceiling."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd

from v2f_bench.artefacts import Faces, read_faces
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.circumstances import circumstances
from v2f_bench.harness.containment import PLUGIN_EXCEPTIONS, in_words, process_state_kept, reraise_disk_error
from v2f_bench.harness.face_check import without_a_face
from v2f_bench.harness.independence import IndependenceFacts
from v2f_bench.harness.judges import Judges
from v2f_bench.harness.results import Case, results_of
from v2f_bench.harness.stage import stage
from v2f_bench.harness.views import outputs
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import BenchError, Evidence, Metric, Progress
from v2f_bench.keys import scores_key
from v2f_bench.record import INFLUENCE, TRIALS, MissingJudge, Result, Unavailable, column_name
from v2f_bench.sources import source_key

SCORES = "scores"
RESULTS = "results.json"


@dataclass(frozen=True, eq=False)
class FacesToScore:
    """Pictures, and what their numbers depend on besides the judges."""

    faces: Faces
    key: str  # hash of the pictures
    applicable: np.ndarray  # which trials there should be a picture for: bool [n]
    ties: IndependenceFacts


@dataclass(frozen=True)
class Scores:
    """What all metrics of the track say. `trials.parquet` and `influence.parquet` lie in `folder` (see `record/`)."""

    folder: Path
    results: list[Result]
    unavailable: list[Unavailable]
    crashed: list[MissingJudge]  # judges that could not judge these faces
    failures: dict[str, int]  # how many applicable trials have no face that can be judged, by reason


class _Kept(msgspec.Struct):
    results: list[Result]
    unavailable: list[Unavailable]
    crashed: list[MissingJudge]
    failures: dict[str, int]


def score(made: FacesToScore, output: Path, bench: Bench, judges: Judges, workplace: Workplace) -> Scores:
    """Score the faces, or find them scored, in a folder of their own below `output`/scores."""
    key = scores_key(
        made.key,
        [(ready.judge.name, ready.key) for ready in judges.ready],
        judges.missing,
        [(plugin.name, plugin.version, source_key(plugin.cls)) for plugin in judges.metrics],
        made.applicable.tolist(),
        made.ties,
    )
    folder = output / SCORES / key[:8]  # two processes may score the same faces by different judges

    def make(unfinished: Path) -> None:
        cases, failures, crashed = _cases(made, bench, judges, workplace.progress)
        table = bench.trials.assign(applicable=made.applicable)
        reasons = [failures.get(trial, "") for trial in table["trial"]]
        table["failure"] = np.where(made.applicable, reasons, "")
        influence = pd.DataFrame({"speaker": sorted(set(table["speaker"]))})
        results: list[Result] = []
        unavailable: list[Unavailable] = []
        columns: dict[str, np.ndarray] = {}
        with workplace.progress.bar("score", len(judges.metrics)) as bar:
            for plugin in judges.metrics:
                lacking = _without_a_judge(plugin.cls, judges, crashed)
                unavailable += [lacking] if lacking else []
                for case in cases:
                    if case.evidence.kind not in plugin.cls.judged_by:
                        continue
                    try:
                        with process_state_kept():
                            measured = results_of(plugin.cls(), case, judges)
                    except PLUGIN_EXCEPTIONS as error:  # they cost this metric's numbers alone
                        reraise_disk_error(error)
                        reason = str(error) if isinstance(error, BenchError) else f"crashed: {in_words(error)}"
                        workplace.progress.line(f"metric {plugin.name} by {case.evidence.source}: {reason}")
                        unavailable.append(Unavailable(plugin.name, plugin.name, case.evidence.source, reason))
                        continue
                    for one in measured:
                        results.append(one.result)
                        column = column_name(one.result.measure, one.result.judge)
                        if one.values is not None:
                            columns[column] = one.values
                        elif one.number.influence is not None:
                            by_speaker = pd.Series(one.number.influence, index=one.number.speakers)
                            influence[column] = by_speaker.reindex(influence["speaker"], fill_value=0.0).to_numpy()
                bar.advance()
        pd.concat([table, pd.DataFrame(columns, index=table.index)], axis=1).to_parquet(
            unfinished / TRIALS, index=False
        )
        influence.to_parquet(unfinished / INFLUENCE, index=False)
        counts = {reason: int(n) for reason, n in table["failure"].value_counts().items() if reason}
        kept = _Kept(results, unavailable, crashed, counts)
        (unfinished / RESULTS).write_bytes(msgspec.json.encode(kept))

    stage(folder, key, make, facts=circumstances(workplace.device), progress=workplace.progress)
    kept = msgspec.json.decode((folder / RESULTS).read_bytes(), type=_Kept)
    return Scores(folder, kept.results, kept.unavailable, kept.crashed, kept.failures)


def _without_a_judge(metric: type[Metric], judges: Judges, crashed: list[MissingJudge]) -> Unavailable | None:
    """Why a metric has no judge at all; None where it has one."""
    lost = {judge.name for judge in crashed}
    if any(ready.judge.kind in metric.judged_by and ready.judge.name not in lost for ready in judges.ready):
        return None
    reasons = [
        f"{judge.name}: {judge.reason}" for judge in [*judges.missing, *crashed] if judge.kind in metric.judged_by
    ]
    reason = "; ".join(reasons) or f"no judge of kind {' or '.join(metric.judged_by)}"
    return Unavailable(metric.name, metric.name, None, reason)


def _cases(
    made: FacesToScore, bench: Bench, judges: Judges, progress: Progress
) -> tuple[list[Case], dict[str, str], list[MissingJudge]]:
    """The evidence of every judge; why trials have no face that can be judged; and judges that crashed on the faces."""
    trials = list(bench.trials["trial"])
    working = list(judges.ready)
    if judges.detector is not None and judges.detector not in working:
        working.append(judges.detector)
    given: dict[str, list[np.ndarray]] = {ready.judge.name: [] for ready in working}
    failures: dict[str, str] = {}
    crashed: list[MissingJudge] = []
    with progress.bar("judge the faces", len(trials)) as bar:
        for names, pictures, why in read_faces(made.faces, trials, bench.protocol.resolution):
            failures |= why
            for ready in list(working):
                try:
                    with process_state_kept():
                        given[ready.judge.name].append(outputs(ready.judge, pictures))
                except PLUGIN_EXCEPTIONS as error:
                    reraise_disk_error(error)
                    if ready is judges.detector:
                        raise BenchError(f"the face check by {ready.judge.name} crashed: {in_words(error)}") from error
                    crashed.append(MissingJudge(ready.judge.name, ready.judge.kind, f"crashed: {in_words(error)}"))
                    progress.line(f"judge {ready.judge.name} left out: {crashed[-1].reason}")
                    working.remove(ready)
            bar.advance(len(names))
    evidence = {ready.judge.name: ready.evidence(bench, _stacked(given[ready.judge.name])) for ready in working}
    detected: Evidence | None = None
    if judges.detector is not None:
        detected = evidence[judges.detector.judge.name]
        for trial in np.array(trials)[without_a_face(detected) & made.applicable]:
            failures.setdefault(str(trial), f"no face found ({judges.detector.judge.name})")
    scoring = [ready for ready in working if ready in judges.ready]
    cases = [Case(evidence[ready.judge.name], made.applicable, detected) for ready in scoring]
    return cases, failures, crashed


def _stacked(pieces: list[np.ndarray]) -> np.ndarray:
    """One array [n, D]; a batch without a single face does not know D."""
    width = max(piece.shape[1] for piece in pieces)
    known = [p if p.shape[1] == width else np.full((len(p), width), np.nan, np.float32) for p in pieces]
    return np.concatenate(known)
