"""A generator for few faces: it bends the source face by a flow, and paints light on it where a mask says."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from v2f_cyclegan.residual import Drawn

HIDDEN = 64  # between a condition and the scales and shifts
REACH = 6 / 64  # of the picture's side: the longest way that a pixel comes from
PAINT = 2.0  # the largest change of light under a full mask: teeth turn white, an open mouth dark
MASK_BIAS = -2.0  # so the mask starts at 0.12: the face starts as a copy, and can learn what to paint


class WarpingGenerator(nn.Module):
    """A U-Net of three sizes that works at half of the picture's, four pixels in one place. The flow is enlarged; mask
    and light have a map for each of the four pixels, and are smoothed so far that these leave no grid.

    The condition shifts and scales the channels of every block on the way up (FiLM, Perez et al. 2018). The
    convolutions see where they are (Liu et al. 2018, CoordConv), since faces are aligned. It starts as a copy. In eval
    mode flow, mask and light are the means of those of the face and, mirrored back, of its mirror image: an expression
    is symmetric on the whole.

    Args:
        conditions: numbers in the condition; 0 for none.
        width: channels of the first layer.
    """

    def __init__(self, conditions: int, width: int) -> None:
        super().__init__()
        self.film = nn.Sequential(nn.Linear(conditions, HIDDEN), nn.ReLU()) if conditions else None
        film = bool(conditions)
        self.first = nn.Sequential(nn.Conv2d(4 * 3 + 2, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU())
        self.down = nn.ModuleList([_halved(width, 2 * width), _halved(2 * width, 4 * width)])
        self.middle = _Block(4 * width, 4 * width, film)
        self.up = nn.ModuleList([_Block(6 * width, 2 * width, film), _Block(3 * width, 2 * width, film)])
        self.again = _Block(2 * width, 2 * width, film)
        self.last = nn.Conv2d(2 * width, 2 + 4 * 2, 3, padding=1)  # flow; mask and light of four pixels
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, faces: torch.Tensor, conditions: torch.Tensor | None = None, strength: float = 1.0) -> Drawn:
        """Faces float [N, 3, S, S] in [0, 1], S a multiple of 8, and conditions [N, K]; `strength`: factor on the
        flow, before its bound."""
        maps = self._maps(faces, conditions)
        if not self.training:
            across = torch.tensor([-1.0, 1, 1, 1], device=maps.device)[:, None, None]  # left is right, in the flow too
            maps = (maps + across * self._maps(faces.flip(3), conditions).flip(3)) / 2
        flow, mask, light = maps.split((2, 1, 1), dim=1)
        return _changed(faces, 2 * REACH * (strength * flow).tanh(), (mask + MASK_BIAS).sigmoid(), light.tanh())

    def _maps(self, faces: torch.Tensor, conditions: torch.Tensor | None) -> torch.Tensor:
        """Flow sideways and down, mask and light [N, 4, S, S], without bounds."""
        code = None
        if self.film is not None:
            assert conditions is not None
            code = self.film(conditions)
        x = F.pixel_unshuffle(faces * 2 - 1, 2)
        x = self.first(torch.cat([x, _places(x)], dim=1).contiguous(memory_format=torch.channels_last))
        seen = []
        for halve in self.down:
            seen.append(x)
            x = halve(x)
        x = self.middle(x, code)
        for block in self.up:
            x = block(torch.cat([_doubled(x), seen.pop()], dim=1), code)
        maps = self.last(self.again(x, code))
        return torch.cat([_doubled(maps[:, :2]), _smoothed(F.pixel_shuffle(maps[:, 2:], 2))], dim=1)


def _changed(faces: torch.Tensor, flow: torch.Tensor, mask: torch.Tensor, light: torch.Tensor) -> Drawn:
    """Faces bent by a flow, with light [N, 1, S, S] in [-1, 1] added to all colours alike."""
    theta = torch.eye(2, 3, device=faces.device).expand(len(faces), -1, -1)
    grid = F.affine_grid(theta, list(faces.shape), align_corners=False)
    bent = F.grid_sample(faces, grid + flow.permute(0, 2, 3, 1), padding_mode="border", align_corners=False)
    return Drawn((bent + mask * PAINT * light).clamp(0, 1), mask, flow)


def _places(maps: torch.Tensor) -> torch.Tensor:
    """Where each place of maps [N, C, S, S] is, from -1 to 1: [N, 2, S, S]."""
    place = torch.linspace(-1, 1, maps.shape[-1], device=maps.device)
    return torch.stack(torch.meshgrid(place, place, indexing="xy")).expand(len(maps), -1, -1, -1)


def _doubled(maps: torch.Tensor) -> torch.Tensor:
    return F.interpolate(maps, scale_factor=2, mode="bilinear")


def _smoothed(maps: torch.Tensor) -> torch.Tensor:
    """Maps [N, C, S, S] under 1 2 1 along both sides, which takes away all that changes from one pixel to the next."""
    return F.avg_pool2d(F.avg_pool2d(F.pad(maps, (1, 1, 1, 1), mode="replicate"), 2, stride=1), 2, stride=1)


def _halved(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 4, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU())


class _Block(nn.Module):
    """Convolution and batch norm, each channel scaled and shifted by a code [N, HIDDEN] where there is one, ReLU."""

    def __init__(self, before: int, after: int, film: bool) -> None:
        super().__init__()
        self.layer = nn.Sequential(nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after))
        self.by_code = nn.Linear(HIDDEN, 2 * after) if film else None

    def forward(self, x: torch.Tensor, code: torch.Tensor | None) -> torch.Tensor:
        x = self.layer(x)
        if self.by_code is not None:
            scale, shift = self.by_code(code)[:, :, None, None].chunk(2, dim=1)
            x = x * (1 + scale) + shift
        return F.relu(x)
