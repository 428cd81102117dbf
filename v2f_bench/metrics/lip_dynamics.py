"""Whether the mouth of a film moves with the voice."""

from __future__ import annotations

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric


class LipDynamics(Metric):
    """The correlation between the opening of the mouth and the envelope of the trial's voice at the best lag up to
    0.2 s, by a judge of films (see `judges/motion.py`).

    Loudness and opening go together in speech (Grant and Seitz, The use of visible speech cues for improving auditory
    detection of spoken sentences, J. Acoust. Soc. Am. 108, 2000; Chandrasekaran et al., The natural statistics of
    audiovisual speech, PLoS Comput. Biol. 5, 2009). The floor is what the same films score with the voices of other
    trials: not 0, since the best of several lags is taken. The ceiling is what the films of the targets score with
    their own voices. Stills are not measured.
    """

    name = "lip-dynamics"
    summary = "of films: correlation of the mouth's opening with the voice's loudness, at the best lag up to 0.2 s"
    judged_by = ("motion",)
    floor = "other-voice"
    ceiling = "real-film"

    def measure(self, evidence: Evidence) -> list[Measure]:
        seen = evidence.seen["generated"]
        failed = ~np.isfinite(seen).all(axis=1)
        lags = seen[~failed, 1].astype(float)
        return [
            Measure(
                self.name,
                better="higher",
                unit="r",
                failure="a missing film, a still, or one without a face in half of its frames counts as unrelated: 0",
                values=np.where(failed, 0.0, seen[:, 0]).astype(float),
                headline=True,
                details={"median lag of the mouth in seconds": float(np.median(lags)) if len(lags) else None},
            )
        ]
