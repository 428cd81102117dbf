"""DIMNet pretraining of the voice embedding, and of a face network: Wen et al., Disjoint Mapping Network, ICLR 2019.

A voice network and a face network map to one space. Both share a classifier for each covariate (identity, sex, ...).
Nothing else connects the two: no pair of a voice and a face is ever formed (section 3.2 there).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from v2f_bench import Clips, Context
from v2f_bench.audio import LogMels
from v2f_bench.nn import FaceTrunk, VoiceEmbedding
from v2f_bench.nn.voice import CODE
from v2f_bench.training import Learner, Losses, train_learner
from v2f_cae.options import CaeOptions
from v2f_cae.voice import HOP

NUMERIC_BAND = 10  # years of age that are one class


@dataclass(frozen=True)
class Dimnet:
    """What is left of the pretraining.

    Attributes:
        voice: the voice embedding, frozen.
        face: the network that was trained with it, 3×64×64 -> 64.
        classifier: of the speakers, 64 -> logits; both share it. None without that covariate.
        class_of: the place of each speaker's logit.
    """

    voice: VoiceEmbedding
    face: FaceTrunk
    classifier: nn.Linear | None
    class_of: Mapping[str, int]


def pretrain(train: Clips, mels: LogMels, opt: CaeOptions, context: Context) -> Dimnet:
    """Train a voice embedding and a face network through shared classifiers."""
    learner = _DimnetLearner(train, mels, opt, context)
    missing = [name for name in opt.covariates if name not in learner.labels]
    without = f"; no labels of {', '.join(missing)}" if missing else ""
    context.progress.line(f"cae: the voice embedding learns {', '.join(learner.labels)}{without}")
    train_learner(learner, opt.voice_steps, "voice-embedding", context)
    voice = learner.voice.requires_grad_(False)
    if "speaker" not in learner.labels:
        return Dimnet(voice, learner.face, None, {})
    class_of = dict(zip(train.table["speaker"], learner.labels["speaker"].tolist(), strict=True))
    return Dimnet(voice, learner.face, cast(nn.Linear, learner.heads["speaker"]), class_of)


class _DimnetLearner(Learner):
    def __init__(self, train: Clips, mels: LogMels, opt: CaeOptions, context: Context) -> None:
        super().__init__()
        self.train, self.mels, self.opt, self.device = train, mels, opt, context.device
        self.with_voice, self.with_face = np.flatnonzero(train.table["voice"]), np.flatnonzero(train.table["face"])
        self.labels = covariate_labels(train.table, opt.covariates)
        self.voice = VoiceEmbedding(opt.voice_width).to(context.device)
        self.face = FaceTrunk(opt.critic_width)
        self.face.to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.heads = nn.ModuleDict({name: nn.Linear(CODE, int(codes.max()) + 1) for name, codes in self.labels.items()})
        self.heads.to(context.device)
        parameters = [*self.voice.parameters(), *self.face.parameters(), *self.heads.parameters()]
        optimiser = torch.optim.Adam(parameters, lr=opt.voice_lr, fused=True)
        self.modules = {"voice": self.voice, "face": self.face, "heads": self.heads}
        self.optimisers = {"all": optimiser}
        self.schedules = {
            "all": torch.optim.lr_scheduler.OneCycleLR(optimiser, opt.voice_lr, total_steps=opt.voice_steps)
        }

    def step(self, number: int, rng: np.random.Generator) -> Iterator[tuple[str, Losses]]:
        heard, seen = (
            rng.choice(self.with_voice, self.opt.voice_batch),
            rng.choice(self.with_face, self.opt.voice_faces),
        )
        faces = _mirrored_by_chance(self.train.faces(seen), rng).to(self.device)
        codes = self.voice(*self.mels.crops(heard, round(self.opt.voice_seconds / HOP), rng))
        yield (
            "all",
            {
                "by voice": _covariate_loss(codes, self.heads, self.labels, heard),
                "by face": _covariate_loss(self.face(faces), self.heads, self.labels, seen),
            },
        )


def covariate_labels(table: pd.DataFrame, covariates: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Class numbers of each covariate that has labels, int64 [clips]; -1 where a clip has no label.

    Numbers, such as ages, are classes of width `NUMERIC_BAND`. Covariates with only one class are left out.
    """
    codes_of = {}
    for name in covariates:
        if name not in table:
            continue
        label = table[name] if not pd.api.types.is_numeric_dtype(table[name]) else table[name] // NUMERIC_BAND
        codes, classes = pd.factorize(label.replace("", None))
        if len(classes) > 1:
            codes_of[name] = codes
    return codes_of


def _mirrored_by_chance(faces: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    mirror = torch.from_numpy(rng.random((len(faces), 1, 1, 1)) < 0.5)
    return torch.where(mirror, faces.flip(-1), faces)


def _covariate_loss(
    codes: torch.Tensor, heads: nn.ModuleDict, labels: dict[str, np.ndarray], rows: np.ndarray
) -> torch.Tensor:
    """Sum over the covariates of the cross-entropy of `codes`, [N, 64], which are those of the clips `rows`."""
    losses = []
    for name, head in heads.items():
        target = torch.from_numpy(labels[name][rows]).to(codes.device)
        losses.append(F.cross_entropy(head(codes), target, ignore_index=-1, reduction="sum") / max(1, len(rows)))
    return torch.stack(losses).sum()
