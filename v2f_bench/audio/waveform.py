"""Waveforms to waveforms: another rate, another length."""

from __future__ import annotations

from functools import lru_cache
from math import gcd

import torch
import torch.nn.functional as F

from v2f_bench.audio.spectrum import in_pieces, inside
from v2f_bench.interfaces import Voices

TOGETHER = 32  # output samples computed at once, at least: a convolution becomes a product of matrices


def loop_to(voices: Voices, seconds: float) -> Voices:
    """Each recording repeated from its start to a length of `seconds`; the rest of one that is longer is cut off."""
    wanted = round(seconds * voices.rate)
    looped = [
        row[:length].repeat(-(-wanted // length))[:wanted]
        for row, length in zip(voices.samples, voices.lengths.clamp(min=1).tolist(), strict=True)
    ]
    return Voices(torch.stack(looped), torch.full_like(voices.lengths, wanted), voices.rate)


def resample(voices: Voices, rate: int) -> Voices:
    """Each recording at `rate` Hz, band-limited, as `scipy.signal.resample_poly` of it alone (with its own filter).

    A recording of T samples becomes ceil(T * rate / voices.rate).
    """
    if rate == voices.rate:
        return voices
    common = gcd(rate, voices.rate)
    up, down = rate // common, voices.rate // common
    lengths = -(-voices.lengths * up // down)
    total = -(-voices.samples.shape[1] * up // down)
    block = max(1, TOGETHER // up)  # of `down` samples in and `up` samples out
    filters, before = _polyphase(up, down, block)
    blocks = -(-total // (block * up))
    after = (blocks - 1) * block * down + len(filters) - before - voices.samples.shape[1]
    filters = filters.to(voices.samples.device)
    pieces = []
    for piece in in_pieces(voices, 8):
        stretches = F.pad(piece.samples, (before, after)).unfold(1, len(filters), block * down)  # [N, blocks, taps]
        pieces.append((stretches @ filters).flatten(1)[:, :total])
    return Voices(torch.cat(pieces) * inside(lengths, total), lengths, rate)


@lru_cache(maxsize=8)
def _polyphase(up: int, down: int, block: int) -> tuple[torch.Tensor, int]:
    """Filters float32 [taps, block * up], one for each output sample of a block, and the taps before its start.

    Output m is the sum over n of x[n] * h[m * down - n * up + half], h being the low-pass filter of 2 * half + 1 taps.
    A block later m grows by block * up and n by block * down, which leaves the index as it was: one set of filters.
    """
    from scipy.signal import firwin

    half = 10 * max(up, down)
    low_pass = torch.from_numpy(up * firwin(2 * half + 1, 1 / max(up, down), window=("kaiser", 5.0))).float()
    before = half // up
    after = ((block * up - 1) * down + half) // up
    tap = torch.arange(block * up) * down - torch.arange(-before, after + 1)[:, None] * up + half
    return low_pass[tap.clamp(0, 2 * half)] * ((tap >= 0) & (tap <= 2 * half)), before
