"""The method as the harness sees it: options, presets, and the way from clips to a checkpoint to faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from v2f_bench import Clips, Context, Count, Decay, Method, NotNegative, Positive, Range, Trials, UsageError

if TYPE_CHECKING:
    import torch

HOP = 0.010  # seconds


@dataclass(frozen=True)
class Voice2FaceOptions:
    """The defaults are the source's and its public code's; where both are silent, a choice that works, marked so."""

    width: Count = 64  # channels of the generator's last layer; the first has 16 times as many
    critic_width: Count = 32  # channels of the face network's first layer
    voice_width: Annotated[float, Range(least=0.01)] = 1.0  # factor on the voice embedding's channels
    batch: Count = 128
    steps: Count = 50_000
    lr: Positive = 2e-4
    critic_lr: Positive = 2e-4  # of discriminator and classifier
    schedule: Literal["constant", "one-cycle"] = "constant"  # of both learning rates
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    noise: NotNegative = 0.05  # standard deviation of what is added to a voice's code before it is normalised again
    weight_identity: NotNegative = 1.0  # of the classifier's cross-entropy, for generated faces
    weight_pixel: NotNegative = 0.0  # of L1 to a face of the speaker; not in the source, a help for short trainings
    shortest: Annotated[float, Range(least=0.01)] = 3.0  # seconds of a training crop
    longest: Positive = 8.0
    voice_steps: Count = 50_000  # silent; pretraining of the voice embedding on speakers
    voice_batch: Count = 128  # silent
    voice_lr: Positive = 1e-3  # silent; the peak of one cycle
    normalise: Literal["band", "level"] = "band"  # of the spectrogram; "level" keeps the colour of voice and microphone

    def __post_init__(self) -> None:
        if self.shortest > self.longest:
            raise UsageError(f"shortest={self.shortest:g} is more than longest={self.longest:g}")


# Chosen in another world of synthetic-speakers than the default one. In so few steps the two opponents alone draw no
# face; L1 does, and they sharpen it.
QUICK = Voice2FaceOptions(
    width=16,
    critic_width=8,
    voice_width=0.5,
    batch=32,
    steps=700,
    lr=2e-3,
    schedule="one-cycle",
    weight_pixel=50.0,
    noise=0.1,
    shortest=2.0,
    longest=3.0,
    voice_steps=400,
    voice_batch=64,
    voice_lr=4e-3,
    normalise="level",
)


class Voice2FaceGan(Method):
    """A voice embedding, pretrained to tell the training speakers apart and frozen, drives a face generator.

    The discriminator asks whether a face is real, the classifier whether it is the voice's owner; both stand on one
    face network. No pair of a voice and a face is formed, but by the speaker's name.
    """

    name = "voice2face-gan"
    summary = "reference GAN: from a voice embedding to a face, with a speaker classifier"
    source = "Wen, Singh & Raj, Face Reconstruction from Voice using Generative Adversarial Networks, NeurIPS 2019"
    options = Voice2FaceOptions
    presets: ClassVar[Mapping[str, Any]] = {"quick": QUICK, "paper": Voice2FaceOptions()}

    opt: Voice2FaceOptions

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        from v2f_bench.audio import LogMels
        from v2f_bench.nn import embed_voices
        from v2f_bench.training import train_learner
        from v2f_voice2face_gan.training import GanLearner, SpeakerLearner

        mels = LogMels(train, context.device, normalise=self.opt.normalise)
        speakers = SpeakerLearner(train, mels, self.opt, context)
        train_learner(speakers, self.opt.voice_steps, "voice-embedding", context)
        self._voice = speakers.voice.requires_grad_(False)
        gan = GanLearner(train, embed_voices(train, mels, self._voice), self.opt, context)
        train_learner(gan, self.opt.steps, "generator", context)
        self._generator = gan.generator

    def generate(self, trials: Trials, context: Context) -> torch.Tensor:
        import torch
        import torch.nn.functional as F

        from v2f_bench.audio import log_mel

        with torch.inference_mode():
            mel, frames = log_mel(trials.voices.to(context.device), normalise=self.opt.normalise)
            return self._generator(F.normalize(self._voice(mel, frames), dim=1)).clamp(0, 1).cpu()

    def state(self) -> dict[str, torch.Tensor]:
        from v2f_bench.nn import joined_state

        return joined_state({"voice": self._voice, "generator": self._generator})

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        from v2f_bench.nn import VoiceEmbedding, load_joined
        from v2f_voice2face_gan.networks import Generator

        self._voice, self._generator = VoiceEmbedding(self.opt.voice_width), Generator(self.opt.width)
        load_joined({"voice": self._voice, "generator": self._generator}, state, device)
