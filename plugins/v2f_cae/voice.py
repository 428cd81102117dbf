"""The voice embedding network (Table 1 of the source, left)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import nn

from v2f_bench import Voices
from v2f_bench.audio import log_mel

BANDS = 64
CODE = 64
CHANNELS = (256, 384, 576, 864)
HOP = 0.010  # seconds
# Normalising each band would take away the colour of the voice with that of the microphone; the source is silent.
FRONT_END: dict[str, Any] = {"bands": BANDS, "window": 0.025, "hop": HOP, "normalise": "level"}


def features(voices: Voices) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-mel spectrogram, 64 bands of 25 ms windows every 10 ms, levelled: [N, 64, T], frames [N]."""
    return log_mel(voices, **FRONT_END)


class VoiceEmbedding(nn.Module):
    """64×t0 -> 256×t1 -> 384×t2 -> 576×t3 -> 864×t4 -> 64×t5 -> 64: five strided convolutions, mean over time."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        channels = [BANDS, *(round(c * width) for c in CHANNELS), CODE]
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(before, after, kernel_size=3, stride=2, padding=1, bias=False),
                nn.BatchNorm1d(after),
                nn.ReLU(inplace=True),
            )
            for before, after in pairwise(channels)
        )

    def forward(self, mel: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
        """[N, 64, T] and the frames of each, int64 [N] -> [N, 64]; frames after a recording's end take no part."""
        for layer in self.layers:
            mel = layer(mel)
            frames = (frames + 1) // 2
            inside = torch.arange(mel.shape[2], device=mel.device)[None] < frames[:, None]
            mel = mel * inside[:, None]  # what convolution and norm made of the padding is not voice
        return mel.sum(dim=2) / frames[:, None]
