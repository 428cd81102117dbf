"""How strong the patterns are that generators leave by doubling the size of their maps, as a judge's output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v2f_bench.interfaces import Judge

if TYPE_CHECKING:
    import torch

COARSER = (2, 6)  # the patterns of two pixels are compared with these: the least and the most steps from the finest
BESIDE = (2, 3)  # those of four pixels, with these: the least and the most steps to both sides
LONG = 2  # cycles that a stripe of four pixels may have along its length


class Grid(Judge):
    """No network: four energies of the grey picture's discrete Fourier transform, at least 32 pixels a side.

    A generator's last doubling of the size can leave a pattern of two pixels, the one before it a pattern of four. The
    first energy is the mean over the frequencies of half a cycle a pixel along one side or the other, which a pattern
    of two pixels fills; the second is that over frequencies a little lower (`COARSER`), which it does not.

    The third is a sum of two means: over a quarter of a cycle a pixel along one side and nearly none (`LONG`) along the
    other, which stripes of four pixels fill, and over a quarter along both, which checks of four pixels fill. The
    fourth is the same sum for the frequencies `BESIDE` a quarter. For these two the picture fades out to its rims (a
    Hann window), since a rim has energy in all frequencies along a side.
    """

    name = "grid"
    version = "2"
    kind = "grid"
    summary = "energy of patterns of two and of four pixels in the picture, which generators leave"
    people = "nobody"
    met = frozenset[str]()
    licence = "none needed"

    def predict(self, faces: torch.Tensor) -> torch.Tensor:
        import torch

        grey = faces.double().mean(dim=1)
        grey = grey - grey.mean(dim=(1, 2), keepdim=True)
        return torch.stack([*_of_two_pixels(grey), *_of_four_pixels(grey)], dim=1).float()


def _of_two_pixels(grey: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    energy, (rows, columns) = _spectrum(grey)
    ends = [frequencies.max() - frequencies for frequencies in (rows, columns)]  # steps from the finest
    finest = (ends[0] < 1)[:, None] | (ends[1] < 1)[None]
    first, last = COARSER
    coarser = ((ends[0] >= first) & (ends[0] <= last))[:, None] | ((ends[1] >= first) & (ends[1] <= last))[None]
    coarser &= ~finest
    return energy[:, finest].mean(dim=1), energy[:, coarser].mean(dim=1)


def _of_four_pixels(grey: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    windows = [torch.hann_window(side, dtype=grey.dtype, device=grey.device) for side in grey.shape[1:]]
    energy, (rows, columns) = _spectrum(grey * windows[0][:, None] * windows[1])
    steps = [(cycles - len(cycles) / 4).abs() for cycles in (rows, columns)]
    first, last = BESIDE

    def stripes_and_checks(chosen: list[torch.Tensor]) -> torch.Tensor:
        across = chosen[0][:, None] & (columns <= LONG)
        down = (rows <= LONG)[:, None] & chosen[1]
        both = chosen[0][:, None] & chosen[1]
        return energy[:, across | down].mean(dim=1) + energy[:, both].mean(dim=1)

    at, beside = [each < 1 for each in steps], [(each >= first) & (each <= last) for each in steps]
    return stripes_and_checks(at), stripes_and_checks(beside)


def _spectrum(grey: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The energies [N, H, W], and the cycles a side that their rows [H] and columns [W] stand for."""
    import torch

    cycles = [torch.fft.fftfreq(side, device=grey.device).abs() * side for side in grey.shape[1:]]
    return torch.fft.fft2(grey).abs().square(), cycles
