"""What can be set, and the presets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from v2f_bench import Count, Decay, NotNegative, Positive, Range, Share, UsageError

SIDE = 64  # pixels: the networks are made for faces of this size


@dataclass(frozen=True)
class CaeOptions:
    """The defaults are the paper's; what it does not state is a choice that works, marked "not stated"."""

    width: Count = 64  # channels of the scaffold's first layer; the others are 2, 4 and 8 times as wide
    up_kernel: Literal[2, 3] = 3  # of the transposed convolutions; not stated (its other kernels are 3×3)
    smooth: bool = False  # blur what a transposed convolution gives, so that no grid is left; not in the paper
    critic_width: Count = 32  # channels of the discriminator's first layer
    # Start the layers that discriminator and classifier share as DIMNet's face network, and the classifier's last layer
    # as DIMNet's classifier of speakers; not in the paper.
    critic_from_dimnet: bool = False
    voice_width: Annotated[float, Range(least=0.01)] = 1.0  # factor on the voice embedding's channels
    batch: Count = 1
    steps: Count = 300_000  # not stated: two passes over the 149,354 recordings
    lr: Positive = 2e-4
    critic_lr: Positive = 2e-4  # of discriminator and classifier
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    weight_proposal: NotNegative = 1.0  # λ1, L1 to the proposal
    weight_target: NotNegative = 10.0  # λ2, L1 to the target
    weight_identity: NotNegative = 1.0  # λ3, cross-entropy of the classifier
    weight_real: NotNegative = 1.0  # λ4, binary cross-entropy of the discriminator
    weight_cycle: NotNegative = 10.0  # λ5, L1 of the way back to the proposal
    cycle_share: Share = 1.0  # of the batch used for the cycle loss, which takes half of the time
    average: Decay = 0.0  # of the moving average (EMA) of the weights, which then draws; 0: off; not in the paper
    code_noise: NotNegative = 0.0  # added to voice codes in training, in standard deviations, against overfitting
    voice_steps: Count = 50_000  # not stated; DIMNet pretraining
    voice_batch: Count = 128  # not stated
    voice_faces: Count = 128  # not stated; faces in a batch of the pretraining
    voice_lr: Positive = 1e-3  # not stated; the peak of one cycle
    voice_seconds: Annotated[float, Range(least=0.01)] = 5.0  # not stated; of a training crop
    # Labels that DIMNet's shared classifiers learn, of those that the data set has.
    covariates: tuple[str, ...] = ("speaker", "sex", "age", "nationality", "ethnicity")

    def __post_init__(self) -> None:
        if self.critic_from_dimnet and "speaker" not in self.covariates:
            raise UsageError("without speaker among the covariates, critic_from_dimnet must be false")


# Chosen in another world of synthetic-speakers than the default one, on people of it who were not learned from.
QUICK = CaeOptions(
    width=8,
    up_kernel=2,
    smooth=True,
    critic_width=8,
    critic_from_dimnet=True,
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
