"""Score the faces of a run, and write its record with its tables, protocol and pictures."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from v2f_bench import __version__
from v2f_bench.files import write_text_whole, write_whole
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.confusion_picture import write_confusions
from v2f_bench.harness.independence import IndependenceFacts, independence
from v2f_bench.harness.judges import Judges
from v2f_bench.harness.score import SCORES, FacesToScore, Scores, score
from v2f_bench.harness.sheet import write_sheet
from v2f_bench.harness.stage import locked, made_under
from v2f_bench.harness.views import ReadyJudge
from v2f_bench.harness.workplace import Workplace
from v2f_bench.hashing import key_of
from v2f_bench.interfaces import BenchError, Fact, Progress
from v2f_bench.keys import LEARNING, SCORING
from v2f_bench.record import (
    INFLUENCE,
    SCHEMA,
    TRIALS,
    CoreFacts,
    DatasetFacts,
    HumanNumber,
    JudgeFacts,
    MethodFacts,
    ProtocolFacts,
    Record,
    SplitFacts,
    StageFacts,
    read_record,
    write_record,
)
from v2f_bench.sources import core_key, source_key

PROTOCOL = "protocol.json"


@dataclass(frozen=True)
class Made:
    """What made the faces: the part of a record that does not depend on bench, judges and scores."""

    run: str
    method: MethodFacts
    answers: list[str]
    options: dict[str, Any]
    preset: str
    seed: int
    stages: dict[str, Path] = field(default_factory=dict)  # folders of the stages before the scores, by name
    facts: list[Fact] = field(default_factory=list)


def score_and_record(
    folder: Path, made: Made, to_score: FacesToScore, bench: Bench, judges: Judges, workplace: Workplace
) -> Record:
    """Score the faces of a run. Into the run's folder go the contact sheet, the scores, and the record with its tables,
    protocol and confusion matrices.

    One process at a time writes the record with what belongs to it, since another one may score the same faces by other
    judges.
    """
    write_sheet(folder, to_score.faces, bench)
    scores = score(to_score, folder, bench, judges, workplace)
    record = _record(made, to_score, scores, bench, judges)
    with locked(folder / "record", workplace.progress):
        record = replace(record, human=_valid_human_numbers(folder, to_score.faces.content, workplace.progress))
        write_text_whole(folder / PROTOCOL, bench.protocol.to_json())
        for table in (TRIALS, INFLUENCE):
            write_whole(folder / table, partial(shutil.copyfile, scores.folder / table))
        write_confusions(folder, record.results, f"{made.method.name}, seed {made.seed}")
        write_record(folder, record)
    return record


def _valid_human_numbers(folder: Path, faces: str, progress: Progress) -> list[HumanNumber]:
    """The numbers of human studies in the folder's present record that are about these very pictures.

    Args:
        faces: `Faces.content` of the pictures.
    """
    try:
        known = read_record(folder).human
    except BenchError:  # there is no record yet, or it is damaged
        return []
    kept = [one for one in known if one.faces == faces]
    for lost in known:
        if lost not in kept:
            progress.line(f"{folder}: study {lost.study} showed other faces than these: {lost.measure} is left out")
    return kept


def _record(made: Made, to_score: FacesToScore, scores: Scores, bench: Bench, judges: Judges) -> Record:
    protocol, clips, card = bench.protocol, bench.store.clips, bench.dataset.card
    silent = {*(judge.name for judge in scores.crashed), *scores.unasked}  # judges that gave nothing
    metrics = sorted((plugin.name, source_key(plugin.cls)) for plugin in judges.metrics)
    sources = sorted((ready.judge.name, source_key(type(ready.judge))) for ready in judges.ready)
    independence_facts = IndependenceFacts.of(bench, to_score.trained_with)
    stages = {name: made_under(path) for name, path in {**made.stages, SCORES: scores.folder}.items()}
    return Record(
        schema=SCHEMA,
        run=made.run,
        method=made.method,
        core=CoreFacts(__version__, core_key(*LEARNING), key_of(core_key(*SCORING), metrics, sources)),
        answers=made.answers,
        options=made.options,
        preset=made.preset,
        dataset=DatasetFacts(
            name=protocol.dataset["name"],
            version=protocol.dataset["version"],
            options=protocol.dataset["options"],
            licence=card.licence,
            consent=card.consent,
            clips=len(clips),
            left_out=len(bench.store.left_out),
            content=bench.store.meta["content"],
            labels=_plain(protocol.dataset.get("labels", {})),
            human=_plain(card.human),
            human_source=card.human_source,
            origin=card.origin,
            may_be_shown=card.may_be_shown,
        ),
        protocol=ProtocolFacts(
            name=protocol.name,
            track=protocol.track,
            hash=protocol.hash,
            sample_rate=protocol.sample_rate,
            resolution=protocol.resolution,
            face_check=protocol.face_check,
            gallery=len(protocol.gallery),
            trials=len(protocol.trials),
            speakers=len({trial["speaker"] for trial in protocol.trials}),
            splits={
                split: SplitFacts(len(names), int(clips.loc[names, "speaker"].nunique()))
                for split, names in protocol.splits.items()
            },
        ),
        applicable=int(to_score.applicable.sum()),
        seed=made.seed,
        judges=[_judge_facts(ready, independence_facts) for ready in judges.ready if ready.judge.name not in silent],
        judges_missing=[*judges.missing, *scores.crashed],
        failures=scores.failures,
        results=scores.results,
        unavailable=scores.unavailable,
        circumstances={
            **{name: msgspec.convert(facts, StageFacts) for name, facts in stages.items()},
            "record": StageFacts(finished=datetime.now(UTC).isoformat()),
        },
        facts=made.facts,
    )


def _judge_facts(ready: ReadyJudge, facts: IndependenceFacts) -> JudgeFacts:
    independent, reason = independence(ready.judge, facts)
    judge = ready.judge
    return JudgeFacts(
        name=judge.name,
        version=judge.version,
        kind=judge.kind,
        sha256=ready.sha256,
        people=judge.people,
        licence=judge.licence,
        quality=ready.quality,
        independent=independent,
        not_independent_because=reason,
    )


def _plain(table: Any) -> dict[str, dict[str, Any]]:
    return {name: dict(inner) for name, inner in table.items()}
