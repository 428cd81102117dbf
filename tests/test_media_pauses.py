"""Pauses: those that are long enough go, where they are known to be; what is said stays."""

import numpy as np
import pytest
from made_media import RATE, tone

from v2f_bench.media.pauses import FRAME, MARGIN, speech_frames, without_pauses
from v2f_bench.media.sound import read_sound, resample

EDGE = 2 * FRAME  # seconds: a border between speech and pause is known to a frame on each side


def spoken(*parts, noise=0.0, seed=0):
    """A recording of words (positive seconds) and pauses (negative ones), over noise."""
    sound = np.concatenate(
        [babble(part, seed + n) if part > 0 else np.zeros(round(-part * RATE)) for n, part in enumerate(parts)]
    )
    return (sound + noise * np.random.default_rng(seed).standard_normal(len(sound))).astype(np.float32)


def babble(seconds, seed):
    """A voice-like sound: a buzz whose loudness goes up and down four times a second."""
    time = np.arange(round(seconds * RATE)) / RATE
    loudness = 0.55 + 0.45 * np.cos(2 * np.pi * 4 * time + np.pi * (seed % 3))
    return 0.3 * loudness * np.sign(np.sin(2 * np.pi * (110 + 10 * seed) * time))


@pytest.mark.parametrize("noise", [0.0, 1e-4, 0.003, 0.01])
@pytest.mark.parametrize(
    ("parts", "longest", "gone"),
    [
        ((1.0, -1.5, 1.0), 1.0, 1.5 - 2 * MARGIN),
        ((1.0, -1.5, 1.0), 2.0, 0.0),
        ((1.0, -0.5, 1.0, -1.2, 0.8), 1.0, 1.2 - 2 * MARGIN),
        ((1.0, -0.5, 1.0, -1.2, 0.8), 0.4, 1.7 - 4 * MARGIN),
        ((-1.1, 2.0, -1.3), 1.0, 2.4 - 2 * MARGIN),
    ],
)
def test_pauses_of_the_given_length_go_and_no_others(parts, longest, gone, noise):
    samples = spoken(*parts, noise=noise)
    left = without_pauses(samples, RATE, longest)
    assert (len(samples) - len(left)) / RATE == pytest.approx(gone, abs=EDGE * max(1, sum(p < 0 for p in parts)))
    loud = np.abs(samples) > 0.1
    assert np.array_equal(left[np.abs(left) > 0.1], samples[loud]), "every loud sample stays, in its order"


def test_a_pause_is_cut_to_its_margins():
    left = without_pauses(spoken(1.0, -2.0, 1.0), RATE, 1.0)
    inside = np.flatnonzero(left == 0)
    assert len(inside) / RATE == pytest.approx(2 * MARGIN, abs=EDGE)


@pytest.mark.parametrize(
    "samples",
    [
        tone(3),
        0.1 * np.random.default_rng(0).standard_normal(3 * RATE).astype(np.float32),
        tone(3, height=RATE / 40),  # every frame exactly as loud
        spoken(3.0),
    ],
    ids=["tone", "noise", "steady", "speech"],
)
def test_sound_without_a_pause_stays_as_it_is(samples):
    assert np.array_equal(without_pauses(samples, RATE, 0.3), samples)


def test_of_silence_nothing_remains():
    assert len(without_pauses(np.zeros(RATE, np.float32), RATE, 0.5)) == 0


def test_speech_in_loud_noise_is_never_all_pause():
    for loudness in (0.02, 0.05, 0.1):
        assert speech_frames(spoken(1.0, -1.0, 1.0, noise=loudness), RATE).any()


def test_in_real_recordings_the_ends_of_acted_speech_go_and_the_speech_stays(shared_data):
    """RAVDESS begins and ends with about a second of studio silence, of which some is digital."""
    paths = sorted((shared_data / "ravdess").rglob("*.wav"))[::8]
    if not paths:
        pytest.skip("no RAVDESS recordings")
    for path in paths:
        samples, rate = read_sound(path)
        samples = resample(samples, rate, RATE)
        left = without_pauses(samples, RATE, 0.3)
        assert 1.0 <= len(left) / RATE < len(samples) / RATE, path.name
        assert np.square(left).sum() > 0.98 * np.square(samples).sum(), "the energy is in what stays"
