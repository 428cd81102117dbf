"""Numbers over the questions of published lists; each question is a generated face and the real faces that it names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from v2f_bench.interfaces import Evidence, ListedQuestions, Measure, OfWeights
from v2f_bench.metrics.vectors import answers, unit, usable
from v2f_bench.stats import (
    Scores,
    area_under_curve,
    auc_of_weights,
    chance_in_top,
    eer_of_weights,
    equal_error_rate,
    rank_of_target,
)

TOP = (1, 5, 10)  # places of a gallery that count as found


def matching_over_lists(evidence: Evidence) -> list[Measure]:
    """`matching/<list>/1:N`: the share of questions whose first face is nearest, by cosine; ties as chance decides."""
    return [_matching(evidence, listed) for listed in evidence.lists if listed.task == "matching"]


def retrieval_over_lists(evidence: Evidence) -> list[Measure]:
    """`retrieval/<list>/R@k` and the normalised rank, where each question of a matching list has a gallery of its own:
    more than ten faces, the speaker's first."""
    listed = [each for each in evidence.lists if each.task == "matching" and each.faces.shape[1] > max(TOP)]
    return [measure for each in listed for measure in _retrieval(evidence, each)]


def verification_over_lists(evidence: Evidence) -> list[Measure]:
    """`verification/<list>/AUC` and `/EER` over the list's pairs, all pooled."""
    listed = [listed for listed in evidence.lists if listed.task == "verification"]
    return [measure for each in listed for measure in _verification(evidence, each)]


def _matching(evidence: Evidence, listed: ListedQuestions) -> Measure:
    cosines, failed = _cosines(evidence, listed)
    choices = listed.faces.shape[1]
    return Measure(
        f"matching/{listed.name}/1:{choices}",
        better="higher",
        unit="fraction",
        failure="a missing or unjudgeable face is a wrong choice in each of its questions",
        **_mean(evidence, listed, np.where(failed, 0.0, _wins(cosines))),
        chance=1 / choices,
    )


def _retrieval(evidence: Evidence, listed: ListedQuestions) -> list[Measure]:
    cosines, failed = _cosines(evidence, listed)
    judged = usable(unit(evidence.seen["listed"]))[listed.faces]  # a real face that cannot be judged takes no part
    size, known = judged.sum(axis=1), judged[:, 0]
    above, ties = rank_of_target(np.where(np.isnan(cosines), -np.inf, cosines), np.zeros(len(cosines), int))

    def mean(values: np.ndarray, when_failed: float) -> dict[str, Any]:
        return _mean(evidence, listed, np.where(known, np.where(failed, when_failed, values), np.nan))

    recalls = [
        Measure(
            f"retrieval/{listed.name}/R@{k}",
            better="higher",
            unit="fraction",
            failure="a missing or unjudgeable face is not retrieved",
            **mean(chance_in_top(above, ties, k), 0.0),
            chance=float(np.minimum(k / size[known], 1).mean()) if known.any() else None,
        )
        for k in TOP
    ]
    rank = Measure(
        f"retrieval/{listed.name}/normalised-mean-rank",
        better="lower",
        unit="fraction of the gallery",
        failure="a missing or unjudgeable face ranks last",
        **mean((above + (ties + 1) / 2 - 1) / np.maximum(size - 1, 1), 1.0),
        chance=0.5,
    )
    return [*recalls, rank]


def _verification(evidence: Evidence, listed: ListedQuestions) -> list[Measure]:
    cosines, failed = _cosines(evidence, listed)
    same = listed.same[:, 0]
    # A failed face scores below all others with its own speaker; with others it is not compared.
    scores = np.where(failed, np.where(same, -np.inf, np.nan), cosines[:, 0])

    def pooled(
        number: Callable[[np.ndarray, np.ndarray], float], of_weights: Callable[[Scores], OfWeights], worst: float
    ) -> dict[str, Any]:
        def statistic(rows: np.ndarray) -> float:
            asked = _asked(listed, rows)
            asked = asked[~np.isnan(scores[asked])]
            own, others = scores[asked[same[asked]]], scores[asked[~same[asked]]]
            if len(own) and len(others):
                return number(own, others)
            return worst if len(own) and np.isneginf(own).all() else np.nan

        def by_weights(place: np.ndarray) -> OfWeights:
            own, others = (np.flatnonzero(~np.isnan(scores) & side) for side in (same, ~same))
            if not len(others):
                return lambda weights: np.full(len(weights), worst)
            whose = place[listed.trial]
            return of_weights(Scores(scores[own], whose[own], scores[others], whose[others], int(place.max()) + 1))

        return {"statistic": statistic, "by_weights": by_weights, "covers": _covers(evidence, listed)}

    failure = "a missing or unjudgeable face scores below all others with its own speaker; others are not compared"
    area = pooled(area_under_curve, auc_of_weights, 0.0)
    error_rate = pooled(equal_error_rate, eer_of_weights, 1.0)
    name = f"verification/{listed.name}"
    return [
        Measure(f"{name}/AUC", "higher", "area", failure, chance=0.5, **area),
        Measure(f"{name}/EER", "lower", "fraction", failure, chance=0.5, **error_rate),
    ]


def _mean(evidence: Evidence, listed: ListedQuestions, values: np.ndarray) -> dict[str, Any]:
    """The mean of the questions' values, float [q], NaN for one that does not count, as the parts of a measure."""
    counted = ~np.isnan(values)

    def statistic(rows: np.ndarray) -> float:
        asked = values[_asked(listed, rows)]
        known = asked[~np.isnan(asked)]
        return float(known.mean()) if len(known) else np.nan

    def by_weights(place: np.ndarray) -> OfWeights:
        whose, speakers = place[listed.trial[counted]], int(place.max()) + 1
        sums, counts = np.bincount(whose, values[counted], speakers), np.bincount(whose, minlength=speakers)
        return lambda weights: (weights @ sums) / (weights @ counts)

    return {"statistic": statistic, "by_weights": by_weights, "covers": _covers(evidence, listed)}


def _cosines(evidence: Evidence, listed: ListedQuestions) -> tuple[np.ndarray, np.ndarray]:
    """Of each question, the cosine with each face, float64 [q, N], NaN where a real face cannot be judged; and whether
    there is no generated face that can be, bool [q]."""
    generated, faces = unit(answers(evidence)), unit(evidence.seen["listed"])
    asked = generated[listed.trial]
    columns = [np.einsum("qd,qd->q", asked, faces[column]) for column in listed.faces.T]
    return np.round(np.stack(columns, axis=1), 12), ~usable(generated)[listed.trial]  # rounded as `all_cosines` is


def _wins(cosines: np.ndarray) -> np.ndarray:
    """Whether the first of each row is its largest, shared among equals: float [q]; NaN where a face is not known."""
    best = cosines.max(axis=1, keepdims=True)
    return np.where(np.isnan(best[:, 0]), np.nan, (cosines[:, 0] == best[:, 0]) / (cosines == best).sum(axis=1).clip(1))


def _asked(listed: ListedQuestions, rows: np.ndarray) -> np.ndarray:
    """The questions about the trials `rows` (repeats allowed), each as often as its trial is there: int [m]."""
    times = np.bincount(rows, minlength=int(listed.trial.max()) + 1)
    return np.repeat(np.arange(len(listed.trial)), times[listed.trial])


def _covers(evidence: Evidence, listed: ListedQuestions) -> np.ndarray:
    return np.isin(np.arange(len(evidence.trials)), listed.trial)
