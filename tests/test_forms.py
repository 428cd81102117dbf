"""The forms of a protocol on a small world: what methods are handed, and what judges see."""

import hashlib

import numpy as np
import pytest
import torch
from small_bench import OPTIONS, small_workplace

from v2f_bench import Context
from v2f_bench.audio.noise import with_noise_of
from v2f_bench.data.variants import Form
from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticSpeakers
from v2f_bench.harness.make_bench import make_bench
from v2f_bench.harness.trial_voices import loudest_stretch
from v2f_bench.harness.trials import trials_for
from v2f_bench.interfaces import UsageError
from v2f_cae.method import CAE
from v2f_cae.options import CaeOptions


@pytest.fixture(scope="module")
def bench_of(cache):
    made = {}

    def bench(**form):
        key = tuple(form.items())
        if key not in made:
            made[key] = make_bench(SyntheticSpeakers(OPTIONS, None), small_workplace(cache), form=Form(**form))
        return made[key]

    return bench


@pytest.mark.parametrize("resolution", [32, 128])
def test_faces_are_judged_and_learned_from_at_the_resolution(bench_of, resolution):
    plain, other = bench_of(), bench_of(resolution=resolution)
    clips = list(other.trials["target"][:3])
    assert other.faces(clips).shape == (3, 3, resolution, resolution)
    assert other.split("train").faces([0]).shape == (1, 3, resolution, resolution)
    halves = torch.nn.functional.avg_pool2d(bench_of(resolution=128).faces(clips), 128 // min(resolution, 64))
    assert torch.allclose(halves, other.faces(clips) if resolution < 64 else plain.faces(clips), atol=2 / 255)
    trials = trials_for(other, frozenset({"voice", "proposal"}), np.arange(2))
    assert trials.proposals.shape == (2, 3, resolution, resolution)
    assert trials.resolution == resolution


def test_a_method_that_is_made_for_one_size_is_handed_faces_of_it(bench_of):
    options = CaeOptions(
        width=2, voice_width=0.1, critic_width=2, batch=2, steps=1, voice_steps=1, voice_batch=4, voice_faces=4
    )
    bench = bench_of(resolution=128)
    side = CAE.resolution(options, bench.protocol.resolution)
    assert side == 64
    method = CAE(options)
    method.fit(bench.split("train", side), bench.split("validation", side), Context())
    faces = method.generate(trials_for(bench, CAE.needs, np.arange(2), side), Context())
    assert faces.shape == (2, 3, 64, 64)
    assert bench.training_key(side) == bench_of().training_key(64), "the same training as under the other protocol"
    assert bench.training_key(128) != bench.training_key(64)


@pytest.mark.slow
def test_voices_are_cut_to_the_loudest_stretch(bench_of):
    whole, cut = bench_of(), bench_of(voices="1s")
    rows = np.arange(5)
    long, short = (trials_for(bench, frozenset({"voice"}), rows).voices for bench in (whole, cut))
    assert short.lengths.tolist() == [min(length, whole.store.rate) for length in long.lengths.tolist()]
    for recording, stretch, length in zip(long.samples, short.samples, short.lengths.tolist(), strict=True):
        windows = recording.unfold(0, length, 1).square().sum(dim=1)
        assert stretch[:length].square().sum() == pytest.approx(float(windows.max()), rel=1e-5)
    assert (cut.trials["duration"] <= 1).all()
    assert (whole.trials["duration"] > 1).any()
    assert loudest_stretch(np.array([0, 5, -6, 1], np.int16), 2).tolist() == [5, -6]


def test_voices_with_other_noise_are_others_of_the_same_length(bench_of):
    plain, swapped = bench_of(), bench_of(voices="noise-swapped")
    rows = np.arange(4)
    own, other = (trials_for(bench, frozenset({"voice"}), rows).voices for bench in (plain, swapped))
    assert own.lengths.tolist() == other.lengths.tolist()
    assert not torch.equal(own.samples, other.samples)
    again = trials_for(swapped, frozenset({"voice"}), rows[1:2]).voices
    assert torch.equal(again.samples[0], other.samples[1, : again.samples.shape[1]]), "alone or in a batch"
    for mine, theirs in zip(own.samples, other.samples, strict=True):
        assert np.corrcoef(mine, theirs)[0, 1] > 0.9, "the speech stays"


def test_the_noise_is_that_of_the_recording_that_the_protocol_names(bench_of):
    """Of another speaker, or, for the control, of the voice itself."""
    for form in ("noise-swapped", "noise-redrawn"):
        bench = bench_of(voices=form)
        trial = bench.trials.iloc[0]
        assert (trial["noise"] == trial["voice"]) == (form == "noise-redrawn")
        recordings = [bench.store.voice(trial[which]) / 32768 for which in ("voice", "noise")]
        seed = int.from_bytes(hashlib.sha256(trial["trial"].encode()).digest()[:8], "big")
        expected = with_noise_of(*recordings, np.random.default_rng(seed))
        given = trials_for(bench, frozenset({"voice"}), np.arange(1)).voices.samples[0].numpy()
        assert np.abs(given - expected).max() < 1 / 32768
    speakers = bench_of(voices="noise-swapped").store.clips["speaker"]
    trials = bench_of(voices="noise-swapped").trials
    assert (speakers[trials["noise"]].to_numpy() != trials["speaker"].to_numpy()).all()


def test_one_form_of_voices_has_one_name(bench_of):
    assert Form(voices="3.0s") == Form(voices="3s")
    for wrong in ("0s", "0.00001s", "three", "-1s"):
        with pytest.raises(UsageError, match="voices are whole"):
            Form(voices=wrong)


def test_real_pictures_are_looked_at_once_for_all_forms_of_voices(bench_of):
    assert bench_of(voices="1s").pictures_key == bench_of().pictures_key
    assert bench_of(resolution=32).pictures_key != bench_of().pictures_key
    assert bench_of(voices="1s").training_key(64) == bench_of().training_key(64)
