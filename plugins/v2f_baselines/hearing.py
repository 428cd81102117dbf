"""What the simple rivals hear of a voice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from v2f_bench import Clips, Voices

if TYPE_CHECKING:
    import torch

MOST_VOICES = 4000  # to learn from


def statistics(voices: Voices) -> torch.Tensor:
    """Mean and standard deviation over time of 64 log-mel bands: float32 [N, 128]."""
    import torch

    from v2f_bench.audio import log_mel

    mel, frames = log_mel(voices, normalise="none")
    count = frames[:, None]
    mean = mel.sum(dim=2) / count
    square = (mel**2).sum(dim=2) / count
    return torch.cat([mean, (square - mean**2).clamp(min=0).sqrt()], dim=1)


def statistics_of(clips: Clips, rows: Sequence[int] | np.ndarray) -> torch.Tensor:
    """The same of the recordings of clip rows, in batches: float32 [N, 128]."""
    import torch

    return torch.cat([statistics(clips.voices(rows[start : start + 64])) for start in range(0, len(rows), 64)])
