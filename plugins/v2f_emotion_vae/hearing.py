"""What the voice encoder hears: every recording at 8 kHz, repeated to 3.67 s, in 200 frames."""

from __future__ import annotations

import numpy as np
import torch

from v2f_bench import Clips, Voices
from v2f_bench.audio import Features, log_mel, loop_to, raw_frames, resample
from v2f_emotion_vae.voice_encoder import BANDS, FRAME, FRAMES

RATE = 8000
SECONDS = 3.67  # of the source's longest recording
MEL_WINDOW = 0.032  # seconds; long enough to tell the harmonics of most voices apart


def frames_of(voices: Voices, filters: str) -> torch.Tensor:
    """Raw frames [N, 1, 160, 200] for "learned" filters; for "mel" a log-mel spectrogram [N, 40, 1, 200].

    Silences are the data set's to remove. The spectrogram's frames are as far apart as the raw ones.
    """
    if filters == "learned":
        return raw_frames(voices, FRAMES, FRAME, RATE, SECONDS)[0]
    looped = loop_to(resample(voices, RATE), SECONDS)
    hop = (SECONDS * RATE - 1) / (FRAMES - 1) / RATE
    mel, _ = log_mel(looped, BANDS, MEL_WINDOW, hop, high=RATE / 2, normalise="level")
    return mel[:, :, None, :FRAMES]


class Recordings:
    """The recordings of a split at 8 kHz, for training."""

    def __init__(self, clips: Clips, filters: str, device: str) -> None:
        self._filters = filters
        self._waves = Features(clips, _waves, device)

    def frames(self, rows: np.ndarray, rng: np.random.Generator | None = None) -> torch.Tensor:
        """`frames_of` the recordings of clip rows; with `rng` they start anywhere, and go on from their end with it."""
        voices = Voices(*self._waves.whole(rows), RATE)
        if rng is not None:
            starts = torch.from_numpy(rng.integers(voices.lengths.cpu().numpy())).to(voices.lengths.device)
            around = torch.arange(voices.samples.shape[1], device=starts.device) + starts[:, None]
            inside = torch.arange(voices.samples.shape[1], device=starts.device) < voices.lengths[:, None]
            turned = voices.samples.gather(1, around % voices.lengths[:, None]) * inside
            voices = Voices(turned, voices.lengths, RATE)
        return frames_of(voices, self._filters)


def _waves(voices: Voices) -> tuple[torch.Tensor, torch.Tensor]:
    narrow = resample(voices, RATE)
    return narrow.samples, narrow.lengths
