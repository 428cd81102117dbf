"""What the voice encoder hears: every recording at 8 kHz, repeated to 3.67 s, in 200 frames."""

from __future__ import annotations

import numpy as np
import torch

from v2f_bench import Voices
from v2f_bench.audio import log_mel, loop_to, raw_frames, resample
from v2f_emotion_vae.voice_encoder import BANDS, FRAME, FRAMES

RATE = 8000
SECONDS = 3.67  # of the source's longest recording
MEL_WINDOW = 0.032  # seconds; long enough to tell the harmonics of most voices apart


def frames_of(voices: Voices, filters: str) -> tuple[torch.Tensor, torch.Tensor]:
    """A front end as those of `v2f_bench.audio`: raw frames [N, 1, 160, 200] for "learned" filters; for "mel" a log-mel
    spectrogram [N, 40, 1, 200]; and the number of frames, always 200, int64 [N].

    Silences are the data set's to remove. The spectrogram's frames are as far apart as the raw ones.
    """
    if filters == "learned":
        return raw_frames(voices, FRAMES, FRAME, RATE, SECONDS)
    looped = loop_to(resample(voices, RATE), SECONDS)
    hop = SECONDS * RATE // (FRAMES - 1) / RATE  # whole samples
    mel, _ = log_mel(looped, BANDS, MEL_WINDOW, hop, high=RATE / 2, normalise="level")
    return mel[:, :, None, :FRAMES], torch.full_like(voices.lengths, FRAMES)


def turned(frames: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Each recording from another frame on, and from its end on with its start: the same voice, said round about."""
    starts = torch.from_numpy(rng.integers(FRAMES, size=len(frames))).to(frames.device)
    around = (torch.arange(FRAMES, device=frames.device) + starts[:, None]) % FRAMES
    return frames.gather(3, around[:, None, None].expand_as(frames))
