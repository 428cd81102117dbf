"""Mel-frequency spectral coefficients (MFSC): log mel filter outputs with their first and second derivatives."""

from __future__ import annotations

import numpy as np
import torch

from v2f_bench.audio.mel import Normalise, log_mel, standardised
from v2f_bench.audio.spectrum import inside
from v2f_bench.interfaces import Voices

WIDTH = 9  # frames that a derivative is taken over: librosa's default


def mfsc(
    voices: Voices,
    bands: int = 40,
    window: float = 0.025,
    hop: float = 0.010,
    low: float = 20.0,
    high: float = 7200.0,
    pre_emphasis: float = 0.97,
    normalise: Normalise = "band",
) -> tuple[torch.Tensor, torch.Tensor]:
    """Log mel filter outputs without a DCT, with delta and delta-delta: a picture of three channels.

    Abdel-Hamid et al. 2014 (Convolutional Neural Networks for Speech Recognition): 40 bands, 25 ms Hamming windows,
    10 ms hop, each coefficient to mean 0 and deviation 1. Huang et al. (speech-emotion guided CycleGAN) cut them to
    40 bands × 40 frames × 3; they are silent on the rest.

    Args:
        voices: the recordings, of `WIDTH` frames or more.
        window, hop, low, high, pre_emphasis: as `log_mel`'s.
        normalise: over each recording. "band": each band of each channel to mean 0 and deviation 1. "level" and "none":
            the static channel is as `log_mel`'s, the others are its derivatives.

    Returns:
        float32 [N, 3, bands, frames], zero after each recording's end, and the number of frames of each, int64 [N].

    Raises:
        ValueError: a recording is shorter than `WIDTH` frames.
    """
    static, frames = log_mel(voices, bands, window, hop, low, high, pre_emphasis, normalise)
    channels = torch.cat([static[:, None], deltas(static, frames)], dim=1)
    if normalise == "band":
        channels = standardised(channels.flatten(1, 2), frames).unflatten(1, (3, bands))
    return channels * inside(frames, channels.shape[3])[:, None, None], frames


def deltas(features: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
    """First and second derivative in time of [N, bands, T]: [N, 2, bands, T].

    As `librosa.feature.delta` of order 1 and 2: of the line, and of the parabola, that fits `WIDTH` frames best. In the
    first and the last frames it is that of the first and the last whole fit: both derivatives are constant along it.
    """
    if int(frames.min()) < WIDTH:
        raise ValueError(f"a derivative needs {WIDTH} frames, and a recording has {int(frames.min())}")
    half = WIDTH // 2
    # row k of the pseudoinverse gives the coefficient of t ** k in the best fit
    line, parabola = (np.linalg.pinv(np.vander(np.arange(-half, half + 1), order + 1, True)) for order in (1, 2))
    slopes = torch.from_numpy(np.stack([line[1], 2 * parabola[2]], axis=1)).to(features)
    whole = (features.unfold(2, WIDTH, 1) @ slopes).movedim(3, 1)  # [N, 2, bands, T - 2 * half]
    time = torch.arange(features.shape[2], device=features.device)
    fit = torch.minimum(time.clamp(min=half), frames[:, None] - 1 - half) - half  # [N, T]
    return whole.gather(3, fit[:, None, None].expand(-1, *whole.shape[1:3], -1))
