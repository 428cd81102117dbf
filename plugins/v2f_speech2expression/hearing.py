"""The voice network of both approaches: MFCC of three seconds, then linear layers to an emotion."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from v2f_bench import Clips, Context, Fact, Trials, Voices
from v2f_bench.audio import Features, mfcc, resample
from v2f_bench.training import Learner, Losses, train_learner
from v2f_speech2expression.labels import classes_of
from v2f_speech2expression.options import HearingOptions

RATE = 16_000  # Hz
WINDOWS = 3  # of three seconds, over a whole recording; their logits are averaged
FAR = 0.9  # quantile: how far a coefficient goes, beside how much it varies


class VoiceEmotion(nn.Module):
    """MFCC of three seconds -> emotion logits, by linear layers with ReLU between them.

    Args:
        emotions: how many.
        opt: with `pooling` "none" every coefficient of every frame is an input, as the source has it; with
            "statistics" five numbers a coefficient over the frames: mean, deviation, mean absolute step, and the tenth
            and ninetieth percentile. What is said when then has no part in it.
    """

    def __init__(self, emotions: int, opt: HearingOptions) -> None:
        super().__init__()
        self.opt, self.frames = opt, 1 + round(opt.seconds * RATE) // opt.hop
        inputs = opt.n_mfcc * (5 if opt.pooling == "statistics" else self.frames)
        self.normalise = nn.BatchNorm1d(inputs, affine=False)
        layers: list[nn.Module] = []
        for before, after in pairwise((inputs, *opt.hidden)):
            layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(opt.dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear((inputs, *opt.hidden)[-1], emotions))

    def forward(self, cepstra: torch.Tensor) -> torch.Tensor:
        """[N, n_mfcc, frames of three seconds] -> [N, emotions]."""
        inputs = self.normalise(_statistics(cepstra) if self.opt.pooling == "statistics" else cepstra.flatten(1))
        if self.training:
            inputs = inputs + self.opt.voice_noise * torch.randn(inputs.shape).to(inputs)
        return self.layers(inputs)

    def whole(self, cepstra: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
        """Whole recordings [N, n_mfcc, T] of `frames` [N] each: the mean logits of windows spread over them."""
        windows = [_windows(row[:, :count], self.frames) for row, count in zip(cepstra, frames.tolist(), strict=True)]
        logits: torch.Tensor = self(torch.stack(windows).flatten(0, 1))
        return logits.unflatten(0, (-1, WINDOWS)).mean(dim=1)

    def hear(self, voices: Voices) -> torch.Tensor:
        """Recordings -> logits [N, emotions]."""
        return self.whole(*cepstra_of(voices, self.opt.n_mfcc, self.opt.fft, self.opt.hop))


def cepstra_of(voices: Voices, n_mfcc: int, fft: int, hop: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A front end as those of `v2f_bench.audio`: librosa's MFCC, [N, n_mfcc, T], and the frames of each, int64 [N]."""
    return mfcc(resample(voices, RATE), n_mfcc, fft, hop)


