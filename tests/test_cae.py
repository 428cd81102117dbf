"""The parts of the Controlled AutoEncoder against the tables and statements of its source."""

import numpy as np
import pytest
import torch
from torch import nn

from v2f_bench import Context, UsageError
from v2f_bench.audio import LogMels
from v2f_bench.data.store import StoredClips
from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions, SyntheticSpeakers
from v2f_bench.harness.make_bench import make_bench
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import Offer
from v2f_bench.nn import Critic, FaceTrunk, VoiceEmbedding
from v2f_cae.dimnet import Dimnet, covariate_labels, pretrain
from v2f_cae.gating import GatedConvTranspose2d, by_grouped_convolution, by_matrix_product
from v2f_cae.method import CAE
from v2f_cae.options import CaeOptions
from v2f_cae.scaffold import Generator
from v2f_cae.training import GeneratorLearner
from v2f_cae.voice import FRONT_END


def shapes_of(network, kind, *inputs):
    """Output shapes, without the batch, of every layer of `kind`, in the order of calls."""
    seen = []
    hooks = [
        module.register_forward_hook(lambda m, i, output: seen.append(tuple(output.shape[1:])))
        for module in network.modules()
        if isinstance(module, kind)
    ]
    with torch.no_grad():
        network.eval()(*inputs)
    for hook in hooks:
        hook.remove()
    return seen


def test_voice_embedding_has_the_shapes_of_table_1():
    network = VoiceEmbedding()
    frames = 320
    found = shapes_of(network, nn.Conv1d, torch.randn(1, 64, frames), torch.tensor([frames]))
    assert found == [(256, 160), (384, 80), (576, 40), (864, 20), (64, 10)]
    for layer in network.layers:
        convolution, norm, activation = layer
        assert (convolution.kernel_size, convolution.stride, convolution.padding) == ((3,), (2,), (1,))
        assert isinstance(norm, nn.BatchNorm1d)
        assert isinstance(activation, nn.ReLU)
    assert network(torch.randn(2, 64, 50), torch.tensor([50, 50])).shape == (2, 64)


def test_discriminator_and_classifier_have_the_shapes_of_table_1():
    network = Critic(speakers=924)
    found = shapes_of(network, nn.Conv2d, torch.rand(1, 3, 64, 64))
    assert found == [(32, 64, 64), (64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4), (64, 1, 1)]
    real, speaker = network(torch.rand(2, 3, 64, 64))
    assert real.shape == (2,)
    assert speaker.shape == (2, 924)
    assert sum(isinstance(module, nn.LeakyReLU) for module in network.modules()) == 6


def test_scaffold_has_the_channels_and_sizes_of_section_2_1():
    network = Generator(width=64)
    found = shapes_of(network, nn.Conv2d, torch.rand(1, 3, 64, 64), torch.randn(1, 64))
    encoder, decoder = found[:8], found[8:16]
    assert encoder == [s for c, side in ((64, 64), (128, 32), (256, 16), (512, 8)) for s in [(c, side, side)] * 2]
    assert decoder == [s for c, side in ((512, 8), (256, 16), (128, 32), (64, 64)) for s in [(c, side, side)] * 2]
    gated = shapes_of(network, GatedConvTranspose2d, torch.rand(1, 3, 64, 64), torch.randn(1, 64))
    assert gated == [(512, 8, 8), (256, 16, 16), (128, 32, 32), (64, 64, 64)], "a skip joins a layer of its own size"
    for layer in network.up:
        assert layer.controller.in_features == 64
        assert layer.controller.out_features == layer.weight.numel(), "as many gates as the filter has parameters"


@pytest.mark.parametrize("kernel", [2, 3])
@pytest.mark.parametrize(("channels_in", "channels_out", "side"), [(128, 64, 8), (24, 16, 32), (8, 8, 4)])
def test_a_gated_batch_equals_one_sample_at_a_time(channels_in, channels_out, side, kernel):
    """The source trains with batches of one, with torch's own layer and a filter made for that sample."""
    torch.manual_seed(0)
    layer = GatedConvTranspose2d(channels_in, channels_out, 64, kernel)
    nn.init.normal_(layer.bias)
    x = torch.randn(5, channels_in, side, side, requires_grad=True)
    code = torch.randn(5, 64, requires_grad=True)
    one_by_one = []
    for i in range(5):
        sizes = {2: (0, 0), 3: (1, 1)}[kernel]
        plain = nn.ConvTranspose2d(channels_in, channels_out, kernel, 2, *sizes)
        gate = torch.sigmoid(code[i] @ layer.controller.weight.T + layer.controller.bias).view_as(layer.weight)
        parameters = {"weight": layer.weight * gate, "bias": layer.bias}
        one_by_one.append(torch.func.functional_call(plain, parameters, (x[i : i + 1],)))
    expected, batched = torch.cat(one_by_one), layer(x, code)
    assert (batched - expected).abs().max() < 1e-5
    inputs = (x, code, layer.weight, layer.bias, layer.controller.weight)
    direction = torch.randn_like(expected)
    for ours, theirs in zip(
        torch.autograd.grad((batched * direction).sum(), inputs),
        torch.autograd.grad((expected * direction).sum(), inputs),
        strict=True,
    ):
        assert (ours - theirs).abs().max() <= 1e-5 * theirs.abs().max().clamp(min=1)


