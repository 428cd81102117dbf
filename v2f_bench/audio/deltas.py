"""Mel-frequency spectral coefficients (MFSC): log mel filter outputs with their first and second derivatives."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

from v2f_bench.audio.mel import Normalise, log_mel, standardise
from v2f_bench.audio.spectrum import in_float32, inside
from v2f_bench.interfaces import Voices

WIDTH = 9  # frames that a derivative is taken over: librosa's default
BLOCK = 16  # frames whose derivatives are taken at once: a convolution becomes a product of matrices


@in_float32
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
        standardise(channels, frames)
    return channels, frames


def with_deltas(features: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
    """Features [N, bands, T] and their first and second derivative in time: [N, 3, bands, T].

    As `librosa.feature.delta` of order 1 and 2: of the line, and of the parabola, that fits `WIDTH` frames best. In the
    first and the last frames it is that of the first and the last whole fit: both derivatives are constant along it.
    What comes after each recording's end has no meaning, but is finite.
    """
    if int(frames.min()) < WIDTH:
        raise ValueError(f"a derivative needs {WIDTH} frames, and a recording has {int(frames.min())}")
    half, total = WIDTH // 2, features.shape[2]
    blocks = -(-(total - 2 * half) // BLOCK)
    channels = features.new_empty(len(features), 3, blocks * BLOCK + 2 * half, features.shape[1])
    static, derivatives = channels[:, 0], channels[:, 1:]
    static[:, :total] = features.mT
    static[:, total:] = 0.0
    fits = _slopes().to(features) @ static.unfold(1, BLOCK + 2 * half, BLOCK).mT  # [N, blocks, 2 * BLOCK, bands]
    derivatives[:, :, half:-half].unflatten(2, (blocks, BLOCK)).copy_(fits.unflatten(2, (2, BLOCK)).transpose(1, 2))
    derivatives[:, :, :half] = derivatives[:, :, half, None]
    derivatives[:, :, -half:] = 0.0  # of a shorter recording they stay so
    rows, end = torch.arange(len(features), device=features.device)[:, None], frames[:, None] - half
    derivatives[rows, :, end + torch.arange(half, device=end.device)] = derivatives[rows, :, end - 1]
    return channels[:, :, :total].mT


@cache
def _slopes() -> torch.Tensor:
    """What each frame of a stretch weighs in the derivatives of `BLOCK` frames: [2 * BLOCK, BLOCK + WIDTH - 1]."""
    time = np.arange(WIDTH) - WIDTH // 2
    # row k of the pseudoinverse gives the coefficient of t ** k in the best fit
    line, parabola = (np.linalg.pinv(np.vander(time, order + 1, increasing=True)) for order in (1, 2))
    weights = torch.zeros(2, BLOCK, BLOCK + WIDTH - 1, dtype=torch.float64)
    for frame in range(BLOCK):
        weights[:, frame, frame : frame + WIDTH] = torch.from_numpy(np.stack([line[1], 2 * parabola[2]]))
    return weights.flatten(0, 1)
