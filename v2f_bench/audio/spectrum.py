"""Power mel spectrograms of a batch, and which of its frames are of a recording and which of the padding."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import torch

from v2f_bench.interfaces import Voices

CACHED = 1 << 19  # windowed samples at once on a CPU: they and their spectra stay in its cache
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
    samples = voices.samples
    window, count = len(taper), 1 + samples.shape[1] // hop
    taper = taper.to(samples.device)
    filters = [(these, bins, weights.to(samples.device)) for these, bins, weights in _banded(voices.rate, fft, bands, low, high)]
    before = fft // 2 - (fft - window) // 2
    # the recordings at work stand in one line; `apart` further frames lie across the end of one and the start of the next
    apart = -(-window // hop)
    together = 1 if samples.device.type == "cpu" else len(voices)
    at_once = min(CACHED // fft, count + apart) if samples.device.type == "cpu" else together * (count + apart)
    line = samples.new_zeros(together, (count + apart) * hop)
    voice = line[:, before : before + samples.shape[1]]
    windowed = samples.new_zeros(at_once, fft)
    spectrum = samples.new_empty(at_once, fft // 2 + 1, dtype=torch.complex64)
    squares = torch.view_as_real(spectrum).flatten(1)  # of the real and the imaginary part of each bin, in turn
    power = samples.new_empty(together, count + apart, bands)
    mel = samples.new_empty(len(voices), bands, count)
    for rows, piece in in_pieces(voices, together):
        voice[:, :1] = piece.samples[:, :1]
        torch.sub(piece.samples[:, 1:], piece.samples[:, :-1], alpha=pre_emphasis, out=voice[:, 1:])
        line.scatter_(1, before + piece.lengths[:, None], 0.0)  # the step from the last sample to the padding
        frames = line.flatten().unfold(0, window, hop)
        for some, of_bands in zip(frames.split(at_once), power.flatten(0, 1).split(at_once), strict=False):
            n = len(some)
            # where among the zeros a frame stands changes the phases alone
            torch.mul(some, taper, out=windowed[:n, :window])
            torch.fft.rfft(windowed[:n], out=spectrum[:n])
            squares[:n].square_()
            for these, bins, weights in filters:
                torch.mm(squares[:n, bins], weights, out=of_bands[:n, these])
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
def _banded(
    rate: int, fft: int, bands: int, low: float, high: float
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
        groups.append((slice(first, first + len(group)), slice(2 * bins.start, 2 * bins.stop), weights))
    return groups
