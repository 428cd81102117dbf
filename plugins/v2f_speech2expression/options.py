"""What can be set, and the presets of both methods. The defaults are the sources'; where they are silent, a choice that
works, marked so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from v2f_bench import Count, Decay, NotNegative, OptionFile, Positive, Range, Share, UsageError

KEPT = ("identity", "sex", "age")  # attributes that the search can keep


@dataclass(frozen=True, kw_only=True)
class HearingOptions:
    """Of the voice network that both methods train: librosa's MFCC of three seconds, then linear layers."""

    n_mfcc: Count = 20
    fft: Annotated[int, Range(least=16)] = 2048  # samples
    hop: Count = 512  # samples
    seconds: Annotated[float, Range(least=0.1)] = 3.0
    pooling: Literal["none", "statistics"] = "none"  # over time; statistics: not in the source, for few recordings
    hidden: tuple[Count, ...] = (256, 128)  # silent; widths of the layers before the last
    dropout: Annotated[float, Range(least=0, below=1)] = 0.0
    voice_noise: NotNegative = 0.0  # added to normalised inputs in training; not in the source
    voice_steps: Count = 20_000  # silent
    voice_batch: Annotated[int, Range(least=2)] = 64  # silent
    voice_lr: Positive = 1e-3  # silent; the peak of one cycle
    voice_decay: NotNegative = 0.01  # silent; of the weights
    label_given: bool = False  # the emotion from the trial's label, not from the voice; the results are marked


@dataclass(frozen=True, kw_only=True)
class SearchOptions(HearingOptions):
    """The source's public script gives λ values out of [0, 1]: here λ and the strength are two things, and the strength
    of each emotion is chosen on validation speakers."""

    side: Literal[64, 128, 256] = 128  # pixels; silent, the pretrained generator has more
    # redrawing: from latent and source picture; for few faces. A file: a pretrained StyleGAN2 (docs/files.md).
    generator: Literal["style", "redrawing"] | OptionFile = "style"
    classifier_width: Count = 32  # silent; channels of the first of four stages
    classifier_steps: Count = 20_000  # silent
    classifier_batch: Annotated[int, Range(least=2)] = 64  # silent
    classifier_lr: Positive = 2e-3  # silent; the peak of one cycle
    width: Count = 32  # channels at full size; StyleGAN2's at its largest
    latent: Count = 512  # StyleGAN2's
    steps: Count = 200_000  # silent; of the generator
    batch: Annotated[int, Range(least=2)] = 32  # StyleGAN2's
    lr: Positive = 2e-3  # StyleGAN2's; for redrawing the peak of one cycle
    weight_r1: NotNegative = 10.0  # StyleGAN2's
    average: Decay = 0.999  # silent; of the style-based generator's weights over the steps
    encoder_steps: Count = 20_000  # silent; of what inverts a style-based generator
    # Of redrawing alone:
    code_noise: NotNegative = 0.2  # added to codes in training, in their deviations: neighbours are to look alike
    weight_pixel: NotNegative = 12.0  # L1
    weight_perceptual: NotNegative = 1.0
    weight_emotion: NotNegative = 0.0  # of the steering classifier's cross-entropy
    weight_mask: NotNegative = 5.0  # of the mask's area beyond `mask_area`
    mask_area: Share = 0.1
    focus: NotNegative = 0.0  # more weight for the middle of the face, in perceptual distances too; 0: all alike
    # Of the search:
    invert_steps: Count = 100
    invert_lr: Positive = 0.01
    invert_perceptual: NotNegative = 0.1  # silent; weight beside the pixels' mean squared error
    direction_faces: Count = 1000  # silent; neutral training faces over whose gradients attribute directions are means
    instance: Share = 0.5  # λ: 1 is the direction at this face alone, 0 the one that is the same for all
    instance_kept: Share = 0.3  # the same for sex and age, where they are kept
    keep: tuple[str, ...] = KEPT  # conditional projection: none, or some of these
    step: Positive = 0.1
    walk_steps: Count = 10
    agree: Share = 0.95  # silent; the classifier's probability at which the search ends; 1: never

    def __post_init__(self) -> None:
        if unknown := set(self.keep) - set(KEPT):
            raise UsageError(f"keep takes {', '.join(KEPT)}, not {', '.join(sorted(unknown))}")


