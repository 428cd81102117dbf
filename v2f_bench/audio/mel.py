"""Log mel spectrograms."""

from __future__ import annotations

from typing import Literal

import torch

from v2f_bench.audio.spectrum import in_float32, inside, mel_power
from v2f_bench.interfaces import Voices

LOG_FLOOR = 1e-5  # added to the power before the logarithm: about the noise floor of a 16-bit recording
SPREAD = 3.0  # typical standard deviation of a log-mel value of speech; scales what is only levelled

Normalise = Literal["band", "level", "none"]


@in_float32
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
    window_length, hop_length = round(window * voices.rate), round(hop * voices.rate)
    fft = 1 << (2 * window_length - 1).bit_length()
    taper = torch.hamming_window(window_length)
    power, frames = mel_power(voices, fft, taper, hop_length, bands, low, high, pre_emphasis)
    mel = power.add_(LOG_FLOOR).log_()
    within = inside(frames, mel.shape[2])[:, None]
    mel *= within
    if normalise == "band":
        standardise(mel, frames)
    elif normalise == "level":
        mel -= mel.sum(dim=(1, 2), keepdim=True) / (frames[:, None, None] * bands)
        mel /= SPREAD
        mel *= within
    return mel, frames


def standardise(features: torch.Tensor, frames: torch.Tensor) -> None:
    """Bring each band of [N, ..., T] to mean 0 and deviation 1 over the `frames` of each recording, in place.

    The features are zero after each recording's end, and stay so.
    """
    count = frames.view(-1, *[1] * (features.ndim - 1))
    features -= features.sum(dim=-1, keepdim=True) / count
    features *= torch.arange(features.shape[-1], device=features.device) < count
    deviation = torch.linalg.vector_norm(features, dim=-1, keepdim=True) / count.sqrt()
    features /= deviation.clamp_(min=1e-3)
