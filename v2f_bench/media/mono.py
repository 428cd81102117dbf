"""How the channels of a recording become one, at a known level. The rules stand in docs/files.md."""

from __future__ import annotations

import numpy as np

from v2f_bench.interfaces import DataError
from v2f_bench.media.changes import note

OFFSET = 0.05  # of the samples' own deviation: a smaller mean is chance, and hides no pause
FEW = 4096  # samples, whose mean may be anything
QUIETER = 0.5  # of the loudest channel's level (6 dB): channels below would only make the mean quieter
CANCELLING = 0.75  # of the power that the mean of unrelated channels has: below, one is the other's negative
LOUD_FLOATS = 4.0  # times full scale: floats up to here are only too loud
FULL_SCALES = (2.0**15, 2.0**23, 2.0**31)  # of integers of 16, 24 and 32 bits that were written as floats
SOFTEST = 2.0**-8  # of their full scale, that the loudest sample of such integers reaches


def mono(samples: np.ndarray) -> np.ndarray:
    """One channel in [-1, 1]: float32 [T], from float32 [T] or [T, channels], all finite.

    Raises:
        DataError: the samples are in no known range; says in which.
    """
    return at_known_level(one_channel(samples))


def one_channel(samples: np.ndarray) -> np.ndarray:
    """One channel without a constant offset, at the level of its samples: float32 [T], from [T] or [T, channels]."""
    if not len(samples):
        return np.zeros(0, np.float32)
    channels = _without_offset(samples[:, None] if samples.ndim == 1 else samples)
    return (channels[:, 0] if channels.shape[1] == 1 else _mixed(channels)).astype(np.float32)


def at_known_level(samples: np.ndarray) -> np.ndarray:
    """float32 [T] in [-1, 1]: what lies beyond is scaled, and not clipped. DataError as of `mono`."""
    peak = float(np.abs(samples).max(initial=0))
    if peak > LOUD_FLOATS:
        samples = samples / np.float32(_full_scale(samples, peak))
        note("integers written as floats were scaled to full scale")
        peak = float(np.abs(samples).max())
    if peak > 1:
        note("peaks beyond full scale: the recording was made quieter")
        samples = samples / np.float32(peak)
    return samples


def _without_offset(channels: np.ndarray) -> np.ndarray:
    if len(channels) < FEW:
        return channels
    mean = channels.mean(axis=0, dtype=np.float64)
    deviation = np.sqrt(np.maximum(_power(channels) - mean**2, 0))
    shifted = np.abs(mean) > OFFSET * deviation
    if not shifted.any():
        return channels
    if any(np.ptp(channel) for channel in channels.T[shifted]):  # of one that is constant nothing remains
        note("a constant offset was taken out")
    return channels - np.where(shifted, mean, 0)


def _mixed(channels: np.ndarray) -> np.ndarray:
    """The mean of the channels that are about as loud as the loudest, or that one alone where they cancel."""
    power = _power(channels)
    if not power.any():
        return channels[:, 0]
    loud = power >= QUIETER**2 * power.max()
    # Also by differences, in which a hum that is the same on both hides no voice that is not.
    if _cancel(channels[:, loud]) or _cancel(np.diff(channels[:, loud], axis=0)):
        note("one channel was used: the channels cancel each other")
        return channels[:, power.argmax()]
    if not loud.all():
        note("quiet channels were left out")
    return channels[:, loud].mean(axis=1)


def _power(channels: np.ndarray) -> np.ndarray:
    return np.array([np.dot(channel, channel) for channel in channels.T], np.float64) / max(len(channels), 1)


def _cancel(channels: np.ndarray) -> bool:
    """Whether the mean of the channels has clearly less power than if they were unrelated."""
    unrelated = _power(channels).sum() / channels.shape[1] ** 2
    return bool(_power(channels.mean(axis=1, keepdims=True))[0] < CANCELLING * unrelated)


def _full_scale(samples: np.ndarray, peak: float) -> float:
    """What samples far beyond full scale were scaled by: most of them are, and the loudest fits the range."""
    most = float(np.median(np.abs(samples[samples != 0])))
    scale = next((scale for scale in FULL_SCALES if scale * SOFTEST < peak <= scale * LOUD_FLOATS), None)
    if scale is None or most <= 1:
        raise DataError(f"samples of up to {peak:.4g} are neither floats around 1 nor integers of a known size")
    return scale