@dataclass(frozen=True, kw_only=True)
class SignOptions(HearingOptions):
    """The source names pix2pixHD and gives no number: all are pix2pixHD's (its global generator and one enhancer)."""

    side: Literal[64, 128, 256] = 256  # pixels; silent
    width: Annotated[int, Range(least=2)] = 64  # channels of the generator's first layer
    halvings: Annotated[int, Range(least=1, most=4)] = 4  # of the global generator, which works at half the size
    blocks: Count = 9  # residual ones, of the global generator
    local_blocks: Count = 3  # of the local enhancer
    # Of the generator; instance takes from each map its mean over the picture, so that what the sign says hardly gets
    # from the middle to brows and mouth; batch does not.
    norm: Literal["instance", "batch"] = "instance"
    residual: bool = False  # what is drawn is added to the signed picture; not in the source
    scales: Annotated[int, Range(least=1, most=3)] = 3  # discriminators
    critic_width: Count = 64
    critic_layers: Annotated[int, Range(least=1)] = 3
    augment: bool = True  # training pairs moved and relit, both alike; the source says that it augments, not how
    late: Share = 0.0  # share of the steps before the discriminators join; not in the source
    average: Decay = 0.0  # of the generator's weights over the steps: the average draws; not in the source
    epochs: Count = 200
    steps: Count | None = None  # instead of epochs
    batch: Count = 1
    lr: Positive = 2e-4
    critic_lr: Positive = 2e-4
    beta1: Decay = 0.5
    weight_real: NotNegative = 1.0
    weight_features: NotNegative = 10.0
    weight_pixel: NotNegative = 0.0  # L1 to the real face; pix2pix's, not pix2pixHD's
    focus: NotNegative = 0.0  # in L1 more weight for the middle of the face; 0: all alike

    def __post_init__(self) -> None:
        if self.late and not self.weight_pixel:
            raise UsageError("late needs weight_pixel: before the discriminators join there is no other loss")


_HEARING_QUICK = {
    "n_mfcc": 80,
    "fft": 1024,
    "hop": 256,
    "pooling": "statistics",
    "hidden": (256, 64),
    "dropout": 0.4,
    "voice_noise": 0.3,
    "voice_steps": 500,
    "voice_lr": 3e-3,
    "voice_decay": 0.05,
}
# Chosen in another world of synthetic-speakers than the default one, on its validation speakers.
SEARCH_QUICK = SearchOptions(
    **_HEARING_QUICK,  # type: ignore[arg-type]
    side=64,
    generator="redrawing",
    classifier_width=16,
    classifier_steps=500,
    classifier_lr=4e-3,
    width=16,
    latent=16,
    steps=800,
    batch=16,
    lr=3e-3,
    code_noise=0.4,
    weight_emotion=0.2,  # at 0.4 the classifier is won over where nobody else sees the emotion
    focus=3.0,
    invert_steps=10,
    invert_lr=0.03,
    keep=(),
    direction_faces=128,
)
SIGN_QUICK = SignOptions(
    **_HEARING_QUICK,  # type: ignore[arg-type]
    side=64,
    width=16,
    halvings=3,
    blocks=3,
    local_blocks=2,
    norm="batch",
    residual=True,
    scales=2,
    critic_width=16,
    critic_layers=2,
    late=0.5,
    average=0.98,
    steps=800,
    batch=8,
    lr=1e-3,
    critic_lr=5e-4,
    weight_real=0.05,
    weight_features=0.5,
    weight_pixel=10.0,
    focus=3.0,
)
