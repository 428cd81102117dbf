"""CycleGAN's generator with a condition, as in section 3.2 of the paper and its public code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn


@dataclass(frozen=True)
class Drawn:
    """Faces [N, 3, S, S] in [0, 1]; of a generator that changes the given face also the mask [N, 1, S, S] in [0, 1],
    and the flow [N, 2, S, S] in halves of the picture, where each pixel comes from."""

    faces: torch.Tensor
    mask: torch.Tensor | None = None
    flow: torch.Tensor | None = None


class ResidualGenerator(nn.Module):
    """c7s1-w, d2w, d4w, residual blocks of 4w, u2w, uw, c7s1: CycleGAN's (Zhu et al. 2017, appendix 7.2).

    The condition, where there is one, is tiled and joined to what the first convolution gives. The convolution after it
    has no instance norm here, which would subtract what a plane, being constant, adds.

    Args:
        conditions: numbers in the condition; 0 for none.
        width: w, channels of the first convolution.
        blocks: residual ones.
    """

    def __init__(self, conditions: int, width: int, blocks: int) -> None:
        super().__init__()
        self.first = nn.Sequential(*_convolution(3, width, 7, 1, mode="reflect"))
        self.rest = nn.Sequential(
            *_convolution(width + conditions, 2 * width, 3, 2, norm=not conditions),
            *_convolution(2 * width, 4 * width, 3, 2),
            *[_Residual(4 * width) for _ in range(blocks)],
            *_twice(4 * width, 2 * width),
            *_twice(2 * width, width),
            nn.Conv2d(width, 3, 7, padding=3, padding_mode="reflect"),
        )

    def forward(self, faces: torch.Tensor, conditions: torch.Tensor | None = None, strength: float = 1.0) -> Drawn:
        """Faces float [N, 3, S, S] in [0, 1] and conditions [N, K]; there is no flow that `strength` could change."""
        x = self.first((faces * 2 - 1).contiguous(memory_format=torch.channels_last))
        if conditions is not None:
            x = torch.cat([x, tiled(conditions, x)], dim=1)
        return Drawn((self.rest(x).tanh() + 1) / 2)


def tiled(conditions: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    """Conditions [N, K] as planes of the size of maps [N, C, H, W]: [N, K, H, W]."""
    return conditions[:, :, None, None].expand(-1, -1, *maps.shape[2:])


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        first = _convolution(channels, channels, 3, 1, mode="reflect")
        self.layers = nn.Sequential(*first, *_convolution(channels, channels, 3, 1, mode="reflect")[:-1])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x)


def _twice(before: int, after: int) -> list[nn.Module]:
    """To twice the size."""
    convolution = nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1)
    return [convolution, nn.InstanceNorm2d(after), nn.ReLU(inplace=True)]


def _convolution(
    before: int, after: int, kernel: int, stride: int, mode: Literal["zeros", "reflect"] = "zeros", norm: bool = True
) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, padding_mode=mode)
    return [convolution, *([nn.InstanceNorm2d(after)] if norm else []), nn.ReLU(inplace=True)]
