"""Whether colours stay as they were where nothing should move."""

from __future__ import annotations

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric
from v2f_bench.metrics.vectors import answers, usable

SIDE = 16  # cells: what the judge of kind pixels gives is 3×16×16
# (first row, past the last, first column, past the last) of what an expression moves in a face that fills the crop,
# eyes on the seventh and eighth row from the top and the mouth on the eleventh to thirteenth, as the aligned pictures
# of the field and the embedded data set have them: brows and eyes, and the mouth with the skin around it.
MOVING = ((5, 9, 3, 13), (10, 14, 4, 12))
BLACK_TO_WHITE = 100.0
D65 = (0.95047, 1.0, 1.08883)
# Linear sRGB to CIE XYZ (IEC 61966-2-1, D65).
TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)


class ColourShift(Metric):
    """Mean CIELAB ΔE*ab (CIE 1976, ISO/CIE 11664-4) between generated and source face outside the moving parts.

    Over the cells of a 16×16 grid that are not brows, eyes or mouth (`MOVING`): skin, hair, background and clothes,
    which a change of expression leaves as they are. The colour of a cell is the mean of its pixels. About 2.3 is just
    noticeable (Mahy et al. 1994); a trial's value is at most 100, black for white. A copy of the source scores 0; the
    ceiling shows how much the speaker's real picture with the emotion differs.
    """

    name = "colour-shift"
    summary = "mean colour difference (CIELAB ΔE) to the source face outside eyes, brows and mouth"
    judged_by = ("pixels",)
    tracks = frozenset({"emotion"})
    ceiling = "target"

    def measure(self, evidence: Evidence) -> list[Measure]:
        source = evidence.seen["proposal"]
        difference = np.linalg.norm(_still_colours(answers(evidence)) - _still_colours(source), axis=2).mean(axis=1)
        failed = np.isnan(difference) & usable(source)
        return [
            Measure(
                self.name,
                better="lower",
                unit="ΔE*ab",
                failure="a missing face counts as far off as black is from white: 100",
                values=np.where(failed, BLACK_TO_WHITE, np.minimum(difference, BLACK_TO_WHITE)),
            )
        ]


def still_cells() -> np.ndarray:
    """The cells that no expression moves: bool [16, 16], rows from the top."""
    still = np.ones((SIDE, SIDE), bool)
    for top, bottom, left, right in MOVING:
        still[top:bottom, left:right] = False
    return still


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB (D65) of sRGB colours in [0, 1]: float64 [..., 3] of [..., 3]. Colours outside are clipped."""
    rgb = np.clip(rgb.astype(np.float64), 0, 1)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array(TO_XYZ).T / np.array(D65)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _still_colours(pictures: np.ndarray) -> np.ndarray:
    """CIELAB of the still cells of pictures [n, 3·16·16]: [n, cells, 3]."""
    grid = pictures.reshape(len(pictures), 3, SIDE, SIDE)
    return lab(np.moveaxis(grid[:, :, still_cells()], 1, 2))
