"""Background noise: what it is like in a recording, and one recording's speech with another's noise.

The noise of a recording is taken to be stationary. Its power at each frequency is found from the quietest frames, in
which nobody speaks: noise has a power that is exponentially distributed over frames, so that a low quantile of the
frames tells its mean, whatever the speech in the louder ones is (quantile-based noise estimation, Stahl, Fischer &
Bippus 2000). It is taken out by spectral subtraction in power with a floor (Boll 1979; Berouti et al. 1979).
"""

from __future__ import annotations

import numpy as np
import scipy

FRAME, HOP = 512, 128  # samples: 32 and 8 ms at 16 kHz
QUANTILE = 0.1
# About the share of frames in which a frequency holds noise alone: all in a recording of silence, half or less in
# speech without pauses. Either extreme is 2.5 dB off.
QUIET = 0.6
# Times the mean noise power that is subtracted: of noise alone, whose power is exponentially distributed, exp(-4) is
# left, -17 dB. Berouti et al. use 3 to 6.
SUBTRACTED = 4.0
FLOOR = 0.05  # of the amplitude: what is left at least
SMALLEST = 1e-12  # power: below that of a 16-bit sample's rounding


def noise_power(samples: np.ndarray) -> np.ndarray:
    """The mean power of a recording's background noise at each frequency: float64 [FRAME // 2 + 1].

    Args:
        samples: float [T], in [-1, 1].
    """
    return _noise_of(_spectrum(samples))


def with_noise_of(samples: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The speech of `samples` with the background noise of `other`: float64 [T].

    The noise of `samples` is taken out, and Gaussian noise with the spectrum of the other's is put in. What this cannot
    do: in frames of speech the own noise stays nearly whole, and in pauses it is lowered by some 12 dB, so that a loud
    own noise is still heard beneath a quiet other one; reverberation and microphone stay as they are. The processing is
    itself audible: to see what the exchange does, compare with the recording's own noise put in (`samples` twice).

    Args:
        samples: float [T], in [-1, 1].
        other: float [U], likewise.
    """
    spectrum = _spectrum(samples)
    power = np.abs(spectrum) ** 2 + SMALLEST
    gain = np.sqrt(np.maximum(1 - SUBTRACTED * _noise_of(spectrum)[:, None] / power, FLOOR**2))
    white = _spectrum(rng.standard_normal(len(samples)))
    shape = np.sqrt(noise_power(other) / (np.abs(white) ** 2).mean(axis=1))[:, None]
    _, swapped = scipy.signal.istft(spectrum * gain + white * shape, nperseg=FRAME, noverlap=FRAME - HOP)
    return np.asarray(swapped[: len(samples)])


def _spectrum(samples: np.ndarray) -> np.ndarray:
    """Short-time Fourier transform with a Hann window: complex [FRAME // 2 + 1, frames]."""
    padded = np.pad(np.asarray(samples, np.float64), (0, max(0, FRAME - len(samples))))
    return np.asarray(scipy.signal.stft(padded, nperseg=FRAME, noverlap=FRAME - HOP)[2])


def _noise_of(spectrum: np.ndarray) -> np.ndarray:
    inner = spectrum[:, 2:-2] if spectrum.shape[1] > 8 else spectrum  # frames at the ends are padded with zeros
    return np.asarray(np.quantile(np.abs(inner) ** 2, QUANTILE, axis=1) / -np.log(1 - QUANTILE / QUIET))
