"""What can be set, and the presets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from v2f_bench import Count, Decay, NotNegative, Positive, Range, Share, UsageError


@dataclass(frozen=True)
class CycleGanOptions:
    """The defaults are the source's and its public code's; where both are silent, a choice that works, marked so."""

    # The voice network. It sees 40 frames at a time, and the means of what it finds in all stretches of a recording
    # are the condition; with 10 ms from frame to frame a stretch is 0.4 s long.
    window: Positive = 0.025  # silent; seconds, as in Abdel-Hamid et al. 2014, whom the source follows
    hop: Positive = 0.010  # silent; seconds, likewise
    low: NotNegative = 20.0  # silent; Hz
    high: Positive = 7200.0  # silent; Hz
    voice_width: Annotated[float, Range(least=0.05)] = 1.0  # factor on the channels
    voice_dropout: Decay = 0.5  # AlexNet's
    # Not in the source: mixup (Zhang et al. 2018) of the MFSC and labels of two stretches, with shares from
    # Beta(voice_mixup, voice_mixup); 0: off.
    voice_mixup: NotNegative = 0.0
    voice_steps: Count = 20_000  # silent
    voice_batch: Annotated[int, Range(least=2)] = 64  # silent
    voice_lr: Positive = 1e-3  # silent; the peak of one cycle
    # The emotion CNN on faces that the verification loss uses.
    face_width: Count = 32  # silent; channels of its first stage
    face_steps: Count = 20_000  # silent
    face_batch: Annotated[int, Range(least=2)] = 64  # silent
    face_lr: Positive = 4e-3  # silent; the peak of one cycle
    # The CycleGAN.
    side: Annotated[int, Range(least=32, most=512)] = 128  # pixels of a face
    larger: Annotated[int, Range(least=0)] = 15  # pixels that a training face is made larger before a random crop
    head: Literal["image", "warp"] = "image"  # the picture itself, or flow, mask and light that change the source
    width: Count = 64  # channels of the generators' first layer
    blocks: Count = 6  # residual blocks of a generator with the head image
    critic_width: Count = 64  # channels of the discriminators' first layer
    epochs: Count = 200  # CycleGAN's; over the emotional faces; in the second half the learning rates fall to 0
    steps: Count | None = None  # instead of epochs
    batch: Count = 1
    lr: Positive = 2e-4
    critic_lr: Positive = 1e-4
    beta1: Decay = 0.5
    pool: Annotated[int, Range(least=0)] = 50  # earlier fakes that a discriminator may be shown
    wrong_conditions: bool = True  # real faces under another emotion's condition are fakes to the discriminator
    weight_adversarial: NotNegative = 1.0
    critic_from: Share = 0.0  # share of the steps after which the discriminators come in
    weight_cycle: NotNegative = 10.0
    cycle_every: Count = 1  # of so many steps one has the cycles and the way back, which cost the most
    weight_emotion: NotNegative = 1.0  # of the emotion CNN's verification loss; 0: the source's ablation
    # Not in the source, which is unpaired: the neutral and the emotional face of one person as a pair.
    weight_pair: NotNegative = 0.0  # of squared error between the pictures, around the middle to the source
    weight_match: NotNegative = 0.0  # of L1 between the emotion CNN's feature maps of the pair, both disturbed alike
    weight_area: NotNegative = 0.0  # of what the mask covers more than `area` of the picture
    area: Share = 0.2
    weight_smooth: NotNegative = 0.0  # of the flow's differences between neighbours
    # Factor on the flow in drawing, before its bound: expressions larger than life, as a caricaturist draws them.
    strength: NotNegative = 1.0
    # How far a vector goes to the mean of its emotion: of the labelled one in training, of the one heard in drawing.
    settle: Share = 0.0
    whiten: bool = False  # a vector in units of its deviation within the emotions, direction by direction
    average: Share = 0.0  # half-life of the mean of the generator's weights, in trainings; 0: the last weights

    def __post_init__(self) -> None:
        if self.high <= self.low:
            raise UsageError(f"high ({self.high:g} Hz) must be more than low ({self.low:g} Hz)")
        if self.side % (step := 8 if self.head == "warp" else 4):
            raise UsageError(f"with head={self.head} side must be a multiple of {step}, not {self.side}")
        if self.head == "image" and (self.weight_area or self.weight_smooth or self.strength != 1):
            raise UsageError("weight_area, weight_smooth and strength are for head=warp: a mask and a flow")

    @property
    def paired(self) -> bool:
        """Whether a training source is a neutral face of the person whose emotional face is drawn."""
        return bool(self.weight_pair or self.weight_match)


# Chosen in another world of synthetic-speakers than the default one, on people of it who were not learned from.
QUICK = CycleGanOptions(
    window=0.064,
    hop=0.040,
    low=60.0,
    high=4000.0,
    voice_width=0.25,
    voice_dropout=0.2,
    voice_mixup=0.4,
    voice_steps=2400,
    voice_lr=4e-3,
    face_width=16,
    face_steps=1000,
    side=64,
    larger=4,
    head="warp",
    width=16,
    critic_width=16,
    steps=1600,
    batch=8,
    lr=2e-3,
    critic_lr=5e-4,
    beta1=0.9,
    critic_from=0.7,
    weight_adversarial=0.02,
    cycle_every=8,
    weight_emotion=0.3,  # at 1 it is won by marks on the face that show no expression
    weight_pair=300.0,
    weight_match=6.0,
    weight_area=1.0,
    weight_smooth=0.2,
    strength=1.5,
    settle=0.9,
    whiten=True,
    average=0.1,
)
