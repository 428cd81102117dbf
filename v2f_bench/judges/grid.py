"""How strong the finest pattern of a picture is, as a judge's output, for the grids that generators leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v2f_bench.interfaces import Judge

if TYPE_CHECKING:
    import torch

NEAR = (2, 6)  # steps from the finest frequency to those that it is compared with: from, up to and with


class Grid(Judge):
    """No network: two energies of the grey picture's discrete Fourier transform, at least 32 pixels a side.

    The first is the mean over the frequencies of half a cycle a pixel along one side or the other, which a pattern of
    two pixels fills; the second is that over frequencies a little lower (`NEAR`), which it does not.
    """

    name = "grid"
    kind = "grid"
    summary = "energy of a two-pixel pattern in the picture, for the grids that transposed convolutions leave"
    people = "nobody"
    met = frozenset[str]()
    licence = "none needed"

    def predict(self, faces: torch.Tensor) -> torch.Tensor:
        import torch

        grey = faces.double().mean(dim=1)
        grey = grey - grey.mean(dim=(1, 2), keepdim=True)
        energy = torch.fft.fft2(grey).abs().square()
        rows, columns = (torch.fft.fftfreq(side).abs() * side for side in grey.shape[1:])
        ends = [frequencies.max() - frequencies for frequencies in (rows, columns)]  # steps from the finest
        finest = (ends[0] < 1)[:, None] | (ends[1] < 1)[None]
        first, last = NEAR
        near = ((ends[0] >= first) & (ends[0] <= last))[:, None] | ((ends[1] >= first) & (ends[1] <= last))[None]
        near &= ~finest
        return torch.stack([energy[:, finest].mean(dim=1), energy[:, near].mean(dim=1)], dim=1).float()
