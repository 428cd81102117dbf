"""Front ends against librosa and scipy, one recording after another."""

from functools import cache, partial

import librosa
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import get_window, resample_poly

from v2f_bench.audio import LOG_FLOOR, SPREAD, Features, LogMels, log_mel, loop_to, mfcc, mfsc, raw_frames, resample
from v2f_bench.audio.spectrum import CACHED
from v2f_bench.data.store import pad
from v2f_bench.datasets.synthetic_speakers.causes import draw_person
from v2f_bench.datasets.synthetic_speakers.expression import Prosody
from v2f_bench.datasets.synthetic_speakers.voice.synthesis import speak
from v2f_bench.interfaces import Clips

RATE = 16_000


@cache
def spoken(number):
    wave = speak(draw_person(0, number), number, Prosody(), np.random.default_rng(number))
    return (wave * 32768).astype(np.int16)


@pytest.fixture
def sounds(recordings):
    """Voices, one of them with a pause of digital silence, and a tone in noise: all of different lengths."""
    interrupted = np.concatenate([spoken(2)[:20_000], np.zeros(12_345, np.int16), spoken(2)[20_000:]])
    return [spoken(0), spoken(1)[:21_001], interrupted, *recordings]


def as_float(recording):
    return recording.astype(np.float32) / 32768


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


def test_log_mel_of_a_long_recording_is_librosas_from_its_start_to_its_end():
    long, short = np.tile(spoken(0), 4), spoken(1)[:9_000]
    assert 3 * len(long) > 160 * CACHED / 1024, "more frames than are worked on at once"
    mel, frames = log_mel(pad([short, long, short], RATE), normalise="none")
    for row, count, recording in zip(mel, frames, [short, long, short], strict=True):
        np.testing.assert_allclose(row[:, :count].numpy(), by_librosa(recording, "none"), atol=1e-3)


@pytest.mark.parametrize("normalise", ["none", "level", "band"])
def test_mfsc_is_a_log_mel_with_the_deltas_of_librosa(sounds, normalise):
    batch = pad(sounds, RATE)
    pictures, frames = mfsc(batch, normalise=normalise)
    assert pictures.shape[:3] == (len(sounds), 3, 40)
    static, expected_frames = log_mel(batch, bands=40, normalise=normalise)
    assert torch.equal(frames, expected_frames)
    for picture, count, mel in zip(pictures, frames, static.numpy(), strict=True):
        mel = mel[:, :count]
        expected = np.stack([mel, librosa.feature.delta(mel), librosa.feature.delta(mel, order=2)])
        if normalise == "band":
            expected -= expected.mean(axis=2, keepdims=True)
            expected /= expected.std(axis=2, keepdims=True)
        np.testing.assert_allclose(picture[..., :count].numpy(), expected, atol=1e-3)


def test_mfsc_of_a_recording_without_enough_frames_for_a_derivative_is_refused():
    with pytest.raises(ValueError, match="9 frames, and a recording has 7"):
        mfsc(pad([spoken(0), spoken(0)[:1000]], RATE))


@pytest.mark.parametrize(
    ("ours", "librosas"),
    [
        ({}, {}),
        ({"n_mfcc": 40}, {"n_mfcc": 40}),
        (
            {"n_mfcc": 13, "fft": 512, "hop": 160, "bands": 40, "low": 50.0, "high": 7000.0, "top_db": 80.0},
            {"n_mfcc": 13, "n_fft": 512, "hop_length": 160, "n_mels": 40, "fmin": 50.0, "fmax": 7000.0},
        ),
    ],
)
def test_mfcc_of_a_batch_is_librosas_one_by_one(sounds, ours, librosas):
    sounds = [*sounds, (sounds[0] / 500).astype(np.int16)]  # quiet: its own loudest value is what 80 dB count from
    coefficients, frames = mfcc(pad(sounds, RATE), **ours)
    for row, count, sound in zip(coefficients, frames, sounds, strict=True):
        expected = librosa.feature.mfcc(y=as_float(sound), sr=RATE, **librosas)
        np.testing.assert_allclose(row[:, :count].numpy(), expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 24_000, 16_000])