@pytest.mark.parametrize("kernel", [2, 3])
def test_both_ways_of_gating_agree(kernel):
    x, filters = torch.randn(3, 16, 8, 8), torch.randn(3, 16, 12, kernel, kernel)
    torch.testing.assert_close(by_grouped_convolution(x, filters), by_matrix_product(x, filters), atol=1e-4, rtol=1e-4)


def test_a_generator_batch_equals_one_sample_at_a_time():
    torch.manual_seed(0)
    network = Generator(width=8).eval()
    faces, codes = torch.rand(4, 3, 64, 64), torch.randn(4, 64)
    with torch.no_grad():
        batched = network(faces, codes)
        single = torch.cat([network(faces[i : i + 1], codes[i : i + 1]) for i in range(4)])
    assert (batched - single).abs().max() < 1e-5
    assert batched.min() >= 0
    assert batched.max() <= 1


def test_the_voice_changes_the_face():
    torch.manual_seed(0)
    network = Generator(width=8)
    face = torch.rand(1, 3, 64, 64).expand(4, -1, -1, -1)
    one, other = torch.randn(2, 64)
    with torch.no_grad():
        faces = network(face, torch.stack([one, other, one, other]))
    assert (faces[0] - faces[1]).abs().mean() > 1e-3
    torch.testing.assert_close(faces[0], faces[2])


def test_padding_does_not_change_an_embedding():
    torch.manual_seed(0)
    network = VoiceEmbedding(0.25).eval()
    mel = torch.randn(1, 64, 173)
    padded = torch.cat([mel, torch.zeros(1, 64, 400)], dim=2)
    with torch.no_grad():
        alone, with_padding = network(mel, torch.tensor([173])), network(padded, torch.tensor([173]))
    torch.testing.assert_close(alone, with_padding, atol=1e-5, rtol=1e-4)


def test_paper_preset_has_the_numbers_of_section_4_2():
    paper = CAE.presets["paper"]
    assert paper == CaeOptions()
    assert (paper.batch, paper.lr, paper.beta1, paper.beta2) == (1, 2e-4, 0.5, 0.999)
    weights = [getattr(paper, f"weight_{name}") for name in ("proposal", "target", "identity", "real", "cycle")]
    assert weights == [1, 10, 1, 1, 10]


def test_covariates_are_those_that_the_data_set_labels():
    import pandas as pd

    table = pd.DataFrame(
        {
            "speaker": ["a", "b", "a", "c"],
            "sex": ["male", "", "male", "female"],
            "age": [21.0, 29.9, np.nan, 30.0],
            "emotion": "calm",
        }
    )
    labels = covariate_labels(table, ("speaker", "sex", "age", "emotion", "accent"))
    assert list(labels) == ["speaker", "sex", "age"], "neither one class nor none teaches anything"
    assert labels["speaker"].tolist() == [0, 1, 0, 2]
    assert labels["sex"].tolist() == [0, -1, 0, 1], "a clip without a label is not a class"
    assert labels["age"].tolist() == [0, 0, -1, 1], "a class for ten years"
    offer = Offer("made", "identity", table.assign(voice=True, face=True), table, {})
    assert CAE.unsuited(CaeOptions(), offer) == ""
    assert "accent, emotion" in CAE.unsuited(CaeOptions(covariates=("accent", "emotion")), offer)


def values_of(network):
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


@pytest.fixture(scope="module")
def bench(cache):
    return make_bench(SyntheticSpeakers(SyntheticOptions(speakers=48, clips=4), None), Workplace(cache=cache, jobs=1))


@pytest.fixture(scope="module")
def train(bench):
    return bench.split("train")


