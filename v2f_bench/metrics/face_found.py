"""Whether there is a face in the picture at all."""

from __future__ import annotations

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric


class FaceFound(Metric):
    """The share of trials in whose picture the detector finds a face.

    Our own definition, by a detector such as MTCNN (Zhang et al. 2016). Its ceiling is the detector's own rate on real
    photographs at the protocol's resolution, which need not be 1.
    """

    name = "face-found"
    summary = "share of trials in whose picture a detector finds a face"
    judged_by = ("detection",)

    def measure(self, evidence: Evidence) -> list[Measure]:
        return [
            Measure(
                self.name,
                better="higher",
                unit="fraction",
                failure="a missing picture has no face in it",
                values=(np.nan_to_num(evidence.seen["generated"][:, 0]) > 0).astype(float),
                headline=True,
            )
        ]
