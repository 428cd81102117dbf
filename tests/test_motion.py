"""Films as a judge sees them: the mouth against the voice, and flicker, where both are known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import SHARED_DATA
from hypothesis import given, settings
from hypothesis import strategies as st
from made_media import RATE, people
from talking import FPS, loudness, syllables, talking

from v2f_bench.artefacts import film_file, write_film
from v2f_bench.film.reading import StoredFilm
from v2f_bench.interfaces import Evidence, FaceFilm
from v2f_bench.judges.motion import Motion
from v2f_bench.judges.movement import CELLS, LAGS, best_correlation, flicker
from v2f_bench.metrics.flicker import Flicker
from v2f_bench.metrics.lip_dynamics import LipDynamics

SECONDS = 2
VOICE = syllables(SECONDS)
FACE = people(1)[0]


@pytest.fixture(scope="module")
def judge():
    motion = Motion()
    motion.start("cpu")
    return motion


def seen_in(judge, frames, folder, rate=FPS):
    """What the judge sees in a film of uint8 [T, H, W, 3], written and read as those of methods are."""
    write_film(folder, "film", FaceFilm(torch.from_numpy(np.asarray(frames)).permute(0, 3, 1, 2), rate))
    return judge.watch(StoredFilm(film_file(folder, "film"), cropped=True))


@pytest.mark.parametrize("delay", [0.0, 0.08, -0.12])
def test_a_mouth_that_opens_with_the_voice_correlates_at_its_lag(judge, tmp_path, delay):
    seen = seen_in(judge, talking(FACE, loudness(VOICE, SECONDS * FPS, delay)), tmp_path)
    best, lag, _ = judge.compare(seen, VOICE, RATE)
    assert best > 0.95
    assert lag == pytest.approx(delay, abs=0.021), "above 0 where the mouth comes later than the voice"
    others = [judge.compare(seen, syllables(SECONDS, number), RATE)[0] for number in range(1, 9)]
    assert np.mean(others) < 0.5


def test_a_mouth_that_closes_with_the_voice_does_not(judge, tmp_path):
    opening = loudness(VOICE, SECONDS * FPS)
    assert judge.compare(seen_in(judge, talking(FACE, 1 - opening), tmp_path), VOICE, RATE)[0] < 0.5


def test_a_film_that_stands_still_has_neither_flicker_nor_correlation(judge, tmp_path):
    best, lag, flickers = judge.compare(seen_in(judge, [FACE] * 30, tmp_path), VOICE, RATE)
    assert (best, lag) == (0, 0)
    assert flickers < 0.02


@pytest.mark.parametrize("jump", [4, 12])
def test_brightness_that_jumps_by_d_flickers_by_d(judge, tmp_path, jump):
    dark = FACE.clip(40, 200)
    frames = [dark + (number % 2) * np.uint8(jump) for number in range(24)]
    assert judge.compare(seen_in(judge, frames, tmp_path), VOICE, RATE)[2] == pytest.approx(jump, rel=0.1)


def test_an_even_change_of_light_is_no_flicker(judge, tmp_path):
    frames = [FACE.clip(40, 200) + np.uint8(2 * number) for number in range(24)]
    assert judge.compare(seen_in(judge, frames, tmp_path), VOICE, RATE)[2] < 0.5


def test_of_a_film_without_a_face_nothing_is_said(judge, tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (12, 64, 64, 3), np.uint8)
    assert np.isnan(judge.compare(seen_in(judge, noise, tmp_path), VOICE, RATE)).all()


@settings(max_examples=30, deadline=None)
@given(lag=st.sampled_from(LAGS.tolist()), seed=st.integers(0, 999), rate=st.sampled_from([15, 25, 30, 50]))
def test_the_lag_is_that_of_the_mouth_at_any_frame_rate(lag, seed, rate):
    voice = syllables(3, seed)
    times = np.arange(3 * rate) / rate
    times = times[np.random.default_rng(seed).random(len(times)) > 0.1]  # some frames are without a face
    opening = _heard(voice, times - lag)
    best, at = best_correlation(times, opening, voice, RATE)
    assert best > 0.999
    assert at == pytest.approx(lag)


def _heard(voice, times):
    """The loudness of a voice at these times, on its own scale; as before the voice or after it, silence."""
    around = np.arange(-640, 640)
    places = np.round(times * RATE).astype(int)[:, None] + around
    inside = (places >= 0) & (places < len(voice))
    samples = np.where(inside, voice[places.clip(0, len(voice) - 1)], np.nan)
    quiet = ~inside.any(axis=1)
    samples[quiet] = 0
    return 20 * np.sqrt(np.nanmean(samples**2, axis=1))


def test_a_voice_that_ends_before_the_film_is_halfway_says_nothing():
    times, opening = np.arange(50) / 25, np.arange(50.0)
    assert np.isnan(best_correlation(times, opening, syllables(0.5), RATE)).all()
    assert best_correlation(times, opening, np.zeros(2 * RATE, np.float32), RATE) == (0, 0)


def test_flicker_does_not_reach_across_a_cut():
    cells = np.zeros((6, CELLS**2))
    cells[3:] = 100
    assert flicker(cells, np.array([1, 1, 1, 2, 2, 2])) == 0
    assert flicker(cells, np.ones(6)) == pytest.approx(25)  # two of four second differences are 100, halved
    assert np.isnan(flicker(cells, np.array([1, 1, 0, 2, 2, 0])))


def test_a_missing_film_counts_as_unrelated_and_has_no_flicker():
    trials = pd.DataFrame({"trial": ["a", "b"], "speaker": "s"})
    rows = np.array([[0.5, 0.04, 1.5], [np.nan] * 3], np.float32)
    evidence = Evidence(trials, trials, trials, {"generated": rows, "real-film": rows}, kind="motion")
    (lips,), (jumps,) = LipDynamics().measure(evidence), Flicker().measure(evidence)
    assert lips.values.tolist() == [0.5, 0.0]
    assert lips.details == {"median lag of the mouth in seconds": pytest.approx(0.04)}
    assert np.isnan(jumps.values).tolist() == [False, True]


def real_films():
    folder = SHARED_DATA / "ravdess"
    return sorted(folder.rglob("01-01-*.mp4")) if folder.is_dir() else []


@pytest.mark.skipif(len(real_films()) < 8, reason="no films of RAVDESS here")
def test_real_mouths_go_with_their_own_voices(judge):
    from v2f_bench.media.mono import mono
    from v2f_bench.media.sound import read_sound, resample

    def voice_of(path: Path):
        samples, rate = read_sound(path)
        return resample(mono(samples), rate, RATE)

    films = real_films()[:: max(1, len(real_films()) // 24)][:24]
    seen, voices = [judge.watch(StoredFilm(path)) for path in films], [voice_of(path) for path in films]
    scores = np.array([[judge.compare(one, voice, RATE)[0] for voice in voices] for one in seen])
    own = np.diag(scores)
    other = (scores.sum(axis=1) - own) / (len(films) - 1)
    gain = own - other
    assert gain.mean() - 2 * gain.std() / np.sqrt(len(gain)) > 0
