"""Scoring: from answers to numbers over raters and items, with and without the raters that the rules exclude."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from v2f_bench.harness.slices import groups as speaker_groups
from v2f_bench.interfaces import DataError
from v2f_bench.stats import TwoWay, holm, two_way_mean
from v2f_bench.study.agreement import agreement
from v2f_bench.study.answers import Refused
from v2f_bench.study.designs import DESIGNS, FLOOR, REAL, VOICE, Part, WhichMethod
from v2f_bench.study.exclusions import reasons_to_exclude
from v2f_bench.study.folder import Key
from v2f_bench.study.items import GROUPS
from v2f_bench.study.preference import Games, strengths
from v2f_bench.study.results import Agreement, Analysis, Comparison, Estimate, GroupResult, MethodResult, Results
from v2f_bench.study.sessions import Session


def score_study(key: Key, sessions: Sequence[Session], refused: Sequence[Refused] = ()) -> Results:
    """The results of a study.

    Raises:
        DataError: there is no session, or the rules leave all of them out.
    """
    if not sessions:
        raise DataError("not one session can be scored")
    excluded = {
        number: tuple(reasons)
        for number, session in enumerate(sessions, 1)
        if (reasons := reasons_to_exclude(key, session))
    }
    if len(excluded) == len(sessions):
        rules = "; ".join(sorted({reason for each in excluded.values() for reason in each}))
        raise DataError(f"the rules leave out all of {len(sessions)} raters: {rules}")
    table = answer_table(key, sessions)
    everybody = analyse(key, table)
    kept = analyse(key, table[~table["rater"].isin(excluded)].reset_index(drop=True)) if excluded else everybody
    return Results(
        study=key.study,
        design=key.design,
        measure=key.measure,
        modality=key.modality,
        track=key.track,
        dataset=key.dataset,
        protocol=key.protocol,
        responsible=key.responsible,
        chance=key.chance,
        failed=key.failed,
        rules=dataclasses.asdict(key.rules),
        kept=kept,
        everybody=everybody,
        excluded={f"rater {number}": reasons for number, reasons in excluded.items()},
        refused={each.source: each.reason for each in refused},
    )


def answer_table(key: Key, sessions: Sequence[Session]) -> pd.DataFrame:
    """One row an answer, attention checks left out: `rater` (its number from 1), `answer`, and the question's `kind`,
    `method`, `against`, `variant`, `item`, `first` and `right` (see `Question`), with the item's speaker and labels."""
    rows = []
    for number, session in enumerate(sessions, 1):
        for answer in session.answers:
            question = key.questions[answer.trial][1]
            if question.kind != "check":
                asked = dataclasses.asdict(question)
                rows.append({"rater": number, "answer": answer.answer, **asked, **key.items[question.item]})
    if not rows:
        raise DataError("the sessions hold nothing but attention checks")
    return pd.DataFrame(rows)


def analyse(key: Key, answers: pd.DataFrame) -> Analysis:
    """All numbers over the raters of a table of answers."""
    design = DESIGNS[key.design]
    labels = [VOICE] if key.modality == "voice" else list(key.methods)
    numbers = [_two_way(answers, *_method_parts(key, answers, label, labels)) for label in labels]
    corrected = holm(np.array([number.p_value(key.chance) for number in numbers]))
    asked = set(answers["method"]) | set(answers["against"])
    about_methods = answers[answers["kind"] == "method"]
    return Analysis(
        raters=answers["rater"].nunique(),
        methods=tuple(
            _method_result(key, answers, labels, label, number, float(p_holm))
            for label, number, p_holm in zip(labels, numbers, corrected, strict=True)
        ),
        calibration=_estimate(_two_way(answers, design.calibration(answers))) if REAL in asked else None,
        floor=_estimate(_two_way(answers, design.floor(answers, labels))) if FLOOR in asked else None,
        comparisons=tuple(_comparisons(key, answers, labels)),
        agreement=_agreement(about_methods),
        strengths=strengths([*labels, REAL, FLOOR], _games(answers, [*labels, REAL, FLOOR]))
        if key.design == WhichMethod.name
        else None,
    )


def _method_result(
    key: Key, answers: pd.DataFrame, labels: Sequence[str], label: str, number: TwoWay, p_holm: float
) -> MethodResult:
    run = key.methods.get(label)  # a real voice has none
    shown = DESIGNS[key.design].parts(answers, label, _without(labels, label))
    return MethodResult(
        method=label,
        run=run.run if run else "",
        seed=run.seed if run else 0,
        estimate=_estimate(number),
        unadjusted=_estimate(_two_way(answers, shown)),
        p_chance=number.p_value(key.chance),
        p_chance_holm=p_holm,
        expected=run.expected if run else 0,
        missing=len(run.missing) if run else 0,
        groups=_groups(answers, shown),
    )


