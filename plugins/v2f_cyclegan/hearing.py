"""The voice attribute extractor (section 3.1 of the source): MFSC as pictures of three channels, and a CNN on them."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from v2f_bench import Voices
from v2f_bench.audio import mfsc
from v2f_cyclegan.options import CycleGanOptions

BANDS = 40
FRAMES = 40
SHORTEST = 10  # frames that a derivative can be taken of, and one more
STEP = 10  # frames from one stretch of a whole recording to the next
CHANNELS = (64, 128, 192, 128)  # the source gives no sizes, but for the order of layers


def mfsc_of(voices: Voices, window: float, hop: float, low: float, high: float) -> tuple[torch.Tensor, torch.Tensor]:
    """MFSC [N, 3, 40, T] of recordings and the frames of each, as `v2f_bench.audio.mfsc`'s.

    Neither bands nor level are normalised: loudness and colour of a voice tell of its emotion. A recording that is too
    short for a derivative is repeated.
    """
    return mfsc(_repeated(voices, SHORTEST * hop), BANDS, window, hop, low, high, normalise="none")


def front_end_options(opt: CycleGanOptions) -> dict[str, float]:
    """What `mfsc_of` takes of the method's options."""
    return {"window": opt.window, "hop": opt.hop, "low": opt.low, "high": opt.high}


def stretches(features: torch.Tensor, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Every stretch of 40 frames, `STEP` apart, of whole recordings [N, 3, 40, T]; one that is shorter is repeated.

    Returns:
        float [M, 3, 40, 40], and the recording that each is of, int64 [M].
    """
    cut, owners = [], []
    for number, (recording, count) in enumerate(zip(features, frames.tolist(), strict=True)):
        own = recording[..., :count]
        if count < FRAMES:
            own = own.repeat(1, 1, -(-FRAMES // count))[..., :FRAMES]
        windows = own.unfold(2, FRAMES, STEP).permute(2, 0, 1, 3)
        cut.append(windows)
        owners += [number] * len(windows)
    return torch.cat(cut), torch.tensor(owners, device=features.device)


def _repeated(voices: Voices, seconds: float) -> Voices:
    """Each recording that is shorter than `seconds` repeated, whole, until it is not."""
    wanted, lengths = round(seconds * voices.rate), voices.lengths.clamp(min=1).tolist()
    if min(lengths, default=wanted) >= wanted:
        return voices
    rows = [
        row[:n].repeat(-(-wanted // n) if n < wanted else 1) for row, n in zip(voices.samples, lengths, strict=True)
    ]
    counts = torch.tensor([len(row) for row in rows], device=voices.lengths.device)
    return Voices(nn.utils.rnn.pad_sequence(rows, batch_first=True), counts, voices.rate)


class VoiceCnn(nn.Module):
    """MFSC 3×40×40 -> conv-pool-conv-pool-conv-conv-pool -> dense -> one number an emotion, before the softmax.

    The order of layers is the source's (figure 2), AlexNet's without its last convolution. Sizes, where it is silent:
    64 channels by 5×5, then 128, 192 and 128 by 3×3, each with batch norm and ReLU; pools of 2×2; a dense layer of 128.
    Each channel of the MFSC is brought to deviation 1, as over the training recordings.

    Args:
        emotions: how many it tells apart.
        width: factor on the channels.
    """

    scale: torch.Tensor
    middle: torch.Tensor
    axes: torch.Tensor

    def __init__(self, emotions: int, width: float = 1.0, dropout: float = 0.5) -> None:
        super().__init__()
        channels = [3, *(max(1, round(channels * width)) for channels in CHANNELS)]
        layers: list[nn.Module] = []
        for number, (before, after) in enumerate(pairwise(channels)):
            kernel = 5 if number == 0 else 3
            layers += [nn.Conv2d(before, after, kernel, padding=kernel // 2, bias=False)]
            layers += [nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
            if number != 2:
                layers.append(nn.MaxPool2d(2))
        self.layers = nn.Sequential(*layers)
        dense = max(8, round(128 * min(1.0, 4 * width)))
        self.dense = nn.Sequential(
            nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels[-1] * 25, dense), nn.ReLU(), nn.Dropout(dropout)
        )
        self.emotion = nn.Linear(dense, emotions)
        self.register_buffer("scale", torch.ones(3, 1, 1))  # of each channel of the MFSC
        self.register_buffer("middle", torch.zeros(emotions))  # of the conditions of the training recordings
        self.register_buffer("axes", torch.eye(emotions))  # what these are multiplied by to have deviation 1

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """[N, 3, 40, 40] -> [N, emotions]."""
        pictures = (pictures / self.scale).contiguous(memory_format=torch.channels_last)
        return self.emotion(self.dense(self.layers(pictures)))

    def hear(self, features: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
        """The mean over all stretches of whole recordings [N, 3, 40, T]: [N, emotions]."""
        cut, owners = stretches(features, frames)
        outputs = self(cut)
        counts = torch.bincount(owners, minlength=len(features)).to(outputs)
        return outputs.new_zeros(len(features), outputs.shape[1]).index_add(0, owners, outputs) / counts[:, None]

    def scaled(self, vectors: torch.Tensor) -> torch.Tensor:
        """The condition z [N, emotions] from what `hear` gives: of mean 0 and deviation 1 in training."""
        return (vectors - self.middle) @ self.axes
