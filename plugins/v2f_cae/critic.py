"""Discriminator and classifier on one trunk (Table 1 of the source, right); also DIMNet's face network."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn


class FaceTrunk(nn.Sequential):
    """3×64×64 -> 64: with width 32, 32@64 by 1×1, then 3×3 of stride 2: 64@32, 128@16, 256@8, 512@4, then 4×4 to 64@1.

    Leaky ReLU of slope 0.2 (the source gives no slope) after each.
    """

    dimensions = 64

    def __init__(self, width: int = 32) -> None:
        layers: list[nn.Module] = [nn.Conv2d(3, width, 1), nn.LeakyReLU(0.2, inplace=True)]
        channels = [width * 2**power for power in range(5)]
        for before, after in pairwise(channels):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.LeakyReLU(0.2, inplace=True)]
        layers += [nn.Conv2d(channels[-1], self.dimensions, 4), nn.LeakyReLU(0.2, inplace=True), nn.Flatten()]
        super().__init__(*layers)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        """float [N, 3, 64, 64] in [0, 1] -> [N, 64]."""
        return super().forward((faces * 2 - 1).contiguous(memory_format=torch.channels_last))


class Critic(nn.Module):
    """Logits of being real, [N], and of being each training speaker, [N, speakers]."""

    def __init__(self, speakers: int, width: int = 32) -> None:
        super().__init__()
        self.trunk = FaceTrunk(width)
        self.real = nn.Linear(FaceTrunk.dimensions, 1)
        self.speaker = nn.Linear(FaceTrunk.dimensions, speakers)

    def forward(self, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.trunk(faces)
        return self.real(features)[:, 0], self.speaker(features)
