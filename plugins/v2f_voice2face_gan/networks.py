"""The generator (Table 1 of the source and its public code)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from v2f_bench.nn import Blur
from v2f_bench.nn.voice import CODE


class Generator(nn.Module):
    """A voice code [64] to a face 3×64×64 by transposed convolutions.

    With width 64: 1024@4 by a 4×4 filter, then 4×4 of stride 2: 512@8, 256@16, 128@32, 64@64, each with ReLU; a 1×1
    convolution to RGB. The public code leaves its output unbounded, where faces lie in [-1, 1]; so it is here.

    Args:
        smooth: blur after the last two transposed convolutions, whose grids have four and two pixels, and the picture.
    """

    def __init__(self, width: int = 64, smooth: bool = False) -> None:
        super().__init__()
        channels = [16 * width, 8 * width, 4 * width, 2 * width, width]
        layers: list[nn.Module] = [nn.ConvTranspose2d(CODE, channels[0], 4), nn.ReLU(inplace=True)]
        for before, after in pairwise(channels):
            layers.append(nn.ConvTranspose2d(before, after, 4, stride=2, padding=1))
            layers += [*([Blur()] if smooth and after <= 2 * width else []), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, 3, 1), *([Blur()] if smooth else []))
        for layer in self.layers:
            if isinstance(layer, nn.ConvTranspose2d):
                _keep_variance(layer)

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        """float [N, 64] -> float [N, 3, 64, 64], where faces lie in [0, 1]."""
        x = codes[:, :, None, None].contiguous(memory_format=torch.channels_last)
        return (self.layers(x) + 1) / 2


def _keep_variance(layer: nn.ConvTranspose2d) -> None:
    """Start as He et al. 2015 do: without normalisation, and by torch's own start, all codes give one picture for long.

    Of a transposed convolution's k×k taps only k²/stride² meet a given output. The first layer's input, a code of
    length 1, counts as one input of that size.
    """
    inputs = 1 if layer.in_channels == CODE and layer.padding[0] == 0 else layer.in_channels * 4
    nn.init.normal_(layer.weight, std=(2 / inputs) ** 0.5)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
