"""Voice front ends, batched in torch on CPU or GPU, from waveforms as they come from `Clips` and `Trials`."""

from __future__ import annotations

from functools import lru_cache

import torch

from v2f_bench.interfaces import Voices

LOG_FLOOR = 1e-5  # added to the power before the logarithm: about the noise floor of a 16-bit recording


def log_mel(
    voices: Voices,
    bands: int = 64,
    window: float = 0.025,
    hop: float = 0.010,
    low: float = 20.0,
    high: float = 7200.0,
    pre_emphasis: float = 0.97,
    normalise: bool = True,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Log mel spectrogram as the field computes it: Hamming window, FFT of 1,024 at 16 kHz, Slaney's mel filters.

    Defaults follow Wen et al. 2019 (Face Reconstruction from Voice using GANs, section 4): 64 bands of 20 to 7,200 Hz,
    25 ms windows, 10 ms hop, pre-emphasis .97, each band normalised to mean 0 and deviation 1 over the recording.

    Args:
        voices: the recordings.
        window, hop: seconds.
        low, high: Hz.

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
    filters = _mel_filters(rate, fft, bands, low, high).to(samples.device)
    mel = torch.log(filters @ spectrum.abs().square() + LOG_FLOOR)
    frames = 1 + voices.lengths // hop_length
    inside = (torch.arange(mel.shape[2], device=mel.device)[None] < frames[:, None])[:, None]
    if normalise:
        count = frames[:, None, None]
        mean = (mel * inside).sum(dim=2, keepdim=True) / count
        deviation = (((mel - mean) * inside).square().sum(dim=2, keepdim=True) / count).sqrt()
        mel = (mel - mean) / deviation.clamp(min=1e-3)
    return mel * inside, frames


@lru_cache(maxsize=8)
def _mel_filters(rate: int, fft: int, bands: int, low: float, high: float) -> torch.Tensor:
    """float32 [bands, fft // 2 + 1], from librosa (Slaney's scale, each filter of unit area)."""
    import librosa

    return torch.from_numpy(librosa.filters.mel(sr=rate, n_fft=fft, n_mels=bands, fmin=low, fmax=high)).float()
