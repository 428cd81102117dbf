"""Generator and discriminator, which both see the conditions; the source gives no layers.

The generator is DCGAN's (Radford et al. 2016) with the voice's code and the conditions beside the noise. Conditions and
code meet the discriminator's face features by projection (Miyato & Koyama, cGANs with Projection Discriminator, 2018).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from v2f_bench.nn import Blur, FaceTrunk, VoiceEmbedding
from v2f_bench.nn.voice import CODE
from v2f_cgan.speech import FEATURES

KERNEL = 4  # of all convolutions of stride 2, as in DCGAN's public code; an even one leaves less of a grid


class Ear(nn.Module):
    """Speech features to a code of mean 0 and deviation 1 over a training batch: [N, 84, T], frames [N] -> [N, 64]."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        self.voice = VoiceEmbedding(width, FEATURES)
        self.norm = nn.BatchNorm1d(CODE, affine=False)

    def forward(self, speech: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
        return self.norm(self.voice(speech, frames))


class Generator(nn.Module):
    """Code [N, 64], noise [N, noise] and conditions [N, conditions] -> faces float [N, 3, 64, 64] in [0, 1].

    With width 64: 1024@4 by a linear layer, then transposed convolutions of 4×4 and stride 2: 512@8, 256@16, 128@32,
    64@64, each with batch norm and ReLU. Where DCGAN's fourth gives RGB, here a 3×3 convolution after it does, which
    smooths what grid it leaves; a sigmoid in place of tanh.

    Args:
        smooth: blur after the last two layers that double the size, whose grids have four and two pixels, and the
            picture. After all layers it makes streaks.
    """

    def __init__(self, conditions: int, noise: int, width: int = 64, smooth: bool = False) -> None:
        super().__init__()
        channels = [16 * width, 8 * width, 4 * width, 2 * width, width]
        self.start = nn.Sequential(
            nn.Linear(CODE + noise + conditions, channels[0] * 4 * 4, bias=False),
            nn.Unflatten(1, (channels[0], 4, 4)),
            nn.BatchNorm2d(channels[0]),
            nn.ReLU(inplace=True),
        )
        layers: list[nn.Module] = []
        for before, after in pairwise(channels):
            layers += [
                nn.ConvTranspose2d(before, after, KERNEL, stride=2, padding=1, bias=False),
                *([Blur()] if smooth and after <= 2 * width else []),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
            ]
        blurs = [Blur()] if smooth else []
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, 3, 3, padding=1), *blurs, nn.Sigmoid())

    def forward(self, code: torch.Tensor, noise: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        start = self.start(torch.cat([code, noise, conditions], dim=1))
        faces: torch.Tensor = self.layers(start.contiguous(memory_format=torch.channels_last))
        return faces


class Discriminator(nn.Module):
    """The logit, [N], of a face being real and the owner's of a voice's code, under the conditions."""

    def __init__(self, conditions: int, width: int = 32) -> None:
        super().__init__()
        self.trunk = FaceTrunk(width, KERNEL)
        self.real = nn.Linear(FaceTrunk.dimensions, 1)
        self.fits = nn.Linear(CODE + conditions, FaceTrunk.dimensions, bias=False)

    def forward(self, faces: torch.Tensor, code: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        features = self.trunk(faces)
        return self.real(features)[:, 0] + (features * self.fits(torch.cat([code, conditions], dim=1))).sum(dim=1)
