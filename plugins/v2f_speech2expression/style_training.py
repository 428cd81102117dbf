"""The trainings of a style-based generator, against its discriminator, and of the encoder that inverts one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from v2f_bench import Context
from v2f_bench.training import Learner, Losses
from v2f_speech2expression.attributes import Attributes
from v2f_speech2expression.faces import Faces, mirrored
from v2f_speech2expression.options import SearchOptions
from v2f_speech2expression.still import EncodedGenerator
from v2f_speech2expression.style import StyleDiscriminator, StyleGenerator

LAZY = 16  # steps between two R1 penalties, which then weigh as many times as much
SHOWN = 8  # faces in a row of samples


class StyleLearner(Learner):
    """Logistic losses that do not saturate, R1 on real faces (Karras et al. 2020), and an average of the generator."""

    def __init__(self, train: Faces, h: Attributes, opt: SearchOptions, context: Context) -> None:
        super().__init__()
        self.opt, self.train, self.device = opt, train, context.device
        self.generator = StyleGenerator(h.seen, opt.side, opt.width, opt.latent).to(context.device)
        self.critic = StyleDiscriminator(opt.side, opt.width).to(context.device)
        self.average = AveragedModel(self.generator, multi_avg_fn=get_ema_multi_avg_fn(opt.average))
        self.modules = {"generator": self.generator, "critic": self.critic, "average": self.average}
        self.optimisers = {
            name: torch.optim.Adam(network.parameters(), opt.lr, betas=(0.0, 0.99), fused=True)
            for name, network in (("generator", self.generator), ("critic", self.critic))
        }

    def step(self, number: int, rng: np.random.Generator) -> Iterator[tuple[str, Losses]]:
        opt = self.opt
        real = mirrored(self.train.of(rng.choice(self.train.rows, opt.batch)), rng)
        fake = self._drawn()
        real.requires_grad_(number % LAZY == 0)
        logits = self.critic(real)
        losses = {
            "critic, real": F.softplus(-logits).mean(),
            "critic, fake": F.softplus(self.critic(fake.detach())).mean(),
        }
        if number % LAZY == 0:
            (gradient,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
            losses["R1"] = opt.weight_r1 / 2 * LAZY * gradient.square().sum(dim=(1, 2, 3)).mean()
        yield "critic", losses
        self.critic.requires_grad_(False)
        yield "generator", {"real": F.softplus(-self.critic(fake)).mean()}
        self.critic.requires_grad_(True)
        self.average.update_parameters(self.generator)

    def samples(self) -> torch.Tensor:
        noise = torch.randn(SHOWN, self.opt.latent, generator=torch.Generator().manual_seed(0)).to(self.device)
        generator = self.settled()
        return generator(generator.map(noise))

    def settled(self) -> StyleGenerator:
        """The average generator, with the mean of its w."""
        generator = cast(StyleGenerator, self.average.module).eval()
        generator.centre()
        return generator

    def _drawn(self) -> torch.Tensor:
        noise = torch.randn(self.opt.batch, self.opt.latent).to(self.device)
        return self.generator(self.generator.map(noise))


class EncoderLearner(Learner):
    """The encoder under pixel and perceptual distance of real faces to what the frozen generator makes of its guess."""

    def __init__(self, train: Faces, generator: EncodedGenerator, h: Attributes, opt: SearchOptions):
        super().__init__()
        self.opt, self.train, self.generator, self.h = opt, train, generator, h
        generator.requires_grad_(False)
        generator.encoder.requires_grad_(True)
        self.modules = {"encoder": generator.encoder}
        self.optimisers = {"encoder": torch.optim.Adam(generator.encoder.parameters(), 1e-3, fused=True)}

    def step(self, number: int, rng: np.random.Generator) -> Iterator[tuple[str, Losses]]:
        faces = mirrored(self.train.of(rng.choice(self.train.rows, self.opt.batch)), rng)
        with torch.no_grad():
            seen = self.h.maps(faces)
        drawn = self.generator(self.generator.guess(seen[-1]))
        yield (
            "encoder",
            {
                "pixels": F.mse_loss(drawn, faces),
                "perceptual": self.opt.invert_perceptual * self.h.distance(drawn, seen).mean(),
            },
        )
