"""The generators: CycleGAN's residual one with a condition (section 3.2 of the source), and a head that warps."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from v2f_cyclegan.options import CycleGanOptions, Padding

HIDDEN = 64  # between a condition and the scales and shifts
REACH = 6 / 64  # of the picture's side: the longest way that a pixel comes from
GRID = 32  # points a side of what is typical of a condition
PACE = 16.0  # how much faster that is learned than the convolutions, whose maps rest on many more weights
MAPS = 4  # flow sideways and down, mask, light
PAINT = 2.0  # the largest change of light under a full mask: teeth turn white, an open mouth dark
MASK_BIAS = -2.0  # so the mask starts at 0.12: the face starts as a copy, and can learn what to paint


@dataclass(frozen=True)
class Drawn:
    """Faces [N, 3, S, S] in [0, 1]; with the head `warp` also the mask [N, 1, S, S] in [0, 1] and the flow [N, 2, S, S]
    in halves of the picture, where each pixel comes from."""

    faces: torch.Tensor
    mask: torch.Tensor | None = None
    flow: torch.Tensor | None = None


class Generator(nn.Module):
    """c7s1-w, d2w, d4w, residual blocks of 4w, u2w, uw, c7s1: CycleGAN's (Zhu et al. 2017, appendix 7.2).

    Args:
        conditions: numbers in the condition; 0 for the way back, which has none.
        condition: "planes": tiled, and joined to what the first convolution gives, as in the source's public code. The
            convolution after it has no instance norm here, which would subtract what a plane, being constant, adds.
            "film": scale and shift after every norm from the residual blocks on (Perez et al. 2018), of the condition
            without its size.
        head: "image": the face itself, by tanh. "warp": the source, bent by a flow, and painted on where a mask says;
            zero weights make it a copy at the start. The convolutions then see where they are, the way up sees the way
            down, and with "film" flow, mask and light begin with what is typical of a condition, the same for all
            faces, which are aligned.
    """

    def __init__(self, conditions: int, opt: CycleGanOptions) -> None:
        super().__init__()
        width, mode = opt.width, opt.padding
        self.planes = bool(conditions) and opt.condition == "planes"
        self.warps = opt.head == "warp"
        film = conditions if opt.condition == "film" else 0
        self.film = nn.Sequential(nn.Linear(film, HIDDEN), nn.ReLU()) if film else None
        self.first = nn.Sequential(*_convolution(5 if self.warps else 3, width, 7, 1, mode))
        joined = width + (conditions if self.planes else 0)
        self.down = nn.ModuleList(
            [
                nn.Sequential(*_convolution(joined, 2 * width, 3, 2, norm=not self.planes)),
                nn.Sequential(*_convolution(2 * width, 4 * width, 3, 2)),
            ]
        )
        self.blocks = nn.ModuleList(_Residual(4 * width, mode, bool(film)) for _ in range(opt.blocks))
        up = _Smooth if self.warps else _Up
        self.up = nn.ModuleList([up(4 * width, 2 * width, bool(film)), up(2 * width, width, bool(film))])
        # Of a wide convolution that starts at 0, one step of Adam would change the maps by far too much.
        self.last = (
            nn.Conv2d(width, MAPS, 3, padding=1) if self.warps else nn.Conv2d(width, 3, 7, padding=3, padding_mode=mode)
        )
        if self.warps:
            nn.init.zeros_(self.last.weight)
            nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]
        self.typical = Typical(film) if self.warps and film else None

    def forward(self, faces: torch.Tensor, conditions: torch.Tensor | None = None, strength: float = 1.0) -> Drawn:
        """Faces float [N, 3, S, S] in [0, 1] and conditions [N, K]; `strength`: factor on the flow of a warp."""
        x = faces * 2 - 1
        if self.warps:
            x = torch.cat([x, _places(faces)], dim=1)
        x = self.first(x.contiguous(memory_format=torch.channels_last))
        if self.planes:
            assert conditions is not None
            x = torch.cat([x, tiled(conditions, x)], dim=1)
        direction = F.layer_norm(conditions, conditions.shape[1:]) if conditions is not None else None
        code = self.film(direction) if self.film is not None else None
        smaller = [x]
        for layer in self.down:
            smaller.append(layer(smaller[-1]))
        x = smaller.pop()
        for block in self.blocks:
            x = block(x, code)
        for block in self.up:
            x = block(x, smaller.pop(), code)
        x = self.last(x)
        if self.typical is not None:
            x = x + F.interpolate(self.typical(direction), x.shape[2:], mode="bilinear")
        return _warped(faces, x, strength) if self.warps else Drawn((x.tanh() + 1) / 2)


def tiled(conditions: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    """Conditions [N, K] as planes of the size of maps [N, C, H, W]: [N, K, H, W]."""
    return conditions[:, :, None, None].expand(-1, -1, *maps.shape[2:])


def _places(faces: torch.Tensor) -> torch.Tensor:
    """Where each pixel of faces [N, 3, S, S] is, from -1 to 1: [N, 2, S, S] (Liu et al. 2018, CoordConv)."""
    place = torch.linspace(-1, 1, faces.shape[-1], device=faces.device)
    return torch.stack(torch.meshgrid(place, place, indexing="xy")).expand(len(faces), -1, -1, -1)


def _warped(faces: torch.Tensor, x: torch.Tensor, strength: float) -> Drawn:
    """What four maps [N, 4, S, S] make of the source faces: flow, mask and light."""
    flow = 2 * REACH * (strength * x[:, :2]).tanh()
    mask = (x[:, 2:3] + MASK_BIAS).sigmoid()
    theta = torch.eye(2, 3, device=faces.device).expand(len(faces), -1, -1)
    grid = F.affine_grid(theta, list(faces.shape), align_corners=False)
    bent = F.grid_sample(faces, grid + flow.permute(0, 2, 3, 1), padding_mode="border", align_corners=False)
    return Drawn((bent + mask * PAINT * x[:, 3:].tanh()).clamp(0, 1), mask, flow)


class Typical(nn.Module):
    """Maps of flow, mask and light that are typical of a condition [N, K]: [N, 4, 32, 32], zero at first.

    They are the same for all faces, which are aligned, and as symmetric as an expression is on the whole: left and
    right differ in the sign of the sideways flow alone.
    """

    mirrored: torch.Tensor

    def __init__(self, conditions: int) -> None:
        super().__init__()
        self.maps = nn.Linear(conditions, MAPS * GRID**2, bias=False)
        nn.init.zeros_(self.maps.weight)
        self.register_buffer("mirrored", torch.tensor([-1.0, 1, 1, 1])[:, None, None], persistent=False)

    def forward(self, conditions: torch.Tensor) -> torch.Tensor:
        maps = PACE * self.maps(conditions).unflatten(1, (MAPS, GRID, GRID))
        return (maps + self.mirrored * maps.flip(3)) / 2


class _Film(nn.Module):
    """Instance norm, and scale and shift [N, C] from a code [N, 64] where there is one."""

    def __init__(self, channels: int, film: bool) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(channels)
        self.by_code = nn.Linear(HIDDEN, 2 * channels) if film else None
        if self.by_code is not None:
            nn.init.zeros_(self.by_code.bias)

    def forward(self, x: torch.Tensor, code: torch.Tensor | None) -> torch.Tensor:
        x = self.norm(x)
        if self.by_code is None:
            return x
        scale, shift = self.by_code(code)[:, :, None, None].chunk(2, dim=1)
        return x * (1 + scale) + shift


class _Residual(nn.Module):
    def __init__(self, channels: int, mode: Padding, film: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, padding_mode=mode)
        self.first_film = _Film(channels, film)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, padding_mode=mode)
        self.second_film = _Film(channels, film)

    def forward(self, x: torch.Tensor, code: torch.Tensor | None) -> torch.Tensor:
        inner = F.relu(self.first_film(self.first(x), code))
        return x + self.second_film(self.second(inner), code)


class _Up(nn.Module):
    """CycleGAN's way to twice the size; what the way down saw at that size has no part in it."""

    def __init__(self, before: int, after: int, film: bool) -> None:
        super().__init__()
        self.convolution = nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1)
        self.film = _Film(after, film)

    def forward(self, x: torch.Tensor, seen: torch.Tensor, code: torch.Tensor | None) -> torch.Tensor:
        return F.relu(self.film(self.convolution(x), code))


class _Smooth(nn.Module):
    """A U-Net's, for flow and mask: enlarged without a grid, with what the way down `seen` [N, after, S, S] at that
    size, which knows the place of mouth and brows to a pixel."""

    def __init__(self, before: int, after: int, film: bool) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(before + after, after, 3, padding=1)
        self.film = _Film(after, film)

    def forward(self, x: torch.Tensor, seen: torch.Tensor, code: torch.Tensor | None) -> torch.Tensor:
        x = F.interpolate(x, seen.shape[2:], mode="bilinear")
        return F.relu(self.film(self.convolution(torch.cat([x, seen], dim=1)), code))


def _convolution(
    before: int, after: int, kernel: int, stride: int, mode: Padding = "zeros", norm: bool = True
) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, padding_mode=mode)
    return [convolution, *([nn.InstanceNorm2d(after)] if norm else []), nn.ReLU(inplace=True)]
