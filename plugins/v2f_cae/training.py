"""Algorithm 1 of the source: generator, discriminator and classifier in turn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F

from v2f_bench import Clips, Context, DataError
from v2f_bench.audio import LogMels
from v2f_cae.critic import Critic
from v2f_cae.method import CaeOptions
from v2f_cae.scaffold import Generator
from v2f_cae.voice import CODE, VoiceEmbedding


def train_generator(train: Clips, codes: torch.Tensor, opt: CaeOptions, context: Context) -> Generator:
    """The generator, trained with the frozen embeddings `codes` [clips, 64] of the voices.

    The source's L1 is a sum over the 12,288 values of a face, which at its weights would drown the other losses; it is
    the mean here. Discriminator and classifier share their trunk and take one step together.
    """
    pairs = _Pairs(train, context)
    noise, rng = opt.code_noise * codes.std(dim=0), context.torch_rng("code noise")

    def heard(rows: np.ndarray) -> torch.Tensor:
        return (codes[rows] + noise * torch.randn(len(rows), CODE, generator=rng)).to(context.device)

    generator = Generator(opt.width).to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    critic = Critic(len(pairs.speakers), opt.critic_width)
    critic.to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    betas = (opt.beta1, opt.beta2)
    generator_optimiser = torch.optim.Adam(generator.parameters(), lr=opt.lr, betas=betas, fused=True)
    critic_optimiser = torch.optim.Adam(critic.parameters(), lr=opt.critic_lr, betas=betas, fused=True)
    schedule = _schedule(generator_optimiser, opt)

    back = max(1, round(opt.cycle_share * opt.batch))
    with context.progress.bar("cae: train", opt.steps) as bar:
        for _ in range(opt.steps):
            a, b = pairs.draw(opt.batch)
            face_a, face_b = train.faces(a.face).to(context.device), train.faces(b.face).to(context.device)
            voice_a, voice_b = heard(a.voice), heard(b.voice)
            speaker_a, speaker_b = a.speaker.to(context.device), b.speaker.to(context.device)
            fake_b = generator(face_a, voice_b)

            real_logit, real_speaker = critic(face_a)
            fake_logit, _ = critic(fake_b.detach())
            critic_loss = _real(real_logit) + _fake(fake_logit) + F.cross_entropy(real_speaker, speaker_a)
            critic_optimiser.zero_grad(set_to_none=True)
            critic_loss.backward()
            critic_optimiser.step()

            critic.requires_grad_(False)
            logit, speaker = critic(fake_b)
            loss = (
                opt.weight_proposal * F.l1_loss(fake_b, face_a)
                + opt.weight_target * F.l1_loss(fake_b, face_b)
                + opt.weight_identity * F.cross_entropy(speaker, speaker_b)
                + opt.weight_real * _real(logit)
                + opt.weight_cycle * F.l1_loss(generator(fake_b[:back], voice_a[:back]), face_a[:back])
            )
            generator_optimiser.zero_grad(set_to_none=True)
            loss.backward()
            generator_optimiser.step()
            schedule.step()
            critic.requires_grad_(True)
            bar.advance(note=f"loss {loss.item():.2f}")
    return generator.eval()


def embed_voices(train: Clips, mels: LogMels, voice: VoiceEmbedding) -> torch.Tensor:
    """The frozen embedding of every whole recording, as at test time: [clips, 64], zero where there is none."""
    codes = torch.zeros(len(train), CODE)
    with torch.inference_mode():
        for start in range(0, len(mels.rows), 64):
            rows = mels.rows[start : start + 64]
            codes[rows] = voice(*mels.whole(rows)).cpu()
    return codes


class _Draw:
    """One side of a batch: the speaker numbers, and the rows of a voice and of a face of each."""

    def __init__(self, speaker: np.ndarray, voice: np.ndarray, face: np.ndarray) -> None:
        self.speaker, self.voice, self.face = torch.from_numpy(speaker), voice, face


class _Pairs:
    """Draws of two different speakers, A (whose face is the proposal) and B (whose voice is heard)."""

    def __init__(self, train: Clips, context: Context) -> None:
        voices, faces = _rows_by_speaker(train.table, "voice"), _rows_by_speaker(train.table, "face")
        self.speakers = sorted(set(voices) & set(faces))
        if len(self.speakers) < 2:
            raise DataError("cae needs two training speakers with a voice and a face")
        self._voices = [voices[speaker] for speaker in self.speakers]
        self._faces = [faces[speaker] for speaker in self.speakers]
        self._rng = context.numpy_rng("pairs")

    def draw(self, batch: int) -> tuple[_Draw, _Draw]:
        first = self._rng.integers(len(self.speakers), size=batch)
        second = (first + self._rng.integers(1, len(self.speakers), size=batch)) % len(self.speakers)
        return self._side(first), self._side(second)

    def _side(self, speakers: np.ndarray) -> _Draw:
        voice = np.array([self._rng.choice(self._voices[speaker]) for speaker in speakers])
        face = np.array([self._rng.choice(self._faces[speaker]) for speaker in speakers])
        return _Draw(speakers, voice, face)


def _rows_by_speaker(table: pd.DataFrame, part: str) -> dict[str, list[int]]:
    """The rows that have a "voice" or a "face", by speaker."""
    rows = np.flatnonzero(table[part])
    return pd.Series(rows).groupby(table["speaker"].to_numpy()[rows]).agg(list).to_dict()


def _schedule(optimiser: torch.optim.Optimizer, opt: CaeOptions) -> torch.optim.lr_scheduler.LRScheduler:
    if opt.schedule == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1.0)
    return torch.optim.lr_scheduler.OneCycleLR(optimiser, opt.lr, total_steps=opt.steps, cycle_momentum=False)


def _real(logits: torch.Tensor) -> torch.Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))


def _fake(logits: torch.Tensor) -> torch.Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.zeros_like(logits))
