"""Whether the generated face looks of the speaker's sex and age."""

from __future__ import annotations

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric
from v2f_bench.metrics.confusion import Confusion, balanced_accuracy
from v2f_bench.metrics.galleries import ages, sexes
from v2f_bench.metrics.vectors import answers, usable

OLDEST = 100.0  # years


class SexAgreement(Metric):
    """Share of trials whose face the judge takes for the speaker's sex; and the mean of the shares of each sex.

    As in Oh et al. 2019 (Speech2Face, section 4.1), who compare what an attribute classifier says of generated and
    real faces; here with the speaker's label. `balanced` is the mean of both sexes' recalls (Brodersen et al. 2010), so
    that a face of the more frequent sex for all gains nothing. Chance is 0.5.
    """

    name = "sex-agreement"
    summary = "share of faces that a judge takes for the speaker's sex, plain and balanced"
    judged_by = ("sex",)

    def measure(self, evidence: Evidence) -> list[Measure]:
        truth = sexes(evidence.trials)
        if not (truth != "").any():
            return []
        confusion = Confusion.of(evidence, truth)
        failure = "a missing or unjudgeable face is wrong"
        return [
            Measure(
                "sex-agreement",
                better="higher",
                unit="fraction",
                failure=failure,
                values=confusion.right(),
                chance=0.5,
                details=confusion.details(),
            ),
            Measure(
                "sex-agreement/balanced",
                better="higher",
                unit="fraction",
                failure=failure,
                chance=0.5,
                **confusion.number(balanced_accuracy),
            ),
        ]


class AgeError(Metric):
    """Mean absolute difference in years between the judge's age of the face and the speaker's label.

    As in Oh et al. 2019 (Speech2Face, section 4.1), here against the label. The judge's own error on real faces is its
    ceiling. A failed face costs the largest error that an answer from 0 to 100 years could make, and no judged age is
    taken to lie outside these: so failing is never better than any answer, and costs the same for every method.
    """

    name = "age-error"
    summary = "mean absolute error in years of the face's age by a judge"
    judged_by = ("age",)
    floor = "mean-face"

    def measure(self, evidence: Evidence) -> list[Measure]:
        truth = ages(evidence.trials)
        if np.isnan(truth).all():
            return []
        generated = answers(evidence)
        error = np.abs(np.clip(generated[:, 0], 0, OLDEST) - truth)
        return [
            Measure(
                self.name,
                better="lower",
                unit="years",
                failure="a missing or unjudgeable face counts as the largest error of an answer from 0 to 100 years",
                values=np.where(usable(generated), error, np.maximum(truth, OLDEST - truth)),
            )
        ]
