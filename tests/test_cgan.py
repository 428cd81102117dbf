"""The conditional GAN: what it hears, its conditions and where they come from, and the way through the harness."""

import copy
import dataclasses

import librosa
import numpy as np
import pandas as pd
import pytest
import torch
from conftest import SMALL
from test_cae import shapes_of
from torch import nn

from v2f_bench import Clips, Context, Offer, UsageError, Voices
from v2f_bench.audio import Features, log_mel
from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions, SyntheticSpeakers
from v2f_bench.harness.make_bench import make_bench
from v2f_bench.harness.trials import trials_for
from v2f_bench.harness.workplace import Workplace
from v2f_bench.training import train_learner
from v2f_cgan.conditions import AGES, encoded, labelled, labels, size
from v2f_cgan.listener import ListenerLearner
from v2f_cgan.method import SHOWN_AGES, CGan
from v2f_cgan.networks import Discriminator, Generator
from v2f_cgan.options import CGanOptions
from v2f_cgan.speech import CEPSTRUM_SPREAD, FEATURES, speech_features
from v2f_cgan.training import GanLearner

TINY = CGanOptions(
    width=4,
    critic_width=2,
    voice_width=0.1,
    noise=4,
    batch=4,
    steps=3,
    seconds=1.0,
    listener_steps=3,
    listener_batch=4,
)


@pytest.fixture(scope="module")
def bench(cache):
    return make_bench(SyntheticSpeakers(SyntheticOptions(speakers=48, clips=4), None), Workplace(cache=cache, jobs=1))


def fitted(bench, seed=0, **options):
    method = CGan(dataclasses.replace(TINY, **options))
    torch.manual_seed(seed)
    method.fit(bench.split("train"), bench.split("validation"), Context(seed))
    return method


def trials(bench, method, count=5):
    return trials_for(bench, method.needs_with(method.opt), np.arange(count))


def relabelled(clips: Clips, **columns):
    other = copy.copy(clips)
    other.table = clips.table.assign(**columns)
    return other


# What is heard


def test_speech_features_are_log_mel_and_librosas_mfcc_frame_by_frame():
    rng = np.random.default_rng(0)
    samples = torch.zeros(2, 16_000)
    samples[0] = torch.from_numpy(0.1 * rng.standard_normal(16_000).astype(np.float32))
    samples[1, :9_000] = torch.from_numpy(0.1 * np.sin(np.arange(9_000) / 9).astype(np.float32))
    voices = Voices(samples, torch.tensor([16_000, 9_000]), 16_000)
    found, frames = speech_features(voices)
    mel, mel_frames = log_mel(voices, normalise="level")
    assert found.shape == (2, FEATURES, mel.shape[2])
    assert frames.tolist() == mel_frames.tolist()
    torch.testing.assert_close(found[:, :64], mel)
    for row, length in enumerate(voices.lengths.tolist()):
        wave = samples[row, :length].numpy()
        theirs = librosa.feature.mfcc(y=wave, sr=16_000, n_mfcc=21, n_fft=1024, hop_length=160)[1:]
        ours = found[row, 64:, : frames[row]] * CEPSTRUM_SPREAD
        np.testing.assert_allclose(ours.numpy(), theirs, atol=0.02)
        assert not found[row, :, frames[row] :].any()


# Conditions


def test_age_is_shared_between_its_two_neighbours_and_sex_is_one_hot():
    age = torch.tensor([10.0, 20.0, 23.0, 57.5, 80.0, 95.0])
    male = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.25, 0.0])
    both = encoded(male, age, ("sex", "age"))
    assert both.shape == (6, size(("sex", "age")))
    torch.testing.assert_close(both[:, :2], torch.stack([1 - male, male], dim=1))
    for corner, column in zip(AGES, both[:, 2:].T, strict=True):
        tent = np.interp(age, [corner - 10, corner, corner + 10], [0, 1, 0])  # but at the ends, which go on for ever
        tent = np.where((age <= AGES[0]) & (corner == AGES[0]) | (age >= AGES[-1]) & (corner == AGES[-1]), 1, tent)
        np.testing.assert_allclose(column, tent, atol=1e-6)
    torch.testing.assert_close(both[:, 2:].sum(dim=1), torch.ones(6))
    assert encoded(male, age, ()).shape == (6, 0)
    assert encoded(male, age, ("age",)).shape == (6, len(AGES))


