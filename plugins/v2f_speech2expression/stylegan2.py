"""StyleGAN2's generator (Karras et al. 2020, configuration F) as a pretrained one is kept.

Modules and tensors are named and shaped as in the `g_ema` of github.com/rosinality/stylegan2-pytorch, so that such a
file fits as it is: `style.1.weight` … of the mapping network, `input.input`, `conv1.…`, `to_rgb1.…`, `convs.N.…`,
`to_rgbs.N.…`, `noises.noise_N`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

FIRST = 4  # pixels a side of the constant that a picture grows from
MAPPING_LR = 0.01  # beside the other layers'
FIR = (1.0, 3.0, 3.0, 1.0)  # what smooths a picture of doubled size, along each side


@dataclass(frozen=True)
class Architecture:
    """What differs from one StyleGAN2 generator to another."""

    latent: int
    mapping: int  # layers
    channels: tuple[int, ...]  # at 4, 8, 16, … pixels a side

    @property
    def side(self) -> int:
        return FIRST << (len(self.channels) - 1)

    @classmethod
    def of(cls, tensors: Mapping[str, torch.Tensor]) -> Architecture:
        """The one whose weights these are, by the shapes of a few.

        Raises:
            KeyError: one of these is missing; its argument is the name.
            IndexError: one of these has too few dimensions.
            ValueError: one of these is empty.
        """
        sizes = sum(f"to_rgbs.{number}.bias" in tensors for number in range(len(tensors)))
        mapping = sum(f"style.{number}.weight" in tensors for number in range(len(tensors)))
        channels = [tensors[f"convs.{2 * number}.conv.weight"].shape[1] for number in range(sizes)]
        latent, first = tensors["style.1.weight"].shape[1], tensors["input.input"].shape[1]
        if min(latent, first, *channels) < 1:
            raise ValueError("a size of 0")
        return cls(latent, mapping, (first, *channels))


class StyleGan2(nn.Module):
    """w [N, latent] -> pictures [N, 3, side, side], about in [-1, 1]; always the same for the same w, since the noise
    is that of the buffers."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        latent, channels = architecture.latent, architecture.channels
        self.latent, self.side = latent, architecture.side
        self.style = nn.Sequential(_PixelNorm(), *[_MappingLayer(latent) for _ in range(architecture.mapping)])
        self.input = _Constant(channels[0])
        self.conv1 = _StyledConv(channels[0], channels[0], latent)
        self.to_rgb1 = _ToRgb(channels[0], latent)
        self.convs, self.to_rgbs = nn.ModuleList(), nn.ModuleList()
        self.noises = nn.Module()
        self.noises.register_buffer("noise_0", torch.zeros(1, 1, FIRST, FIRST))
        for number, (before, after) in enumerate(pairwise(channels)):
            self.convs += [_StyledConv(before, after, latent, doubling=True), _StyledConv(after, after, latent)]
            self.to_rgbs.append(_ToRgb(after, latent, doubling=True))
            side = FIRST << (number + 1)
            for place in (2 * number + 1, 2 * number + 2):
                self.noises.register_buffer(f"noise_{place}", torch.zeros(1, 1, side, side))

    def map(self, noise: torch.Tensor) -> torch.Tensor:
        """z [N, latent], normal -> w [N, latent]."""
        w: torch.Tensor = self.style(noise)
        return w

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        noises = [self.noises.get_buffer(f"noise_{number}") for number in range(1 + len(self.convs))]
        x = self.conv1(self.input.input.expand(len(latents), -1, -1, -1), latents, noises[0])
        picture: torch.Tensor = self.to_rgb1(x, latents)
        for number, to_rgb in enumerate(self.to_rgbs):
            for place in (2 * number, 2 * number + 1):
                x = self.convs[place](x, latents, noises[place + 1])
            picture = to_rgb(x, latents, picture)
        return picture


class _PixelNorm(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


class _Linear(nn.Module):
    """Fully connected; weight and bias are kept larger than they are used (equalised learning rate)."""

    def __init__(self, before: int, after: int, bias: float = 0.0, lr: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before) / lr)
        self.bias = nn.Parameter(torch.full((after,), bias))
        self.lr = lr

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, self.weight * (self.lr / self.weight.shape[1] ** 0.5), self.bias * self.lr)


class _MappingLayer(_Linear):
    def __init__(self, size: int) -> None:
        super().__init__(size, size, lr=MAPPING_LR)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.leaky_relu(super().forward(x), 0.2) * 2**0.5


class _Constant(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.input = nn.Parameter(torch.randn(1, channels, FIRST, FIRST))


class _Smoothing(nn.Module):
    """The kernel [4, 4] that smooths what was doubled in size; its sum is 4, since three of four pixels were empty."""

    kernel: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        taps = torch.tensor(FIR) / sum(FIR)
        self.register_buffer("kernel", 4 * taps[:, None] * taps)

    def of_channels(self, x: torch.Tensor) -> torch.Tensor:
        return self.kernel.expand(x.shape[1], 1, -1, -1)


class _Blur(_Smoothing):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x, self.of_channels(x).flip(2, 3), padding=1, groups=x.shape[1])


class _Upsample(_Smoothing):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.conv_transpose2d(x, self.of_channels(x), stride=2, padding=1, groups=x.shape[1])


class _ModulatedConv(nn.Module):
    """A convolution whose input channels w scales; `demodulated`, its output is brought back to unit size."""

    def __init__(
        self, before: int, after: int, latent: int, kernel: int, demodulated: bool = True, doubling: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, after, before, kernel, kernel))
        self.modulation = _Linear(latent, before, bias=1.0)
        self.demodulated, self.scale = demodulated, (before * kernel * kernel) ** -0.5
        self.blur = _Blur() if doubling else None

    def forward(self, x: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        style, weight = self.modulation(latents), self.weight[0] * self.scale
        x = x * style[:, :, None, None]
        if self.blur is not None:
            x = self.blur(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2))
        else:
            x = F.conv2d(x, weight, padding=weight.shape[-1] // 2)
        if not self.demodulated:
            return x
        size = style.square() @ weight.square().sum(dim=(2, 3)).T + 1e-8  # [N, after]
        return x * size.rsqrt()[:, :, None, None]


class _NoiseWeight(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))


class _Bias(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))


class _StyledConv(nn.Module):
    def __init__(self, before: int, after: int, latent: int, doubling: bool = False) -> None:
        super().__init__()
        self.conv = _ModulatedConv(before, after, latent, kernel=3, doubling=doubling)
        self.noise, self.activate = _NoiseWeight(), _Bias(after)

    def forward(self, x: torch.Tensor, latents: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        y = self.conv(x, latents) + self.noise.weight * noise + self.activate.bias[:, None, None]
        return F.leaky_relu(y, 0.2) * 2**0.5


class _ToRgb(nn.Module):
    """What one size adds to the picture, which the sizes before have drawn at half the size."""

    def __init__(self, before: int, latent: int, doubling: bool = False) -> None:
        super().__init__()
        self.conv = _ModulatedConv(before, 3, latent, kernel=1, demodulated=False)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))
        self.upsample = _Upsample() if doubling else None

    def forward(self, x: torch.Tensor, latents: torch.Tensor, picture: torch.Tensor | None = None) -> torch.Tensor:
        colours: torch.Tensor = self.conv(x, latents) + self.bias
        return colours if self.upsample is None else colours + self.upsample(picture)
