"""Whether a film flickers."""

from __future__ import annotations

from v2f_bench.interfaces import Evidence, Measure, Metric
from v2f_bench.metrics.vectors import answers


class Flicker(Metric):
    """Brightness that jumps from frame to frame: the mean second difference of the luminance of coarse cells of the
    followed face, by a judge of films (see `judges/motion.py`). Our own definition.

    An even motion or change of light has none. The ceiling is that of real films of the targets: they move unevenly
    too, so a value far above it is flicker, and one below it says no more than that a film is stiller. It is per frame;
    a film of twice the frame rate has less of it. There is no floor. Stills are not measured.
    """

    name = "flicker"
    summary = "of films: brightness that jumps between frames, in grey levels; to be compared with that of real films"
    judged_by = ("motion",)
    floor = ""
    ceiling = "real-film"

    def measure(self, evidence: Evidence) -> list[Measure]:
        return [
            Measure(
                self.name,
                better="neither",
                unit="grey levels",
                failure="a missing film, or a still, has no value and is left out",
                values=answers(evidence, like=self.ceiling)[:, 2].astype(float),
            )
        ]
