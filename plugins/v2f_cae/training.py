"""Algorithm 1 of the source: generator, discriminator and classifier in turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from v2f_bench import Clips, Context
from v2f_bench.nn import Critic, SpeakerDraws, fake_loss, real_loss
from v2f_bench.nn.voice import CODE
from v2f_bench.training import Learner, Losses
from v2f_cae.dimnet import Dimnet
from v2f_cae.options import CaeOptions
from v2f_cae.scaffold import Generator

BATCHNORM_FACES = 640  # faces


class GeneratorLearner(Learner):
    """The generator, trained with the frozen embeddings `codes` [clips, 64] of the voices.

    The source's L1 is a sum over the 12,288 values of a face, which at its weights would drown the other losses; it is
    the mean here. Discriminator and classifier share their trunk and take one step together.
    """

    def __init__(self, train: Clips, codes: torch.Tensor, opt: CaeOptions, context: Context) -> None:
        super().__init__()
        self.train, self.codes, self.opt, self.device = train, codes, opt, context.device
        self.pairs = SpeakerDraws(train)
        self.noise = opt.code_noise * codes.std(dim=0)
        self.generator = Generator(opt.width, opt.up_kernel, opt.smooth)
        self.critic = Critic(len(self.pairs.speakers), opt.critic_width)
        for network in (self.generator, self.critic):
            network.to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        betas = (opt.beta1, opt.beta2)
        generator_optimiser = torch.optim.Adam(self.generator.parameters(), lr=opt.lr, betas=betas, fused=True)
        critic_optimiser = torch.optim.Adam(self.critic.parameters(), lr=opt.critic_lr, betas=betas, fused=True)
        self.modules = {"generator": self.generator, "critic": self.critic}
        self.average = None
        if opt.average:
            self.average = AveragedModel(self.generator, multi_avg_fn=get_ema_multi_avg_fn(opt.average))
            self.modules["average"] = self.average
        self.optimisers = {"generator": generator_optimiser, "critic": critic_optimiser}

    def start_critic(self, dimnet: Dimnet) -> None:
        """Start from DIMNet's face network and its classifier of speakers; the discriminator's last layer is left."""
        assert dimnet.classifier is not None, "the options ask for the speakers"
        classes = [dimnet.class_of[speaker] for speaker in self.pairs.speakers]
        self.critic.trunk.load_state_dict(dimnet.face.state_dict())
        with torch.no_grad():
            self.critic.speaker.weight.copy_(dimnet.classifier.weight[classes])
            self.critic.speaker.bias.copy_(dimnet.classifier.bias[classes])

    def step(self, number: int, rng: np.random.Generator) -> Iterator[tuple[str, Losses]]:
        opt = self.opt
        a, b = self.pairs.two(opt.batch, rng)
        face_a, face_b = self.train.faces(a.face).to(self.device), self.train.faces(b.face).to(self.device)
        voice_a, voice_b = self._heard(a.voice), self._heard(b.voice)
        speaker_a, speaker_b = a.speaker.to(self.device), b.speaker.to(self.device)
        fake_b = self.generator(face_a, voice_b)

        logits, speakers = self.critic(torch.cat([face_a, fake_b.detach()]))
        yield (
            "critic",
            {
                "critic, real": real_loss(logits[: opt.batch]),
                "critic, fake": fake_loss(logits[opt.batch :]),
                "critic, speaker": F.cross_entropy(speakers[: opt.batch], speaker_a),
            },
        )

        self.critic.requires_grad_(False)
        logit, speaker = self.critic(fake_b)
        losses = {
            "to proposal": opt.weight_proposal * F.l1_loss(fake_b, face_a),
            "to target": opt.weight_target * F.l1_loss(fake_b, face_b),
            "identity": opt.weight_identity * F.cross_entropy(speaker, speaker_b),
            "real": opt.weight_real * real_loss(logit),
        }
        back = max(1, round(opt.cycle_share * opt.batch))
        losses["cycle"] = opt.weight_cycle * F.l1_loss(self.generator(fake_b[:back], voice_a[:back]), face_a[:back])
        yield "generator", losses
        self.critic.requires_grad_(True)
        if self.average is not None:
            self.average.update_parameters(self.generator)

    def with_recomputed_batchnorm(self, context: Context) -> Generator:
        """The generator for drawing: the moving average of its weights, with batch statistics of many whole batches.

        The statistics from training are those of the last few batches, and half of these are the small batches of the
        cycle loss.
        """
        generator = self.generator if self.average is None else cast(Generator, self.average.module)
        for module in generator.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
                module.momentum = None  # all batches count the same
        rng = context.numpy_rng("settling")
        generator.train()
        with torch.no_grad():
            for _ in range(max(1, BATCHNORM_FACES // self.opt.batch)):
                a, b = self.pairs.two(self.opt.batch, rng)
                generator(self.train.faces(a.face).to(self.device), self._heard(b.voice))
        return generator.eval()

    def samples(self) -> torch.Tensor:
        """Four proposals, and below them what the generator draws for four voices; always the same ones."""
        a, b = self.pairs.two(4, np.random.default_rng(0))
        proposals = self.train.faces(a.face).to(self.device)
        return torch.cat([proposals, self.generator(proposals, self.codes[b.voice].to(self.device))])

    def _heard(self, rows: np.ndarray) -> torch.Tensor:
        return (self.codes[rows] + self.noise * torch.randn(len(rows), CODE)).to(self.device)
