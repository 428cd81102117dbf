"""Mel-frequency spectral coefficients (MFSC): log mel filter outputs with their first and second derivatives."""

from __future__ import annotations

import numpy as np
import torch

from v2f_bench.audio.mel import Normalise, log_mel, standardise
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
    channels = with_deltas(static, frames)
    channels *= inside(frames, channels.shape[3])[:, None, None]
    if normalise == "band":
        standardise(channels.flatten(1, 2), frames)
    return channels, frames


def with_deltas(features: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
    """Features [N, bands, T] and their first and second derivative in time: [N, 3, bands, T].

    As `librosa.feature.delta` of order 1 and 2: of the line, and of the parabola, that fits `WIDTH` frames best. In the
    first and the last frames it is that of the first and the last whole fit: both derivatives are constant along it.
    What comes after each recording's end has no meaning, but is finite.
    """
    if int(frames.min()) < WIDTH:
        raise ValueError(f"a derivative needs {WIDTH} frames, and a recording has {int(frames.min())}")
    half = WIDTH // 2
    # row k of the pseudoinverse gives the coefficient of t ** k in the best fit
    line, parabola = (np.linalg.pinv(np.vander(np.arange(-half, half + 1), order + 1, True)) for order in (1, 2))
    channels = features.new_empty(len(features), 3, *features.shape[1:])
    channels[:, 0] = features
    derivatives = channels[:, 1:]
    first, second = derivatives[..., half:-half].unbind(1)
    shifted = features.unfold(2, features.shape[2] - 2 * half, 1)  # [N, bands, WIDTH, T - 2 * half]
    first.zero_()
    torch.mul(shifted[:, :, half], 2 * parabola[2, half], out=second)
    pair = torch.empty_like(first)
    for after in range(half + 1, WIDTH):  # a line's weights are odd about the middle, a parabola's even
        later, earlier = shifted[:, :, after], shifted[:, :, WIDTH - 1 - after]
        first.add_(torch.sub(later, earlier, out=pair), alpha=line[1, after])
        second.add_(torch.add(later, earlier, out=pair), alpha=2 * parabola[2, after])
    derivatives[..., :half] = derivatives[..., half, None]
    derivatives[..., -half:] = 0.0  # of a shorter recording they stay so
    last = (frames - 1 - half)[:, None, None, None].expand(-1, *derivatives.shape[1:3], 1)
    rest = torch.arange(1, half + 1, device=frames.device)
    derivatives.scatter_(3, last + rest, derivatives.gather(3, last).expand(-1, -1, -1, half))
    return channels