def test_without_the_labels_it_says_which_conditions_the_data_allows(bench):
    table = pd.DataFrame({"sex": ["female", "", "male"], "age": [30.0, 40.0, np.nan]})
    assert labelled(table, ("sex", "age")).tolist() == [True, False, False]
    assert labelled(table, ()).all()
    male, age = labels(table)
    assert male[[0, 2]].tolist() == [0.0, 1.0]
    assert male[1].isnan()
    assert age[2].isnan()
    for unlabelled in (table.drop(columns="age"), table.assign(age=np.nan)):
        offer = Offer("made", "identity", unlabelled.assign(voice=True, face=True), unlabelled, {})
        lacking = CGan.unsuited(TINY, offer)
        assert lacking.endswith("no labels of sex and age together; they allow --set conditions=none or conditions=sex")
        assert CGan.unsuited(dataclasses.replace(TINY, conditions="sex"), offer) == ""
    with pytest.raises(UsageError, match="label_given"):
        CGanOptions(conditions="none", label_given=True)


def test_without_conditions_labels_change_nothing_bit_for_bit(bench):
    without = CGan(dataclasses.replace(TINY, conditions="none"))
    torch.manual_seed(0)
    train, validation = (relabelled(bench.split(name), sex="", age=np.nan) for name in ("train", "validation"))
    without.fit(train, validation, Context(0))
    with_labels = fitted(bench, conditions="none")
    assert without.state().keys() == with_labels.state().keys()
    assert not any(name.startswith("listener") for name in without.state())
    for name, tensor in with_labels.state().items():
        assert torch.equal(tensor, without.state()[name]), name


def test_conditions_are_heard_unless_the_labels_are_given(bench):
    heard, told = fitted(bench), fitted(bench, label_given=True)
    assert heard.needs_with(heard.opt) == {"voice"}
    assert told.needs_with(told.opt) == {"voice", "attributes"}
    faces = heard.generate(trials(bench, heard), Context())  # reading the attributes would raise
    given = trials(bench, told)
    with_more = dataclasses.replace(given, given=given.given | {"attributes": None})
    torch.testing.assert_close(heard.generate(with_more, Context()), faces, rtol=0, atol=0)

    faces = told.generate(given, Context())
    attributes = given.attributes
    for changed in (
        {"sex": attributes["sex"].map({"male": "female", "female": "male"})},
        {"age": attributes["age"] + 20},
    ):
        other = dataclasses.replace(given, given=given.given | {"attributes": attributes.assign(**changed)})
        assert ((told.generate(other, Context()) - faces).abs().amax(dim=(1, 2, 3)) > 1e-4).all(), changed
    unknown = dataclasses.replace(given, given=given.given | {"attributes": attributes.assign(age=np.nan)})
    assert told.generate(unknown, Context()).isnan().all(), "a face that could not be made is NaN"


@pytest.mark.slow
def test_the_listener_beats_its_floor_on_speakers_it_never_met(bench):
    train, validation = bench.split("train"), bench.split("validation")
    opt = dataclasses.replace(
        TINY, voice_width=0.25, listener_steps=120, listener_batch=32, listener_lr=4e-3, seconds=2.0
    )
    torch.manual_seed(0)
    learner = ListenerLearner(train, Features(train, speech_features), validation, opt, Context())
    train_learner(learner, opt.listener_steps, "listener", Context())

    def heard(clips):
        speech = Features(clips, speech_features)
        with torch.inference_mode():
            return *learner.listener(*speech.whole(speech.rows)), *(label[speech.rows] for label in labels(clips.table))

    male, _, true_male, _ = heard(bench.split("test"))
    assert ((male > 0.5) == (true_male > 0.5)).float().mean() > 0.75
    # So few speakers do not tell the age of others; that of theirs is learnt.
    _, age, _, true_age = heard(train)
    assert (age - true_age).abs().mean() < 0.75 * (true_age - true_age.median()).abs().mean()


# Networks and training


