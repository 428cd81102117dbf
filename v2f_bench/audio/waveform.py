"""Waveforms to waveforms: another rate, another length."""

from __future__ import annotations

from functools import lru_cache
from math import gcd

import torch
import torch.nn.functional as F

from v2f_bench.audio.spectrum import in_pieces, inside
from v2f_bench.interfaces import Voices

REACH = 10  # samples of the slower of two rates, on each side, that one sample of the other is made of
BLOCK = 32  # output samples computed at once, at least: a convolution becomes a product of matrices
TOGETHER = 8  # recordings


def loop_to(voices: Voices, seconds: float) -> Voices:
    """Each recording repeated from its start to a length of `seconds`; the rest of one that is longer is cut off."""
    return voices.stretches([0] * len(voices), round(seconds * voices.rate))


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
    block = max(1, BLOCK // up)  # of `down` samples in and `up` samples out
    filters, before = _polyphase(up, down, block)
    step, blocks = block * down, -(-total // (block * up))
    filters = filters.to(voices.samples.device).split(step)
    apart = len(filters) - 1  # steps between two recordings in a line
    resampled = voices.samples.new_empty(len(voices), total)
    for rows, piece in in_pieces(voices, TOGETHER):
        line = F.pad(piece.samples, (before, (blocks + apart) * step - before - piece.samples.shape[1]))
        steps = line.view(-1, step)
        products = steps.new_empty(len(steps), block * up)
        whole = products[: len(steps) - apart]
        torch.mm(steps[: len(whole)], filters[0], out=whole)
        for later, part in enumerate(filters[1:], start=1):  # the filters are longer than a step
            whole.addmm_(steps[later : later + len(whole), : len(part)], part)
        resampled[rows] = products.view(len(line), -1)[:, :total]
    resampled *= inside(lengths, total)
    return Voices(resampled, lengths, rate)


@lru_cache(maxsize=8)
def _polyphase(up: int, down: int, block: int) -> tuple[torch.Tensor, int]:
    """Filters float32 [taps, block * up], one for each output sample of a block, and the taps before its start.

    Output m is the sum over n of x[n] * h[m * down - n * up + half], h being the low-pass filter of 2 * half + 1 taps.
    A block later m grows by block * up and n by block * down, which leaves the index as it was: one set of filters.
    """
    from scipy.signal import firwin

    half = REACH * max(up, down)
    low_pass = torch.from_numpy(up * firwin(2 * half + 1, 1 / max(up, down), window=("kaiser", 5.0))).float()
    before = half // up
    after = ((block * up - 1) * down + half) // up
    tap = torch.arange(block * up) * down - torch.arange(-before, after + 1)[:, None] * up + half
    return low_pass[tap.clamp(0, 2 * half)] * ((tap >= 0) & (tap <= 2 * half)), before
