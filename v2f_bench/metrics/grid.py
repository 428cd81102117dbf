"""Whether a grid of two or of four pixels lies over the picture."""

from __future__ import annotations

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric
from v2f_bench.metrics.vectors import answers

SILENCE = 1e-6  # energy far below one step of 8 bits, so that a flat picture has a value


class GridEnergy(Metric):
    """The energy of patterns of two and of four pixels, against that of patterns beside them, in decibels.

    Transposed convolutions treat pixels of even and of odd place differently and leave a checkerboard (Odena et al.,
    Deconvolution and Checkerboard Artifacts, Distill 2016); the last but one leaves one twice as coarse. Real
    photographs of 64 pixels have about as much energy in such a pattern as just beside it: 0 to −2 dB, and less at 32
    pixels. Their own value is the ceiling; far above it a grid is seen, and a value below it says no more than that the
    picture is soft.
    """

    name = "grid-energy"
    summary = "energy of patterns of two and of four pixels over that beside them, in dB; in real photographs 0 to −2"
    judged_by = ("grid",)
    ceiling = "real-photo"

    def measure(self, evidence: Evidence) -> list[Measure]:
        two, coarser, four, beside = np.maximum(answers(evidence).astype(float), SILENCE).T
        return [
            Measure(
                f"{self.name}/{pixels}-pixels",
                better="neither",
                unit="dB",
                failure="a missing picture has no value and is left out",
                values=10 * np.log10(pattern / others),
            )
            for pixels, pattern, others in (("two", two, coarser), ("four", four, beside))
        ]
