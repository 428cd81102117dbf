"""Adversarial training: ear and generator against the discriminator, in turn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch.optim.lr_scheduler import LambdaLR

from v2f_bench import Clips, Context
from v2f_bench.audio import Features
from v2f_bench.nn import SpeakerDraws, fake_loss, real_loss
from v2f_bench.training import Learner, Losses
from v2f_cgan.conditions import encoded, labelled, labels, size
from v2f_cgan.networks import Discriminator, Ear, Generator
from v2f_cgan.options import CGanOptions
from v2f_cgan.speech import HOP


class GanLearner(Learner):
    """Ear, generator and discriminator, trained together on pairs of a voice and a face of one speaker.

    The conditions are the labels of the face. Only faces with the labels that are asked for take part. Both learning
    rates fall to zero on a line, so that the discriminator does not win in the end.
    """

    def __init__(self, train: Clips, speech: Features, opt: CGanOptions, context: Context) -> None:
        super().__init__()
        self.train, self.speech, self.opt, self.device = train, speech, opt, context.device
        self.labels = labels(train.table)
        self.draws = SpeakerDraws(train, labelled(train.table, opt.parts))
        conditions = size(opt.parts)
        self.ear = Ear(opt.voice_width).to(context.device)
        self.generator = Generator(conditions, opt.noise, opt.width, opt.smooth)
        self.critic = Discriminator(conditions, opt.critic_width)
        for network in (self.generator, self.critic):
            network.to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        betas = (opt.beta1, opt.beta2)
        self.modules = {"ear": self.ear, "generator": self.generator, "critic": self.critic}
        heard_and_drawn = [*self.ear.parameters(), *self.generator.parameters()]
        self.optimisers = {
            "generator": torch.optim.Adam(heard_and_drawn, lr=opt.lr, betas=betas, fused=True),
            "critic": torch.optim.Adam(self.critic.parameters(), lr=opt.critic_lr, betas=betas, fused=True),
        }
        self.schedules = {
            name: LambdaLR(optimiser, lambda done: max(0.0, 1 - done / opt.steps))
            for name, optimiser in self.optimisers.items()
        }

    def step(self, number: int, rng: np.random.Generator) -> Iterator[tuple[str, Losses]]:
        opt = self.opt
        draw = self.draws.one(opt.batch, rng)
        faces = self._mirrored(self.train.faces(draw.face), rng).to(self.device)
        conditions = self._conditions(draw.face)
        code = self.ear(*self.speech.crops(draw.voice, round(opt.seconds / HOP), rng))
        code = code + opt.code_noise * torch.randn(code.shape).to(self.device)
        noise = torch.randn(opt.batch, opt.noise).to(self.device)
        drawn = self.generator(code, noise, conditions)
        known = code.detach()

        both = torch.cat([faces, drawn.detach()])
        logits = self.critic(both, known.repeat(2, 1), conditions.repeat(2, 1))
        yield "critic", {"critic, real": real_loss(logits[: opt.batch]), "critic, fake": fake_loss(logits[opt.batch :])}

        self.critic.requires_grad_(False)
        losses = {"real": real_loss(self.critic(drawn, known, conditions))}
        if opt.weight_pixel:
            losses["pixel"] = opt.weight_pixel * F.l1_loss(drawn, faces)
        yield "generator", losses
        self.critic.requires_grad_(True)

    def samples(self) -> torch.Tensor:
        """Eight speakers' faces above what their voices give."""
        draw = self.draws.one(8, np.random.default_rng(0))
        code = self.ear(*self.speech.whole(draw.voice))
        noise = torch.randn(8, self.opt.noise, generator=torch.Generator().manual_seed(0)).to(self.device)
        drawn = self.generator(code, noise, self._conditions(draw.face))
        return torch.cat([self.train.faces(draw.face), drawn.cpu()])

    def _conditions(self, rows: np.ndarray) -> torch.Tensor:
        male, age = (label[rows] for label in self.labels)
        age = age + self.opt.age_jitter * torch.randn(age.shape)
        return encoded(male, age, self.opt.parts).to(self.device)

    def _mirrored(self, faces: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Half of them, at random, as in a mirror."""
        mirror = torch.from_numpy(rng.random((len(faces), 1, 1, 1)) < 0.5)
        return torch.where(mirror, faces.flip(-1), faces)
