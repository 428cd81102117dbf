"""The discriminators, their least-squares losses, and the pool of earlier fakes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from v2f_cyclegan.residual import tiled


class Discriminator(nn.Module):
    """C64-C128-C256-C512 and one map, 4×4, the first three of stride 2: CycleGAN's 70×70 PatchGAN.

    The condition, where there is one, is tiled and joined to what the first convolution gives, as in the source's
    public code; as in the generator, the next convolution then has no instance norm, which would take it away again.

    Args:
        conditions: numbers in the condition; 0 for the discriminator of neutral faces.
        width: channels of the first layer.
    """

    def __init__(self, conditions: int, width: int = 64) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2, inplace=True))
        layers: list[nn.Module] = []
        before = width + conditions
        for after, stride in ((2 * width, 2), (4 * width, 2), (8 * width, 1)):
            layers.append(nn.Conv2d(before, after, 4, stride, padding=1))
            if not conditions or len(layers) > 1:
                layers.append(nn.InstanceNorm2d(after))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            before = after
        self.rest = nn.Sequential(*layers, nn.Conv2d(before, 1, 4, padding=1))

    def forward(self, faces: torch.Tensor, conditions: torch.Tensor | None = None) -> torch.Tensor:
        """Faces float [N, 3, S, S] in [0, 1], conditions [N, K] -> how real each patch is: [N, 1, S/8 - 2, S/8 - 2]."""
        x = self.first((faces * 2 - 1).contiguous(memory_format=torch.channels_last))
        if conditions is not None:
            x = torch.cat([x, tiled(conditions, x)], dim=1)
        return self.rest(x)


def real(patches: torch.Tensor) -> torch.Tensor:
    """The least-squares loss (Mao et al. 2017) of patches that should be real."""
    return F.mse_loss(patches, torch.ones_like(patches))


def fake(patches: torch.Tensor) -> torch.Tensor:
    """The least-squares loss of patches that should not."""
    return F.mse_loss(patches, torch.zeros_like(patches))


class FakePool(nn.Module):
    """Earlier fakes and their conditions (Shrivastava et al. 2017, as in CycleGAN).

    A module, so that a checkpoint of the training keeps what is in it.

    Args:
        size: fakes; 0: what is put in comes straight out.
    """

    faces: torch.Tensor
    conditions: torch.Tensor
    held: torch.Tensor

    def __init__(self, size: int, side: int, conditions: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("faces", torch.zeros(size, 3, side, side))
        self.register_buffer("conditions", torch.zeros(size, conditions))
        self.register_buffer("held", torch.zeros((), dtype=torch.int64))

    def exchanged(self, faces: torch.Tensor, conditions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The fakes given, half of them, once the pool is full, changed for earlier ones. Draws from torch's generator.

        Faces [N, 3, S, S] and conditions [N, K] in and out.
        """
        if not self.size:
            return faces, conditions
        faces, conditions = faces.clone(), conditions.clone()
        for number in range(len(faces)):
            if int(self.held) < self.size:
                place = int(self.held)
                self.held += 1
                self.faces[place], self.conditions[place] = faces[number], conditions[number]
            elif float(torch.rand(())) < 0.5:
                place = int(torch.randint(self.size, ()))
                earlier = self.faces[place].clone(), self.conditions[place].clone()
                self.faces[place], self.conditions[place] = faces[number], conditions[number]
                faces[number], conditions[number] = earlier
        return faces, conditions
