"""How a face moves in a film, as a judge's output: its mouth against a voice, and flicker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v2f_bench.interfaces import FilmJudge
from v2f_bench.media.mtcnn_networks import load_networks

if TYPE_CHECKING:
    import numpy as np

    from v2f_bench.interfaces import FilmFile


class Motion(FilmJudge):
    """The face is followed by MTCNN and cut out as the faces of clips are; three numbers say how it moves.

    *Opening of the mouth.* In each crop, the luminance between the corners of the mouth, averaged over `COLUMNS`, is a
    vertical profile. By how many pixels its part below the mouth (`JAW`: lower lip and chin) lies lower than in the
    mean profile of the stretch, minus the same of the nose, is the opening: nodding and the tremor of the alignment
    move both parts alike. The shift is the one with the least squared difference, contrast aside, to a part of a pixel.

    *Correlation and lag.* Pearson's, between the opening and the envelope of the voice: the root mean square over
    `WINDOW` around the frame's time less a lag. The highest over the `LAGS` counts, so that even a wrong voice scores
    above 0: what it scores is the floor. A mouth that does not move, and a silent voice, have the correlation 0.

    *Flicker.* Of the crop in 8×8 cells, the mean of |x(t−1) − 2·x(t) + x(t+1)| / 2 over cells and frames, where x is a
    cell's mean luminance from 0 to 255. An even motion or change of light has 0; brightness that jumps by d and back
    with every frame has d. It is per frame, so films of one frame rate are comparable.
    """

    name = "motion"
    version = "1"
    kind = "motion"
    summary = "how mouth and brightness of a followed face move in a film; by MTCNN's points, without a network of lips"
    people = "WIDER FACE and CelebA (Zhang et al. 2016, section III)"
    met = frozenset({"wider-face", "celeba"})
    licence = "MIT"

    def start(self, device: str) -> None:
        load_networks("cpu", self.name)  # NotAvailable now, not at the first film

    def watch(self, film: FilmFile) -> np.ndarray:
        """Time, number of the stretch (0: no face), opening (NaN: no face), and the cells' luminance, of each frame."""
        from v2f_bench.judges.movement import watched

        return watched(film)

    def compare(self, seen: np.ndarray, voice: np.ndarray, rate: int) -> np.ndarray:
        from v2f_bench.judges.movement import compared

        return compared(seen, voice, rate)
