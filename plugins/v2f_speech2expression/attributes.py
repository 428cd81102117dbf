"""The attribute classifier h that steers the search: emotion, person, sex and age of a face, on one trunk.

No judge: it is trained by the method on the training split, and nothing is measured by it. Its features are also the
perceptual distance of the generator and the inversion, in the place of a pretrained network's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from v2f_bench import Context
from v2f_bench.interfaces.labels import SEXES
from v2f_bench.training import Learner, Losses
from v2f_speech2expression.faces import Faces, disturbed, mirrored, moved, relit
from v2f_speech2expression.options import SearchOptions

SIDE = 64  # pixels, at which it looks
TYPICAL_AGE, AGE_SPREAD = 45.0, 15.0  # years; they only scale what the last layer has to give
VALIDATED = 512  # faces at most


class Attributes(nn.Module):
    """Faces -> emotion logits [N, K], logits of each training speaker [N, S], of being male [N], and age [N].

    Four stages of stride 2 with one residual block each: with width 16, 16@32, 32@16, 64@8, 96@4.
    """

    def __init__(self, emotions: int, speakers: int, width: int = 16) -> None:
        super().__init__()
        channels = (width, 2 * width, 4 * width, 6 * width)
        self.seen = channels[-1] * (SIDE // 16) ** 2  # numbers in the last feature map
        self.stages = nn.ModuleList(
            nn.Sequential(_Down(before, after), _Residual(after))
            for before, after in zip((3, *channels), channels, strict=False)
        )
        self.shared = nn.Sequential(nn.Dropout(0.2), nn.Linear(self.seen, 128), nn.BatchNorm1d(128), nn.ReLU())
        self.emotion, self.speaker, self.rest = nn.Linear(128, emotions), nn.Linear(128, speakers), nn.Linear(128, 2)

    def maps(self, faces: torch.Tensor) -> list[torch.Tensor]:
        """The feature maps after each stage, of faces float [N, 3, H, W] in [0, 1]."""
        if faces.shape[-1] != SIDE:
            faces = F.interpolate(faces, (SIDE, SIDE), mode="bilinear", antialias=True)
        x, maps = (faces * 4 - 2).contiguous(memory_format=torch.channels_last), []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def scores(self, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        features = self.shared(self.maps(faces)[-1].flatten(1))
        male, age = self.rest(features).unbind(dim=1)
        return self.emotion(features), self.speaker(features), male, age

    def emotions(self, faces: torch.Tensor) -> torch.Tensor:
        """Log-probabilities of the emotions [N, K], the mean of each face's and of its mirror image's."""
        return (self.scores(faces)[0].log_softmax(1) + self.scores(faces.flip(-1))[0].log_softmax(1)) / 2

    def distance(self, faces: torch.Tensor, others: Sequence[torch.Tensor], focus: float = 0.0) -> torch.Tensor:
        """Perceptual distance [N] of faces to those whose `maps` are given: of unit features of each place, over the
        first three stages, as LPIPS (Zhang et al. 2018) without its weights; places count as `weighted` says."""
        return torch.stack(
            [
                weighted((F.normalize(mine, dim=1) - F.normalize(other, dim=1)).square().sum(dim=1), focus)
                for mine, other in zip(self.maps(faces)[:3], others[:3], strict=True)
            ]
        ).sum(dim=0)


def weighted(errors: torch.Tensor, focus: float) -> torch.Tensor:
    """Mean [N] of errors [N, H, W] in which the middle of the picture counts for more: a place weighs
    exp(-focus · r²), where r is its distance from the middle in halves of a side."""
    places = torch.linspace(-1, 1, errors.shape[-1], device=errors.device).square()
    weight = torch.exp(-focus * (places[:, None] + places))
    return (errors * weight).mean(dim=(1, 2)) / weight.mean()


class AttributeLearner(Learner):
    """The classifier on the training faces, moved, relit and disturbed; the best by validated emotions is kept."""

    def __init__(self, train: Faces, held_out: Faces, emotions: int, opt: SearchOptions, context: Context) -> None:
        super().__init__()
        self.opt, self.train, self.held_out, self.device = opt, train, held_out, context.device
        table = train.table
        names = sorted(table["speaker"].iloc[train.rows].unique())
        self.speakers = torch.tensor([names.index(name) if name in names else -1 for name in table["speaker"]])
        sexes = table.get("sex", [""] * len(table))
        self.male = torch.tensor([SEXES.index(sex) if sex in SEXES else -1 for sex in sexes]).float()
        ages = table["age"].to_numpy(dtype=float, copy=True) if "age" in table else np.full(len(table), np.nan)
        self.age = (torch.from_numpy(ages).float() - TYPICAL_AGE) / AGE_SPREAD
        self.network = Attributes(emotions, len(names), opt.classifier_width)
        self.network.to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        steps, lr = opt.classifier_steps, opt.classifier_lr
        optimiser = torch.optim.AdamW(self.network.parameters(), lr, weight_decay=5e-3, fused=True)
        self.modules = {"attributes": self.network}
        self.optimisers = {"attributes": optimiser}
        self.schedules = {"attributes": torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=steps)}

    def step(self, number: int, rng: np.random.Generator) -> Iterator[tuple[str, Losses]]:
        rows = rng.choice(self.train.rows, self.opt.classifier_batch)
        faces = relit(moved(mirrored(self.train.of(rows), rng), rng), rng)
        emotion, speaker, male, age = self.network.scores(disturbed(faces, rng))
        classes, speakers = self.train.classes[rows].to(self.device), self.speakers[rows].to(self.device)
        sexes, ages = self.male[rows].to(self.device), self.age[rows].to(self.device)
        losses = {"speaker": 0.2 * F.cross_entropy(speaker, speakers)}
        if (known := classes >= 0).any():
            losses["emotion"] = F.cross_entropy(emotion[known], classes[known])
        if (known := sexes >= 0).any():
            losses["sex"] = 0.2 * F.binary_cross_entropy_with_logits(male[known], sexes[known])
        if (known := ages.isfinite()).any():
            losses["age"] = 0.2 * F.mse_loss(age[known], ages[known])
        yield "attributes", losses

    def validate(self) -> float | None:
        rows = self.held_out.labelled[:VALIDATED]
        if not len(rows):
            return None
        logits = self.network.emotions(self.held_out.of(rows))
        return -float(F.nll_loss(logits, self.held_out.classes[rows].to(self.device)))


class _Down(nn.Sequential):
    def __init__(self, before: int, after: int) -> None:
        super().__init__(nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU())


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x + self.body(x))
