"""Mel-frequency cepstral coefficients (MFCC), as librosa computes them."""

from __future__ import annotations

from functools import lru_cache

import torch

from v2f_bench.audio.spectrum import in_float32, inside, mel_power
from v2f_bench.interfaces import Voices

QUIETEST = 1e-10  # power; librosa's `amin`


@in_float32
def mfcc(
    voices: Voices,
    n_mfcc: int = 20,
    fft: int = 2048,
    hop: int = 512,
    bands: int = 128,
    low: float = 0.0,
    high: float | None = None,
    top_db: float = 80.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """MFCC of each recording, as `librosa.feature.mfcc` of it alone; the defaults are librosa's own.

    A Hann window, Slaney's mel filters, decibels no more than `top_db` below the loudest value of the recording, and an
    orthonormal DCT-II (Davis & Mermelstein 1980). Speech2expression classifies emotions from them.

    Args:
        voices: the recordings.
        n_mfcc: how many coefficients, from the 0th on, which is the level.
        fft, hop: samples, whatever the rate.
        low, high: Hz; `high` is half the rate if it is not given.

    Returns:
        float32 [N, n_mfcc, frames], zero after each recording's end, and the number of frames of each, int64 [N]:
        1 + T // hop.
    """
    power, frames = mel_power(voices, fft, torch.hann_window(fft), hop, bands, low, high or voices.rate / 2)
    within = inside(frames, power.shape[2])[:, None]
    decibels = power.mul_(within).clamp_(min=QUIETEST).log10_().mul_(10)
    decibels.clamp_(min=decibels.amax(dim=(1, 2), keepdim=True) - top_db)
    # in float32, a sum over bands that are all about -100 dB is too coarse
    coefficients = (_cosines(n_mfcc, bands).to(decibels.device) @ decibels.double()).float()
    return coefficients * within, frames


@lru_cache(maxsize=8)
def _cosines(rows: int, bands: int) -> torch.Tensor:
    """The first rows of the orthonormal DCT-II: float64 [rows, bands]."""
    angles = torch.pi / bands * torch.outer(torch.arange(rows).double(), torch.arange(bands) + 0.5)
    scale = torch.full((rows, 1), 2 / bands).double()
    scale[0] /= 2
    return scale.sqrt() * angles.cos()
