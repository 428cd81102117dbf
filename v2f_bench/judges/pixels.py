"""The picture itself as a judge's output, for measures of colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v2f_bench.interfaces import Judge

if TYPE_CHECKING:
    import torch

SIDE = 16


class Pixels(Judge):
    """No network: each face reduced to 3×16×16 means of its pixels in [0, 1], as one row of 768 numbers."""

    name = "pixels"
    kind = "pixels"
    summary = "the picture itself, 16×16: for colour"
    people = "nobody"
    met = frozenset[str]()
    licence = "none needed"

    def predict(self, faces: torch.Tensor) -> torch.Tensor:
        import torch.nn.functional as F

        return F.interpolate(faces, (SIDE, SIDE), mode="area").flatten(1)