def test_resampling_is_scipys_one_by_one(sounds, rate):
    slow = resample(pad(sounds, RATE), rate)
    assert slow.rate == rate
    for row, length, sound in zip(slow.samples, slow.lengths, sounds, strict=True):
        expected = resample_poly(as_float(sound), rate, RATE)
        assert length == len(expected)
        np.testing.assert_allclose(row[:length].numpy(), expected, atol=1e-5)
        assert not row[length:].any()


@pytest.mark.parametrize("length", [1, 2, 25])
@pytest.mark.parametrize("rate", [8_000, 11_025, 48_000])
def test_resampling_of_less_than_a_block_is_scipys(length, rate):
    moment = spoken(0)[8_000 : 8_000 + length]
    np.testing.assert_allclose(
        resample(pad([moment], RATE), rate).samples[0].numpy(), resample_poly(as_float(moment), rate, RATE), atol=1e-5
    )


def test_resampling_keeps_a_tone_below_half_the_new_rate_and_takes_away_one_above():
    time = np.arange(RATE) / RATE
    low, high = (pad([(9000 * np.sin(2 * np.pi * hz * time)).astype(np.int16)], RATE) for hz in (1000, 6000))
    middle = slice(1000, 7000)
    kept, gone = (resample(tone, 8000).samples[0, middle] for tone in (low, high))
    assert torch.allclose(kept, low.samples[0, ::2][middle], atol=1e-3)
    assert gone.abs().max() < 0.01 * kept.abs().max()


@pytest.mark.parametrize("seconds", [0.3, 1.0, 3.67])
def test_looping_repeats_each_recording_or_cuts_it(sounds, seconds):
    looped = loop_to(pad(sounds, RATE), seconds)
    wanted = round(seconds * RATE)
    assert looped.lengths.tolist() == [wanted] * len(sounds)
    for row, sound in zip(looped.samples, sounds, strict=True):
        np.testing.assert_array_equal(row.numpy(), np.resize(as_float(sound), wanted))


@pytest.mark.parametrize("standardise", [False, True])
def test_raw_frames_cover_the_looped_recording_from_its_start_to_its_end(sounds, standardise):
    raw, frames = raw_frames(pad(sounds, RATE), standardise=standardise)
    assert raw.shape == (len(sounds), 1, 160, 200)
    assert raw.dtype == torch.float32
    assert frames.tolist() == [200] * len(sounds)
    for picture, sound in zip(raw[:, 0].numpy(), sounds, strict=True):
        looped = np.resize(resample_poly(as_float(sound), 1, 2), 29_360)  # 3.67 s at 8 kHz
        starts = np.floor(np.linspace(0, 29_360 - 160, 200) + 1e-9).astype(int)
        expected = librosa.util.frame(looped, frame_length=160, hop_length=1)[:, starts]
        if standardise:
            deviation = expected.std(axis=0, ddof=1)
            heard = deviation > 1e-4  # not of what the filter's ringing leaves of a pause
            picture, expected = picture[:, heard], ((expected - expected.mean(axis=0))[:, heard] / deviation[heard])
        np.testing.assert_allclose(picture, expected, atol=1e-3)
        assert (np.diff(starts) <= 160).all(), "no sample is left out"


@pytest.mark.parametrize(("rate", "seconds"), [(8_000, 0.5), (11_025, 0.7), (16_000, 0.7), (24_000, 0.7)])
def test_raw_frames_of_the_start_of_a_recording_are_those_of_the_whole_one(sounds, rate, seconds):
    raw, _ = raw_frames(pad(sounds[:1], RATE), frames=10, samples=100, rate=rate, seconds=seconds, standardise=False)
    whole = resample_poly(as_float(sounds[0]), rate, RATE)[: round(seconds * rate)]
    starts = np.arange(10) * (len(whole) - 100) // 9
    np.testing.assert_allclose(
        raw[0, 0].numpy(), np.stack([whole[start : start + 100] for start in starts]).T, atol=1e-5
    )


def test_raw_frames_of_silence_are_zero():
    raw, _ = raw_frames(pad([np.zeros(8_000, np.int16)], RATE))
    assert not raw.any()


