"""Voice front ends, batched in torch on CPU or GPU, from waveforms as they come from `Clips` and `Trials`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import torch

from v2f_bench.interfaces import Clips, Voices

LOG_FLOOR = 1e-5  # added to the power before the logarithm: about the noise floor of a 16-bit recording
SPREAD = 3.0  # typical standard deviation of a log-mel value of speech; scales what is only levelled

Normalise = Literal["band", "level", "none"]


def log_mel(
    voices: Voices,
    bands: int = 64,
    window: float = 0.025,
    hop: float = 0.010,
    low: float = 20.0,
    high: float = 7200.0,
    pre_emphasis: float = 0.97,
    normalise: Normalise = "band",
) -> tuple[torch.Tensor, torch.Tensor]:
    """Log mel spectrogram as the field computes it: Hamming window, FFT of 1,024 at 16 kHz, Slaney's mel filters.

    Defaults follow Wen et al. 2019 (Face Reconstruction from Voice using GANs, section 4): 64 bands of 20 to 7,200 Hz,
    25 ms windows, 10 ms hop, pre-emphasis .97.

    Args:
        voices: the recordings.
        window, hop: seconds.
        low, high: Hz.
        normalise: over each recording. "band": each band to mean 0 and deviation 1 (Wen et al.'s), which takes away
            the microphone's colour and the voice's own alike. "level": the mean over all bands to 0, all divided by
            `SPREAD`; loudness goes, colour stays.

    Returns:
        float32 [N, bands, frames], zero after each recording's end, and the number of frames of each, int64 [N]. Frames
        are centred at multiples of the hop (librosa's `center=True`, padded with zeros): 1 + T // hop of them.
    """
    rate, samples = voices.rate, voices.samples
    window_length, hop_length = round(window * rate), round(hop * rate)
    fft = 1 << (2 * window_length - 1).bit_length()
    emphasised = torch.cat([samples[:, :1], samples[:, 1:] - pre_emphasis * samples[:, :-1]], dim=1)
    past_end = torch.arange(samples.shape[1], device=samples.device)[None] >= voices.lengths[:, None]
    spectrum = torch.stft(
        emphasised.masked_fill(past_end, 0.0),
        fft,
        hop_length,
        window_length,
        torch.hamming_window(window_length, device=samples.device),
        center=True,
        pad_mode="constant",
        return_complex=True,
    )
    power = spectrum.real.square() + spectrum.imag.square()  # three times as fast as abs().square()
    mel = torch.log(_mel_filters(rate, fft, bands, low, high).to(samples.device) @ power + LOG_FLOOR)
    frames = 1 + voices.lengths // hop_length
    inside = (torch.arange(mel.shape[2], device=mel.device)[None] < frames[:, None])[:, None]
    count = frames[:, None, None]
    if normalise == "band":
        mean = (mel * inside).sum(dim=2, keepdim=True) / count
        deviation = (((mel - mean) * inside).square().sum(dim=2, keepdim=True) / count).sqrt()
        mel = (mel - mean) / deviation.clamp(min=1e-3)
    elif normalise == "level":
        mean = (mel * inside).sum(dim=(1, 2), keepdim=True) / (count * bands)
        mel = (mel - mean) / SPREAD
    return mel * inside, frames


class LogMels:
    """Log mel spectrograms of a split's recordings, for training: computed once and kept where memory allows.

    Normalisation is over the whole recording, as at test time; crops are cut afterwards. Splits whose spectrograms
    would take more than `memory_gib` (about 11 hours of voice a GiB) are computed anew at each call.
    """

    def __init__(self, clips: Clips, device: str = "cpu", memory_gib: float = 1.0, **front_end: Any) -> None:
        self._clips, self._device, self._front_end = clips, device, front_end
        self.rows = np.flatnonzero(clips.table["voice"])
        self._kept: dict[int, torch.Tensor] | None = {}
        total = 0
        for batch in np.array_split(self.rows, max(1, len(self.rows) // 64)):
            for row, mel in zip(batch, self._compute(batch), strict=True):
                self._kept[int(row)] = mel
                total += mel.numel() * 4
            if total > memory_gib * 2**30:
                self._kept = None
                break

    def whole(self, rows: Sequence[int] | np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """As `log_mel` of the recordings of clip rows `rows`: [N, bands, T] and frames [N], on the device."""
        mels = list(self._get(rows))
        frames = torch.tensor([mel.shape[1] for mel in mels])
        padded = torch.zeros(len(mels), mels[0].shape[0], int(frames.max()))
        for row, mel in zip(padded, mels, strict=True):
            row[:, : mel.shape[1]] = mel
        return padded.to(self._device), frames.to(self._device)

    def crops(
        self, rows: Sequence[int] | np.ndarray, frames: int, rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """A random stretch of `frames` frames of each recording, repeated where it is shorter: [N, bands, frames]."""
        pieces = []
        for mel in self._get(rows):
            start = int(rng.integers(max(1, mel.shape[1] - frames + 1)))
            repeats = -(-frames // mel.shape[1])
            pieces.append(
                mel.repeat(1, repeats)[:, start : start + frames] if repeats > 1 else mel[:, start : start + frames]
            )
        return torch.stack(pieces).to(self._device), torch.full((len(pieces),), frames, device=self._device)

    def _get(self, rows: Sequence[int] | np.ndarray) -> Iterator[torch.Tensor]:
        return (self._kept[int(row)] for row in rows) if self._kept is not None else self._compute(rows)

    def _compute(self, rows: Sequence[int] | np.ndarray) -> Iterator[torch.Tensor]:
        mel, frames = log_mel(self._clips.voices(rows).to(self._device), **self._front_end)
        return (m[:, :n].cpu().clone() for m, n in zip(mel, frames.tolist(), strict=True))


@lru_cache(maxsize=8)
def _mel_filters(rate: int, fft: int, bands: int, low: float, high: float) -> torch.Tensor:
    """float32 [bands, fft // 2 + 1], from librosa (Slaney's scale, each filter of unit area)."""
    import librosa

    return torch.from_numpy(librosa.filters.mel(sr=rate, n_fft=fft, n_mels=bands, fmin=low, fmax=high)).float()