@pytest.fixture(scope="module")
def trained(train):
    """A learner after a few steps, and the generator's weights after each of them."""
    context = Context(0)
    torch.manual_seed(0)
    options = CaeOptions(width=2, up_kernel=2, critic_width=2, batch=8, cycle_share=0.125, average=0.7, lr=0.01)
    learner = GeneratorLearner(train, torch.randn(len(train), 64), options, context)
    weights = []
    for number in range(4):
        for name, losses in learner.step(number, np.random.default_rng(number)):
            learner.optimisers[name].zero_grad()
            sum(losses.values()).backward()
            learner.optimisers[name].step()
        weights.append(values_of(learner.generator))
    return learner, weights, learner.with_recomputed_batchnorm(context)


def test_the_average_of_the_generators_draws(trained):
    _, weights, generator = trained
    expected = weights[0]
    for later in weights[1:]:
        expected = 0.7 * expected + 0.3 * later
    torch.testing.assert_close(values_of(generator), expected)
    assert (weights[-1] - expected).abs().max() > 0.01, "the last one is another"


def test_batch_normalisation_draws_with_statistics_of_whole_batches(trained):
    learner, _, generator = trained
    assert not generator.training
    means = []
    first, norm, *_ = generator.encoder[0]
    with torch.no_grad():
        for number in range(80):
            faces = learner.train.faces(learner.pairs.one(8, np.random.default_rng(number)).face)
            means.append(first(faces * 2 - 1).mean(dim=(0, 2, 3)))
    off = (norm.running_mean - torch.stack(means).mean(dim=0)).abs()
    assert (off < 4 * torch.stack(means).std(dim=0) * (2 / 80) ** 0.5).all()


def test_the_critic_starts_as_dimnets_face_network_with_each_speakers_own_class(train):
    """DIMNet's classes are in another order, and one is of somebody whom the critic does not classify."""
    options = CaeOptions(width=2, up_kernel=2, critic_width=2)
    learner = GeneratorLearner(train, torch.zeros(len(train), 64), options, Context(0))
    speakers = ["nobody", *reversed(learner.pairs.speakers)]
    class_of = {speaker: number for number, speaker in enumerate(speakers)}
    dimnet = Dimnet(VoiceEmbedding(0.1), FaceTrunk(2), nn.Linear(64, len(speakers)), class_of)
    learner.start_critic(dimnet)
    faces = torch.rand(3, 3, 64, 64)
    with torch.no_grad():
        _, logits = learner.critic(faces)
        expected = dimnet.classifier(dimnet.face(faces))
    torch.testing.assert_close(logits, expected[:, 1:].flip(1))


def test_dimnet_knows_the_class_of_each_speaker(bench):
    """It learns the faces by heart; then the largest logit of a face is that of its speaker.

    The clips are in reverse, so that speakers do not come in the order of their names.
    """
    train = StoredClips(bench.store, bench.protocol.splits["train"][::-1], 64)
    options = CaeOptions(
        critic_width=4, voice_width=0.05, voice_steps=80, voice_batch=2, voice_lr=5e-3, covariates=("speaker",)
    )
    torch.manual_seed(0)
    dimnet = pretrain(train, LogMels(train, "cpu", **FRONT_END), options, Context(0))
    with torch.no_grad():
        found = dimnet.classifier(dimnet.face(train.faces(np.arange(len(train))))).argmax(dim=1)
    expected = torch.tensor([dimnet.class_of[speaker] for speaker in train.table["speaker"]])
    assert (found == expected).float().mean() > 0.8


def test_a_fit_starts_its_critic_from_dimnet_before_the_generator_learns(bench):
    """The critic steers the generator from the first step, so that another start gives another generator."""
    drawn = []
    for start in (True, False):
        options = CaeOptions(
            width=2, up_kernel=2, critic_width=2, batch=4, steps=1, lr=0.01, critic_from_dimnet=start,
            voice_width=0.05, voice_steps=1, voice_batch=4, voice_faces=4,
        )  # fmt: skip
        torch.manual_seed(0)
        method = CAE(options)
        method.fit(bench.split("train"), bench.split("validation"), Context(0))
        drawn.append(values_of(method._generator))
    assert (drawn[0] - drawn[1]).abs().max() > 1e-3


def test_a_critic_from_dimnet_needs_its_classifier_of_speakers():
    with pytest.raises(UsageError, match="without speaker among the covariates, critic_from_dimnet must be false"):
        CaeOptions(critic_from_dimnet=True, covariates=("sex",))
