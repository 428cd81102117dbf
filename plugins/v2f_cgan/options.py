"""What can be set, and the presets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from v2f_bench import Count, Decay, NotNegative, Positive, Range, UsageError

PARTS: dict[str, tuple[str, ...]] = {"none": (), "sex": ("sex",), "age": ("age",), "both": ("sex", "age")}

SIDE = 64  # pixels: the networks are made for faces of this size


@dataclass(frozen=True)
class CGanOptions:
    """The source states the conditions and no other number: every default is DCGAN's (Radford et al. 2016), marked so,
    or a choice that works.

    The defaults are the preset `paper`. On one A100 it would take about four hours. That is counted, not measured: 6.1
    GFLOP a sample and step, forward and backward (torch's FlopCounterMode), times 128 samples, times 100,000 steps, at
    10 TFLOP/s make 2.2 hours; the listener adds 2 %; to fetch a batch's faces and crops takes one CPU core 50 ms
    (measured), 1.4 hours in all.
    """

    conditions: Literal["none", "sex", "age", "both"] = "both"  # none: the plain GAN that the source compares with
    label_given: bool = False  # the conditions at test time are the labels, not what is heard; results are marked
    width: Count = 64  # channels of the generator's last hidden layer; the first has 16 times as many
    smooth: bool = False  # blur after the last two transposed convolutions and at the end, against grids; not DCGAN's
    critic_width: Count = 32  # channels of the discriminator's first layer; the last has 16 times as many
    voice_width: Annotated[float, Range(least=0.01)] = 1.0  # factor on the channels of the voice networks
    noise: Count = 100  # DCGAN's
    batch: Annotated[int, Range(least=2)] = 128  # DCGAN's
    steps: Count = 100_000
    lr: Positive = 2e-4  # DCGAN's
    critic_lr: Positive = 2e-4
    beta1: Decay = 0.5  # DCGAN's
    beta2: Decay = 0.999
    weight_pixel: NotNegative = 0.0  # of L1 to a face of the speaker; not in the source, a help for short trainings
    code_noise: NotNegative = 0.0  # added to a training voice's code, in its deviations; few speakers are soon learnt
    age_jitter: NotNegative = 0.0  # years, standard deviation of what is added to a training label
    seconds: Annotated[float, Range(least=0.01)] = 4.0  # of a training crop
    listener_steps: Count = 20_000
    listener_batch: Annotated[int, Range(least=2)] = 128
    listener_lr: Positive = 1e-3  # the peak of one cycle

    def __post_init__(self) -> None:
        if self.label_given and self.conditions == "none":
            raise UsageError("label_given has no meaning with conditions=none, which takes no labels")

    @property
    def parts(self) -> tuple[str, ...]:
        return PARTS[self.conditions]


# Chosen in another world of synthetic-speakers than the default one. L1 is far above pix2pix's 100: in so few steps the
# discriminator's say makes textures before there are faces, and the detector finds none in them.
QUICK = CGanOptions(
    width=12,
    smooth=True,
    critic_width=8,
    voice_width=0.5,
    noise=16,
    batch=32,
    steps=450,
    lr=2e-3,
    critic_lr=5e-4,
    weight_pixel=1000.0,
    code_noise=0.5,
    age_jitter=5.0,
    seconds=2.0,
    listener_steps=250,
    listener_batch=64,
    listener_lr=4e-3,
)
