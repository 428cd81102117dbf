"""Recordings rebuilt from the log-mel features that the field passes on instead of them.

An archive of the reference voice-to-face GAN (Wen et al. 2019) holds one array of 64 log-mel bands for each recording:
25 ms Hamming windows, 10 ms hop, FFT of 1,024 at 16 kHz, 20 to 7,200 Hz, pre-emphasis .97, mostly with each band's mean
and deviation taken away. Phase and fine structure are lost, so what is rebuilt sounds like a robot, but its log-mel
spectrogram is the given one again (correlation above .98), and methods that take waveforms can learn from it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from v2f_bench.interfaces import DataError

BANDS = 64
RATE = 16_000
_FFT, _WINDOW, _HOP = 1024, 400, 160
_LOW, _HIGH, _PRE_EMPHASIS = 20.0, 7200.0, 0.97
_DEVIATION = 2.5  # of a band of speech, in natural logarithms of power: given back where it was taken away
_ROUNDS = 16  # of Griffin and Lim's; more change the features by less than .005
_PEAK = 0.5


def read_log_mel(path: Path) -> np.ndarray:
    """The features in a .npy file: float32 [frames, 64].

    Raises:
        DataError: it is no array of that shape, holds objects, or values that are not finite; names the file.
    """
    try:
        features = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: not readable as an array ({error})") from None
    if not isinstance(features, np.ndarray) or features.ndim != 2 or features.shape[1] != BANDS or not len(features):
        raise DataError(f"{path}: not log-mel features [frames, {BANDS}] but {getattr(features, 'shape', 'no array')}")
    if features.dtype.kind != "f" or not np.isfinite(features).all():
        raise DataError(f"{path}: holds {features.dtype} values that are not all finite numbers")
    return features.astype(np.float32)


def waveform_of(features: np.ndarray) -> np.ndarray:
    """A recording at 16 kHz with these log-mel features: float32 [(frames - 1) × 160], its peak at .5; always the same.

    The mel filters are inverted by least squares, phases found by Griffin and Lim's method (1984; in the fast form of
    Perraudin et al. 2013), and the pre-emphasis is undone.

    Args:
        features: float [frames, 64], natural logarithms of mel power; normalised over time in each band or not.
    """
    import librosa
    from scipy.signal import lfilter

    log_power = features.T.astype(np.float64)
    if _is_normalised(log_power):
        log_power = log_power * _DEVIATION
    power = np.exp(log_power - log_power.max())
    spectrum = np.maximum(_inverse_filters() @ power, 0)
    sound = librosa.griffinlim(
        np.sqrt(spectrum).astype(np.float32),
        n_iter=_ROUNDS,
        n_fft=_FFT,
        hop_length=_HOP,
        win_length=_WINDOW,
        window="hamming",
        random_state=0,
    )
    sound = lfilter([1.0], [1.0, -_PRE_EMPHASIS], sound)
    return (sound / max(np.abs(sound).max(), 1e-9) * _PEAK).astype(np.float32)


def _is_normalised(log_power: np.ndarray) -> bool:
    """Whether each band has mean 0 and deviation 1."""
    return bool(np.abs(log_power.mean(axis=1)).max() < 0.1 and np.abs(log_power.std(axis=1) - 1).max() < 0.1)


def _inverse_filters() -> np.ndarray:
    import librosa

    return np.linalg.pinv(librosa.filters.mel(sr=RATE, n_fft=_FFT, n_mels=BANDS, fmin=_LOW, fmax=_HIGH))
