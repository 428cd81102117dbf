"""The generator of `paper`: style-based, as StyleGAN2 (Karras et al. 2020), with a discriminator and an encoder."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from v2f_speech2expression.still import EncodedGenerator, Still

FIRST = 4  # pixels a side of the constant that a picture grows from
MAPPING = 8  # layers
MAPPING_LR = 0.01  # beside the other layers'
MOST = 512  # channels


class StyleGenerator(EncodedGenerator):
    """w [N, latent] -> face [N, 3, side, side] in [0, 1]; noise z -> w by `mapping`; a face's w by `guess`.

    Modulated and demodulated convolutions, colours summed over the sizes (skip architecture). The noise inputs are left
    out: at 128 pixels there is little for them to do, and the search needs the same face for the same w.

    Args:
        seen: numbers in the classifier's last feature map, from which the encoder guesses.
        width: channels at full size; each size before has twice as many, 512 at most.
    """

    def __init__(self, seen: int, side: int, width: int, latent: int) -> None:
        super().__init__(seen, latent)
        self.mapping = nn.Sequential(*[_MappingLayer(latent) for _ in range(MAPPING)])
        channels = _channels(side, width)
        self.start = nn.Parameter(torch.randn(1, channels[0], FIRST, FIRST))
        self.first = _Styled(channels[0], channels[0], latent)
        self.blocks = nn.ModuleList(_StyledBlock(before, after, latent) for before, after in pairwise(channels))
        self.colours = nn.ModuleList(_Styled(each, 3, latent, kernel=1, colour=True) for each in channels)

    def map(self, noise: torch.Tensor) -> torch.Tensor:
        w: torch.Tensor = self.mapping(noise * noise.square().mean(dim=1, keepdim=True).add(1e-8).rsqrt())
        return w

    def forward(self, latents: torch.Tensor, still: Still | None = None) -> torch.Tensor:
        x = self.first(self.start.expand(len(latents), -1, -1, -1), latents)
        picture = self.colours[0](x, latents)
        for block, colour in zip(self.blocks, self.colours[1:], strict=True):
            x = block(F.interpolate(x, scale_factor=2, mode="bilinear"), latents)
            picture = F.interpolate(picture, scale_factor=2, mode="bilinear") + colour(x, latents)
        return (picture / 2 + 0.5).clamp(0, 1) if not self.training else picture / 2 + 0.5


class StyleDiscriminator(nn.Module):
    """Faces [N, 3, side, side] -> logits of being real [N]; residual, with the deviation over the batch as a map."""

    def __init__(self, side: int, width: int) -> None:
        super().__init__()
        channels = _channels(side, width)[::-1]
        self.first = nn.Conv2d(3, channels[0], 1)
        self.blocks = nn.ModuleList(_Halving(before, after) for before, after in pairwise(channels))
        self.last = nn.Sequential(
            nn.Conv2d(channels[-1] + 1, channels[-1], 3, padding=1),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(channels[-1] * FIRST * FIRST, channels[-1]),
            nn.LeakyReLU(0.2),
            nn.Linear(channels[-1], 1),
        )

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        x = F.leaky_relu(self.first(faces * 2 - 1), 0.2)
        for block in self.blocks:
            x = block(x)
        deviation = (x.var(dim=0, unbiased=False) + 1e-8).sqrt().mean()
        x = torch.cat([x, deviation.expand(len(x), 1, *x.shape[2:])], dim=1)
        logits: torch.Tensor = self.last(x)
        return logits[:, 0]


class _MappingLayer(nn.Module):
    """Fully connected, with its weights kept large and scaled in use, so that they learn slowly (equalised rate)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(size, size) / MAPPING_LR)
        self.bias = nn.Parameter(torch.zeros(size))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scaled = self.weight * (MAPPING_LR / len(self.weight) ** 0.5)
        return F.leaky_relu(F.linear(x, scaled, self.bias * MAPPING_LR), 0.2) * 2**0.5


class _Styled(nn.Module):
    """A convolution whose input channels w scales; the result is brought back to its size (demodulation), but for
    colours, whose size means something."""

    def __init__(self, before: int, after: int, latent: int, kernel: int = 3, colour: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(after))
        self.style = nn.Linear(latent, before)
        nn.init.normal_(self.style.weight, std=latent**-0.5)
        nn.init.ones_(self.style.bias)
        self.colour, self.scale = colour, (before * kernel * kernel) ** -0.5

    def forward(self, x: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        style = self.style(latents)
        weight = self.weight * self.scale
        y = F.conv2d(x * style[:, :, None, None], weight, padding=weight.shape[-1] // 2)
        if self.colour:
            return y + self.bias[:, None, None]
        size = (weight.square().sum(dim=(2, 3)) @ style.square().T).T + 1e-8  # [N, after]
        return F.leaky_relu(y * size.rsqrt()[:, :, None, None] + self.bias[:, None, None], 0.2) * 2**0.5


class _StyledBlock(nn.Module):
    def __init__(self, before: int, after: int, latent: int) -> None:
        super().__init__()
        self.first, self.second = _Styled(before, after, latent), _Styled(after, after, latent)

    def forward(self, x: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.second(self.first(x, latents), latents)
        return y


class _Halving(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(before, before, 3, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(before, after, 3, padding=1),
            nn.AvgPool2d(2),
            nn.LeakyReLU(0.2),
        )
        self.skip = nn.Conv2d(before, after, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.body(x) + self.skip(F.avg_pool2d(x, 2))) / 2**0.5


def _channels(side: int, width: int) -> list[int]:
    """Of each size from 4 pixels to `side`."""
    doublings = (side // FIRST).bit_length() - 1
    return [min(MOST, width * 2**power) for power in range(doublings, -1, -1)]
