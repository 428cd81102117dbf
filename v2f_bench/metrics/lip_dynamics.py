"""Whether the mouth of a film moves with the voice."""

from __future__ import annotations

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric
from v2f_bench.metrics.vectors import answers, usable


class LipDynamics(Metric):
    """The correlation between the opening of the mouth and the envelope of the trial's voice at the best lag up to
    0.2 s, by a judge of films (see `judges/motion.py`).

    Loudness and opening go together in speech (Grant and Seitz, The use of visible speech cues for improving auditory
    detection of spoken sentences, J. Acoust. Soc. Am. 108, 2000; Chandrasekaran et al., The natural statistics of
    audiovisual speech, PLoS Comput. Biol. 5, 2009). The floor is what the same films score with the voices of other
    trials: not 0, since the best of several lags is taken. The ceiling is what the films of the targets score with
    their own voices. A correlation below 0 counts as 0. Stills are not measured.
    """

    name = "lip-dynamics"
    summary = "of films: correlation of the mouth's opening with the voice's loudness, at the best lag up to 0.2 s"
    judged_by = ("motion",)
    floor = "other-voice"
    ceiling = "real-film"

    def measure(self, evidence: Evidence) -> list[Measure]:
        seen = answers(evidence, like=self.ceiling)
        judged = usable(seen)
        lags = seen[judged, 1].astype(float)
        return [
            Measure(
                self.name,
                better="higher",
                unit="r",
                failure="a film that is missing, or has a face in less than half of its frames, counts as unrelated: 0",
                values=np.where(judged, np.maximum(seen[:, 0], 0.0), 0.0).astype(float),
                headline=True,
                details={"median lag of the mouth in seconds": float(np.median(lags)) if len(lags) else None},
            )
        ]
