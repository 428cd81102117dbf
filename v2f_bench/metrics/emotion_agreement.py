"""Whether the generated face shows the emotion that the voice has: as it was meant, and as people heard it."""

from __future__ import annotations

from typing import ClassVar

from v2f_bench.interfaces import Evidence, Measure, Metric
from v2f_bench.metrics.confusion import Confusion, kappa, macro_f1
from v2f_bench.metrics.galleries import known_labels

FAILURE = "a missing or unjudgeable face is wrong; the confusion matrix has a column for it"
TRUTHS = (("emotion", ""), ("heard", "heard-"))


class EmotionAgreement(Metric):
    """Agreement of the emotion that a judge sees in the generated face with the label of the voice.

    `accuracy`; `macro-F1`, the mean over the emotions of their F1 (Opitz & Burst 2019, averaged F1), so that frequent
    ones do not outweigh; `kappa`, agreement beyond that of the margins (Cohen 1960). `heard-...`: the same against the
    emotion that most listeners heard in the voice, where the data set has votes: people hear the intended one in about
    two of five voices of CREMA-D (Cao et al. 2014), so a method that follows the voice cannot always agree with the
    intention. Trials whose label the judge has no class for are left out, and counted in the
    details beside the confusion matrix. The floor is the source face unchanged.
    """

    name = "emotion-agreement"
    summary = "accuracy, macro-F1 and kappa of the emotion judged in the face, with the voice's label and the heard one"
    judged_by = ("emotion",)
    tracks = frozenset({"emotion"})
    floor: ClassVar[str] = "proposal"

    def measure(self, evidence: Evidence) -> list[Measure]:
        measures = []
        for column, prefix in TRUTHS:
            truth = known_labels(evidence.trials, column)
            if (truth != "").any():
                measures += _agreement(Confusion.of(evidence, truth), f"emotion-agreement/{prefix}")
        return measures


def _agreement(confusion: Confusion, name: str) -> list[Measure]:
    accuracy = Measure(
        f"{name}accuracy",
        better="higher",
        unit="fraction",
        failure=FAILURE,
        values=confusion.right(),
        headline=True,
        details=confusion.details(),
    )
    rest = [
        Measure(f"{name}{title}", better="higher", unit=unit, failure=FAILURE, **confusion.number(number))
        for title, unit, number in (("macro-F1", "F1", macro_f1), ("kappa", "kappa", kappa))
    ]
    return [accuracy, *rest]
