"""Two trainings: the voice embedding tells the training speakers apart; then generator and critic in turn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from v2f_bench import Clips, Context
from v2f_bench.audio import LogMels
from v2f_bench.nn import Critic, SpeakerDraws, VoiceEmbedding, fake_loss, real_loss
from v2f_bench.nn.voice import CODE
from v2f_bench.training import Learner, Losses
from v2f_voice2face_gan.networks import Generator
from v2f_voice2face_gan.options import Voice2FaceOptions

CRITIC_KERNEL = 4  # of the public code
HOP = 0.010  # seconds between two frames of the spectrogram


class SpeakerLearner(Learner):
    """The voice embedding under cross-entropy over the training speakers (section 4 of the source)."""

    def __init__(self, train: Clips, mels: LogMels, opt: Voice2FaceOptions, context: Context) -> None:
        super().__init__()
        self.mels, self.opt, self.device = mels, opt, context.device
        self.draws = SpeakerDraws(train)
        self.voice = VoiceEmbedding(opt.voice_width).to(context.device)
        self.head = nn.Linear(CODE, len(self.draws.speakers)).to(context.device)
        optimiser = torch.optim.Adam([*self.voice.parameters(), *self.head.parameters()], lr=opt.voice_lr, fused=True)
        self.modules = {"voice": self.voice, "head": self.head}
        self.optimisers = {"voice": optimiser}
        self.schedules = {
            "voice": torch.optim.lr_scheduler.OneCycleLR(optimiser, opt.voice_lr, total_steps=opt.voice_steps)
        }

    def step(self, number: int, rng: np.random.Generator) -> Iterator[tuple[str, Losses]]:
        draw = self.draws.one(self.opt.voice_batch, rng)
        frames = round(rng.uniform(self.opt.shortest, self.opt.longest) / HOP)
        codes = self.voice(*self.mels.crops(draw.voice, frames, rng))
        yield "voice", {"speaker": F.cross_entropy(self.head(codes), draw.speaker.to(self.device))}


class GanLearner(Learner):
    """Generator, discriminator and classifier; the voice embedding is frozen.

    As the public code does, a batch of real faces and one of voices are drawn apart from each other. The codes are
    those of whole recordings.
    """

    def __init__(self, train: Clips, codes: torch.Tensor, opt: Voice2FaceOptions, context: Context) -> None:
        super().__init__()
        self.train, self.opt, self.device = train, opt, context.device
        self.codes = F.normalize(codes, dim=1)
        self.draws = SpeakerDraws(train)
        self.generator = Generator(opt.width, opt.smooth)
        self.critic = Critic(len(self.draws.speakers), opt.critic_width, CRITIC_KERNEL)
        for network in (self.generator, self.critic):
            network.to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        betas = (opt.beta1, opt.beta2)
        self.modules = {"generator": self.generator, "critic": self.critic}
        rates = {"generator": opt.lr, "critic": opt.critic_lr}
        self.optimisers = {
            name: torch.optim.Adam(network.parameters(), lr=rates[name], betas=betas, fused=True)
            for name, network in self.modules.items()
        }
        if opt.schedule == "one-cycle":
            self.schedules = {
                name: torch.optim.lr_scheduler.OneCycleLR(
                    optimiser, rates[name], total_steps=opt.steps, cycle_momentum=False
                )
                for name, optimiser in self.optimisers.items()
            }

    def step(self, number: int, rng: np.random.Generator) -> Iterator[tuple[str, Losses]]:
        shown, heard = self.draws.one(self.opt.batch, rng), self.draws.one(self.opt.batch, rng)
        faces = self.train.faces(shown.face).to(self.device)
        noise = self.opt.noise * torch.randn(len(heard.voice), CODE)
        fake = self.generator(F.normalize(self.codes[heard.voice] + noise, dim=1).to(self.device))

        real_logit, real_speaker = self.critic(faces)
        fake_logit, _ = self.critic(fake.detach())
        yield (
            "critic",
            {
                "critic, real": real_loss(real_logit),
                "critic, fake": fake_loss(fake_logit),
                "critic, speaker": F.cross_entropy(real_speaker, shown.speaker.to(self.device)),
            },
        )

        self.critic.requires_grad_(False)
        logit, speaker = self.critic(fake)
        losses = {
            "real": real_loss(logit),
            "identity": self.opt.weight_identity * F.cross_entropy(speaker, heard.speaker.to(self.device)),
        }
        if self.opt.weight_pixel:
            own = self.train.faces(heard.face).to(self.device)
            losses["pixel"] = self.opt.weight_pixel * F.l1_loss(fake, own)
        yield "generator", losses
        self.critic.requires_grad_(True)

    def samples(self) -> torch.Tensor:
        """Eight speakers' faces above what their voices give, always the same."""
        draw = self.draws.one(8, np.random.default_rng(0))
        drawn = self.generator(self.codes[draw.voice].to(self.device)).clamp(0, 1)
        return torch.cat([self.train.faces(draw.face), drawn.cpu()])
