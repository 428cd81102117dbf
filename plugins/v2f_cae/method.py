"""The method as the harness sees it: options, presets, and the way from clips to a checkpoint to faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from v2f_bench import Clips, Context, Count, Decay, Method, NotNegative, Positive, Range, Share, Trials, Variation

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class CaeOptions:
    """The defaults are the source's; where it is silent, a choice that works, marked so."""

    width: Count = 64  # channels of the scaffold's first layer; the others are 2, 4 and 8 times as wide
    up_kernel: Literal[2, 3] = 3  # of the transposed convolutions; silent on theirs, the others are 3×3
    critic_width: Count = 32  # channels of the discriminator's first layer
    voice_width: Annotated[float, Range(least=0.01)] = 1.0  # factor on the voice embedding's channels
    batch: Count = 1
    steps: Count = 300_000  # silent: two passes over the 149,354 recordings
    lr: Positive = 2e-4
    critic_lr: Positive = 2e-4  # of discriminator and classifier
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    weight_proposal: NotNegative = 1.0  # λ1, L1 to the proposal
    weight_target: NotNegative = 10.0  # λ2, L1 to the target
    weight_identity: NotNegative = 1.0  # λ3, cross-entropy of the classifier
    weight_real: NotNegative = 1.0  # λ4, binary cross-entropy of the discriminator
    weight_cycle: NotNegative = 10.0  # λ5, L1 of the way back to the proposal
    cycle_share: Share = 1.0  # of a batch, which goes the way back: that is half of the work
    average: Decay = 0.0  # of the generator's weights over the steps: the average draws; not in the source, it steadies
    code_noise: NotNegative = 0.0  # added to a training voice's code, in its deviations; few speakers are soon learnt
    voice_steps: Count = 50_000  # silent; DIMNet pretraining
    voice_batch: Count = 128  # silent
    voice_faces: Count = 128  # silent; faces in a batch of the pretraining
    voice_lr: Positive = 1e-3  # silent; the peak of one cycle
    voice_seconds: Annotated[float, Range(least=0.01)] = 5.0  # silent; of a training crop
    # Labels that DIMNet's shared classifiers learn, of those that the data set has.
    covariates: tuple[str, ...] = ("speaker", "sex", "age", "nationality", "ethnicity")


# Chosen by validation in another world of synthetic-speakers than the default one.
QUICK = CaeOptions(
    width=8,
    up_kernel=2,
    critic_width=8,
    voice_width=0.5,
    batch=16,
    steps=650,
    lr=2e-3,
    critic_lr=2e-3,
    cycle_share=0.0625,
    average=0.98,
    code_noise=0.5,
    voice_steps=350,
    voice_batch=64,
    voice_faces=32,
    voice_lr=4e-3,
    voice_seconds=2.5,
)


class CAE(Method):
    """A U-Net redraws the proposal face; the voice gates the filters of its decoder.

    The voice embedding is pretrained by DIMNet, on voices and faces of the training split, and then frozen. A linear
    layer for each decoder layer turns it into one gate for each filter parameter, so every trial has its own decoder.
    The source therefore trains with batches of one; here the gated layers of a batch run at once, with the same result.
    Batch normalisation is what still differs between batch sizes.
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

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        from v2f_bench.audio import LogMels
        from v2f_bench.nn import embed_voices
        from v2f_bench.training import train_learner
        from v2f_cae.dimnet import pretrain_voice
        from v2f_cae.training import GeneratorLearner
        from v2f_cae.voice import FRONT_END

        mels = LogMels(train, context.device, **FRONT_END)
        self._voice = pretrain_voice(train, mels, self.opt, context)
        codes = embed_voices(train, mels, self._voice)
        learner = GeneratorLearner(train, codes, self.opt, context)
        train_learner(learner, self.opt.steps, "generator", context)
        self._generator = learner.settled(context)

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
            Generator(self.opt.width, self.opt.up_kernel),
        )
        load_joined({"voice": self._voice, "generator": self._generator}, state, device)
