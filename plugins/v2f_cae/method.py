"""The method: from clips to a checkpoint, and from trials to faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from v2f_bench import Clips, Context, Method, Offer, Trials, Variation
from v2f_cae.options import QUICK, SIDE, CaeOptions

if TYPE_CHECKING:
    import torch


class CAE(Method):
    """A U-Net redraws the proposal face; the voice gates the filters of its decoder.

    The voice embedding is pretrained by DIMNet, on voices and faces of the training split, and then frozen. A linear
    layer for each decoder layer turns it into one gate for each filter parameter, so every trial has its own decoder.
    The source therefore trains with batches of one. Here the gated layers of a whole batch are computed together, with
    the same result; only batch normalisation differs between batch sizes.

    `quick`, for minutes of training, departs from the source:

    * narrow networks, larger batches, and the cycle loss on one face of each;
    * the transposed convolutions have kernels of 2×2, and what they give is blurred, so that no grid is left;
    * noise is added to the voice codes in training;
    * discriminator and classifier start from DIMNet's face network and its classifier of speakers, which know the
      training faces already;
    * the faces are drawn with a moving average of the generator's weights.
    """

    name = "cae"
    summary = "Controlled AutoEncoder: morphs a proposal face into the voice's owner"
    source = "Liang et al., Controlled AutoEncoders to Generate Faces from Voices, 2020"
    tracks = frozenset({"identity"})
    needs = frozenset({"voice", "proposal"})
    options = CaeOptions
    presets: ClassVar[Mapping[str, Any]] = {"quick": QUICK, "paper": CaeOptions()}
    variations: ClassVar[Mapping[str, str]] = {
        "voice": "each row one proposal, each column one voice (Figure 3, e and f, of the source)"
    }

    opt: CaeOptions

    @classmethod
    def resolution(cls, options: CaeOptions, protocol: int) -> int:
        return SIDE

    @classmethod
    def unsuited(cls, options: CaeOptions, offer: Offer) -> str:
        from v2f_cae.dimnet import covariate_labels

        lacking = f"the training clips have no two values of {', '.join(options.covariates)}"
        known = covariate_labels(offer.train, options.covariates)
        return super().unsuited(options, offer) or ("" if known else lacking)

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        from v2f_bench.audio import LogMels
        from v2f_bench.nn import embed_voices
        from v2f_bench.training import train_learner
        from v2f_cae.dimnet import pretrain
        from v2f_cae.training import GeneratorLearner
        from v2f_cae.voice import FRONT_END

        mels = LogMels(train, context.device, **FRONT_END)
        dimnet = pretrain(train, mels, self.opt, context)
        self._voice = dimnet.voice
        codes = embed_voices(train, mels, self._voice)
        learner = GeneratorLearner(train, codes, self.opt, context)
        if self.opt.critic_from_dimnet:
            learner.start_critic(dimnet)
        train_learner(learner, self.opt.steps, "generator", context)
        self._generator = learner.with_recomputed_batchnorm(context)

    def generate(self, trials: Trials, context: Context) -> torch.Tensor:
        import torch

        with torch.inference_mode():
            return self._generator(trials.proposals.to(context.device), self._codes(trials, context)).cpu()

    def vary(self, name: str, trials: Trials, context: Context) -> Variation:
        import torch

        count = len(trials)
        proposals = trials.proposals.to(context.device).repeat_interleave(count, dim=0)
        with torch.inference_mode():
            drawn = self._generator(proposals, self._codes(trials, context).repeat(count, 1)).cpu()
        return Variation(drawn.unflatten(0, (count, count)), tuple(f"voice {number + 1}" for number in range(count)))

    def _codes(self, trials: Trials, context: Context) -> torch.Tensor:
        from v2f_cae.voice import features

        codes: torch.Tensor = self._voice(*features(trials.voices.to(context.device)))
        return codes

    def state(self) -> dict[str, torch.Tensor]:
        from v2f_bench.nn import joined_state

        return joined_state({"voice": self._voice, "generator": self._generator})

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        from v2f_bench.nn import VoiceEmbedding, load_joined
        from v2f_cae.scaffold import Generator

        self._voice, self._generator = (
            VoiceEmbedding(self.opt.voice_width),
            Generator(self.opt.width, self.opt.up_kernel, self.opt.smooth),
        )
        load_joined({"voice": self._voice, "generator": self._generator}, state, device)
