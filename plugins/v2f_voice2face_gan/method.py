"""The method as the harness sees it: the way from clips to a checkpoint to faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from v2f_bench import Clips, Context, Method, Trials
from v2f_voice2face_gan.options import QUICK, SIDE, Voice2FaceOptions

if TYPE_CHECKING:
    import torch


class Voice2FaceGan(Method):
    """A voice embedding, pretrained to tell the training speakers apart and frozen, drives a face generator.

    The discriminator asks whether a face is real, the classifier whether it is the voice's owner; both stand on one
    face network. No pair of a voice and a face is formed, but by the speaker's name.

    `quick` departs from the source where a short training teaches the two opponents nothing: narrow networks, L1 to a
    face of the voice's owner, far above their part, one cycle of the learning rates, and blurs against the grid of the
    transposed convolutions.
    """

    name = "voice2face-gan"
    summary = "reference GAN: from a voice embedding to a face, with a speaker classifier"
    source = "Wen, Singh & Raj, Face Reconstruction from Voice using Generative Adversarial Networks, NeurIPS 2019"
    options = Voice2FaceOptions
    presets: ClassVar[Mapping[str, Any]] = {"quick": QUICK, "paper": Voice2FaceOptions()}

    opt: Voice2FaceOptions

    @classmethod
    def resolution(cls, options: Voice2FaceOptions, protocol: int) -> int:
        return SIDE

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        from v2f_bench.audio import LogMels
        from v2f_bench.nn import embed_voices
        from v2f_bench.training import train_learner
        from v2f_voice2face_gan.training import GanLearner, SpeakerLearner

        mels = LogMels(train, context.device)
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
            mel, frames = log_mel(trials.voices.to(context.device))
            return self._generator(F.normalize(self._voice(mel, frames), dim=1)).clamp(0, 1).cpu()

    def state(self) -> dict[str, torch.Tensor]:
        from v2f_bench.nn import joined_state

        return joined_state({"voice": self._voice, "generator": self._generator})

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        from v2f_bench.nn import VoiceEmbedding, load_joined
        from v2f_voice2face_gan.networks import Generator

        self._voice, self._generator = VoiceEmbedding(self.opt.voice_width), Generator(self.opt.width, self.opt.smooth)
        load_joined({"voice": self._voice, "generator": self._generator}, state, device)
