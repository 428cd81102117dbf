"""Whether the generated face shows the emotion that the voice has: as meant, as people heard it, and as the judge sees
it in the real face."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric
from v2f_bench.interfaces.labels import standard_label
from v2f_bench.metrics.confusion import Confusion, kappa, macro_f1
from v2f_bench.metrics.galleries import known_labels
from v2f_bench.metrics.one_against_rest import OneAgainstRest
from v2f_bench.metrics.vectors import usable

FAILURE = "a missing or unjudgeable face is wrong; the confusion matrix has a column for it"
FAILURE_OF_AUC = "a missing or unjudgeable face loses every comparison with another"


class EmotionAgreement(Metric):
    """Agreement of the emotion that a judge sees in the generated face with the label of the voice.

    `accuracy`; `macro-F1`, the mean over the emotions of their F1 (Opitz & Burst 2019, averaged F1), so that frequent
    ones do not outweigh; `kappa`, agreement beyond that of the margins (Cohen 1960). `heard-...`: the same against the
    emotion that most listeners heard in the voice, where the data set has votes: people hear the intended one in about
    two of five voices of CREMA-D (Cao et al. 2014), so a method that follows the voice cannot always agree with the
    intention. `real-face-...`: the same against the emotion that the judge itself finds the most probable in the
    speaker's real face with the voice's emotion: where the judge is often wrong, or people show an emotion in a way of
    their own, a face like the real one still agrees. `AUC`, one emotion against the rest, mean over the emotions
    (Fawcett 2006, An introduction to ROC analysis, section 9.2, without its weights): whether the faces of happy voices
    look happier to the judge than those of others. It does not ask which emotion is the most probable, so a judge that
    calls every blurred face sad can still tell which is the sadder; 0.5 is chance, whatever the judge's leanings.
    Trials whose label the judge has no class for are left out, and counted in the details beside the confusion matrix.
    The floor of the rest is the source face unchanged, the ceiling the speaker's real face with the emotion: for
    `real-face-...` that is 1 by definition.
    """

    name = "emotion-agreement"
    summary = (
        "accuracy, macro-F1, kappa and AUC of the emotion judged in the face: with the voice's label, with what people "
        "heard, with what is judged in the real face"
    )
    judged_by = ("emotion",)
    tracks = frozenset({"emotion"})
    floor: ClassVar[str] = "proposal"
    ceiling: ClassVar[str] = "target"

    def measure(self, evidence: Evidence) -> list[Measure]:
        truths = {
            "": known_labels(evidence.trials, "emotion"),
            "heard-": known_labels(evidence.trials, "heard"),
            "real-face-": _judged_in_targets(evidence),
        }
        measures = []
        for prefix, truth in truths.items():
            if (truth != "").any():
                name = f"emotion-agreement/{prefix}"
                measures += _agreement(Confusion.of(evidence, truth), name, headline=prefix != "real-face-")
                measures.append(_area(OneAgainstRest.of(evidence, truth), name))
        return measures


def _judged_in_targets(evidence: Evidence) -> np.ndarray:
    """The emotion that is the most probable in each trial's real face: text [n]; "" where it could not be judged."""
    truth = np.full(len(evidence.trials), "", dtype=object)
    targets = evidence.seen.get("target")
    if targets is not None:
        judged = usable(targets)
        classes = np.array([standard_label(label) for label in evidence.labels], dtype=object)
        truth[judged] = classes[targets[judged].argmax(axis=1)]
    return truth


def _agreement(confusion: Confusion, name: str, headline: bool) -> list[Measure]:
    accuracy = Measure(
        f"{name}accuracy",
        better="higher",
        unit="fraction",
        failure=FAILURE,
        values=confusion.right(),
        headline=headline,
        details=confusion.details(),
    )
    rest = [
        Measure(f"{name}{title}", better="higher", unit=unit, failure=FAILURE, **confusion.number(number))
        for title, unit, number in (("macro-F1", "F1", macro_f1), ("kappa", "kappa", kappa))
    ]
    return [accuracy, *rest]


def _area(scores: OneAgainstRest, name: str) -> Measure:
    return Measure(
        f"{name}AUC",
        better="higher",
        unit="area",
        failure=FAILURE_OF_AUC,
        statistic=scores.area,
        covers=scores.known,
        by_weights=scores.by_weights,
        chance=0.5,
        headline=name == "emotion-agreement/",
        details=scores.details(),
    )
