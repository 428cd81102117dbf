"""The network of the in-domain judges, a face in and a unit vector of 64 numbers out, and their heads."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

SIZE = 64  # pixels
COARSE = (0.7, 0.5, 0.38, 0.28)  # of the resolution
LIGHTS, LIGHT = 4, 0.08  # cells a side and strength of coloured light that falls unevenly
PATCHES = 4  # at most, of strange colours on one face
LOW_PASS = 24  # pixels a side that are left of a face whose shape alone is to count


class Embedder(nn.Module):
    """3×64×64 -> 64 unit vector: four stages of one residual block each, at 32, 16, 8 and 4 pixels."""

    dimensions = 64

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        stages, before = [], 3
        for channels in (width, 2 * width, 4 * width, 6 * width):
            stages += [_Down(before, channels), _Residual(channels)]
            before = channels
        self.stages = nn.Sequential(*stages)
        self.dropout = nn.Dropout(0.2)
        self.project = nn.Linear(before * 16, self.dimensions, bias=False)
        self.normalise = nn.BatchNorm1d(self.dimensions, affine=False)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        if faces.shape[-1] != SIZE:
            faces = F.interpolate(faces, (SIZE, SIZE), mode="bilinear", antialias=True)
        features = self.stages((faces - 0.5).contiguous(memory_format=torch.channels_last) * 4)  # [N, C, 4, 4]
        return F.normalize(self.normalise(self.project(self.dropout(features.flatten(1)))), dim=1)


class CosineSoftmax(nn.Module):
    """Logits s·(cos θ - m·[own class]) against one learned direction a class (Wang et al. 2018, equation 4)."""

    def __init__(self, dimensions: int, classes: int, scale: float = 16.0, margin: float = 0.2) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.randn(classes, dimensions))
        self.scale, self.margin = scale, margin

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        cosines = embeddings @ F.normalize(self.directions, dim=1).T
        return self.scale * (cosines - self.margin * F.one_hot(labels, len(self.directions)))


class LinearSoftmax(nn.Linear):
    """Logits of a plain linear classifier; `labels` are not needed, since it has no margin."""

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        return super().forward(embeddings)


class _Down(nn.Sequential):
    def __init__(self, before: int, after: int) -> None:
        super().__init__(
            nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
        )


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x + self.body(x))


def augment(faces: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Mirror, shift by up to 3 pixels, change light and contrast, and now and then take the colour away.

    Colour is taken away so that shape has to serve too: hair and skin alone tell few people apart.
    """
    n, _, side, _ = faces.shape

    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return low + (high - low) * torch.rand(n, *shape, generator=rng)

    mirrored = torch.where(uniform(0, 1, 1, 1, 1) < 0.5, faces.flip(-1), faces)
    padded = F.pad(mirrored, (3, 3, 3, 3), mode="replicate")
    shifts = torch.randint(0, 7, (n, 2), generator=rng).tolist()
    moved = torch.stack([padded[i, :, y : y + side, x : x + side] for i, (y, x) in enumerate(shifts)])
    grey = moved.mean(dim=1, keepdim=True).expand_as(moved)
    toned = torch.where(uniform(0, 1, 1, 1, 1) < 0.25, grey, moved)
    middle = toned.mean(dim=(1, 2, 3), keepdim=True)
    lit = (toned - middle) * uniform(0.75, 1.25, 1, 1, 1) + middle * uniform(0.75, 1.25, 1, 1, 1)
    return (lit * uniform(0.93, 1.07, 3, 1, 1)).clamp(0, 1)


def disturbed(faces: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Coloured light that falls unevenly, and on seven in ten faces up to `PATCHES` patches of a colour or of noise.

    A judge that met none of these takes a few coloured pixels for an expression or a person, and a method that is
    trained against some classifier learns to draw them.
    """
    n, _, side, _ = faces.shape
    strength = LIGHT * torch.rand(n, 1, 1, 1, generator=rng)
    light = F.interpolate(torch.randn(n, 3, LIGHTS, LIGHTS, generator=rng), (side, side), mode="bicubic")
    faces = (faces + strength * light).clamp(0, 1)
    place = torch.arange(side)
    for number in range(PATCHES):
        shown = torch.rand(n, generator=rng) < 0.5 ** (number + 1)
        size = torch.randint(3, side // 4, (n, 2, 1), generator=rng)
        start = (torch.rand(n, 2, 1, generator=rng) * (side - size)).long()
        rows, columns = ((place >= start) & (place < start + size)).unbind(dim=1)  # bool [N, side] each
        inside = (rows[:, :, None] & columns[:, None, :])[:, None] & shown[:, None, None, None]
        plain = torch.rand(n, 3, 1, 1, generator=rng).expand(-1, -1, side, side)
        noise = torch.rand(n, 3, side, side, generator=rng)
        colour = torch.where(torch.rand(n, 1, 1, 1, generator=rng) < 0.5, plain, noise)
        cover = 0.3 + 0.7 * torch.rand(n, 1, 1, 1, generator=rng)
        faces = torch.where(inside, (1 - cover) * faces + cover * colour, faces)
    return faces


def shape_alone(faces: torch.Tensor) -> torch.Tensor:
    """Grey, at `LOW_PASS` pixels a side, of about one contrast: what is left of a face without its colour and texture.

    float [N, 3, H, W] -> float [N, 3, 64, 64]; mean 0.5. The deviation nears 0.2 as that of the face
    rises above 0.05, so that noise on a flat face is not enlarged.
    """
    grey = faces.mean(dim=1, keepdim=True)
    coarse = F.interpolate(grey, (LOW_PASS, LOW_PASS), mode="bilinear", antialias=True)
    middle, contrast = coarse.mean(dim=(1, 2, 3), keepdim=True), coarse.std(dim=(1, 2, 3), keepdim=True)
    levelled = 0.5 + 0.2 * (coarse - middle) / (contrast + 0.05)
    return F.interpolate(levelled, (SIZE, SIZE), mode="bicubic").expand(-1, 3, -1, -1)


def coarsened(faces: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Half of the faces as they are, an eighth each at one of the `COARSE` resolutions, brought back to size.

    For expressions: methods trained with a squared error draw blurred faces, and a network that only ever saw sharp
    ones gives them all one label. Trained so, it also tells sharp ones better.
    """
    side, kind = faces.shape[-1], torch.randint(0, 2 * len(COARSE), (len(faces),), generator=rng)
    faces = faces.clone()
    for number, share in enumerate(COARSE):
        chosen = kind == number
        if chosen.any():
            small = F.interpolate(faces[chosen], (round(share * side),) * 2, mode="bilinear", antialias=True)
            faces[chosen] = F.interpolate(small, (side, side), mode="bilinear")
    return faces
