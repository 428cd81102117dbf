"""The emotion VAE against the table and the statements of its source, through the harness's contracts, and learning."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import binomtest
from test_cae import shapes_of
from torch import nn

from v2f_bench import Clips, Trials, Voices
from v2f_bench.audio import Features
from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions, SyntheticSpeakers
from v2f_bench.harness.make_bench import make_bench
from v2f_bench.harness.trials import trials_for
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import Context, PluginError, apply_settings
from v2f_bench.training import train_learner
from v2f_emotion_vae.code import classes_of, codes_of, emotions_in
from v2f_emotion_vae.face_vae import FaceVae, grey
from v2f_emotion_vae.gap import encoder_gap
from v2f_emotion_vae.hearing import frames_of, turned
from v2f_emotion_vae.method import EmotionVae
from v2f_emotion_vae.options import QUICK, EmotionVaeOptions
from v2f_emotion_vae.training import FaceLearner, Faces, VoiceLearner, paired
from v2f_emotion_vae.voice_encoder import Attention, FilterBank, VoiceEncoder

TINY = EmotionVaeOptions(width=2, latent=8, batch=8, face_steps=3, voice_steps=3, filters="mel", noise=0.5)


@pytest.fixture(scope="module")
def bench(cache):
    return make_bench(SyntheticSpeakers(SyntheticOptions(speakers=48, clips=4), None), Workplace(cache=cache, jobs=1))


@pytest.fixture(scope="module")
def fitted(bench, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    method = EmotionVae(TINY)
    torch.manual_seed(0)
    method.fit(bench.split("train"), bench.split("validation"), Context(folder=folder))
    return method, folder


# Table 1


def test_the_filter_bank_has_the_rows_of_table_1():
    bank = FilterBank()
    found = shapes_of(bank, (nn.Conv2d, nn.ZeroPad2d), torch.randn(1, 1, 160, 200))
    assert found == [
        (2, 152, 200),
        (4, 144, 200),
        (8, 126, 200),
        (16, 94, 200),
        (32, 44, 200),
        (32, 51, 200),
        (40, 1, 200),
    ]
    convolutions = [layer for layer in bank if isinstance(layer, nn.Conv2d)]
    assert [layer.kernel_size for layer in convolutions] == [(5, 1), (5, 1), (7, 1), (9, 1), (11, 1), (11, 1)]
    assert [layer.dilation for layer in convolutions] == [(2, 1), (2, 1), (3, 1), (4, 1), (5, 1), (5, 1)]
    assert all(layer.stride == (1, 1) for layer in convolutions)
    assert sum(isinstance(layer, nn.SELU) for layer in bank) == 6


def test_each_frame_is_filtered_by_itself():
    bank, frames = FilterBank(), torch.randn(1, 1, 160, 5)
    torch.testing.assert_close(bank(frames)[..., 2:3], bank(frames[..., 2:3]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("attention", ["tokens", "rows"])
def test_the_second_stage_has_the_rows_of_table_1(attention):
    encoder = VoiceEncoder(4, attention=attention)
    frames = torch.randn(1, 1, 160, 200)
    rows = [(32, 100, 20), (32, 50, 10), (64, 25, 5), (64, 13, 3), (128, 7, 2), (128, 4, 1)]
    assert shapes_of(encoder.map, nn.Conv2d, torch.randn(1, 1, 200, 40)) == rows
    assert shapes_of(encoder.map, nn.BatchNorm2d, torch.randn(1, 1, 200, 40)) == rows
    for layer in encoder.map:
        if isinstance(layer, nn.Conv2d):
            assert (layer.kernel_size, layer.stride, layer.padding) == ((3, 3), (2, 2), (1, 1))
    seen = []
    encoder.gru.register_forward_hook(lambda module, given, output: seen.append(tuple(output[0].shape)))
    features, logits = encoder.eval()(frames)
    assert seen == [(1, 4, 200)]
    assert features.shape == (1, 1, 256)
    assert logits.shape == (1, 4)


def test_attention_is_torchs_multi_head_attention():
    ours, query, rows = Attention("rows"), torch.randn(3, 1, 200), torch.randn(3, 4, 200)
    given = [layer(x) for layer, x in ((ours.query, query), (ours.key, rows), (ours.value, rows))]
    heads = [x.unflatten(2, (8, 32)).transpose(1, 2) for x in given]
    expected = nn.functional.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)
    torch.testing.assert_close(ours(query, rows), expected)


def test_the_paper_preset_is_the_sources():
    opt = EmotionVae.preset("paper")
    assert (opt.face_lr, opt.batch, opt.face_epochs, opt.voice_lr, opt.voice_epochs) == (1e-3, 32, 300, 1e-4, 600)
    assert (opt.face_steps, opt.voice_steps, opt.filters, opt.schedule) == (None, None, "learned", "constant")
    assert (opt.gain, opt.code_gain, opt.noise, opt.average, opt.hidden, opt.mirror) == (1, 1, 1, False, 0, False)


def test_epochs_are_counted_over_the_training_clips(bench):
    train, validation = bench.split("train"), bench.split("validation")
    learner = FaceLearner(train, validation, EmotionVaeOptions(width=2), Context())
    assert learner.steps == -(-300 * len(train) // 32)


# The code


def test_the_code_is_that_of_section_3_4():
    emotions = emotions_in(pd.DataFrame({"emotion": ["angry", "sad", "neutral", "happy", "angry"]}))
    bits = codes_of(classes_of(["angry", "sad", "happy", "neutral"], emotions), len(emotions))
    assert ["".join(str(int(bit)) for bit in row) for row in bits] == ["00000011", "00001100", "00110000", "11000000"]


def test_more_emotions_take_two_bits_each_and_an_unknown_one_none(bench):
    emotions = emotions_in(bench.split("train").table)
    assert len(emotions) == 8
    code = codes_of(classes_of(["surprised", "", "bored"], emotions), 8)
    assert code.shape == (3, 16)
    assert code[0].nonzero().flatten().tolist() == [14, 15]
    assert not code[1:].any()


def test_the_code_reaches_the_posterior_and_the_face_alone_through_it():
    torch.manual_seed(0)
    vae = FaceVae(emotions=4, width=4, latent=8).eval()
    assert vae.to_mean.in_features == vae.to_log_variance.in_features == 256 + 8
    faces, codes = torch.rand(4, 1, 64, 64), codes_of(torch.arange(4), 4)
    features = vae.features(faces)
    assert features.shape == (4, 256)
    mean, deviation = vae.posterior(features, codes)
    assert mean.shape == deviation.shape == (4, 8)
    assert (deviation > 0).all()
    swapped, _ = vae.posterior(features, codes.flip(0))
    assert not torch.allclose(mean, swapped)
    drawn = vae.decode(mean)
    assert drawn.shape == (4, 1, 64, 64)
    assert ((drawn >= 0) & (drawn <= 1)).all()
    torch.testing.assert_close(vae.reconstruct(faces, codes), drawn)


def test_a_hidden_face_leaves_its_reconstruction_to_the_code(bench):
    train, validation = bench.split("train"), bench.split("validation")
    learner = FaceLearner(train, validation, apply_settings(TINY, ["hidden=1.0"], "test"), Context())
    for _, losses in learner.step(0, np.random.default_rng(0)):
        torch.stack(list(losses.values())).sum().backward()
    weights = learner.vae.to_mean.weight.grad
    assert not weights[:, :256].any()
    assert weights[:, 256:].any()


def test_grey_is_pillows():
    from PIL import Image

    pixels = np.random.default_rng(0).integers(256, size=(16, 16, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(pixels).convert("L")).astype(np.float32)
    found = grey(torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255)[0, 0] * 255
    assert np.abs(found.numpy() - expected).max() <= 1


# What is heard


def test_frames_are_200_whatever_the_length_and_the_front_end():
    samples = torch.randn(2, 48_000) * 0.1
    samples[1, 20_000:] = 0
    voices = Voices(samples, torch.tensor([48_000, 20_000]), 16_000)
    for filters, rows in (("learned", (1, 160)), ("mel", (40, 1))):
        frames, count = frames_of(voices, filters)
        assert frames.shape == (2, *rows, 200)
        assert count.tolist() == [200, 200]
        alone, _ = frames_of(Voices(samples[1:, :20_000], voices.lengths[1:], 16_000), filters)
        torch.testing.assert_close(alone, frames[1:], rtol=1e-3, atol=1e-4)


def test_a_turned_recording_has_the_same_frames_from_another_on():
    frames = torch.arange(400.0).reshape(2, 1, 1, 200)
    found = turned(frames, np.random.default_rng(0))
    for row, before in zip(found, frames, strict=True):
        assert not torch.equal(row, before)
        assert torch.equal(torch.roll(row, -int(row.argmin()), dims=2), before)


# Pairs


class Few(Clips):
    rate, resolution = 16_000, 64

    def __init__(self, rows):
        self.table = pd.DataFrame(rows, columns=["speaker", "voice", "face", "emotion"])
        self.table["clip"] = [f"c{row}" for row in range(len(rows))]

    def voices(self, rows):
        noise = torch.randn(len(rows), 16_000, generator=torch.Generator().manual_seed(0)) * 0.1
        return Voices(noise, torch.full((len(rows),), 16_000), self.rate)

    def faces(self, rows):
        return torch.full((len(rows), 3, 64, 64), 0.5) + torch.tensor(rows)[:, None, None, None] / 100


def test_a_voice_is_paired_with_the_face_of_its_clip_else_of_its_emotion_else_of_its_speaker():
    clips = Few(
        [
            ("A", True, True, "happy"),
            ("A", True, False, "sad"),
            ("A", False, True, "sad"),
            ("A", True, False, "angry"),
            ("B", True, False, "sad"),
        ]
    )
    voices, partners = paired(Faces(clips, ("happy", "sad", "angry"), "cpu"))
    assert voices.tolist() == [0, 1, 3], "B has no face"
    assert partners == [[0], [2], [0, 2]]


def test_an_averaged_target_is_the_mean_over_the_speakers_faces(bench):
    train = Faces(bench.split("train"), emotions_in(bench.split("train").table), "cpu")
    recordings = Features(bench.split("train"), frames_of, filters="mel")
    vae = FaceVae(8, 2, 8).eval()
    owner = train.clips.table["speaker"].to_numpy()
    for average in (True, False):
        opt = apply_settings(TINY, [f"average={average}"], "test")
        learner = VoiceLearner((train, recordings), (train, recordings), vae, opt, Context())
        target = learner._target(learner.seen[5], np.random.default_rng(0))
        mine = owner == owner[5] if average else np.arange(len(owner)) == 5
        torch.testing.assert_close(target, train.features(vae)[mine].mean(dim=0))


def test_data_without_emotion_labels_trains_without_a_code():
    clips = Few([(name, voice, not voice, "") for name in "ABCD" for voice in (True, False)])
    clips.table = clips.table.drop(columns="emotion")
    opt = apply_settings(TINY, ["batch=4", "filters=learned", "attention=tokens"], "test")
    method = EmotionVae(opt)
    method.fit(clips, clips, Context())
    assert method.state()["vae.to_mean.weight"].shape == (8, 256)
    assert not any("emotion." in name for name in method.state())
    again = EmotionVae(method.opt)
    again.restore(method.state(), "cpu")
    trials = Trials(("a", "b"), {"voice": clips.voices([0, 2])}, 64)
    torch.testing.assert_close(again.generate(trials, Context()), method.generate(trials, Context()))
    assert method.vary("emotion", trials, Context()).faces.shape == (2, 1, 3, 64, 64)


# Through the contracts of the harness


def test_from_clips_to_grey_faces_and_back_from_a_checkpoint(bench, fitted):
    method, folder = fitted
    again = EmotionVae(TINY)
    again.restore(method.state(), "cpu")
    trials = trials_for(bench, EmotionVae.needs, np.arange(6))
    faces = method.generate(trials, Context())
    assert faces.shape == (6, 3, 64, 64)
    assert ((faces >= 0) & (faces <= 1)).all()
    assert torch.equal(faces[:, 0], faces[:, 1])
    assert torch.equal(faces[:, 0], faces[:, 2])
    assert torch.equal(again.generate(trials, Context()), faces)
    assert not torch.equal(method.generate(trials, Context(seed=1)), faces), "another seed draws another latent"
    assert {path.name for path in folder.glob("*.png")} > {"face-vae-losses.png", "voice-encoder-losses.png"}


def test_a_killed_fit_goes_on_with_the_same_networks(bench, fitted, tmp_path, monkeypatch):
    monkeypatch.setattr("v2f_bench.training.loop.CHECKPOINT_SECONDS", 0.0)
    step = VoiceLearner.step

    def dies(learner, number, rng):
        if number == 2:
            raise KeyboardInterrupt
        return step(learner, number, rng)

    train, validation, context = bench.split("train"), bench.split("validation"), Context(folder=tmp_path)
    monkeypatch.setattr(VoiceLearner, "step", dies)
    torch.manual_seed(0)
    with pytest.raises(KeyboardInterrupt):
        EmotionVae(TINY).fit(train, validation, context)
    monkeypatch.setattr(VoiceLearner, "step", step)
    monkeypatch.setattr(FaceLearner, "step", None)  # what is finished is not done again
    again = EmotionVae(TINY)
    torch.manual_seed(0)
    again.fit(train, validation, context)
    expected = fitted[0].state()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in again.state().items())


def test_the_gap_is_told(fitted, bench):
    told = json.loads((fitted[1] / "encoder-gap.json").read_text())
    assert told["clips"] == len(bench.split("validation"))
    assert set(told) == {"clips", "features", "posterior deviations", "pixels", "emotion"}
    assert told["emotion"]["chance"] == 1 / 8


def test_the_gap_of_an_encoder_that_is_the_mean_is_the_mean_faces(bench, fitted):
    class Mean(nn.Module):
        def __init__(self, features, classes):
            super().__init__()
            self.features, self.classes, self.done = features, classes, 0

        def forward(self, frames):
            mine = self.classes[self.done : self.done + len(frames)]
            self.done += len(frames)
            return self.features.expand(len(frames), 1, -1), nn.functional.one_hot(mine, 8).float()

    vae = fitted[0]._vae
    train, held_out = (Faces(bench.split(name), fitted[0]._emotions, "cpu") for name in ("train", "validation"))
    recordings = Features(bench.split("validation"), frames_of, filters="mel")
    mean = Mean(train.features(vae).mean(dim=0), held_out.classes)
    gap = encoder_gap(vae, mean, held_out, recordings, train)
    assert gap["features"]["voice"] == pytest.approx(gap["features"]["mean face"], rel=1e-4)
    deviations = gap["posterior deviations"]
    assert deviations["voice"] == pytest.approx(deviations["mean face"], rel=1e-4)
    assert gap["emotion"]["heard right"] == 1


def test_the_sheet_has_one_voice_under_every_code(bench, fitted):
    method, _ = fitted
    trials = trials_for(bench, EmotionVae.needs, np.arange(3))
    sheet = method.vary("emotion", trials, Context())
    assert sheet.columns == ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
    assert sheet.faces.shape == (3, 8, 3, 64, 64)
    own = method.generate(trials, Context())
    gap = (sheet.faces - own[:, None]).abs().amax(dim=(2, 3, 4))
    assert (gap.amin(dim=1) < 1e-5).all(), "the emotion that is heard is one of the columns"
    assert (gap.amax(dim=1) > 1e-4).all(), "another code, another face"


def test_the_label_is_out_of_reach_unless_it_is_asked_for(bench, fitted):
    assert EmotionVae.needs_with(QUICK) == {"voice"}
    given = apply_settings(TINY, ["label_given=true"], "test")
    assert EmotionVae.needs_with(given) == {"voice", "emotion"}
    told = EmotionVae(given)
    told.restore(fitted[0].state(), "cpu")
    with pytest.raises(PluginError, match="emotion"):
        told.generate(trials_for(bench, EmotionVae.needs, np.arange(3)), Context())
    trials = trials_for(bench, EmotionVae.needs_with(given), np.arange(6))
    faces = told.generate(trials, Context())
    sheet = told.vary("emotion", trials, Context())
    for row, emotion in enumerate(trials.emotions):
        torch.testing.assert_close(faces[row], sheet.faces[row, sheet.columns.index(emotion)], rtol=1e-4, atol=1e-5)


def test_a_label_that_was_never_trained_gives_no_face(bench, fitted):
    told = EmotionVae(apply_settings(TINY, ["label_given=true"], "test"))
    told.restore(fitted[0].state(), "cpu")
    trials = trials_for(bench, frozenset({"voice", "emotion"}), np.arange(2))
    faces = told.generate(replace(trials, given={**trials.given, "emotion": ("contempt", "sad")}), Context())
    assert faces[0].isnan().all()
    assert faces[1].isfinite().all()


# Learning, on speakers who were not trained on


@pytest.fixture(scope="module")
def learnt(bench):
    opt = apply_settings(QUICK, ["width=8", "face_steps=120", "voice_steps=120"], "test")
    train, validation, context = bench.split("train"), bench.split("validation"), Context()
    torch.manual_seed(0)
    faces = FaceLearner(train, validation, opt, context)
    train_learner(faces, faces.steps, "face-vae", context)
    recordings = [Features(clips, frames_of, filters=opt.filters) for clips in (train, validation)]
    voices = VoiceLearner((faces.train, recordings[0]), (faces.held_out, recordings[1]), faces.vae, opt, context)
    train_learner(voices, voices.steps, "voice-encoder", context)
    return opt, faces, voices


@pytest.mark.slow
def test_the_vae_shows_unseen_faces_better_than_the_mean_face_does(bench, learnt):
    _, learner, _ = learnt
    test = Faces(bench.split("test"), emotions_in(bench.split("train").table), "cpu")
    pictures = test.grey(test.rows)
    mean = learner.train.grey(learner.train.rows).mean(dim=0)
    with torch.inference_mode():
        drawn = learner.vae.reconstruct(pictures, test.codes(test.rows))
    error, blind = ((x - pictures).square().mean(dim=(1, 2, 3)) for x in (drawn, mean))
    assert error.mean() < 0.7 * blind.mean()
    assert (error < blind).float().mean() > 0.8


@pytest.mark.slow
def test_emotions_of_unseen_speakers_are_heard_better_than_by_chance(bench, learnt):
    opt, _, learner = learnt
    test = bench.split("test")
    classes = classes_of(test.table["emotion"], emotions_in(bench.split("train").table))
    with torch.inference_mode():
        _, logits = learner.encoder(frames_of(test.voices(range(len(test))), opt.filters)[0])
    right = int((logits.argmax(dim=1) == classes).sum())
    assert binomtest(right, len(test), 1 / 8, alternative="greater").pvalue < 0.01
