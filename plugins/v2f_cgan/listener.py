"""The listener: sex and age as they are heard in a voice, which stand in for the labels at test time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from v2f_bench import Clips, Context
from v2f_bench.audio import Features
from v2f_bench.nn.voice import CODE
from v2f_bench.training import Learner, Losses
from v2f_cgan.conditions import labelled, labels
from v2f_cgan.networks import Ear
from v2f_cgan.options import CGanOptions
from v2f_cgan.speech import HOP, speech_features

TYPICAL_AGE, AGE_SPREAD = 45.0, 15.0  # years; they only scale what the last layer has to give


class Listener(nn.Module):
    """A voice's probability of being male, and its age in years: float [N] both."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        self.ear = Ear(width)
        self.heads = nn.Linear(CODE, 2)

    def logits(self, speech: torch.Tensor, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The logit of being male, and the age in units of `AGE_SPREAD` from `TYPICAL_AGE`: float [N] both."""
        male, age = self.heads(self.ear(speech, frames)).unbind(dim=1)
        return male, age

    def forward(self, speech: torch.Tensor, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        male, age = self.logits(speech, frames)
        return torch.sigmoid(male), TYPICAL_AGE + AGE_SPREAD * age


class ListenerLearner(Learner):
    """The listener under the cross-entropy of sex and the squared error of age, of the conditions that are asked for.

    The best by the same losses of whole validation recordings is kept; where none of these is labelled, the last.
    """

    def __init__(self, train: Clips, speech: Features, validation: Clips, opt: CGanOptions, context: Context) -> None:
        super().__init__()
        self.opt, self.device, self.speech = opt, context.device, speech
        self.labels = labels(train.table)
        self.rows = speech.rows[labelled(train.table, opt.parts)[speech.rows]]
        self.unseen = Features(validation, speech_features, context.device)
        self.unseen_labels = labels(validation.table)
        self.listener = Listener(opt.voice_width).to(context.device)
        optimiser = torch.optim.Adam(self.listener.parameters(), lr=opt.listener_lr, fused=True)
        self.modules = {"listener": self.listener}
        self.optimisers = {"listener": optimiser}
        self.schedules = {
            "listener": torch.optim.lr_scheduler.OneCycleLR(optimiser, opt.listener_lr, total_steps=opt.listener_steps)
        }

    def step(self, number: int, rng: np.random.Generator) -> Iterator[tuple[str, Losses]]:
        rows = rng.choice(self.rows, self.opt.listener_batch)
        heard = self.listener.logits(*self.speech.crops(rows, round(self.opt.seconds / HOP), rng))
        losses = self._losses(heard, *(label[rows].to(self.device) for label in self.labels))
        yield "listener", {part: losses[part].mean() for part in self.opt.parts}

    def validate(self) -> float | None:
        losses_of = []
        for start in range(0, len(self.unseen.rows), 64):
            rows = self.unseen.rows[start : start + 64]
            losses = self._losses(
                self.listener.logits(*self.unseen.whole(rows)),
                *(label[rows].to(self.device) for label in self.unseen_labels),
            )
            losses_of.append(torch.stack([losses[part] for part in self.opt.parts]).sum(dim=0))
        per_voice = torch.cat(losses_of) if losses_of else torch.empty(0)
        per_voice = per_voice[~per_voice.isnan()]
        return -float(per_voice.mean()) if len(per_voice) else None

    def _losses(
        self, heard: tuple[torch.Tensor, torch.Tensor], male: torch.Tensor, age: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """The loss of each clip, float [N]; NaN where it has no label."""
        return {
            "sex": F.binary_cross_entropy_with_logits(heard[0], male, reduction="none"),
            "age": (heard[1] - (age - TYPICAL_AGE) / AGE_SPREAD).square(),
        }
