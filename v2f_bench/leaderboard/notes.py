"""What a reader of a table must know beside its numbers, in plain sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from v2f_bench.leaderboard.columns import Column
from v2f_bench.leaderboard.entries import Entry
from v2f_bench.leaderboard.judge_notes import comparability_texts, independence_texts, judge_texts
from v2f_bench.leaderboard.measure_titles import measure_title
from v2f_bench.record import HumanEstimate, Record
from v2f_bench.stats import FEWEST_RUNS

MEANING = (
    "These numbers say how well methods do on this data set by this judge. They do not say that a face can be known "
    "from a voice: what is right is mostly sex, age and other traits that many people share."
)


@dataclass(frozen=True)
class Note:
    """A sentence or two, as plain text that may hold names from outside. `brief`: it matters in a short table too."""

    text: str
    brief: bool = False


@dataclass(frozen=True)
class Ranked:
    """How a table was ranked, for its notes."""

    by: Column | None
    compared: bool  # whether pairs of rows were
    neighbours: int = 0  # pairs of rows that follow each other
    alike: int = 0  # of these, pairs that cannot be told apart
    overall: bool = False  # whether the mean rank over all columns is shown
    rows: int = 0  # of the protocol, shown or not


def notes_of(
    entries: Sequence[Entry], columns: Sequence[Column], ranked: Ranked, strict: bool, disagreeing: Sequence[str]
) -> list[Note]:
    """The notes under a table of `entries`. `disagreeing`: as
    `disagreement_texts` gives it."""
    return [
        *_ranking_notes(ranked, columns),
        *_choice_notes(ranked, len(entries)),
        *_people_notes(entries, columns),
        *_answer_notes(entries),
        *_trial_notes(entries),
        *_seed_notes(entries, ranked.by),
        *(Note(text, brief=True) for text in independence_texts(entries, columns, strict)),
        *(Note(text, brief=True) for text in disagreeing),
        *(Note(text) for text in judge_texts(entries, columns)),
        *(Note(text, brief=True) for text in comparability_texts(entries)),
        *_missing_notes(entries),
        *_emotion_notes(entries[0].first if entries else None),
        *_failure_notes(entries),
        Note(MEANING, brief=True),
    ]


def _ranking_notes(ranked: Ranked, columns: Sequence[Column]) -> Iterator[Note]:
    if ranked.by is not None:
        yield Note(f"Ranked by {measure_title(ranked.by.measure)} by {ranked.by.judge}.", brief=True)
    if ranked.neighbours:
        yield Note(
            "rank [best, worst]: the ranks that a row cannot be told apart from, for all rows together with 95 %. "
            "tie: rows that share a letter do not differ (p ≥ 0.05, paired tests on the same trials, Holm-corrected "
            "over all pairs)."
        )
        text = f"Of {ranked.neighbours} neighbours in this order, {ranked.alike} cannot be told apart."
        if ranked.neighbours == 1:
            text = f"The two rows that are ranked can{'not' if ranked.alike else ''} be told apart."
        yield Note(text, brief=True)
    if not ranked.compared:
        yield Note(
            f"{ranked.rows} rows are too many for tests of all pairs: order says nothing about single places.",
            brief=True,
        )
    if any(column.measure.startswith("retrieval") and "rank" in column.measure for column in columns):
        yield Note("norm. rank: mean normalised rank of the speaker's face, 0 is first and 0.5 is chance.")
    if ranked.overall:
        yield Note(
            "overall: mean over the judges' columns that have a direction of the rank among the rows that have all of "
            "these and use no answer, from 0 (first) to 1 (last); its interval is over speakers and runs.",
            brief=True,
        )


def _choice_notes(ranked: Ranked, shown: int) -> Iterator[Note]:
    if shown < ranked.rows:
        yield Note(
            f"{ranked.rows - shown} of {ranked.rows} rows are not shown; ranks and letters are among all.", brief=True
        )


def _people_notes(entries: Sequence[Entry], columns: Sequence[Column]) -> Iterator[Note]:
    """What a column of a human study rests on, and how well people know real photographs."""
    for column in columns:
        if column.by_people and (asked := [one for entry in entries for one in entry.human(column)]):
            first = asked[0]
            raters, items = (max(getattr(one.estimate, name) for one in asked) for name in ("raters", "items"))
            bounds = [f"chance {first.chance:.3f}"]
            for name, estimate in (("real photographs", first.calibration), ("a floor", first.floor)):
                if estimate is not None and estimate.value is not None:
                    bounds.append(f"{name} {_with_interval(estimate)}")
            text = (
                f"{column.measure} (study {column.study}): people, no judge: {first.means}. {raters} raters, {items} "
                f"speakers, {sum(one.estimate.n for one in asked)} answers; intervals over raters and speakers "
                f"together; {', '.join(bounds)}. Compare rows of one study only."
            )
            if first.responsible:
                text += f" Shown to raters on the responsibility of {first.responsible}."
            yield Note(text, brief=True)


def _with_interval(estimate: HumanEstimate) -> str:
    ends = "" if estimate.low is None or estimate.high is None else f" [{estimate.low:.3f}, {estimate.high:.3f}]"
    return f"{estimate.value:.3f}{ends}"


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
    few = [entry for entry in entries if len(entry.seeds) < FEWEST_RUNS and not entry.baseline]
    if not few:
        return
    parts = []
    for entry in few:
        values = (
            []
            if ranked_by is None or ranked_by.by_people
            else [
                (record.seed, result.value)
                for record in entry.records
                if (result := record.result(ranked_by.measure, ranked_by.judge)) is not None
                and result.value is not None
            ]
        )
        seeds = ", ".join(f"seed {seed}: {value:.3f}" for seed, value in values)
        parts.append(f"{entry.name} ({seeds})" if len(values) > 1 else entry.name)
    yield Note(
        f"Fewer than {FEWEST_RUNS} seeds: the intervals of {', '.join(parts)} are over speakers alone, and say nothing "
        "about another training run.",
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


def _emotion_notes(record: Record | None) -> Iterator[Note]:
    """Of an emotion table: how often people recognise these emotions, and what the source calls them."""
    if record is None or record.protocol.track != "emotion":
        return
    dataset = record.dataset
    if dataset.human:
        shares = ", ".join(f"{shares['all']:.1%} ({shown})" for shown, shares in dataset.human.items())
        yield Note(f"People choose the intended emotion in {shares}: {dataset.human_source}.")
    named: dict[str, Any] = dataset.labels.get("emotion", {})
    if named:
        words = ", ".join(f"{word} = {shared}" for word, shared in named.items())
        yield Note(f"Emotions, as {dataset.name} calls them: {words}.")


def _failure_notes(entries: Sequence[Entry]) -> Iterator[Note]:
    """How many faces could not be judged, for each reason, and what that costs."""
    parts = []
    for entry in entries:
        counts: Counter[str] = Counter()
        for record in entry.records:
            counts.update(record.failures)
        if counts:
            parts.append(f"{entry.name}: " + ", ".join(f"{reason} {count}" for reason, count in counts.most_common()))
    if parts:
        yield Note(f"Without a face that can be judged: {'; '.join(parts)}.", brief=True)
    results = [result for entry in entries for record in entry.records for result in record.results]
    policies = {result.failure_policy for result in results if result.failed}
    yield from (Note(f"Failed faces: {policy}.") for policy in sorted(policies))
