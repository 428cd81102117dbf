"""The canvas: the light of a picture while it is painted, and all that a painter needs to know beside it."""

from __future__ import annotations

from dataclasses import dataclass

from v2f_bench.datasets.synthetic_speakers.face.appearance import Appearance
from v2f_bench.datasets.synthetic_speakers.face.grid import Grid, Patch
from v2f_bench.datasets.synthetic_speakers.face.light import Light
from v2f_bench.datasets.synthetic_speakers.face.shapes import Field


@dataclass(frozen=True, eq=False)
class Canvas:
    """`pixels` [3, n, n] is linear light; `head` [n, n] is how deep each pixel lies inside the head's outline."""

    pixels: Field
    grid: Grid
    face: Appearance
    light: Light
    head: Field

    def under(self, patch: Patch) -> Field:
        """The pixels of a patch, to be changed in place [3, h, w]."""
        return self.pixels[:, patch.rows, patch.columns]

    def lay(self, patch: Patch, colour: Field, cover: Field) -> None:
        """Lay `colour` [3, h, w] over a patch as far as `cover` [h, w] says."""
        under = self.under(patch)
        under += (colour - under) * cover
