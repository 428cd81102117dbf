"""Power mel spectrograms of a batch, and which of its frames are of a recording and which of the padding."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import torch
import torch.nn.functional as F

from v2f_bench.interfaces import Voices


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
    device = voices.samples.device
    around = fft - len(taper)
    taper = F.pad(taper, (around // 2, around - around // 2)).to(device)
    filters = mel_filters(voices.rate, fft, bands, low, high).to(device)
    mel = []
    for piece in in_pieces(voices, 1):
        samples = F.pad(piece.samples, (fft // 2, fft // 2))
        if pre_emphasis:
            samples[:, 1:] -= pre_emphasis * samples[:, :-1]
            samples.scatter_(1, fft // 2 + piece.lengths[:, None], 0.0)  # the step from the last sample to the padding
        frames = samples.unfold(1, fft, hop) * taper
        squares = torch.view_as_real(torch.fft.rfft(frames)).square_()
        power = squares[..., 0] + squares[..., 1]  # several times as fast as abs().square()
        mel.append(filters @ power.mT)
    return torch.cat(mel), 1 + voices.lengths // hop


def in_pieces(voices: Voices, recordings: int) -> Iterator[Voices]:
    """On a CPU so many recordings at a time: what is made of them stays in its cache, and takes a third of the time."""
    at_once = recordings if voices.samples.device.type == "cpu" else len(voices)
    for samples, lengths in zip(voices.samples.split(at_once), voices.lengths.split(at_once), strict=True):
        yield Voices(samples, lengths, voices.rate)


def inside(counts: torch.Tensor, total: int) -> torch.Tensor:
    """Which of `total` samples or frames belong to a recording that has `counts` of them: bool [N, total]."""
    return torch.arange(total, device=counts.device)[None] < counts[:, None]


@lru_cache(maxsize=8)
def mel_filters(rate: int, fft: int, bands: int, low: float, high: float) -> torch.Tensor:
    """float32 [bands, fft // 2 + 1], from librosa (Slaney's scale, each filter of unit area)."""
    import librosa

    return torch.from_numpy(librosa.filters.mel(sr=rate, n_fft=fft, n_mels=bands, fmin=low, fmax=high)).float()
