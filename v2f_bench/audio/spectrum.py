"""Power mel spectrograms of a batch, and which of its frames are of a recording and which of the padding."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import torch

from v2f_bench.interfaces import Voices

CACHED = 1 << 18  # windowed samples at once on a CPU: they and their spectra stay in its cache
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
    before = fft // 2 - (fft - window) // 2
    apart = -(-window // hop)  # frames over the end of one recording and the start of the next, which stand in one line
    if samples.device.type == "cpu":
        recordings, at_once = 1, max(1, CACHED // fft)
    else:
        recordings, at_once = len(voices), len(voices) * (count + apart)
    # new memory is slow: what is written to again and again is made once
    line = samples.new_zeros(recordings, (count + apart) * hop)
    voice = line[:, before : before + samples.shape[1]]
    windowed = samples.new_zeros(at_once, fft)
    power = samples.new_empty(recordings, count + apart, bands)
    mel = samples.new_empty(len(voices), bands, count)
    for rows, piece in in_pieces(voices, recordings):
        voice[:, :1] = piece.samples[:, :1]
        torch.sub(piece.samples[:, 1:], piece.samples[:, :-1], alpha=pre_emphasis, out=voice[:, 1:])
        line.scatter_(1, before + piece.lengths[:, None], 0.0)  # the step from the last sample to the padding
        frames = line.flatten().unfold(0, window, hop)
        for some, result in zip(frames.split(at_once), power.flatten(0, 1).split(at_once), strict=False):
            # where among the zeros a frame stands changes no more than the phases
            torch.mul(some, taper, out=windowed[: len(some), :window])
            squares = torch.view_as_real(torch.fft.rfft(windowed[: len(some)])).square_().flatten(1)
            for group, values, weights in filters:
                torch.mm(squares[:, values], weights, out=result[: len(some), group])
        mel[rows] = power[:, :count].mT
    return mel, 1 + voices.lengths // hop


def in_pieces(voices: Voices, recordings: int) -> Iterator[tuple[slice, Voices]]:
    """On a CPU so many recordings at a time: what is made of them stays in its cache, and takes a third of the time."""
    at_once = recordings if voices.samples.device.type == "cpu" else len(voices)
    for first in range(0, len(voices), at_once):
        rows = slice(first, first + at_once)
        yield rows, Voices(voices.samples[rows], voices.lengths[rows], voices.rate)


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
