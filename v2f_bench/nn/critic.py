"""Discriminator and classifier on one face network, as Wen et al. 2019 and Liang et al. 2020 have them."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn


class FaceTrunk(nn.Sequential):
    """3×64×64 -> 64: with width 32, 32@64 by 1×1, then stride 2: 64@32, 128@16, 256@8, 512@4, then 4×4 to 64@1.

    Leaky ReLU of slope 0.2 (Liang et al. give no slope) after each.

    Args:
        kernel: of the convolutions of stride 2: 3 in Table 1 of Liang et al., 4 in the public code of Wen et al.
    """

    dimensions = 64

    def __init__(self, width: int = 32, kernel: int = 3) -> None:
        layers: list[nn.Module] = [nn.Conv2d(3, width, 1), nn.LeakyReLU(0.2, inplace=True)]
        channels = [width * 2**power for power in range(5)]
        for before, after in pairwise(channels):
            layers += [nn.Conv2d(before, after, kernel, stride=2, padding=1), nn.LeakyReLU(0.2, inplace=True)]
        layers += [nn.Conv2d(channels[-1], self.dimensions, 4), nn.LeakyReLU(0.2, inplace=True), nn.Flatten()]
        super().__init__(*layers)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        """float [N, 3, 64, 64] in [0, 1] -> [N, 64]."""
        return super().forward((faces * 2 - 1).contiguous(memory_format=torch.channels_last))


class Critic(nn.Module):
    """Logits of being real, [N], and of being each training speaker, [N, speakers]; `kernel` as in `FaceTrunk`."""

    def __init__(self, speakers: int, width: int = 32, kernel: int = 3) -> None:
        super().__init__()
        self.trunk = FaceTrunk(width, kernel)
        self.real = nn.Linear(FaceTrunk.dimensions, 1)
        self.speaker = nn.Linear(FaceTrunk.dimensions, speakers)

    def forward(self, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.trunk(faces)
        return self.real(features)[:, 0], self.speaker(features)


def real_loss(logits: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy, averaged, of the logits [N] of being real where all should be."""
    return F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))


def fake_loss(logits: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy, averaged, of the logits [N] of being real where none should be."""
    return F.binary_cross_entropy_with_logits(logits, torch.zeros_like(logits))
