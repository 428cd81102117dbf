"""Raw frames of a waveform, for networks that learn their own filter bank."""

from __future__ import annotations

import math

import torch

from v2f_bench.audio.spectrum import in_float32
from v2f_bench.audio.waveform import filtered, loop_to
from v2f_bench.interfaces import Voices

QUIETEST = 1e-5  # deviation below which a frame is silence: a third of the step of a 16-bit recording


@in_float32
def raw_frames(
    voices: Voices,
    frames: int = 200,
    samples: int = 160,
    rate: int = 8000,
    seconds: float = 3.67,
    standardise: bool = True,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Short stretches of the waveform itself, evenly spread over a recording that is repeated to a fixed length.

    Koseki et al. (faces from attributes and emotions of voices): 200 frames of 160 samples at 8 kHz, of recordings
    repeated to 3.67 s, the length of their longest. They are silent on how far the frames are apart: here the first
    starts with the recording and the last ends with it, which is 18.3 ms from one to the next, each 20 ms long. The
    silences of a second or longer that they cut out first are the data set's to remove.

    Args:
        voices: the recordings, at any rate.
        frames, samples: how many frames, and samples in each.
        rate: Hz.
        seconds: the length that each recording is repeated, or cut, to.
        standardise: bring each frame to mean 0 and (sample) deviation 1, as DeepTalk does (Chowdhury et al. 2021),
            whose encoder Koseki et al. take over.

    Returns:
        float32 [N, 1, samples, frames], and the number of frames of each recording, int64 [N], here always `frames`.
    """
    looped = loop_to(filtered(voices, rate, seconds), seconds)
    last = looped.samples.shape[1] - samples
    starts = torch.arange(frames, device=looped.samples.device) * last // max(1, frames - 1)
    cut = looped.samples.unfold(1, samples, 1)[:, starts]
    if standardise:
        cut -= cut.mean(dim=2, keepdim=True)
        deviation = torch.linalg.vector_norm(cut, dim=2, keepdim=True) / math.sqrt(samples - 1)
        cut /= deviation.clamp_(min=QUIETEST)
    return cut.mT[:, None], torch.full_like(voices.lengths, frames)
