"""What can be set, and the presets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from v2f_bench import Count, NotNegative, Positive, Range, Share

SIDE = 64  # pixels: the networks are made for faces of this size


@dataclass(frozen=True)
class EmotionVaeOptions:
    """The defaults are the source's; where it is silent, a choice that works, marked so."""

    width: Count = 32  # silent; channels of the face VAE's first layer, the others are 2, 4 and 8 times as wide
    latent: Count = 64  # silent; dimensions
    # What a set bit of the code is. The source sets two bits an emotion where one would do, for more effect; a larger
    # bit does the same, and is learned sooner.
    code_size: Positive = 1.0
    weight_kl: NotNegative = 1.0  # silent; of the KL divergence beside the squared error, both summed over a face
    focus: NotNegative = 0.0  # more weight for the middle of the face; the source crops to its outline
    batch: Annotated[int, Range(least=2)] = 32
    face_epochs: Count = 300
    face_steps: Count | None = None  # instead of epochs
    face_lr: Positive = 1e-3
    mirror: bool = False  # half of the VAE's training faces
    hidden: Share = 0.0  # share of these whose features are put at their mean 0, so that the code alone must serve
    # The voice encoder's first stage: the source's, learned on raw frames, or a log-mel spectrogram in its place.
    filters: Literal["learned", "mel"] = "learned"
    attention: Literal["tokens", "rows"] = "tokens"  # silent; DeepTalk's tokens, or the rows of the GRU
    # Aim at the mean features of all the speaker's faces, not at those of the clip's own: what differs between them
    # cannot be heard, but for the emotion, and that is the code's.
    average: bool = False
    voice_epochs: Count = 600
    voice_steps: Count | None = None  # instead of epochs
    voice_lr: Positive = 1e-4
    weight_emotion: NotNegative = 1.0  # of the emotion head's cross-entropy; the head is not in the source
    turn: bool = False  # training recordings, to begin anywhere
    schedule: Literal["constant", "one-cycle"] = "constant"  # of both learning rates
    label_given: bool = False  # the code from the trial's emotion label, as in the source, not from the voice
    # Factor on the features that a voice gives. What cannot be heard is missing in them, so they lie nearer to the mean
    # than a face's do, and so do the faces that are drawn.
    gain: NotNegative = 1.0
    code_gain: NotNegative = 1.0  # factor on the code: expressions larger than life, as a caricaturist draws them
    noise: NotNegative = 1.0  # factor on the posterior's deviation in drawing; 0 draws its mean


# Chosen in another world of synthetic-speakers than the default one, by its test speakers.
QUICK = EmotionVaeOptions(
    width=16,
    code_size=4.0,
    weight_kl=0.05,
    focus=4.0,
    face_steps=1500,
    face_lr=2e-3,
    mirror=True,
    hidden=0.3,
    filters="mel",
    attention="rows",
    average=True,
    voice_steps=450,
    voice_lr=3e-3,
    weight_emotion=0.3,
    turn=True,
    schedule="one-cycle",
    gain=2.0,
    code_gain=2.0,
    noise=0.0,
)
# The code must serve more, and is drawn larger than life: the emotion shows, and the person less.
EXPRESSIVE = replace(QUICK, hidden=0.6, code_gain=8.0)
