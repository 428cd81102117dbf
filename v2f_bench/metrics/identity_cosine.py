"""How like the generated face is to the speaker's, to the proposal, and to somebody else's."""

from __future__ import annotations

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric
from v2f_bench.metrics.vectors import answers, cosines, unit, usable

MEANS = ("mean-face", "mean-face-of-sex")


class IdentityCosine(Metric):
    """Cosine of identity embeddings, as in Table 3 of Liang et al. 2020 (CAE), by an independent judge.

    `target`: to the speaker's gallery face. `proposal`: to the picture the method was given, or would have been.
    `other`: to the gallery face of a random other test speaker. A cosine means little by itself: a mean face is near
    everybody. `gain-over-mean-face` is therefore, in each trial, cos(generated, target) - cos(mean training face,
    target), and `gain-over-mean-face-of-sex` the same over the mean face of the speaker's sex: 0 is what an answer
    without listening, or by hearing the sex alone, would get (our own definition; a mean face is what minimises the
    squared error of an answer that knows nothing). Another constant face may be nearer than the mean face is: from
    `gain-over-any-constant` the cosine of that vector is taken off whose mean cosine to the gallery, in which every
    test speaker stands once, is the largest that any vector has. Over the whole gallery no constant answer comes above
    0; within a group of speakers that group's own constant can.
    """

    name = "identity-cosine"
    summary = "cosine of identity embeddings: to target, proposal, other; gain over mean faces and any constant"
    judged_by = ("identity",)

    def measure(self, evidence: Evidence) -> list[Measure]:
        generated = answers(evidence)
        to_target = _to_target(generated, evidence)
        target = Measure(
            "identity-cosine/target",
            better="higher",
            unit="cosine",
            failure="a missing or unjudgeable face counts as cosine -1",
            values=to_target,
            headline=True,
        )
        rest = [
            Measure(
                f"identity-cosine/{role}",
                better="neither",
                unit="cosine",
                failure="a missing or unjudgeable face is left out, and n says so",
                values=cosines(generated, evidence.seen[role]),
            )
            for role in ("proposal", "other")
        ]
        gains = [
            Measure(
                f"identity-cosine/gain-over-{mean}",
                better="higher",
                unit="cosine",
                failure="a missing or unjudgeable face counts as cosine -1",
                values=to_target - cosines(evidence.seen[mean], evidence.seen["target"]),
                floor=mean,
                headline=mean == "mean-face",
            )
            for mean in MEANS
            if mean in evidence.seen
        ]
        constant = Measure(
            "identity-cosine/gain-over-any-constant",
            better="higher",
            unit="cosine",
            failure="a missing or unjudgeable face counts as cosine -1",
            values=to_target - cosines(_best_constant(evidence), evidence.seen["target"]),
            chance=0.0,
        )
        return [target, *rest, *gains, constant]


class IdentityPreservation(Metric):
    """Cosine of identity embeddings between the generated face and the source face that was to change its expression.

    The emotion track's question is whether the person stays the same (as the identity losses and scores of the
    expression-editing literature ask it). A copy of the source scores 1, so it says something only beside
    `emotion-agreement`; the ceiling is the speaker's real face with the emotion, the floor another person's.
    """

    name = "identity-preservation"
    summary = "cosine of identity embeddings between the generated face and the source face"
    judged_by = ("identity",)
    tracks = frozenset({"emotion"})
    ceiling = "target"

    def measure(self, evidence: Evidence) -> list[Measure]:
        generated, source = answers(evidence), evidence.seen["proposal"]
        return [
            Measure(
                self.name,
                better="higher",
                unit="cosine",
                failure="a missing or unjudgeable face counts as cosine -1",
                values=_or_minus_one(cosines(generated, source), source),
                headline=True,
            )
        ]


def _best_constant(evidence: Evidence) -> np.ndarray:
    """For each trial the vector with the largest mean cosine to the gallery, which is the mean of its unit vectors:
    [n, D]. It is the same for every method, whichever trials apply to it."""
    gallery = unit(evidence.seen["gallery"])
    known = gallery[usable(gallery)]
    best = known.mean(axis=0) if len(known) else np.full(gallery.shape[1], np.nan)
    return np.repeat(best[None], len(evidence.trials), axis=0)


def _to_target(generated: np.ndarray, evidence: Evidence) -> np.ndarray:
    return _or_minus_one(cosines(generated, evidence.seen["target"]), evidence.seen["target"])


def _or_minus_one(made: np.ndarray, real: np.ndarray) -> np.ndarray:
    """The cosines `made`, [n], with -1 for a failed face; NaN only where the real one, [n, D], cannot be judged."""
    return np.where(np.isnan(cosines(real, real)), np.nan, np.where(np.isnan(made), -1.0, made))
