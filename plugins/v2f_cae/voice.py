"""Audio front end (Table 1 of the source, left)."""

from __future__ import annotations

from typing import Any

import torch

from v2f_bench import Voices
from v2f_bench.audio import log_mel
from v2f_bench.nn.voice import BANDS

HOP = 0.010  # seconds
# Normalising each band would remove the voice's spectral shape with the microphone's; the paper does not state it.
FRONT_END: dict[str, Any] = {"bands": BANDS, "window": 0.025, "hop": HOP, "normalise": "level"}


def features(voices: Voices) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-mel spectrogram, 64 bands of 25 ms windows every 10 ms, levelled: [N, 64, T], frames [N]."""
    return log_mel(voices, **FRONT_END)
