"""The emotion CNN of the verification loss: it tells the emotions of training faces apart, however they are shown."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

FEATURES = 64


class FaceCnn(nn.Module):
    """3×S×S -> four stages of two convolutions 3×3, the first of stride 2 -> 4×4 -> 64 features -> emotions.

    Batch norm and leaky ReLU after each convolution. The features have mean 0 and deviation 1, so that a distance
    between them has a scale.
    """

    def __init__(self, emotions: int, width: int = 32) -> None:
        super().__init__()
        stages = []
        for before, after in pairwise((3, width, 2 * width, 4 * width, 6 * width)):
            stages.append(nn.Sequential(*_convolution(before, after, 2), *_convolution(after, after, 1)))
        self.stages = nn.ModuleList(stages)
        self.features = nn.Sequential(
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(6 * width * 16, FEATURES, bias=False),
            nn.BatchNorm1d(FEATURES, affine=False),
        )
        self.emotion = nn.Linear(FEATURES, emotions)

    def maps(self, faces: torch.Tensor) -> list[torch.Tensor]:
        """What each stage makes of faces float [N, 3, S, S] in [0, 1]."""
        x = (faces * 4 - 2).contiguous(memory_format=torch.channels_last)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def forward(self, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """float [N, 3, S, S] in [0, 1] -> features [N, 64], logits [N, emotions]."""
        features = self.features(self.maps(faces)[-1])
        return features, self.emotion(features)


def disturbed(faces: torch.Tensor) -> torch.Tensor:
    """Faces [N, 3, S, S], each disturbed in a way of its own (see `disturbance`)."""
    return disturbance(len(faces), faces.shape[-1])(faces)


def disturbance(n: int, side: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """What shifts n faces [n, 3, side, side] and makes them, one by one, grey, blurred, noisy, tinted, of other light.

    It is differentiable, and does the same at every call. A network that only ever saw clean faces can be fooled by
    coloured patches that nobody takes for an expression; so it learns from these, and the generator's faces are shown
    to it in this way too. Draws from torch's global generator.
    """
    most = max(1, round(3 * side / 64))

    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return low + (high - low) * torch.rand(n, *shape)

    def some(share: float) -> torch.Tensor:
        return torch.rand(n, 1, 1, 1) < share

    down, right = (int(shift) for shift in torch.randint(0, 2 * most + 1, (2,)))
    grey, soft, noisy = some(0.5), some(0.5), some(0.5)
    small = int(torch.randint(side // 4, 3 * side // 4, (1,)))
    contrast, brightness, tint = uniform(0.7, 1.3, 1, 1, 1), uniform(0.7, 1.3, 1, 1, 1), uniform(0.9, 1.1, 3, 1, 1)
    noise = noisy * 0.05 * torch.randn(n, 3, side, side)

    def disturb(faces: torch.Tensor) -> torch.Tensor:
        device = faces.device
        faces = F.pad(faces, (most,) * 4, mode="replicate")[..., down : down + side, right : right + side]
        faces = torch.where(grey.to(device), faces.mean(dim=1, keepdim=True), faces)
        blurred = F.interpolate(F.interpolate(faces, (small, small), mode="area"), (side, side), mode="bilinear")
        faces = torch.where(soft.to(device), blurred, faces)
        middle = faces.mean(dim=(1, 2, 3), keepdim=True)
        faces = (faces - middle) * contrast.to(device) + middle * brightness.to(device)
        return faces * tint.to(device) + noise.to(device)

    return disturb


def _convolution(before: int, after: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(before, after, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.LeakyReLU(0.2, inplace=True),
    ]
