"""Generator, and discriminator and classifier on one face network (Table 1 of the source and its public code)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from v2f_bench.nn.voice import CODE


class Generator(nn.Module):
    """A voice code [64] to a face 3×64×64 by transposed convolutions.

    With width 64: 1024@4 by a 4×4 filter, then 4×4 of stride 2: 512@8, 256@16, 128@32, 64@64, each with ReLU; a 1×1
    convolution to RGB. The public code leaves its output unbounded, where faces lie in [-1, 1]; so it is here.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        channels = [16 * width, 8 * width, 4 * width, 2 * width, width]
        layers: list[nn.Module] = [nn.ConvTranspose2d(CODE, channels[0], 4), nn.ReLU(inplace=True)]
        for before, after in pairwise(channels):
            layers += [nn.ConvTranspose2d(before, after, 4, stride=2, padding=1), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, 3, 1))

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        """float [N, 64] -> float [N, 3, 64, 64], where faces lie in [0, 1]."""
        x = codes[:, :, None, None].contiguous(memory_format=torch.channels_last)
        return (self.layers(x) + 1) / 2


class Critic(nn.Module):
    """Logits of being real, [N], and of being each training speaker, [N, speakers], on one face network.

    The network, with width 32: 32@64 by 1×1, then 3×3 of stride 2: 64@32, 128@16, 256@8, 512@4, then 4×4 to 64@1, leaky
    ReLU of slope 0.2 after each.
    """

    def __init__(self, speakers: int, width: int = 32) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, width, 1), nn.LeakyReLU(0.2, inplace=True)]
        channels = [width * 2**power for power in range(5)]
        for before, after in pairwise(channels):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.LeakyReLU(0.2, inplace=True)]
        self.face = nn.Sequential(
            *layers, nn.Conv2d(channels[-1], CODE, 4), nn.LeakyReLU(0.2, inplace=True), nn.Flatten()
        )
        self.real = nn.Linear(CODE, 1)
        self.speaker = nn.Linear(CODE, speakers)

    def forward(self, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.face((faces * 2 - 1).contiguous(memory_format=torch.channels_last))
        return self.real(features)[:, 0], self.speaker(features)