FRONT_ENDS = {
    "log_mel": log_mel,
    "log_mel, levelled": partial(log_mel, normalise="level"),
    "mfsc": mfsc,
    "mfsc, not normalised": partial(mfsc, normalise="none"),
    "mfcc": mfcc,
    "raw_frames": raw_frames,
    "raw_frames, as they are": partial(raw_frames, standardise=False),
    "raw_frames, not resampled": partial(raw_frames, rate=RATE),
    "resample": lambda voices: ((slow := resample(voices, 11_025)).samples, slow.lengths),
    "loop_to": lambda voices: ((looped := loop_to(voices, 1.7)).samples, looped.lengths),
}


@pytest.mark.parametrize("name", FRONT_ENDS)
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_a_recording_alone_and_in_a_batch_with_longer_ones_gives_the_same(name, data):
    front_end = FRONT_ENDS[name]
    length = data.draw(st.integers(1_500, 12_000), "length")
    longer = data.draw(st.lists(st.integers(length, 30_000), min_size=1, max_size=4), "lengths of the others")
    place = data.draw(st.integers(0, len(longer)), "place in the batch")
    loudness = data.draw(st.sampled_from([0.001, 0.1, 1.0]), "loudness of the others")
    batch = [(loudness * spoken(1 + n % 2)[-other:]).astype(np.int16) for n, other in enumerate(longer)]
    recording = spoken(0)[8_000 : 8_000 + length]
    alone, frames = front_end(pad([recording], RATE))
    found, counts = front_end(pad([*batch[:place], recording, *batch[place:]], RATE))
    assert found.dtype == alone.dtype == torch.float32
    assert counts.dtype == frames.dtype == torch.int64
    assert counts[place] == frames[0] == alone.shape[-1]
    torch.testing.assert_close(found[place, ..., : frames[0]], alone[0], rtol=0, atol=2e-4)
    for row, count in zip(found, counts, strict=True):
        assert not row[..., count:].any(), "what lies after a recording's end must not show"


@pytest.fixture
def filled_memory():
    """Memory that nobody wrote to holds NaN, as it may at any time."""
    torch.use_deterministic_algorithms(True)
    assert torch.empty(3).isnan().all()
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_recordings_are_left_as_they_were(name, sounds):
    voices = pad(sounds, RATE)
    before = voices.samples.clone()
    FRONT_ENDS[name](voices)
    assert torch.equal(voices.samples, before)


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_what_is_learned_in_bfloat16_is_heard_in_float32(name, sounds):
    voices = pad(sounds, RATE)
    expected, _ = FRONT_ENDS[name](voices)
    with torch.autocast("cpu", torch.bfloat16):
        found, _ = FRONT_ENDS[name](voices)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


@pytest.mark.parametrize("name", FRONT_ENDS)
@pytest.mark.parametrize("longest", [40_000, 39_520])  # the last block of derivatives in part filled, and full
def test_memory_that_nobody_wrote_to_does_not_show(name, longest, recordings, filled_memory):
    found, counts = FRONT_ENDS[name](pad([recordings[0][:longest], *recordings[1:]], RATE))
    for row, count in zip(found, counts, strict=True):
        assert row[..., :count].isfinite().all()
        assert not row[..., count:].any()


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


def test_of_a_split_without_voices_nothing_is_kept():
    nobody = SomeClips([np.zeros(1600, np.float32)])
    nobody.table["voice"] = False
    assert list(Features(nobody, mfsc).rows) == []


def test_any_front_end_can_be_kept(recordings):
    kept = Features(SomeClips(recordings), mfsc, normalise="level")
    found, frames = kept.whole([2, 0])
    expected, expected_frames = mfsc(pad([recordings[1], recordings[0]], 16_000), normalise="level")
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(frames, expected_frames)
    crops, _ = kept.crops([0, 3], 40, np.random.default_rng(0))
    assert crops.shape == (2, 3, 40, 40)
    assert (found[1].unfold(2, 40, 1) == crops[0][:, :, None]).all(dim=(0, 1, 3)).any()