class VoiceLearner(Learner):
    """The voice network under cross-entropy, on random stretches of three seconds; the best by validation is kept."""

    def __init__(
        self, train: Clips, validation: Clips, emotions: tuple[str, ...], opt: HearingOptions, context: Context
    ) -> None:
        super().__init__()
        self.opt, self.device = opt, context.device
        front_end = {"n_mfcc": opt.n_mfcc, "fft": opt.fft, "hop": opt.hop}
        self.heard, self.held_out = (
            Features(clips, cepstra_of, context.device, **front_end) for clips in (train, validation)
        )
        self.classes, self.held_out_classes = (classes_of(clips.table, emotions) for clips in (train, validation))
        self.rows = self.heard.rows[self.classes[self.heard.rows].numpy() >= 0]
        self.held_out_rows = self.held_out.rows[self.held_out_classes[self.held_out.rows].numpy() >= 0]
        self.network = VoiceEmotion(len(emotions), opt).to(context.device)
        optimiser = torch.optim.AdamW(self.network.parameters(), opt.voice_lr, weight_decay=opt.voice_decay, fused=True)
        self.modules = {"voice": self.network}
        self.optimisers = {"voice": optimiser}
        self.schedules = {
            "voice": torch.optim.lr_scheduler.OneCycleLR(optimiser, opt.voice_lr, total_steps=opt.voice_steps)
        }

    def step(self, number: int, rng: np.random.Generator) -> Iterator[tuple[str, Losses]]:
        rows = rng.choice(self.rows, self.opt.voice_batch)
        cepstra, _ = self.heard.crops(rows, self.network.frames, rng)
        yield "voice", {"emotion": F.cross_entropy(self.network(cepstra), self.classes[rows].to(self.device))}

    def validate(self) -> float | None:
        if not len(self.held_out_rows):
            return None
        return -float(F.cross_entropy(self.held_out_logits(), self.held_out_classes[self.held_out_rows]))

    def held_out_logits(self) -> torch.Tensor:
        """Of the labelled validation recordings, whole: [n, emotions], on the CPU."""
        rows = self.held_out_rows
        batches = [rows[start : start + 64] for start in range(0, len(rows), 64)]
        return torch.cat([self.network.whole(*self.held_out.whole(batch)).cpu() for batch in batches])


def train_voice(
    train: Clips, validation: Clips, emotions: tuple[str, ...], opt: HearingOptions, context: Context
) -> tuple[VoiceEmotion, list[Fact]]:
    """The voice network, trained and frozen, and how often it hears the emotion of validation speakers."""
    learner = VoiceLearner(train, validation, emotions, opt, context)
    train_learner(learner, opt.voice_steps, "voice", context)
    facts = []
    if len(learner.held_out_rows):
        with torch.inference_mode():
            heard = learner.held_out_logits().argmax(dim=1)
        right = float((heard == learner.held_out_classes[learner.held_out_rows]).float().mean())
        chance = 1 / len(emotions)
        context.progress.line(
            f"emotion heard right in {right:.0%} of {len(heard)} validation recordings (chance {chance:.0%})"
        )
        facts = [Fact("emotion accuracy of the voice network", right, len(heard), "validation clips", chance)]
    return learner.network.requires_grad_(False), facts


def _windows(cepstra: torch.Tensor, wanted: int) -> torch.Tensor:
    """[n_mfcc, T] -> [WINDOWS, n_mfcc, wanted]: from the first to the last; repeated where it is shorter than one."""
    repeated = cepstra.repeat(1, -(-wanted // cepstra.shape[1]))
    last = repeated.shape[1] - wanted
    starts = [round(last * number / (WINDOWS - 1)) for number in range(WINDOWS)]
    return torch.stack([repeated[:, start : start + wanted] for start in starts])


def _statistics(cepstra: torch.Tensor) -> torch.Tensor:
    """[N, n_mfcc, T] -> [N, 5 * n_mfcc]."""
    steps = cepstra.diff(dim=2).abs().mean(dim=2)
    ends = torch.quantile(cepstra, torch.tensor([1 - FAR, FAR]).to(cepstra), dim=2)
    return torch.cat([cepstra.mean(dim=2), cepstra.std(dim=2), steps, *ends], dim=1)


def asked_classes(
    voice: VoiceEmotion, emotions: tuple[str, ...], trials: Trials, label_given: bool, device: str
) -> torch.Tensor:
    """The emotion that each trial asks for, int64 [N] on the CPU: heard in its voice, or its label; -1 for a label that
    is none of `emotions`."""
    if label_given:
        return torch.tensor([emotions.index(label) if label in emotions else -1 for label in trials.emotions])
    with torch.no_grad():
        return voice.hear(trials.voices.to(device)).argmax(dim=1).cpu()
