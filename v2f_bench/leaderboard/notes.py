"""What a reader of a table must know beside its numbers, in plain sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from v2f_bench.leaderboard.columns import Column
from v2f_bench.leaderboard.entries import Entry
from v2f_bench.leaderboard.names import measure_title
from v2f_bench.record import JudgeFacts, Record
from v2f_bench.stats import FEWEST_RUNS

# A judge's own quality, by kind: what it is called, and its format.
QUALITIES = {
    "verification_auc": ("verification AUC {}", "{:.3f}"),
    "accuracy": ("accuracy {}", "{:.3f}"),
    "mean_absolute_error": ("mean absolute error {} years", "{:.1f}"),
    "found": ("a face found in {}", "{:.1%}"),
}
MEANING = (
    "These numbers say how well methods do on this data set by this judge. They do not say that a face can be known "
    "from a voice: what is right is mostly sex, age and other traits that many people share."
)


@dataclass(frozen=True)
class Note:
    """A sentence or two, as plain text that may hold names from outside. `brief`: it matters in a short table too."""

    text: str
    brief: bool = False


def notes_of(
    entries: Sequence[Entry], columns: Sequence[Column], ranked_by: Column | None, strict: bool, tied: bool
) -> list[Note]:
    """The notes under a table of `entries`; `tied`: whether it has tie letters."""
    return [
        *_ranking_notes(ranked_by, columns, tied),
        *_answer_notes(entries),
        *_trial_notes(entries),
        *_seed_notes(entries, ranked_by),
        *_independence_notes(entries, strict),
        *_judge_notes(entries, columns),
        *_comparability_notes(entries),
        *_missing_notes(entries),
        *_emotion_notes(entries[0].first),
        *_failure_notes(entries),
        Note(MEANING, brief=True),
    ]


def _ranking_notes(ranked_by: Column | None, columns: Sequence[Column], tied: bool) -> Iterator[Note]:
    if ranked_by is not None:
        title = f"{measure_title(ranked_by.measure)} by {ranked_by.judge}"
        letters = (
            " tie: methods that share a letter do not differ in it (p ≥ 0.05, Holm-corrected over all pairs)."
            if tied
            else ""
        )
        yield Note(f"Ranked by {title}.{letters}", brief=True)
    if any(column.measure.startswith("retrieval") and "rank" in column.measure for column in columns):
        yield Note("rank: mean normalised rank, 0 is first and 0.5 is chance.")


def _answer_notes(entries: Sequence[Entry]) -> Iterator[Note]:
    if answers := [entry.name for entry in entries if entry.first.answers]:
        yield Note(f"† uses the answer ({', '.join(answers)}): a ceiling, no achievement.", brief=True)
    if elsewhere := [entry.name for entry in entries if entry.elsewhere]:
        yield Note(f"Pictures made elsewhere and scored here: {', '.join(elsewhere)}.", brief=True)


def _trial_notes(entries: Sequence[Entry]) -> Iterator[Note]:
    """Rows whose numbers rest on a part of the trials."""
    for entry in entries:
        record = entry.first
        if record.applicable < record.protocol.trials:
            yield Note(
                f"{entry.name} rests on {record.applicable} of {record.protocol.trials} trials: the others do not "
                f"bring what it needs ({', '.join(record.method.needs)})."
            )


def _seed_notes(entries: Sequence[Entry], ranked_by: Column | None) -> Iterator[Note]:
    """Rows of too few training runs to say how much another one would differ."""
    few = [entry for entry in entries if len(entry.seeds) < FEWEST_RUNS and not entry.first.method.baseline]
    if not few:
        return
    told = []
    for entry in few:
        values = (
            []
            if ranked_by is None
            else [
                (record.seed, result.value)
                for record in entry.records
                if (result := record.result(ranked_by.measure, ranked_by.judge)) is not None
                and result.value is not None
            ]
        )
        seeds = ", ".join(f"seed {seed}: {value:.3f}" for seed, value in values)
        told.append(f"{entry.name} ({seeds})" if len(values) > 1 else entry.name)
    yield Note(
        f"Fewer than {FEWEST_RUNS} seeds: the intervals of {', '.join(told)} are over speakers alone, and say nothing "
        "about another training run.",
        brief=True,
    )


def _independence_notes(entries: Sequence[Entry], strict: bool) -> Iterator[Note]:
    """Which numbers are marked, and why."""
    reasons: dict[tuple[bool | None, str], dict[str, None]] = {}
    for entry in entries:
        for record in entry.records:
            scored = {result.judge for result in record.results}
            for judge in record.judges:
                if judge.name in scored and judge.independent is not True:
                    key = (judge.independent, f"{judge.name}: {judge.not_independent_because}")
                    reasons.setdefault(key, {})[entry.name] = None
    for (independent, reason), names in reasons.items():
        who = "" if len(names) == len(entries) else f" ({', '.join(names)})"
        if independent is None:
            yield Note(f"§ {reason}{who}: whether it is independent is not known.", brief=True)
        else:
            effect = "; its numbers are left out" if strict else ""
            yield Note(f"‡ {reason}{who}: not independent{effect}.", brief=True)


def _judge_notes(entries: Sequence[Entry], columns: Sequence[Column]) -> Iterator[Note]:
    shown = {column.judge for column in columns}
    judges = [judge for entry in entries for record in entry.records for judge in record.judges if judge.name in shown]
    yield from (Note(text) for text in dict.fromkeys(map(_judge_text, judges)))


def _judge_text(judge: JudgeFacts) -> str:
    quality = judge.quality
    halved = quality.get("at_half_resolution", {})
    measured = []
    for key, (words, number) in QUALITIES.items():
        if quality.get(key) is not None:
            soft = f" ({number.format(halved[key])} at half the resolution)" if halved.get(key) is not None else ""
            measured.append(words.format(number.format(quality[key])) + soft)
    text = f"Judge {judge.name} {judge.version} (met: {judge.people})"
    if measured:
        text += f": {', '.join(measured)} on {quality['faces']} real faces of {quality['speakers']} test speakers"
    elif quality.get("note"):
        text += f": {quality['note']}"
    return f"{text}."


def _comparability_notes(entries: Sequence[Entry]) -> Iterator[Note]:
    """What makes rows of one protocol not strictly comparable."""
    rows: dict[str, dict[str, dict[str, None]]] = {}
    for entry in entries:
        for record in entry.records:
            for judge in record.judges:
                rows.setdefault(judge.name, {}).setdefault(judge.sha256[:8], {})[entry.name] = None
    for name, by_weights in rows.items():
        if len(by_weights) > 1:
            told = "; ".join(f"{sha256}: {', '.join(names)}" for sha256, names in by_weights.items())
            yield Note(
                f"{name} had different weights for different rows, which are therefore not strictly comparable: "
                f"{told}.",
                brief=True,
            )
    contents = sorted({record.dataset.content[:8] for entry in entries for record in entry.records})
    if len(contents) > 1:
        yield Note(
            f"The rows rest on data of different content ({', '.join(contents)}): the files changed, or were decoded "
            "differently; they are therefore not strictly comparable.",
            brief=True,
        )


def _missing_notes(entries: Sequence[Entry]) -> Iterator[Note]:
    records = [record for entry in entries for record in entry.records]
    if names := dict.fromkeys(judge.name for record in records for judge in record.judges_missing):
        yield Note(f"Judges that could not be had: {', '.join(names)} (v2f-bench weights list tells why).")
    lacking: dict[str, dict[str, None]] = {}
    for record in records:
        for one in record.unavailable:
            by = f" by {one.judge}" if one.judge else ""
            lacking.setdefault(one.reason, {})[f"{one.measure}{by}"] = None
    for reason, measures in lacking.items():
        yield Note(f"{', '.join(measures)}: not available: {reason}.")


def _emotion_notes(record: Record) -> Iterator[Note]:
    """Of an emotion table: how often people recognise these emotions, and what the source calls them."""
    dataset = record.dataset
    if record.protocol.track != "emotion":
        return
    if dataset.human:
        shares = ", ".join(f"{shares['all']:.1%} ({shown})" for shown, shares in dataset.human.items())
        yield Note(f"People choose the intended emotion in {shares}: {dataset.human_source}.")
    named: dict[str, Any] = dataset.labels.get("emotion", {})
    if named:
        words = ", ".join(f"{word} = {shared}" for word, shared in named.items())
        yield Note(f"Emotions, as {dataset.name} calls them: {words}.")


def _failure_notes(entries: Sequence[Entry]) -> Iterator[Note]:
    """How many faces could not be judged, for each reason, and what that costs."""
    for entry in entries:
        counts: Counter[str] = Counter()
        for record in entry.records:
            counts.update(record.failures)
        if counts:
            reasons = ", ".join(f"{reason} {count}" for reason, count in counts.most_common())
            yield Note(f"Without a face that can be judged: {entry.name}: {reasons}.", brief=True)
    results = [result for entry in entries for record in entry.records for result in record.results]
    policies = {result.failure_policy for result in results if result.failed}
    yield from (Note(f"Failed faces: {policy}.") for policy in sorted(policies))
