"""The voice embedding of Wen et al. 2019 and Liang et al. 2020: strided 1-D convolutions over a log-mel spectrogram."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from v2f_bench.audio import LogMels
from v2f_bench.interfaces import Clips

BANDS = 64
CODE = 64
CHANNELS = (256, 384, 576, 864)


class VoiceEmbedding(nn.Module):
    """64×t0 -> 256×t1 -> 384×t2 -> 576×t3 -> 864×t4 -> 64×t5 -> 64: five convolutions and the mean over time.

    Kernel 3, stride 2, padding 1, each with batch norm and ReLU (Table 1 of Liang et al.; Table 1 of Wen et al.).

    Args:
        width: factor on the hidden channels.
        bands: features a frame, where they are other ones than 64 log-mel bands.
    """

    def __init__(self, width: float = 1.0, bands: int = BANDS) -> None:
        super().__init__()
        channels = [bands, *(round(c * width) for c in CHANNELS), CODE]
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(before, after, kernel_size=3, stride=2, padding=1, bias=False),
                nn.BatchNorm1d(after),
                nn.ReLU(inplace=True),
            )
            for before, after in pairwise(channels)
        )

    def forward(self, mel: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
        """[N, bands, T] and the frames of each, int64 [N] -> [N, 64]; frames after a recording's end take no part."""
        for layer in self.layers:
            mel = layer(mel)
            frames = (frames + 1) // 2
            inside = torch.arange(mel.shape[2], device=mel.device)[None] < frames[:, None]
            mel = mel * inside[:, None]  # what convolution and norm made of the padding is not voice
        return mel.sum(dim=2) / frames[:, None]


def embed_voices(clips: Clips, mels: LogMels, voice: VoiceEmbedding) -> torch.Tensor:
    """The frozen embedding of every whole recording, as at test time: [clips, 64], zero where there is none."""
    codes = torch.zeros(len(clips), CODE)
    with torch.inference_mode():
        for start in range(0, len(mels.rows), 64):
            rows = mels.rows[start : start + 64]
            codes[rows] = voice(*mels.whole(rows)).cpu()
    return codes