def _method_parts(key: Key, answers: pd.DataFrame, label: str, labels: Sequence[str]) -> tuple[list[Part], float]:
    """The parts of a method's number, and what the trials without a face add to it.

    A share m of trials without a face, which each count as f, makes (1 - m) x + m f of the number x over the faces that
    were shown. Between two methods, the one without a face has lost.
    """
    design = DESIGNS[key.design]
    rivals = _without(labels, label)
    parts = design.parts(answers, label, rivals)
    if key.design == WhichMethod.name:
        scaled, offset = [], 0.0
        for part, rival in zip(parts, rivals, strict=True):
            won, tied, shown = _decided(key, label, rival)
            scaled.append(dataclasses.replace(part, weight=part.weight * shown))
            offset += part.weight * (won + tied / 2)
        return scaled, offset
    share = len(_missing(key, label)) / key.methods[label].expected if label in key.methods else 0.0
    own = [part.method == label for part in parts]  # not those about photographs
    scaled = [
        dataclasses.replace(part, weight=part.weight * (1 - share)) if is_own else part
        for part, is_own in zip(parts, own, strict=True)
    ]
    return scaled, share * key.failed * sum(part.weight for part, is_own in zip(parts, own, strict=True) if is_own)


def _decided(key: Key, label: str, rival: str) -> tuple[float, float, float]:
    """Of the trials that a method and its rival should both have, the shares that are won, tied and left to raters,
    since the rival, both or neither have no face."""
    ours, theirs = set(_missing(key, label)), set(_missing(key, rival))
    expected = max(1, min(key.methods[label].expected, key.methods[rival].expected))
    won, tied, lost = len(theirs - ours) / expected, len(ours & theirs) / expected, len(ours - theirs) / expected
    return won, tied, 1 - won - tied - lost


def _missing(key: Key, label: str) -> tuple[str, ...]:
    return key.methods[label].missing if label in key.methods else ()


def _comparisons(key: Key, answers: pd.DataFrame, labels: Sequence[str]) -> list[Comparison]:
    pairs = list(combinations(labels, 2))
    numbers = []
    for first, second in pairs:
        if key.design == WhichMethod.name:
            # The share of wins less that of losses, straight from the questions about the two.
            parts, offset = _method_parts(key, answers, first, [first, second])
            parts = [dataclasses.replace(part, weight=2 * part.weight) for part in parts]
            numbers.append(_two_way(answers, parts, 2 * offset - 1))
            continue
        (ours, mine), (theirs, yours) = (_method_parts(key, answers, label, labels) for label in (first, second))
        # Means that are not about the method itself are in both numbers, and cancel.
        parts = [part for part in ours if part.method == first]
        parts += [dataclasses.replace(part, weight=-part.weight) for part in theirs if part.method == second]
        numbers.append(_two_way(answers, parts, mine - yours))
    p_values = np.array([number.p_value(0.0) for number in numbers])
    return [
        Comparison(first, second, _estimate(number), float(p), float(p_holm))
        for (first, second), number, p, p_holm in zip(pairs, numbers, p_values, holm(p_values), strict=True)
    ]


def _two_way(answers: pd.DataFrame, parts: Sequence[Part], offset: float = 0.0) -> TwoWay:
    """The sum of the parts' weighted means, plus `offset`, over raters and speakers."""
    rows = [np.flatnonzero(~np.isnan(part.scores)) for part in parts]
    places = np.concatenate(rows)
    number = two_way_mean(
        np.concatenate([part.scores[own] for part, own in zip(parts, rows, strict=True)]),
        answers["rater"].to_numpy()[places],
        answers["speaker"].to_numpy()[places],
        np.repeat(np.arange(len(parts)), [len(own) for own in rows]),
        [part.weight for part in parts],
    )
    shifted = type(number.interval)(*(end + offset for end in number.interval))
    return dataclasses.replace(number, interval=shifted)


def _estimate(number: TwoWay) -> Estimate:
    return Estimate(*number.interval, number.answers, number.raters, number.items)


def _groups(answers: pd.DataFrame, parts: Sequence[Part]) -> tuple[GroupResult, ...]:
    labelled = answers[list(GROUPS)].replace({"age": {"": math.nan}})
    results = []
    for (by, group), rows in speaker_groups(labelled).items():
        within = [dataclasses.replace(part, scores=np.where(rows, part.scores, np.nan)) for part in parts]
        results.append(GroupResult(by, group, _estimate(_two_way(answers, within))))
    return tuple(results)


def _agreement(answers: pd.DataFrame) -> Agreement:
    """Of the answers as to what was chosen, not where it stood."""
    chosen = answers["answer"].where(~answers["answer"].isin(["left", "right"]), "second")
    chosen = chosen.mask(answers["answer"] == answers["first"], "first")
    units = answers[["item", "method", "against", "variant"]].agg("\n".join, axis=1)
    return agreement(answers["rater"], units, chosen)


def _games(answers: pd.DataFrame, names: Sequence[str]) -> Games:
    pairs = answers[answers["against"] != ""]
    place = {name: number for number, name in enumerate(names)}
    score = np.where(pairs["answer"] == "equal", 0.5, (pairs["answer"] == pairs["first"]).to_numpy(float))
    return Games(
        pairs["method"].map(place).to_numpy(int),
        pairs["against"].map(place).to_numpy(int),
        score,
        pairs["rater"].to_numpy(),
        pairs["speaker"].to_numpy(),
    )


def _without(labels: Sequence[str], label: str) -> list[str]:
    return [each for each in labels if each != label]
