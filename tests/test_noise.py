"""Background noise found in a recording, taken out, and replaced by another's."""

import numpy as np
import pytest
import scipy

from v2f_bench.audio.noise import FRAME, noise_power, with_noise_of

RATE = 16_000
BANDS = ((100, 800), (1000, 3000), (4000, 7500))  # Hz


def speech(seed, seconds=4):
    """Tones with harmonics, half a second in each second; and where there are none."""
    time = np.arange(RATE * seconds) / RATE
    speaking = (time % 1 > 0.2) & (time % 1 < 0.7)
    pitch = 100 + 20 * seed
    return speaking * sum(0.1 / k * np.sin(2 * np.pi * pitch * k * time) for k in range(1, 20)), ~speaking


def white(seed, level, count):
    return level * np.random.default_rng(seed).standard_normal(count)


def low(seed, level, count):
    return scipy.signal.lfilter(*scipy.signal.butter(2, 800, fs=RATE), white(seed, level, count))


def decibels(samples, band):
    frequencies, power = scipy.signal.welch(samples, RATE, nperseg=256)
    return 10 * np.log10(power[(frequencies > band[0]) & (frequencies < band[1])].mean())


def test_the_noise_of_a_recording_is_found_under_its_speech():
    """Against the power that scipy finds in the noise alone."""
    spoken, _ = speech(1)
    noise = low(0, 0.02, len(spoken))
    alone = np.abs(scipy.signal.stft(noise, nperseg=FRAME, noverlap=FRAME - 128)[2][:, 2:-2]) ** 2
    gap = 10 * np.log10(noise_power(spoken + noise)[4:32] / alone.mean(axis=1)[4:32])  # 125 to 1000 Hz
    assert abs(gap.mean()) < 3


@pytest.mark.parametrize(("own", "others"), [(white, low), (low, white)])
def test_speech_stays_and_the_noise_becomes_the_others(own, others):
    spoken, silent = speech(1)
    elsewhere, silent_there = speech(3)
    recording = spoken + own(0, 0.01, len(spoken))
    other = elsewhere + others(1, 0.01, len(elsewhere))
    swapped = with_noise_of(recording, other, np.random.default_rng(99))
    assert swapped.shape == recording.shape
    assert np.corrcoef(swapped[~silent], spoken[~silent])[0, 1] > 0.98
    for band in BANDS:
        mine, theirs, now = (
            decibels(x[at], band) for x, at in ((recording, silent), (other, silent_there), (swapped, silent))
        )
        if theirs > mine - 10:  # the other's noise is not hidden by what is left of one's own
            assert now == pytest.approx(theirs, abs=3), band
        else:
            assert now < mine - 8, band


def test_the_same_seed_gives_the_same_recording_and_short_ones_are_taken():
    for count in (1, 100, 3000):
        recording, other = white(0, 0.1, count), white(1, 0.1, count)
        first, again = (with_noise_of(recording, other, np.random.default_rng(7)) for _ in range(2))
        assert np.array_equal(first, again)
        assert first.shape == (count,)
        assert np.isfinite(first).all()