def test_networks_have_the_sizes_they_document():
    noise = torch.randn(1, 100)
    given = torch.randn(1, 64), noise, torch.rand(1, 9)
    found = shapes_of(Generator(9, 100), nn.ConvTranspose2d, *given)
    assert found == [(512, 8, 8), (256, 16, 16), (128, 32, 32), (64, 64, 64)]
    assert shapes_of(Generator(9, 100), nn.Conv2d, *given) == [(3, 64, 64)]
    critic = Discriminator(9)
    faces, code, conditions = torch.rand(2, 3, 64, 64), torch.randn(2, 64), torch.rand(2, 9)
    judged = critic(faces, code, conditions)
    assert judged.shape == (2,)
    assert (critic(faces, code, conditions.flip(1)) != judged).all(), "the discriminator sees the conditions"
    assert (critic(faces, code.flip(1), conditions) != judged).all(), "and the voice"


def test_the_paper_preset_has_no_help_that_the_source_does_not_know():
    opt = CGan.preset("paper")
    assert opt.weight_pixel == opt.code_noise == opt.age_jitter == 0
    assert not opt.smooth
    assert opt.conditions == "both"
    assert not opt.label_given


def test_each_update_leaves_the_other_side_alone(bench):
    train = bench.split("train")
    learner = GanLearner(train, Features(train, speech_features), TINY, Context())
    updates = learner.step(0, np.random.default_rng(0))
    ours = {"critic": ("critic",), "generator": ("ear", "generator")}
    for turn in ("critic", "generator"):
        key, losses = next(updates)
        assert key == turn
        torch.stack(list(losses.values())).sum().backward()
        for name, module in learner.modules.items():
            touched = [parameter.grad is not None for parameter in module.parameters()]
            assert all(touched) if name in ours[turn] else not any(touched), (turn, name)
        learner.optimisers[turn].zero_grad(set_to_none=True)


def test_only_faces_with_the_labels_are_drawn(bench):
    train = bench.split("train")
    keep = np.arange(len(train)) % 2 == 0
    half = relabelled(train, age=np.where(keep, train.table["age"], np.nan))
    learner = GanLearner(half, Features(half, speech_features), TINY, Context())
    drawn = learner.draws.one(200, np.random.default_rng(0))
    assert keep[drawn.face].all()
    assert not keep[drawn.voice].all(), "a voice needs no label"


# Through the harness


@pytest.mark.parametrize("conditions", ["none", "sex", "age", "both"])
def test_from_clips_to_faces_and_back_from_a_checkpoint(bench, conditions):
    method = fitted(bench, conditions=conditions)
    given = trials(bench, method)
    faces = method.generate(given, Context(3))
    assert faces.shape == (5, 3, 64, 64)
    assert ((faces >= 0) & (faces <= 1)).all()
    again = CGan(method.opt)
    again.restore(method.state(), "cpu")
    torch.testing.assert_close(again.generate(given, Context(3)), faces, rtol=0, atol=0)
    assert ((method.generate(given, Context(4)) - faces).abs().amax(dim=(1, 2, 3)) > 0).all(), "other noise, other face"

    varied = method.vary("age-sex", given, Context(3))
    columns = {"none": 1, "sex": 1 + 2, "age": 1 + len(SHOWN_AGES), "both": 1 + 2 * len(SHOWN_AGES)}[conditions]
    assert varied.faces.shape == (5, columns, 3, 64, 64)
    assert len(set(varied.columns)) == columns
    torch.testing.assert_close(varied.faces[:, 0], faces, rtol=0, atol=0)


@pytest.mark.slow
def test_both_conditions_and_none_in_one_command(cli, tmp_path):
    tiny = [f"{name}={getattr(TINY, name)}" for name in ("width", "voice_width", "steps", "listener_steps", "batch")]
    done = cli(
        *("run", "--method", "cgan", *SMALL, "--no-baselines", "--output", tmp_path),
        *(part for setting in [*tiny, "conditions=none,both"] for part in ("--set", setting)),
        *("--measure", "recognition-accuracy", "--measure", "diversity"),
    )
    wanted = ("--measure", "recognition-accuracy", "--measure", "diversity")
    table = cli("leaderboard", tmp_path, *wanted, "--format", "md").stdout
    header = next(line for line in table.splitlines() if line.startswith("| method"))
    assert "recognition-accuracy" in header
    assert "diversity" in header
    assert "R@5" not in header
    assert "R@5" not in done.stdout
    for row in ("cgan (conditions=none)", "cgan (conditions=both)"):
        assert row in done.stdout
    for folder in (path.parent for path in tmp_path.rglob("record.json")):
        assert (folder / "variation-age-sex.png").exists()
        assert (folder / "checkpoint" / "generator-losses.png").exists()
