"""The networks of pix2pixHD (Wang et al. 2018, sections 3.1 and 3.2): coarse-to-fine generator, discriminators at
several scales."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from v2f_speech2expression.options import SignOptions


class GlobalGenerator(nn.Module):
    """c7s1-width, `halvings` of stride 2, residual blocks, as many doublings: the features before the last layer."""

    def __init__(self, width: int, halvings: int, blocks: int, norm: str = "instance") -> None:
        super().__init__()
        channels = [width * 2**power for power in range(halvings + 1)]
        layers: list[nn.Module] = [nn.Conv2d(3, width, 7, padding=3), *_norm_and_relu(width, norm)]
        for before, after in pairwise(channels):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), *_norm_and_relu(after, norm)]
        layers += [_Residual(channels[-1], norm) for _ in range(blocks)]
        for before, after in pairwise(channels[::-1]):
            layers += [_doubling(before, after), *_norm_and_relu(after, norm)]
        self.layers = nn.Sequential(*layers)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """[N, 3, H, W] -> [N, width, H, W]."""
        return self.layers(pictures)


class CoarseToFine(nn.Module):
    """The global generator on the picture at half the size; a local enhancer at full size takes up its features.

    Faces in and out are float [N, 3, H, W] in [0, 1].
    """

    def __init__(self, opt: SignOptions) -> None:
        super().__init__()
        half = max(1, opt.width // 2)
        self.coarse = GlobalGenerator(opt.width, opt.halvings, opt.blocks, opt.norm)
        self.fine_in = nn.Sequential(
            nn.Conv2d(3, half, 7, padding=3),
            *_norm_and_relu(half, opt.norm),
            nn.Conv2d(half, opt.width, 3, stride=2, padding=1),
            *_norm_and_relu(opt.width, opt.norm),
        )
        self.fine_out = nn.Sequential(
            *[_Residual(opt.width, opt.norm) for _ in range(opt.local_blocks)],
            _doubling(opt.width, half),
            *_norm_and_relu(half, opt.norm),
            nn.Conv2d(half, 3, 7, padding=3),
        )
        self.residual = opt.residual
        if opt.residual:
            for parameter in self.fine_out[-1].parameters():
                nn.init.normal_(parameter, std=1e-3)  # at first it copies the signed picture

    def forward(self, signed: torch.Tensor) -> torch.Tensor:
        pictures = (signed * 2 - 1).contiguous(memory_format=torch.channels_last)
        small = F.avg_pool2d(pictures, 3, stride=2, padding=1, count_include_pad=False)
        drawn = self.fine_out(self.fine_in(pictures) + self.coarse(small))
        if self.residual:
            return (signed + drawn.tanh()).clamp(0, 1)
        return (drawn.tanh() + 1) / 2


class Discriminators(nn.Module):
    """One patch discriminator for each of `scales` sizes, each half as large as the one before.

    Each sees the signed picture and the face beside it, and gives the maps after each of its layers, the last of which
    is its say.
    """

    def __init__(self, scales: int, width: int, layers: int) -> None:
        super().__init__()
        self.each = nn.ModuleList(_patch_discriminator(width, layers) for _ in range(scales))

    def forward(self, signed: torch.Tensor, faces: torch.Tensor) -> list[list[torch.Tensor]]:
        x = torch.cat([signed, faces], dim=1) * 2 - 1
        by_scale = []
        for discriminator in self.each:
            maps, y = [], x.contiguous(memory_format=torch.channels_last)
            for layer in discriminator:  # type: ignore[attr-defined]
                y = layer(y)
                maps.append(y)
            by_scale.append(maps)
            x = F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
        return by_scale


def adversarial(by_scale: list[list[torch.Tensor]], real: bool) -> torch.Tensor:
    """Least squares: how far each say is from 1 (real) or 0, summed over the scales."""
    return torch.stack([(maps[-1] - float(real)).square().mean() for maps in by_scale]).sum()


def feature_matching(fake: list[list[torch.Tensor]], real: list[list[torch.Tensor]]) -> torch.Tensor:
    """L1 between the discriminators' features of fake and real pictures (section 3.3), the mean over the layers, summed
    over the scales."""
    gaps = [
        torch.stack([F.l1_loss(mine, other.detach()) for mine, other in zip(a[:-1], b[:-1], strict=True)]).mean()
        for a, b in zip(fake, real, strict=True)
    ]
    return torch.stack(gaps).sum()


def _patch_discriminator(width: int, layers: int) -> nn.ModuleList:
    channels = [width * min(2**power, 8) for power in range(layers + 1)]
    stages: list[nn.Module] = [nn.Sequential(nn.Conv2d(6, width, 4, stride=2, padding=2), nn.LeakyReLU(0.2))]
    for number, (before, after) in enumerate(pairwise(channels)):
        stride = 2 if number < layers - 1 else 1
        stages.append(
            nn.Sequential(
                nn.Conv2d(before, after, 4, stride=stride, padding=2), nn.InstanceNorm2d(after), nn.LeakyReLU(0.2)
            )
        )
    return nn.ModuleList([*stages, nn.Conv2d(channels[-1], 1, 4, padding=2)])


class _Residual(nn.Module):
    def __init__(self, channels: int, norm: str) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            *_norm_and_relu(channels, norm),
            nn.Conv2d(channels, channels, 3, padding=1),
            _norm(channels, norm),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x)


def _doubling(before: int, after: int) -> nn.Module:
    return nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1)


def _norm_and_relu(channels: int, norm: str) -> list[nn.Module]:
    return [_norm(channels, norm), nn.ReLU()]


def _norm(channels: int, norm: str) -> nn.Module:
    return nn.BatchNorm2d(channels) if norm == "batch" else nn.InstanceNorm2d(channels, affine=True)
