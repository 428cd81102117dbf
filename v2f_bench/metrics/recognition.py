"""Generated faces in a face recogniser: are they recognised, and do they help it to recognise real people?"""

from __future__ import annotations

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric
from v2f_bench.metrics.galleries import Pictures, further, places, positions
from v2f_bench.metrics.vectors import all_cosines, answers, finite, unit, usable
from v2f_bench.stats import chance_in_top, rank_of_target


class RecognitionAccuracy(Metric):
    """Closed-set recognition of the generated face among the test speakers (Mahalakshmi & Ramesh; METHODS.md §6).

    Each speaker is enrolled by the mean of the unit embeddings of their gallery and further reference pictures; the
    answer is the nearest by cosine, ties as chance. Chance is 1 / N. The source reports 30.0 % (GAN) and 56.2 %
    (conditional GAN) on test speakers by a recogniser and among a number of people that it does not state.
    """

    name = "recognition-accuracy"
    summary = "closed-set recognition of the generated face among the test speakers"
    judged_by = ("identity",)
    tracks = frozenset({"identity"})

    def measure(self, evidence: Evidence) -> list[Measure]:
        enrolled = Pictures.of(evidence).templates(evidence.gallery["speaker"])
        people = int(usable(enrolled).sum())
        return [
            Measure(
                self.name,
                better="higher",
                unit="fraction",
                failure="a missing or unjudgeable face is not recognised",
                values=_recognised(answers(evidence), enrolled, places(evidence)),
                chance=1 / people if people else None,
            )
        ]


class SsppGain(Metric):
    """What generated faces add to recognition from a single sample per person (Mahalakshmi & Ramesh; METHODS.md §6).

    Probes are the real reference pictures of test speakers that are not in the gallery. `one-sample`: each person is
    enrolled by the gallery picture alone; `accuracy`: by the mean of the unit embeddings of that picture and of the
    faces generated from the person's voices; `sspp-gain` is the difference, so 0 is to be had without generating
    anything, and a method that blurs people into one another loses. Each trial carries the mean over its speaker's
    probes; a speaker without probes has none. The ceiling enrols other real photographs in place of the generated
    faces. The source reports 76 and 99 %.
    """

    name = "sspp-gain"
    summary = "change of single-sample-per-person recognition when generated faces join the one real sample"
    judged_by = ("identity",)
    tracks = frozenset({"identity"})
    floor = "mean-face"

    def measure(self, evidence: Evidence) -> list[Measure]:
        rows = further(evidence)
        if not len(rows):
            return []
        place, people = places(evidence), evidence.gallery["speaker"]
        samples, generated = unit(evidence.seen["gallery"]), unit(answers(evidence))
        failed = ~usable(generated)
        joined = samples.copy()
        np.add.at(joined, place[~failed & (place >= 0)], generated[~failed & (place >= 0)])

        probes = unit(evidence.seen["reference"][rows])
        whose = positions(evidence.reference["speaker"].iloc[rows], people)[usable(probes)]
        one_sample, accuracy = (
            _mean_of_each(_recognised(finite(probes), enrolled, whose), whose, len(people))[place]
            for enrolled in (samples, joined)
        )
        accuracy = np.where(failed & ~np.isnan(accuracy), 0.0, accuracy)
        failure = "a missing or unjudgeable face makes its trial's speaker count as not recognised"
        return [
            Measure(
                "sspp-gain",
                better="higher",
                unit="fraction",
                failure=failure,
                values=accuracy - one_sample,
            ),
            Measure(
                "sspp-gain/accuracy",
                better="higher",
                unit="fraction",
                failure=failure,
                values=accuracy,
            ),
            Measure(
                "sspp-gain/one-sample",
                better="neither",
                unit="fraction",
                failure="no generated face takes part",
                values=one_sample,
            ),
        ]


def _recognised(faces: np.ndarray, enrolled: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The probability that each face, [n, D], is taken for its own person, row `own` (int [n]) of `enrolled`, [p, D].

    float [n]; 0 for a face that cannot be judged, NaN where its person is not enrolled.
    """
    there = usable(unit(enrolled))
    known = np.append(there, False)[own]  # -1: nobody
    if not known.any():
        return np.full(len(faces), np.nan)
    scores = np.where(there, np.nan_to_num(all_cosines(faces, enrolled)), -np.inf)
    right = chance_in_top(*rank_of_target(scores, np.maximum(own, 0)), 1)
    return np.where(known, np.where(usable(unit(faces)), right, 0.0), np.nan)


def _mean_of_each(values: np.ndarray, place: np.ndarray, people: int) -> np.ndarray:
    """The mean of the known values of each person: float [people + 1]; NaN where there is none, and at the end."""
    place, values = place[~np.isnan(values)], values[~np.isnan(values)]
    counts = np.bincount(place, minlength=people)
    sums = np.bincount(place, values, people)
    means = np.divide(sums, counts, out=np.full(people, np.nan), where=counts > 0)
    return np.append(means, np.nan)
