"""The scaffold (section 2.1 of the source): a U-Net whose decoder is gated by the voice."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from v2f_bench.nn import Blur
from v2f_bench.nn.voice import CODE
from v2f_cae.gating import GatedConvTranspose2d


class DoubleConv(nn.Sequential):
    """Two 3×3 convolutions, each with batch norm and ReLU."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(
            nn.Conv2d(before, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
        )


class Generator(nn.Module):
    """A face 3×64×64 and a voice code [64] to a face.

    With width 64: encoder 64@64, 128@32, 256@16, 512@8, halved in size by max-pooling after each, to 512@4; decoder of
    gated transposed convolutions, each with as many channels as the encoder layer whose output joins it:
    512@8, 256@16, 128@32, 64@64. The source leaves the last step to RGB open: a 1×1 convolution and a sigmoid here.

    Args:
        smooth: blur what each transposed convolution gives. The voice gates its taps one by one, so that pixels of even
            and odd place differ, and a grid lies over the face.
    """

    def __init__(self, width: int = 64, kernel: int = 3, smooth: bool = False) -> None:
        super().__init__()
        self.blur = Blur() if smooth else nn.Identity()
        channels = [3, width, 2 * width, 4 * width, 8 * width]
        self.encoder = nn.ModuleList(DoubleConv(before, after) for before, after in pairwise(channels))
        self.pool = nn.MaxPool2d(2)
        skips = channels[:0:-1]  # of the encoder layers, deepest first
        self.up = nn.ModuleList(
            GatedConvTranspose2d(before, skip, CODE, kernel) for before, skip in pairwise([skips[0], *skips])
        )
        self.decoder = nn.ModuleList(DoubleConv(2 * skip, skip) for skip in skips)
        self.to_rgb = nn.Conv2d(width, 3, 1)

    def forward(self, faces: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """float [N, 3, 64, 64] in [0, 1] and [N, 64] -> float [N, 3, 64, 64] in [0, 1]."""
        x = (faces * 2 - 1).contiguous(memory_format=torch.channels_last)
        skips = []
        for layer in self.encoder:
            x = layer(x)
            skips.append(x)
            x = self.pool(x)
        for up, layer, skip in zip(self.up, self.decoder, reversed(skips), strict=True):
            joined = torch.cat([self.blur(up(x, codes)), skip], dim=1)
            x = layer(joined.contiguous(memory_format=torch.channels_last))
        return torch.sigmoid(self.to_rgb(x))
