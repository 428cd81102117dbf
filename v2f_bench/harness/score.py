"""Score: every metric of the track on the faces of a folder, each number with its interval, floor and ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd

from v2f_bench.artefacts import Faces, read_faces
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.circumstances import circumstances
from v2f_bench.harness.containment import (
    PLUGIN_EXCEPTIONS,
    failure_reason,
    in_words,
    process_state_kept,
    reraise_disk_error,
)
from v2f_bench.harness.face_check import without_a_face
from v2f_bench.harness.film_views import NO_FILMS, ReadyFilmJudge
from v2f_bench.harness.independence import IndependenceFacts
from v2f_bench.harness.judges import Judges
from v2f_bench.harness.results import Case, Measured, results_of
from v2f_bench.harness.stage import stage
from v2f_bench.harness.views import ReadyJudge, outputs
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import BenchError, Evidence, Metric, Progress
from v2f_bench.keys import scores_key
from v2f_bench.record import INFLUENCE, TRIALS, MissingJudge, Result, Unavailable, column_name
from v2f_bench.sources import source_key

SCORES = "scores"
RESULTS = "results.json"


@dataclass(frozen=True, eq=False)
class FacesToScore:
    """The faces of one run, and what else decides what they score."""

    faces: Faces
    key: str  # hash of the pictures, or of all that they were made from
    applicable: np.ndarray  # the trials that should have a face: bool [n]
    trained_with: Sequence[str] = ()  # as `Method.trained_with`


@dataclass(frozen=True)
class Scores:
    """The numbers of all metrics of the track. `trials.parquet` and `influence.parquet` are in `folder` (see
    `record/files.py`)."""

    folder: Path
    results: list[Result]
    unavailable: list[Unavailable]
    crashed: list[MissingJudge]  # judges that failed on these faces
    unasked: list[str]  # judges of films, by name, where there is none
    failures: dict[str, int]  # how many applicable trials have no face that can be judged, by reason


class _Stored(msgspec.Struct):
    """`results.json`: the fields of `Scores`."""

    results: list[Result]
    unavailable: list[Unavailable]
    crashed: list[MissingJudge]
    unasked: list[str]
    failures: dict[str, int]


@dataclass(frozen=True)
class _JudgedFaces:
    """What the judges gave for the faces of a run."""

    cases: list[Case]  # one a judge
    failures: dict[str, str]  # why a trial has no face that can be judged, by trial
    crashed: list[MissingJudge]
    unasked: list[MissingJudge]  # judges of films, where there is none


def score(made: FacesToScore, output: Path, bench: Bench, judges: Judges, workplace: Workplace) -> Scores:
    """The scores of the faces, computed unless they are stored already, in a folder of their own below
    `output`/scores."""
    key = scores_key(
        made.key,
        [(ready.judge.name, ready.key) for ready in judges.ready],
        judges.missing,
        [(plugin.name, plugin.version, source_key(plugin.cls)) for plugin in judges.metrics],
        made.applicable.tolist(),
        IndependenceFacts.of(bench, made.trained_with),
    )
    # Named by the key, since two processes may score the same faces by different judges at the same time.
    folder = output / SCORES / key[:8]

    def make(unfinished: Path) -> None:
        judged = _judge_faces(made, bench, judges, workplace)
        measured, unavailable = _measure(judged, judges, workplace.progress)
        trials = _trial_table(made, judged, measured, bench)
        trials.to_parquet(unfinished / TRIALS, index=False)
        _influence_table(measured, bench).to_parquet(unfinished / INFLUENCE, index=False)
        failures = {reason: int(n) for reason, n in trials["failure"].value_counts().items() if reason}
        unasked = [one.name for one in judged.unasked]
        stored = _Stored([one.result for one in measured], unavailable, judged.crashed, unasked, failures)
        (unfinished / RESULTS).write_bytes(msgspec.json.encode(stored))

    stage(folder, key, make, facts=circumstances(workplace.device), progress=workplace.progress)
    stored = msgspec.json.decode((folder / RESULTS).read_bytes(), type=_Stored)
    return Scores(folder, stored.results, stored.unavailable, stored.crashed, stored.unasked, stored.failures)


def _judge_faces(made: FacesToScore, bench: Bench, judges: Judges, workplace: Workplace) -> _JudgedFaces:
    """Show every face to every judge. A judge that crashes is left out; a detector that crashes ends the scoring."""
    trials, progress = list(bench.trials["trial"]), workplace.progress
    working = [ready for ready in judges.ready if not isinstance(ready, ReadyFilmJudge)]
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
                    crashed.append(_crashed(ready, error, judges))
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
    unasked = []
    for ready in judges.ready:
        if not isinstance(ready, ReadyFilmJudge):
            continue
        try:
            with process_state_kept():
                of_films = ready.film_evidence(bench, made.faces, workplace)
        except PLUGIN_EXCEPTIONS as error:
            crashed.append(_crashed(ready, error, judges))
            progress.line(f"judge {ready.judge.name} left out: {crashed[-1].reason}")
            continue
        if of_films is None:
            unasked.append(MissingJudge(ready.judge.name, ready.judge.kind, NO_FILMS))
        else:
            cases.append(Case(of_films, made.applicable))
    return _JudgedFaces(cases, failures, crashed, unasked)


def _crashed(ready: ReadyJudge, error: BaseException, judges: Judges) -> MissingJudge:
    """A judge that crashed on the faces. BenchError for the detector: all other numbers depend on it."""
    reraise_disk_error(error)
    if ready is judges.detector:
        raise BenchError(f"the face check by {ready.judge.name} crashed: {in_words(error)}") from error
    return MissingJudge(ready.judge.name, ready.judge.kind, f"crashed: {in_words(error)}")


def _stacked(pieces: list[np.ndarray]) -> np.ndarray:
    """One array [n, D]. A batch without a single face is [n, 1], since its D is not known; it becomes NaN [n, D]."""
    width = max(piece.shape[1] for piece in pieces)
    known = [p if p.shape[1] == width else np.full((len(p), width), np.nan, np.float32) for p in pieces]
    return np.concatenate(known)


def _measure(judged: _JudgedFaces, judges: Judges, progress: Progress) -> tuple[list[Measured], list[Unavailable]]:
    """The results of every metric by every judge of its kinds, and the metrics that have none, with the reason."""
    measured: list[Measured] = []
    unavailable: list[Unavailable] = []
    with progress.bar("score", len(judges.metrics)) as bar:
        for plugin in judges.metrics:
            if reason := _no_judge(plugin.cls, judges, judged):
                unavailable.append(Unavailable(plugin.name, plugin.name, None, reason))
            for case in judged.cases:
                if case.evidence.kind not in plugin.cls.judged_by:
                    continue
                source = case.evidence.source
                try:
                    with process_state_kept():
                        measured += results_of(plugin.cls(), case, judges)
                except PLUGIN_EXCEPTIONS as error:  # only this metric's numbers by this judge are lost
                    reason = failure_reason(error)
                    progress.line(f"metric {plugin.name} by {source}: {reason}")
                    unavailable.append(Unavailable(plugin.name, plugin.name, source, reason))
            bar.advance()
    return measured, unavailable


def _no_judge(metric: type[Metric], judges: Judges, judged: _JudgedFaces) -> str:
    """Why a metric has no judge at all; "" where it has one."""
    if any(judge.kind in metric.judged_by for judge in judged.unasked):
        return NO_FILMS
    lost = {judge.name for judge in judged.crashed}
    if any(ready.judge.kind in metric.judged_by and ready.judge.name not in lost for ready in judges.ready):
        return ""
    missing = [*judges.missing, *judged.crashed]
    reasons = [f"{judge.name}: {judge.reason}" for judge in missing if judge.kind in metric.judged_by]
    return "; ".join(reasons) or f"no judge of kind {' or '.join(metric.judged_by)}"


def _trial_table(made: FacesToScore, judged: _JudgedFaces, measured: list[Measured], bench: Bench) -> pd.DataFrame:
    """`trials.parquet`: the trials, whether and why each has no face that can be judged, and the values of measures."""
    table = bench.trials.assign(applicable=made.applicable)
    reasons = [judged.failures.get(trial, "") for trial in table["trial"]]
    table["failure"] = np.where(made.applicable, reasons, "")
    values = {_column(one): one.values for one in measured if one.values is not None}
    return pd.concat([table, pd.DataFrame(values, index=table.index)], axis=1)


def _influence_table(measured: list[Measured], bench: Bench) -> pd.DataFrame:
    """`influence.parquet`: the speakers, and the influence of each on the measures without values of single trials."""
    table = pd.DataFrame({"speaker": sorted(set(bench.trials["speaker"]))})
    for one in measured:
        if one.values is None and one.number.influence is not None:
            by_speaker = pd.Series(one.number.influence, index=one.number.speakers)
            table[_column(one)] = by_speaker.reindex(table["speaker"], fill_value=0.0).to_numpy()
    return table


def _column(measured: Measured) -> str:
    return column_name(measured.result.measure, measured.result.judge)
