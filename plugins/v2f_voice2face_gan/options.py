"""What can be set, and the presets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from v2f_bench import Count, Decay, NotNegative, Positive, Range, UsageError

SIDE = 64  # pixels: the networks are made for faces of this size


@dataclass(frozen=True)
class Voice2FaceOptions:
    """The defaults are the source's and its public code's; where both are silent, a choice that works, marked so."""

    width: Count = 64  # channels of the generator's last layer; the first has 16 times as many
    smooth: bool = False  # blur after the last two transposed convolutions and at the end: no grid; not the source's
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

    def __post_init__(self) -> None:
        if self.shortest > self.longest:
            raise UsageError(f"shortest={self.shortest:g} is more than longest={self.longest:g}")


# Chosen in another world of synthetic-speakers than the default one. In so few steps the two opponents alone draw no
# face; L1 does.
QUICK = Voice2FaceOptions(
    width=12,
    smooth=True,
    critic_width=8,
    voice_width=0.5,
    batch=32,
    steps=700,
    lr=2e-3,
    schedule="one-cycle",
    weight_pixel=2000.0,
    shortest=2.0,
    longest=3.0,
    voice_steps=400,
    voice_batch=64,
    voice_lr=4e-3,
)
