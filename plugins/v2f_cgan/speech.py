"""What the networks hear: a log-mel spectrogram and mel-frequency cepstral coefficients, frame by frame."""

from __future__ import annotations

import torch

from v2f_bench import Voices
from v2f_bench.audio import log_mel, mfcc
from v2f_bench.nn.voice import BANDS

HOP = 0.010  # seconds
CEPSTRA = 20  # librosa's number; the source is silent on it
FEATURES = BANDS + CEPSTRA
CEPSTRUM_SPREAD = 25.0  # dB; typical standard deviation of a coefficient of speech


def speech_features(voices: Voices) -> tuple[torch.Tensor, torch.Tensor]:
    """64 log-mel bands and 20 MFCC (the first to the 20th: not the level), every 10 ms: [N, 84, T], frames [N].

    The source names both and no sizes. Neither is normalised by band, which would take away the colour of the voice.
    """
    mel, frames = log_mel(voices, bands=BANDS, hop=HOP, normalise="level")
    hop = round(HOP * voices.rate)
    cepstra, _ = mfcc(voices, n_mfcc=1 + CEPSTRA, fft=1 << (5 * hop).bit_length(), hop=hop)
    return torch.cat([mel, cepstra[:, 1:] / CEPSTRUM_SPREAD], dim=1), frames
