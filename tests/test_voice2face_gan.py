"""The reference voice-to-face GAN against the table and the statements of its source, and through the harness."""

import numpy as np
import pytest
import torch
from test_cae import shapes_of
from torch import nn

from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions, SyntheticSpeakers
from v2f_bench.harness.make_bench import make_bench
from v2f_bench.harness.trials import trials_for
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import Context, DataError
from v2f_bench.nn import Critic, SpeakerDraws
from v2f_voice2face_gan.method import Voice2FaceGan
from v2f_voice2face_gan.networks import Generator
from v2f_voice2face_gan.options import Voice2FaceOptions
from v2f_voice2face_gan.training import CRITIC_KERNEL, GanLearner


@pytest.fixture(scope="module")
def bench(cache):
    return make_bench(SyntheticSpeakers(SyntheticOptions(speakers=48, clips=4), None), Workplace(cache=cache, jobs=1))


def test_networks_have_the_shapes_of_table_1():
    layers = shapes_of(Generator(), nn.ConvTranspose2d, torch.randn(1, 64))
    assert layers == [(1024, 4, 4), (512, 8, 8), (256, 16, 16), (128, 32, 32), (64, 64, 64)]
    assert shapes_of(Generator(), nn.Conv2d, torch.randn(1, 64)) == [(3, 64, 64)]
    assert CRITIC_KERNEL == 4
    found = shapes_of(Critic(924, kernel=CRITIC_KERNEL), nn.Conv2d, torch.rand(1, 3, 64, 64))
    assert found == [(32, 64, 64), (64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4), (64, 1, 1)]


def test_the_generator_tells_codes_apart_from_its_start_on():
    torch.manual_seed(0)
    codes = torch.nn.functional.normalize(torch.randn(64, 64), dim=1)
    faces = Generator(width=16)(codes)
    apart = faces.std(dim=0).mean()
    assert 0.03 < apart < 1, "torch's own start gives 0.00001"


def test_the_paper_preset_is_the_sources():
    opt = Voice2FaceGan.preset("paper")
    assert (opt.lr, opt.beta1, opt.beta2, opt.batch, opt.steps, opt.noise) == (2e-4, 0.5, 0.999, 128, 50_000, 0.05)
    assert (opt.critic_lr, opt.schedule) == (2e-4, "constant")
    assert not opt.smooth
    assert opt.weight_pixel == 0, "the source forms no pairs of a generated and a real face"


def test_draws_are_of_one_speaker_and_of_two_who_differ(bench):
    train = bench.split("train")
    draws, owner = SpeakerDraws(train), train.table["speaker"].to_numpy()
    first, second = draws.two(200, np.random.default_rng(0))
    for draw in (first, second):
        names = np.array(draws.speakers)[draw.speaker.numpy()]
        assert (owner[draw.voice] == names).all()
        assert (owner[draw.face] == names).all()
    assert not (first.speaker == second.speaker).any()
    assert len(set(first.speaker.tolist())) > 15
    with pytest.raises(DataError, match="two speakers"):
        SpeakerDraws(type("One", (), {"table": train.table[train.table["speaker"] == owner[0]].reset_index()})())


def test_a_critic_step_leaves_the_generator_and_the_reverse(bench):
    train = bench.split("train")
    opt = Voice2FaceOptions(width=2, critic_width=2, batch=4)
    learner = GanLearner(train, torch.randn(len(train), 64), opt, Context())
    updates = learner.step(0, np.random.default_rng(0))
    for turn, other in (("critic", learner.generator), ("generator", learner.critic)):
        key, losses = next(updates)
        assert key == turn
        torch.stack(list(losses.values())).sum().backward()
        assert all(parameter.grad is None for parameter in other.parameters())
        assert any(parameter.grad is not None for parameter in learner.modules[turn].parameters())
        learner.optimisers[turn].zero_grad(set_to_none=True)


def test_from_clips_to_faces_and_back_from_a_checkpoint(bench):
    opt = Voice2FaceOptions(width=2, critic_width=2, voice_width=0.1, batch=4, steps=3, voice_steps=3, voice_batch=4)
    method = Voice2FaceGan(opt)
    torch.manual_seed(0)
    method.fit(bench.split("train"), bench.split("validation"), Context())
    again = Voice2FaceGan(opt)
    again.restore(method.state(), "cpu")
    trials = trials_for(bench, Voice2FaceGan.needs, np.arange(6))
    faces = method.generate(trials, Context())
    assert faces.shape == (6, 3, 64, 64)
    assert ((faces >= 0) & (faces <= 1)).all()
    torch.testing.assert_close(again.generate(trials, Context()), faces)
    first = trials_for(bench, Voice2FaceGan.needs, np.arange(1))
    torch.testing.assert_close(method.generate(first, Context()), faces[:1], rtol=1e-4, atol=1e-5)
