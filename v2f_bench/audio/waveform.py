"""Waveforms to waveforms: another rate, another length."""

from __future__ import annotations

from functools import lru_cache
from math import gcd

import torch
import torch.nn.functional as F

from v2f_bench.audio.spectrum import in_float32, inside
from v2f_bench.interfaces import Voices

REACH = 10  # periods of the slower of two rates that the filter reaches to each side
BLOCK = 32  # output samples computed at once, about: a convolution becomes a product of matrices


def loop_to(voices: Voices, seconds: float) -> Voices:
    """Each recording repeated from its start to a length of `seconds`; the rest of one that is longer is cut off.

    Where none is to be repeated, a view of their samples.
    """
    wanted = round(seconds * voices.rate)
    lengths = voices.lengths.clamp(min=1).tolist()
    if min(lengths) >= wanted:
        looped = voices.samples[:, :wanted]
    else:
        rows = zip(voices.samples, lengths, strict=True)
        looped = torch.stack([row[:length].repeat(-(-wanted // length))[:wanted] for row, length in rows])
    return Voices(looped, torch.full_like(voices.lengths, wanted), voices.rate)


@in_float32
def resample(voices: Voices, rate: int) -> Voices:
    """Each recording at `rate` Hz, band-limited, as `scipy.signal.resample_poly` of it alone (with its own filter).

    A recording of T samples becomes ceil(T * rate / voices.rate).
    """
    if rate == voices.rate:
        return voices
    resampled = filtered(voices, rate)
    return Voices(resampled.samples * inside(resampled.lengths, resampled.samples.shape[1]), resampled.lengths, rate)


def filtered(voices: Voices, rate: int, seconds: float | None = None) -> Voices:
    """As `resample`, of the first `seconds` only, and not zero after each recording's end: there the filter rings on.

    At the recordings' own rate a view of their samples.
    """
    common = gcd(rate, voices.rate)
    up, down = rate // common, voices.rate // common
    lengths, total = -(-voices.lengths * up // down), -(-voices.samples.shape[1] * up // down)
    if seconds is not None:
        total = min(total, round(seconds * rate))
    if up == down:
        return Voices(voices.samples[:, :total], lengths.clamp(max=total), rate)
    before, own, after = (filters.to(voices.samples) for filters in _polyphase(up, down))
    step = len(own)
    blocks = -(-total // own.shape[1])
    samples = voices.samples[:, : (blocks + 1) * step]
    if samples.shape[1] < (blocks + 1) * step:
        samples = F.pad(samples, (0, (blocks + 1) * step - samples.shape[1]))
    steps = samples.unflatten(1, (blocks + 1, step))
    before, own, after = (filters.expand(len(steps), -1, -1) for filters in (before, own, after))
    resampled = torch.bmm(steps[:, :-1], own)
    resampled[:, 1:].baddbmm_(steps[:, :-2, -before.shape[1] :], before)
    resampled.baddbmm_(steps[:, 1:, : after.shape[1]], after)
    return Voices(resampled.flatten(1)[:, :total], lengths.clamp(max=total), rate)


@lru_cache(maxsize=8)
def _polyphase(up: int, down: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Filters for a block of output samples: what the input of the block before, of its own and of the next weighs.

    Float32 [taps, samples out]; a block's own taps are all of its input, of the others they are the nearest.

    Output m is the sum over n of x[n] * h[m * down - n * up + half], h being the low-pass filter of 2 * half + 1 taps.
    A block later m grows by block * up and n by block * down, which leaves the index as it was: one set of filters.
    """
    from scipy.signal import firwin

    half = REACH * max(up, down)
    low_pass = torch.from_numpy(up * firwin(2 * half + 1, 1 / max(up, down), window=("kaiser", 5.0))).float()
    around = half // up
    block = max(1, BLOCK // up, -(-around // down))
    step = block * down
    tap = torch.arange(block * up) * down - torch.arange(-around, step + around)[:, None] * up + half
    filters = low_pass[tap.clamp(0, 2 * half)] * ((tap >= 0) & (tap <= 2 * half))
    return filters[:around], filters[around : around + step], filters[around + step :]
