"""Whether a grid of two pixels lies over the picture."""

from __future__ import annotations

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric
from v2f_bench.metrics.vectors import answers

SILENCE = 1e-6  # energy far below one step of 8 bits, so that a flat picture has a value


class GridEnergy(Metric):
    """The energy of a two-pixel pattern, against that of patterns a little coarser, in decibels.

    Transposed convolutions treat pixels of even and of odd place differently and leave a checkerboard (Odena et al.,
    Deconvolution and Checkerboard Artifacts, Distill 2016). Real photographs have about as much energy in the finest
    pattern as just beside it: 0 to −2 dB. Their own value is the ceiling; far above it a grid is seen, and a value
    below it says no more than that the picture is soft.
    """

    name = "grid-energy"
    summary = "energy of a two-pixel pattern over that of coarser ones, in dB; real photographs 0 to −2"
    judged_by = ("grid",)
    ceiling = "real-photo"

    def measure(self, evidence: Evidence) -> list[Measure]:
        finest, near = np.maximum(answers(evidence).astype(float), SILENCE).T
        return [
            Measure(
                self.name,
                better="neither",
                unit="dB",
                failure="a missing picture has no value and is left out",
                values=10 * np.log10(finest / near),
            )
        ]
