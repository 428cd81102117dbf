"""Power mel spectrograms of a batch, and which of its frames are of a recording and which of the padding."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Concatenate, ParamSpec, TypeVar

import torch

from v2f_bench.interfaces import Voices

Options = ParamSpec("Options")
Made = TypeVar("Made")

CACHED = 1 << 20  # windowed samples at once on a CPU: more fall out of its caches, fewer cost more calls
GROUP = 16  # mel filters in one product of matrices


def mel_power(
    voices: Voices,
    fft: int,
    taper: torch.Tensor,
    hop: int,
    bands: int,
    low: float,
    high: float,
    pre_emphasis: float = 0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Power spectrogram through Slaney's mel filters, each of unit area, as `librosa.feature.melspectrogram`.

    Args:
        voices: the recordings.
        fft, hop: samples.
        taper: the window, float32 [fft or fewer]; it stands in the middle of the `fft` samples.
        low, high: Hz.

    Returns:
        float32 [N, bands, frames], not yet zero after each recording's end, and the number of frames of each, int64
        [N]. Frames are centred at multiples of the hop (librosa's `center=True`, padded with zeros): 1 + T // hop.
    """
    samples, window, count = voices.samples, len(taper), 1 + voices.samples.shape[1] // hop
    taper = taper.to(samples.device)
    filters = _filters(voices.rate, fft, bands, low, high, samples.device)
    frames = _frames(voices, fft, window, hop, pre_emphasis)
    power = samples.new_empty(*frames.shape[:2], bands)
    in_line, results = frames.flatten(0, 1), power.flatten(0, 1)
    at_once = max(1, min(len(in_line), CACHED // fft if samples.device.type == "cpu" else len(in_line)))
    windowed = samples.new_zeros(at_once, fft)
    grouped = zip(*(results[:, group].split(at_once) for group, _, _ in filters), strict=True)
    for some, groups in zip(in_line.split(at_once), grouped, strict=True):
        if len(some) < at_once:
            windowed = windowed[: len(some)]
        # where among the zeros a frame stands changes no more than the phases
        torch.mul(some, taper, out=windowed[:, :window])
        squares = torch.view_as_real(torch.fft.rfft(windowed)).square_().flatten(1)
        for result, (_, values, weights) in zip(groups, filters, strict=True):
            torch.mm(squares[:, values], weights, out=result)
    return power[:, :count].mT, 1 + voices.lengths // hop


def _frames(voices: Voices, fft: int, window: int, hop: int, pre_emphasis: float) -> torch.Tensor:
    """The frames of each recording, float32 [N, frames, window]: views of one line of samples, and in line themselves.

    Each recording has some more than its own, over its end and the zeros between it and the next.
    """
    samples = voices.samples
    recordings, longest = samples.shape
    each = 1 + longest // hop - (-window // hop)
    line = samples.new_empty(recordings * each * hop + window)
    line[-window:] = 0.0
    stretches = line[:-window].view(recordings, each * hop)
    start = fft // 2 - (fft - window) // 2
    stretches[:, :start] = 0.0
    stretches[:, start + longest :] = 0.0
    voice = stretches[:, start : start + longest]
    if pre_emphasis:
        voice[:, :1] = samples[:, :1]
        torch.sub(samples[:, 1:], samples[:, :-1], alpha=pre_emphasis, out=voice[:, 1:])
        stretches.scatter_(1, start + voices.lengths[:, None], 0.0)  # the step from the last sample to the padding
    else:
        voice.copy_(samples)
    return line.unfold(0, window, hop)[: recordings * each].unflatten(0, (recordings, each))


def in_float32(front_end: Callable[Concatenate[Voices, Options], Made]) -> Callable[Concatenate[Voices, Options], Made]:
    """The front end, in float32 also where autocast asks for less: the logarithm of a quiet band does not bear that."""

    @wraps(front_end)
    def without_autocast(voices: Voices, *args: Options.args, **options: Options.kwargs) -> Made:
        with torch.autocast(voices.samples.device.type, enabled=False):
            return front_end(voices, *args, **options)

    return without_autocast


def inside(counts: torch.Tensor, total: int) -> torch.Tensor:
    """Which of `total` samples or frames belong to a recording that has `counts` of them: bool [N, total]."""
    return torch.arange(total, device=counts.device)[None] < counts[:, None]


@lru_cache(maxsize=8)
def _filters(
    rate: int, fft: int, bands: int, low: float, high: float, device: torch.device
) -> list[tuple[slice, slice, torch.Tensor]]:
    """Slaney's mel filters, each of unit area, in groups of neighbours, which leaves most of their zeros out.

    For each group its bands, its range of values, and its weights, float32 [values, bands]. Bin k of the spectrum has
    the values 2 * k and 2 * k + 1, the squares of its real and its imaginary part.
    """
    import librosa

    filters = torch.from_numpy(librosa.filters.mel(sr=rate, n_fft=fft, n_mels=bands, fmin=low, fmax=high)).float()
    groups = []
    for first in range(0, bands, GROUP):
        group = filters[first : first + GROUP]
        used = group.any(dim=0).nonzero()
        bins = slice(int(used.min()), int(used.max()) + 1) if len(used) else slice(0, 0)
        weights = group[:, bins].repeat_interleave(2, dim=1).T.contiguous()
        values = slice(2 * bins.start, 2 * bins.stop)
        groups.append((slice(first, first + len(group)), values, weights.to(device)))
    return groups
