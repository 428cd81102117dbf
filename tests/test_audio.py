"""Front ends against librosa."""

import librosa
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.signal import get_window

from v2f_bench.audio import LOG_FLOOR, SPREAD, LogMels, log_mel
from v2f_bench.data.store import pad
from v2f_bench.interfaces import Clips


@pytest.fixture
def recordings():
    rng = np.random.default_rng(0)
    tone = 9000 * np.sin(np.arange(40_000) * 0.1) + 500 * rng.standard_normal(40_000)
    return [tone[:n].astype(np.int16) for n in (40_000, 16_001, 8_000)]


def by_librosa(recording, normalise):
    samples = recording.astype(np.float32) / 32768
    emphasised = np.append(samples[0], samples[1:] - 0.97 * samples[:-1])
    window = get_window("hamming", 400)
    power = np.abs(librosa.stft(emphasised, n_fft=1024, hop_length=160, win_length=400, window=window)) ** 2
    mel = np.log(librosa.filters.mel(sr=16_000, n_fft=1024, n_mels=64, fmin=20, fmax=7200) @ power + LOG_FLOOR)
    if normalise == "band":
        return (mel - mel.mean(axis=1, keepdims=True)) / mel.std(axis=1, keepdims=True)
    return (mel - mel.mean()) / SPREAD if normalise == "level" else mel


@pytest.mark.parametrize("normalise", ["none", "level", "band"])
def test_log_mel_of_a_batch_equals_librosa_one_by_one(recordings, normalise):
    mel, frames = log_mel(pad(recordings, 16_000), normalise=normalise)
    for row, count, recording in zip(mel, frames, recordings, strict=True):
        expected = by_librosa(recording, normalise)
        assert count == expected.shape[1]
        np.testing.assert_allclose(row[:, :count].numpy(), expected, atol=1e-3)
        assert not row[:, count:].any(), "what lies after a recording's end must not show"


def test_crop_takes_a_stretch_and_repeats_what_is_too_short(recordings):
    voices = pad(recordings, 16_000)
    cropped = voices.crop(1.0, np.random.default_rng(0))
    assert cropped.samples.shape == (3, 16_000)
    short = cropped.samples[2]
    assert torch.equal(short[:8_000], short[8_000:])
    long = voices.samples[0].unfold(0, 16_000, 1)
    assert (long == cropped.samples[0]).all(dim=1).any(), "a crop is a stretch of the recording"


class SomeClips(Clips):
    """A split of three recordings, the second clip being one without a voice."""

    def __init__(self, recordings):
        self._recordings = [recordings[0], None, *recordings[1:]]
        self.table = pd.DataFrame({"voice": [recording is not None for recording in self._recordings]})
        self.rate, self.resolution = 16_000, 64

    def voices(self, rows):
        return pad([self._recordings[int(row)] for row in rows], self.rate)

    def faces(self, rows):
        raise NotImplementedError


@pytest.mark.parametrize("memory_gib", [1.0, 0.0])
def test_kept_spectrograms_are_those_of_the_recordings_whether_they_fit_in_memory_or_not(recordings, memory_gib):
    mels = LogMels(SomeClips(recordings), memory_gib=memory_gib, normalise="level")
    assert mels.rows.tolist() == [0, 2, 3]
    found, frames = mels.whole([2, 0])
    expected, expected_frames = log_mel(pad([recordings[1], recordings[0]], 16_000), normalise="level")
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(frames, expected_frames)


def test_crops_of_spectrograms_are_stretches_and_repeat_what_is_too_short(recordings):
    mels = LogMels(SomeClips(recordings), normalise="none")
    crops, frames = mels.crops([0, 3], 80, np.random.default_rng(0))
    assert crops.shape == (2, 64, 80)
    assert frames.tolist() == [80, 80]
    whole, counts = mels.whole([0, 3])
    stretches = whole[0].unfold(1, 80, 1)
    assert (stretches == crops[0][:, None]).all(dim=2).all(dim=0).any()
    short = whole[1, :, : counts[1]]
    repeated = short.repeat(1, 3).unfold(1, 80, 1)
    assert (repeated == crops[1][:, None]).all(dim=2).all(dim=0).any()
