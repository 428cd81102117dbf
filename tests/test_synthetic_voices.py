"""The voices of `synthetic-speakers`: each trait and each change of prosody is measured in the sound it makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import librosa
import numpy as np
import numpy.typing as npt
import pytest
from scipy.signal import lfilter, resample_poly
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from v2f_bench.datasets.synthetic_speakers.causes import VOICE_TRAITS, Person, draw_person
from v2f_bench.datasets.synthetic_speakers.expression import EMOTIONS, Prosody, prosody
from v2f_bench.datasets.synthetic_speakers.voice.articulation import manner
from v2f_bench.datasets.synthetic_speakers.voice.phones import PHONES, SENTENCES
from v2f_bench.datasets.synthetic_speakers.voice.synthesis import speak

RATE = 16000
NEUTRAL = Prosody()
Wave = npt.NDArray[np.float32]


def average(**traits: float) -> Person:
    return replace(draw_person(0, 0), voice=dict.fromkeys(VOICE_TRAITS, 0.0) | traits)


def say(person: Person, sentence: int = 1, style: Prosody = NEUTRAL, seed: int = 0) -> Wave:
    return speak(person, sentence, style, np.random.default_rng(seed))


def pitch_track(wave: Wave) -> npt.NDArray[np.float64]:
    """Hz, of the voiced frames."""
    track = librosa.yin(wave, fmin=60, fmax=500, sr=RATE, frame_length=1024, hop_length=160)
    level = librosa.feature.rms(y=wave, frame_length=1024, hop_length=160)[0]
    return track[level > 0.2 * level.max()]


def power(wave: Wave) -> npt.NDArray[np.float64]:
    """(bins, frames) of 40 ms, the louder half of them."""
    spectrum = np.abs(librosa.stft(wave, n_fft=1024, win_length=640, hop_length=160)) ** 2
    loud = spectrum.sum(0)
    return spectrum[:, loud > np.median(loud)]


def band(wave: Wave, low: float, high: float) -> float:
    frequency = np.fft.rfftfreq(1024, 1 / RATE)
    return float(10 * np.log10(power(wave)[(frequency >= low) & (frequency < high)].sum()))


def formants(wave: Wave, percent: float = 50) -> npt.NDArray[np.float64]:
    """F1-F4 by linear prediction: their medians, or another percentile."""
    slow = lfilter([1, -0.97], 1, resample_poly(wave, 5, 8))
    frames = librosa.util.frame(slow, frame_length=300, hop_length=150).T
    loud = (frames**2).sum(1)
    found = []
    for frame in frames[loud > np.percentile(loud, 60)]:
        roots = np.roots(librosa.lpc(frame * np.hamming(300), order=12))
        roots = roots[(roots.imag > 0) & (np.abs(roots) > 0.8)]
        frequencies = np.sort(np.angle(roots)) / (2 * np.pi) * 10000
        frequencies = frequencies[(frequencies > 200) & (frequencies < 4900)]
        if len(frequencies) >= 4:
            found.append(frequencies[:4])
    return np.percentile(found, percent, axis=0)


def harmonicity(wave: Wave) -> float:
    """Harmonics-to-noise ratio in dB, from the peak of the autocorrelation (Boersma 1993)."""
    frames = librosa.util.frame(wave, frame_length=800, hop_length=400).T
    loud = (frames**2).sum(1)
    window = np.hanning(800)
    shape = np.fft.irfft(np.abs(np.fft.rfft(window, 2048)) ** 2)[:250]
    echo = np.fft.irfft(np.abs(np.fft.rfft(frames[loud > np.percentile(loud, 60)] * window, 2048)) ** 2)[:, :250]
    peak = ((echo / echo[:, :1]) / (shape / shape[0]))[:, 30:].max(1).clip(0.01, 0.999)
    return float(np.median(10 * np.log10(peak / (1 - peak))))


def flicker(wave: Wave) -> float:
    """How much the loudness of voiced frames jumps from one to the next, in dB."""
    levels = 10 * np.log10((librosa.util.frame(wave, frame_length=320, hop_length=160) ** 2).mean(0) + 1e-9)
    voiced = levels > levels.max() - 12
    return float(np.median(np.abs(np.diff(levels, 2)[voiced[1:-1]])))


def shake(wave: Wave) -> float:
    """Strength of loudness and pitch modulation between 5 and 7 Hz."""
    levels = np.log(librosa.feature.rms(y=wave, frame_length=640, hop_length=160)[0] + 1e-4)
    spectrum = np.abs(np.fft.rfft((levels - levels.mean()) * np.hanning(len(levels)), 1024)) / len(levels)
    rate = np.fft.rfftfreq(1024, 0.01)
    return float(spectrum[(rate > 5) & (rate < 7)].max())


def end_of_phrase(wave: Wave) -> float:
    """Semitones by which the last voiced stretch ends above the middle of the sentence."""
    track = 12 * np.log2(pitch_track(wave))
    return float(np.median(track[-4:]) - np.median(track))


def slope_of_pitch(wave: Wave) -> float:
    track = 12 * np.log2(pitch_track(wave))
    return float(np.median(track[-len(track) // 3 :]) - np.median(track[: len(track) // 3]))


def spread_of_pitch(wave: Wave) -> float:
    return float(np.subtract(*np.percentile(12 * np.log2(pitch_track(wave)), [90, 10])))


def nose(wave: Wave) -> float:
    return band(wave, 900, 1050) - band(wave, 350, 500)


def peakiness(wave: Wave) -> float:
    """Depth of the valleys between formants: the spread of the log spectrum after a mild smoothing."""
    smooth = lfilter(np.ones(12) / 12, 1, np.log(power(wave) + 1e-9), axis=0)[12:320]
    return float(np.median(smooth.std(0)))


MEASURES: dict[str, tuple[Callable[[Wave], float], int]] = {
    "pitch": (lambda wave: float(np.median(pitch_track(wave))), +1),
    "pitch_range": (spread_of_pitch, +1),
    "tract_length": (lambda wave: float(formants(wave)[1:3].mean()), -1),
    "upper_formants": (lambda wave: float(formants(wave)[3]), +1),
    "damping": (peakiness, -1),
    "tilt": (lambda wave: band(wave, 2000, 5000) - band(wave, 200, 1000), -1),
    "breathiness": (harmonicity, -1),
    "jitter": (harmonicity, -1),
    "shimmer": (flicker, +1),
    "tremor": (shake, +1),
    "nasality": (nose, +1),
    "rounding": (lambda wave: float(formants(wave)[1]), -1),
    "rate": (len, -1),
    "accent_front": (lambda wave: float(formants(wave)[1]), +1),
    "accent_open": (lambda wave: float(formants(wave)[0]), +1),
    "accent_rhotic": (lambda wave: float(formants(wave, 20)[2]), -1),
    "accent_rhythm": (lambda wave: float(formants(wave)[0]), +1),  # more of the time goes to long, open vowels
    "accent_melody": (end_of_phrase, +1),
}


def test_every_sentence_is_made_of_known_phones_and_every_phone_is_used() -> None:
    used = {
        symbol.rstrip("012") for _, phones in SENTENCES for symbol in phones.replace("|", "/").split() if symbol != "/"
    }
    assert used == set(PHONES) - {"R+"}
    assert len(SENTENCES) >= 8


def test_the_same_arguments_give_the_same_samples_and_another_seed_gives_others() -> None:
    person = draw_person(1, 1)
    assert np.array_equal(say(person, 3, seed=5), say(person, 3, seed=5))
    other = say(person, 3, seed=6)
    assert len(other) != len(say(person, 3, seed=5)) or not np.array_equal(other, say(person, 3, seed=5))


def test_only_the_voice_is_heard() -> None:
    person = draw_person(1, 2)
    other = draw_person(1, 3)
    masked = replace(other, voice=person.voice)
    assert np.array_equal(say(person), say(masked))


@pytest.mark.slow
def test_any_speaker_in_any_emotion_is_short_finite_and_unclipped() -> None:
    for number in range(96):
        rng = np.random.default_rng(number)
        emotion = EMOTIONS[number % len(EMOTIONS)]
        intensity = "strong" if emotion != "neutral" else "normal"
        wave = speak(draw_person(2, number), number % len(SENTENCES), prosody(emotion, intensity, rng), rng)
        peak = float(np.abs(wave).max())
        assert wave.dtype == np.float32
        assert 1.8 <= len(wave) / RATE <= 4.5
        assert np.isfinite(wave).all()
        assert 0.02 < peak < 1.0
        assert np.abs(np.diff(wave)).max() < 1.3 * peak
        heard = np.flatnonzero(librosa.feature.rms(y=wave, frame_length=320, hop_length=160)[0] > 0.02 * peak)
        assert heard[0] < 40
        assert len(wave) // 160 - heard[-1] < 40


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_another_rate_gives_as_many_seconds(rate: int) -> None:
    person = average()
    wave = speak(person, 0, NEUTRAL, np.random.default_rng(0), rate)
    assert len(wave) / rate == pytest.approx(len(say(person, 0)) / RATE, abs=0.001)


def test_pitch_is_the_intended_one() -> None:
    for number in range(6):
        person = draw_person(3, number)
        track, voiced, _ = librosa.pyin(
            say(person, number), fmin=55, fmax=500, sr=RATE, frame_length=1024, hop_length=320
        )
        assert np.median(track[voiced]) == pytest.approx(manner(person, NEUTRAL).pitch, rel=0.07)


def test_an_average_woman_and_an_average_man_have_their_pitch() -> None:
    assert manner(average(pitch=1), NEUTRAL).pitch == pytest.approx(205)
    assert manner(average(pitch=-1), NEUTRAL).pitch == pytest.approx(115)


def test_formants_scale_with_the_length_of_the_tract() -> None:
    short, long = formants(say(average(tract_length=-1.5))), formants(say(average(tract_length=1.5)))
    intended = (
        manner(average(tract_length=-1.5), NEUTRAL).formants[2] / manner(average(tract_length=1.5), NEUTRAL).formants[2]
    )
    assert (short / long)[2:] == pytest.approx(intended, rel=0.1)


@pytest.mark.parametrize("trait", VOICE_TRAITS)
def test_each_trait_is_heard(trait: str) -> None:
    measure, direction = MEASURES[trait]
    low, high = (np.mean([measure(say(average(**{trait: value}), n, seed=n)) for n in (1, 5)]) for value in (-1.5, 1.5))
    assert direction * (high - low) > 0.02 * abs(low)


@pytest.mark.parametrize(
    ("field", "low", "high", "measure", "direction"),
    [
        ("pitch", -2.0, 5.0, MEASURES["pitch"][0], +1),
        ("pitch_range", 0.5, 2.0, spread_of_pitch, +1),
        ("rate", 0.8, 1.25, len, -1),
        ("energy", -6.0, 6.0, lambda wave: float(np.sqrt(np.mean(wave**2))), +1),
        ("tilt", -2.5, 3.0, MEASURES["tilt"][0], -1),
        ("breath", 0.0, 0.25, harmonicity, -1),
        ("jitter", 0.0, 1.5, harmonicity, -1),
        ("smile", -0.05, 0.05, lambda wave: float(formants(wave)[1:3].mean()), +1),
        ("fall", -3.0, 5.0, slope_of_pitch, +1),
    ],
)
def test_each_change_of_prosody_is_heard(
    field: str, low: float, high: float, measure: Callable[[Wave], float], direction: int
) -> None:
    # the tilt of a prosody is positive where a voice is brighter, that of a trait where it is darker
    direction = -direction if field == "tilt" else direction
    before, after = (
        np.mean([measure(say(average(), n, replace(NEUTRAL, **{field: v}), n)) for n in (1, 5)]) for v in (low, high)
    )
    assert direction * (after - before) > 0.02 * abs(before)


@pytest.mark.slow
def test_sex_and_population_of_unseen_speakers_are_learned_from_other_sentences_and_emotions() -> None:
    mel = librosa.filters.mel(sr=RATE, n_fft=512, n_mels=64, fmin=50)
    people = [draw_person(5, number) for number in range(80)]
    features = np.array([[_summary(person, clip, mel) for clip in range(6)] for person in people])
    for label, enough in (("sex", 0.85), ("population", 0.6)):
        truth = np.array([getattr(person, label) for person in people])
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.003, max_iter=300))
        probe.fit(features[:60].reshape(360, -1), truth[:60].repeat(6))
        votes = probe.predict_log_proba(features[60:].reshape(120, -1)).reshape(20, 6, -1).sum(1)
        assert np.mean(probe.classes_[votes.argmax(1)] == truth[60:]) > enough


def _summary(person: Person, clip: int, mel: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    rng = np.random.default_rng([person.seed, clip])
    sentence = (int(person.name[1:]) * 5 + clip * 7) % len(SENTENCES)
    wave = speak(person, sentence, prosody(EMOTIONS[clip], "normal", rng), rng)
    bands = np.log(mel @ np.abs(librosa.stft(wave, n_fft=512, win_length=400, hop_length=160)) ** 2 + 1e-6)
    loud = bands[:, bands.mean(0) > np.median(bands.mean(0))]
    return np.concatenate([bands.mean(1), bands.std(1), loud.mean(1), loud.std(1), np.abs(np.diff(bands)).mean(1)])
