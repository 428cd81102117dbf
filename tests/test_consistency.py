"""Consistency of one speaker's faces, against a plain double loop, and its interval in a simulation."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from measuring import interval_of

from v2f_bench.interfaces import Evidence
from v2f_bench.metrics import Consistency

NOTHING = pd.DataFrame({"speaker": []})


def evidence_of(vectors, speakers, photos=None, **seen):
    trials = pd.DataFrame({"speaker": speakers, "real_photo": photos if photos is not None else [""] * len(speakers)})
    vectors = np.asarray(vectors, np.float32)
    seen = {"generated": vectors, "target": np.ones_like(vectors), **seen}
    return Evidence(trials, NOTHING, NOTHING, seen, kind="identity")


def by_loop(vectors, speakers):
    """Both numbers, pair by pair: a failed face is as far as can be from its speaker's, and like all others'."""
    own, others = [], []
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for i, mine in enumerate(speakers):
        mates = []
        for j, theirs in enumerate(speakers):
            cosine = unit[i] @ unit[j]
            if i != j and mine == theirs:
                mates.append(-1 if np.isnan(cosine) else cosine)
            elif mine != theirs:
                others.append(1 if np.isnan(cosine) else cosine)
        own.append(np.mean(mates) if mates else np.nan)
    return np.nanmean(own), np.nanmean(own) - np.mean(others)


def numbers_of(evidence):
    alone, beyond = Consistency().measure(evidence)
    everything = np.arange(len(evidence.trials))
    place = np.unique(evidence.trials["speaker"], return_inverse=True)[1]
    covered = np.where(beyond.covers, place, -1)
    weighted = beyond.by_weights(covered)(np.ones((1, place.max() + 1)))[0]
    assert weighted == pytest.approx(beyond.statistic(everything))
    return float(np.nanmean(alone.values)), float(weighted)


def test_it_is_what_a_double_loop_gives():
    rng = np.random.default_rng(0)
    speakers = np.array(["b", "a", "c", "a", "b", "b", "a", "d", "c"])
    vectors = rng.standard_normal((9, 5)) + 2 * rng.standard_normal((4, 5))[[1, 0, 2, 0, 1, 1, 0, 3, 2]]
    assert numbers_of(evidence_of(vectors, speakers)) == pytest.approx(by_loop(vectors, speakers))
    vectors[4] = np.nan
    assert numbers_of(evidence_of(vectors, speakers)) == pytest.approx(by_loop(vectors, speakers))


def test_one_face_for_all_is_consistent_and_no_more():
    assert numbers_of(evidence_of(np.ones((6, 3)), list("aabbcc"))) == pytest.approx((1.0, 0.0))


def test_nobody_with_two_recordings_gives_no_number():
    assert Consistency().measure(evidence_of(np.eye(3), list("abc"))) == []


def test_a_photo_that_stands_for_several_trials_is_not_compared_with_itself():
    rng = np.random.default_rng(1)
    speakers = np.repeat(["a", "b", "c"], 3)
    photos = np.array(["a1", "a2", "a1", "b1", "b1", "b1", "c1", "c2", "c3"])
    names, which = np.unique(photos, return_inverse=True)
    vectors = rng.standard_normal((len(names), 6)).astype(np.float32)[which]
    of_photos = evidence_of(vectors, speakers, photos, **{"real-photo": vectors})
    once = ~pd.Series(photos).duplicated().to_numpy()
    assert numbers_of(of_photos) == pytest.approx(by_loop(vectors[once], speakers[once]))
    drawn = replace(of_photos, seen={**of_photos.seen, "generated": vectors + np.float32(0.5)})
    assert numbers_of(drawn) == pytest.approx(by_loop(vectors + 0.5, speakers)), "a method's equal faces all count"


@pytest.mark.slow
def test_its_intervals_cover():
    rng = np.random.default_rng(2)
    dimensions, people, trials = 16, 60, 3
    speakers = np.repeat(np.arange(people), trials)

    def drawn(count):
        of_person = rng.standard_normal((count, dimensions))
        return of_person.repeat(trials, axis=0) + 0.6 * rng.standard_normal((count * trials, dimensions))

    truth = np.mean([by_large(drawn(2000), trials) for _ in range(4)], axis=0)
    covered = np.zeros(2)
    for _ in range(200):
        measures = Consistency().measure(evidence_of(drawn(people), [f"s{name:03d}" for name in speakers]))
        for number, measure in enumerate(measures):
            interval = interval_of(measure, speakers)
            covered[number] += interval.low <= truth[number] <= interval.high
    assert (covered / 200 >= 0.91).all(), covered / 200


def by_large(vectors, trials):
    """Both numbers of very many speakers: their expectation."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    people = len(unit) // trials
    grouped = unit.reshape(people, trials, -1)
    cosines = np.einsum("pid,pjd->pij", grouped, grouped)
    own = (cosines.sum(axis=(1, 2)) - trials) / trials / (trials - 1)
    sums = grouped.sum(axis=1)
    between = ((sums.sum(axis=0) ** 2).sum() - (sums**2).sum()) / (len(unit) * (len(unit) - trials))
    return own.mean(), own.mean() - between
