"""The faces of a split with their labels, kept in memory; pairs of one person; and what is done to training faces.

`mirrored`, `moved` and `relit` take faces [N, 3, H, W], or pairs [N, 6, H, W] of which both then change alike.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from v2f_bench import Clips
from v2f_bench.nn import by_speaker
from v2f_speech2expression.labels import NEUTRAL, classes_of

SHIFT = 3  # pixels of 64, at most
COARSEST = 0.3  # of the resolution
PATCH = (0.1, 0.35)  # sides of what hides a part of a face, of the face's


class Faces:
    """The faces of a split, in 8 bits (12 KB each at 64 pixels), and the emotion that each clip is labelled with."""

    def __init__(self, clips: Clips, emotions: tuple[str, ...], device: str) -> None:
        self.device, self.side = device, clips.resolution
        self.table = clips.table
        self.rows = np.flatnonzero(clips.table["face"])
        self._place = torch.full((len(clips),), -1)
        self._place[self.rows] = torch.arange(len(self.rows))
        self._kept = torch.empty(len(self.rows), 3, clips.resolution, clips.resolution, dtype=torch.uint8)
        for start in range(0, len(self.rows), 256):
            faces = clips.faces(self.rows[start : start + 256])
            self._kept[start : start + len(faces)] = (faces * 255).round().byte()
        self.classes = classes_of(clips.table, emotions)
        self.labelled = self.rows[self.classes[self.rows].numpy() >= 0]

    def of(self, rows: np.ndarray) -> torch.Tensor:
        """The faces of clip rows: float32 [N, 3, H, W] in [0, 1]."""
        return self._kept[self._place[rows]].to(self.device) / 255


class Pairs:
    """Every (neutral row, row with an emotion) of one speaker's faces; a neutral face is also a pair with itself.

    By pair: the rows `neutral` and `shown`, `speaker` (a number from 0), and `classes`, of the shown emotion.
    """

    def __init__(self, faces: Faces, emotions: tuple[str, ...]) -> None:
        neutral = emotions.index(NEUTRAL)
        pairs = []
        for speaker, rows in enumerate(by_speaker(faces.table, "face").values()):
            at_rest = [row for row in rows if faces.classes[row] == neutral]
            pairs += [(rest, row, speaker) for rest in at_rest for row in rows if faces.classes[row] >= 0]
        self.neutral, self.shown, self.speaker = np.array(pairs, dtype=int).reshape(-1, 3).T
        self.classes = faces.classes[self.shown]

    def __len__(self) -> int:
        return len(self.shown)


def mirrored(faces: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Half of the faces, their left and right exchanged."""
    chosen = torch.from_numpy(rng.random(len(faces)) < 0.5).to(faces.device)
    return torch.where(chosen[:, None, None, None], faces.flip(-1), faces)


def moved(faces: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Each face shifted by up to 3 pixels of 64 and turned, stretched a little; the rim is repeated outwards."""
    n, side = len(faces), faces.shape[-1]
    shift = torch.from_numpy(rng.uniform(-1, 1, (n, 2)) * 2 * SHIFT / 64)
    affine = torch.eye(2).double() + torch.from_numpy(rng.normal(0, 0.04, (n, 2, 2)))
    grid = F.affine_grid(
        torch.cat([affine, shift[:, :, None]], dim=2).float(), [n, faces.shape[1], side, side], align_corners=False
    )
    return F.grid_sample(faces, grid.to(faces), mode="bilinear", padding_mode="border", align_corners=False)


def relit(faces: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Each face in another light: brightness and contrast by up to a quarter, the balance of colours by up to 7 %."""
    n = len(faces)

    def factor(spread: float, channels: int) -> torch.Tensor:
        return torch.from_numpy(rng.uniform(1 - spread, 1 + spread, (n, channels, 1, 1))).to(faces)

    middle = faces.mean(dim=(1, 2, 3), keepdim=True)
    colours = factor(0.07, 3).repeat(1, faces.shape[1] // 3, 1, 1)
    return (((faces - middle) * factor(0.25, 1) + middle * factor(0.25, 1)) * colours).clamp(0, 1)


def disturbed(faces: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """What a classifier must see so that no trick of colour or texture wins it over: a third of the faces grey, a third
    soft, a third with a hidden part, a third with coloured clouds, each drawn apart."""
    n, side = len(faces), faces.shape[-1]

    def some() -> torch.Tensor:
        return torch.from_numpy(rng.random(n) < 1 / 3).to(faces.device)

    faces = torch.where(some()[:, None, None, None], faces.mean(dim=1, keepdim=True), faces)
    clouds = torch.from_numpy(rng.normal(0, 0.15, (n, 3, 6, 6))).to(faces)
    clouds = F.interpolate(clouds, (side, side), mode="bicubic") * some()[:, None, None, None]
    faces = (faces + clouds).clamp(0, 1)
    soft = some()
    if soft.any():
        small = F.interpolate(
            faces[soft], (round(rng.uniform(COARSEST, 0.8) * side),) * 2, mode="bilinear", antialias=True
        )
        faces = faces.clone()
        faces[soft] = F.interpolate(small, (side, side), mode="bilinear")
    size = rng.uniform(*PATCH, (n, 2)) * side
    corner = rng.uniform(0, 1, (n, 2)) * (side - size)
    place = np.arange(side)
    inside = (place >= corner[:, :, None]) & (place < (corner + size)[:, :, None])  # [n, 2, side]
    patch = torch.from_numpy(inside[:, 0, :, None] & inside[:, 1, None, :]).to(faces.device)[:, None]
    colour = torch.from_numpy(rng.random((n, 3, 1, 1))).to(faces)
    return torch.where(patch & some()[:, None, None, None], colour, faces)
