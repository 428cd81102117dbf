"""The speech-guided CycleGAN against its source and CycleGAN's, through the harness's contracts, and learning."""

from dataclasses import replace

import librosa
import numpy as np
import pandas as pd
import pytest
import torch
from test_cae import shapes_of
from torch import nn

from v2f_bench import Offer, UsageError, Voices
from v2f_bench.audio import Features
from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions, SyntheticSpeakers
from v2f_bench.harness.make_bench import make_bench
from v2f_bench.harness.trials import trials_for
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import Context
from v2f_bench.interfaces.labels import EMOTIONS
from v2f_cyclegan import training
from v2f_cyclegan.classifiers import Faces, VoiceLearner, mixed, scaling
from v2f_cyclegan.discriminator import Discriminator, FakePool
from v2f_cyclegan.emotions import classes_of, emotions_in, lacking, voices_for_faces
from v2f_cyclegan.generator import generator_of
from v2f_cyclegan.hearing import VoiceCnn, front_end_options, mfsc_of, stretches
from v2f_cyclegan.method import CycleGan
from v2f_cyclegan.options import QUICK, CycleGanOptions
from v2f_cyclegan.training import CycleLearner, Draws, composed
from v2f_cyclegan.verifier import FaceCnn, disturbance
from v2f_cyclegan.warping import REACH, WarpingGenerator

PAPER = CycleGanOptions()
TINY = replace(QUICK, voice_width=0.05, voice_steps=3, face_width=2, face_steps=3, width=2, critic_width=2)
TINY = replace(TINY, batch=3, steps=4, voice_batch=4, face_batch=4)


@pytest.fixture(scope="module")
def bench(cache):
    dataset = SyntheticSpeakers(SyntheticOptions(speakers=48, clips=4), None)
    return make_bench(dataset, Workplace(cache=cache, jobs=1), track="emotion")


@pytest.fixture(scope="module")
def fitted(bench):
    method = CycleGan(TINY)
    torch.manual_seed(0)
    method.fit(bench.split("train"), bench.split("validation"), Context())
    return method


def learner(bench, opt, steps=10):
    """The CycleGAN of `opt` on the training clips, with conditions that are the labels."""
    torch.manual_seed(0)
    train = bench.split("train", opt.side)
    emotions = EMOTIONS[:8]
    classes = classes_of(train.table, emotions)
    conditions = torch.eye(8)[classes] * 3
    draws = Draws(train.table, classes, Faces(train, "cpu"), conditions, opt)
    verifier = FaceCnn(8, 4).eval().requires_grad_(False)
    return CycleLearner(draws, verifier, opt, steps, Context())


def losses_of(learner, number=0):
    """The losses of one step, by optimiser, gone backward as the loop does it."""
    found = {}
    for name, losses in learner.step(number, np.random.default_rng(0)):
        learner.optimisers[name].zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        found[name] = {key: float(loss.detach()) for key, loss in losses.items()}
    return found


# What is heard


def test_the_condition_is_made_of_librosas_mfsc():
    """Static, delta and delta-delta of 40 log mel bands: 3×40×40 a stretch, a stretch every ten frames."""
    rate, rng = 16_000, np.random.default_rng(0)
    samples = (rng.standard_normal(rate) * 0.1).astype(np.float32)
    voices = Voices(torch.tensor(samples)[None], torch.tensor([rate]), rate)
    pictures, owners = stretches(*mfsc_of(voices, **front_end_options(PAPER)))
    assert pictures.shape == (1 + (101 - 40) // 10, 3, 40, 40)
    assert owners.tolist() == [0] * len(pictures)
    emphasised = np.append(samples[:1], samples[1:] - np.float32(0.97) * samples[:-1])
    mel = librosa.feature.melspectrogram(
        y=emphasised, sr=rate, n_fft=1024, win_length=400, hop_length=160, window="hamming", n_mels=40, fmin=20,
        fmax=7200, pad_mode="constant",
    )  # fmt: skip
    static = np.log(mel + 1e-5)
    whole = np.stack([static, librosa.feature.delta(static), librosa.feature.delta(static, order=2)])
    np.testing.assert_allclose(pictures[2], whole[:, :, 20:60], atol=2e-3)


def test_a_recording_is_the_mean_of_its_stretches_whatever_is_beside_it():
    cnn = VoiceCnn(8, width=0.1).eval()
    features, frames = torch.randn(2, 3, 40, 95), torch.tensor([95, 30])
    features[1, ..., 30:] = 0
    heard = cnn.hear(features, frames)
    alone = torch.stack([cnn(features[:1, ..., at : at + 40])[0] for at in range(0, 56, 10)]).mean(dim=0)
    torch.testing.assert_close(heard[0], alone, atol=1e-4, rtol=1e-4)
    short = features[1:, ..., :30].repeat(1, 1, 1, 2)[..., :40]
    torch.testing.assert_close(heard[1], cnn(short)[0], atol=1e-4, rtol=1e-4)


def test_a_recording_of_a_blink_is_heard_as_if_it_were_repeated():
    samples = torch.randn(2, 16_000) * 0.1
    samples[1, 1000:] = 0
    voices = Voices(samples, torch.tensor([16_000, 1000]), 16_000)
    pictures, frames = mfsc_of(voices, **front_end_options(QUICK))
    again = Voices(samples[1:, :1000].repeat(1, 7), torch.tensor([7000]), 16_000)
    expected, count = mfsc_of(again, **front_end_options(QUICK))
    assert int(frames[1]) == int(count)
    torch.testing.assert_close(pictures[1, ..., : int(count)], expected[0], atol=1e-3, rtol=1e-3)
    assert VoiceCnn(8, 0.05).eval().hear(pictures, frames).isfinite().all()


def test_the_voice_network_has_the_sources_order_of_layers():
    """conv-pool-conv-pool-conv-conv-pool; one number an emotion, before any softmax."""
    cnn = VoiceCnn(8)
    kinds = "".join(
        "c" if isinstance(layer, nn.Conv2d) else "p"
        for layer in cnn.layers
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d)
    )
    assert kinds == "cpcpccp"
    found = shapes_of(cnn.layers, nn.MaxPool2d, torch.randn(1, 3, 40, 40))
    assert [shape[1:] for shape in found] == [(20, 20), (10, 10), (5, 5)]
    assert cnn(torch.randn(2, 3, 40, 40)).shape == (2, 8)


def test_a_mixture_of_two_recordings_has_their_labels_in_the_same_shares():
    """Each picture is its class number everywhere, so that a mixture's value is the mean of the class numbers,
    weighted by its target."""
    classes = torch.arange(8).repeat(500)
    pictures = classes[:, None, None, None].float().expand(-1, 3, 4, 4)
    targets = torch.eye(8)[classes]
    made, shares = mixed(pictures, targets, 0.4, np.random.default_rng(0))
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(4000))
    expected = (shares * torch.arange(8)).sum(dim=1)
    torch.testing.assert_close(made, expected[:, None, None, None].expand_as(made))
    own = shares[torch.arange(4000), classes][(shares > 0).sum(dim=1) == 2]  # without pairs of one class
    assert own.mean().item() == pytest.approx(0.5, abs=0.02), "the mean of a beta distribution, and its variance"
    assert own.var().item() == pytest.approx(1 / (4 * (2 * 0.4 + 1)), rel=0.05)


@pytest.mark.parametrize("mixup", [0.0, 0.4])
def test_the_voice_network_learns_from_mixtures_where_the_options_say(bench, mixup):
    """The loss of a step: of the recordings as they are, or of their mixtures in those shares."""
    train = bench.split("train")
    opt = replace(TINY, voice_mixup=mixup, voice_dropout=0.0)
    classes = classes_of(train.table, EMOTIONS[:8])
    voice = VoiceLearner(Features(train, mfsc_of, "cpu", **front_end_options(opt)), classes, 8, opt, Context())
    rng = np.random.default_rng(5)
    rows = rng.choice(voice.rows, opt.voice_batch)
    pictures, _ = voice.recordings.crops(rows, 40, rng)
    labels, shares, other = torch.from_numpy(classes[rows]), torch.ones(len(rows)), torch.arange(len(rows))
    if mixup:
        shares = torch.from_numpy(rng.beta(mixup, mixup, len(rows))).float()
        other = torch.from_numpy(rng.permutation(len(rows)))
    by_share = shares[:, None, None, None]
    logits = voice.cnn(by_share * pictures + (1 - by_share) * pictures[other])
    losses = [nn.functional.cross_entropy(logits, target, reduction="none") for target in (labels, labels[other])]
    expected = (shares * losses[0] + (1 - shares) * losses[1]).mean()
    ((_, found),) = voice.step(0, np.random.default_rng(5))
    torch.testing.assert_close(found["voice"], expected)


# The generators and discriminators


def test_the_paper_preset_is_the_sources_and_unpaired():
    assert CycleGan.preset("paper") == PAPER
    assert (PAPER.side, PAPER.larger, PAPER.blocks, PAPER.pool, PAPER.batch) == (128, 15, 6, 50, 1)
    assert (PAPER.weight_cycle, PAPER.beta1, PAPER.lr, PAPER.critic_lr) == (10, 0.5, 2e-4, 1e-4)
    assert (PAPER.head, PAPER.critic_from, PAPER.cycle_every) == ("image", 0, 1)
    assert not PAPER.paired
    assert (PAPER.settle, PAPER.whiten, PAPER.strength, PAPER.wrong_conditions) == (0, False, 1, True)
    assert (PAPER.weight_emotion, PAPER.weight_adversarial, PAPER.weight_pair, PAPER.weight_match) == (1, 1, 0, 0)
    assert (PAPER.weight_area, PAPER.weight_smooth, PAPER.average, PAPER.voice_mixup) == (0, 0, 0, 0)
    assert CycleGan.resolution(PAPER, 64) == 128


def test_the_paper_generator_is_cyclegans_with_planes_joined_after_the_first_convolution():
    generator = generator_of(8, PAPER)
    seen = []
    for layer in generator.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.register_forward_hook(
                lambda layer, given, output: seen.append((given[0].shape[1], *output.shape[1:]))
            )
    with torch.inference_mode():
        drawn = generator(torch.rand(1, 3, 128, 128), torch.randn(1, 8))
    blocks = [(256, 256, 32, 32)] * 12
    down = [(3, 64, 128, 128), (64 + 8, 128, 64, 64), (128, 256, 32, 32)]
    assert seen == [*down, *blocks, (256, 128, 64, 64), (128, 64, 128, 128), (64, 3, 128, 128)]
    assert drawn.faces.shape == (1, 3, 128, 128)
    assert 0 <= drawn.faces.min() < drawn.faces.max() <= 1


def test_the_paper_discriminator_is_the_70_pixel_patch_gan():
    critic = Discriminator(8)
    assert critic(torch.rand(2, 3, 128, 128), torch.randn(2, 8)).shape == (2, 1, 14, 14)
    faces = torch.rand(1, 3, 128, 128, requires_grad=True)
    layers = [layer for layer in Discriminator(0).modules() if isinstance(layer, nn.Conv2d)]
    field = 1
    for layer in reversed(layers):
        field = (field - 1) * layer.stride[0] + layer.kernel_size[0]
    assert field == 70
    assert Discriminator(0)(faces).shape == (1, 1, 14, 14)


def test_the_warp_starts_as_a_copy_and_reaches_six_pixels_of_64():
    torch.manual_seed(0)
    generator = WarpingGenerator(8, 4).eval()
    faces, conditions = torch.rand(2, 3, 64, 64), torch.randn(2, 8)
    drawn = generator(faces, conditions)
    torch.testing.assert_close(drawn.faces, faces, atol=1e-5, rtol=0)
    assert drawn.mask.max() < 0.13
    nn.init.constant_(generator.last.bias, 100.0)
    flow = generator.train()(faces, conditions).flow  # in halves of the picture: 2 is a whole one
    torch.testing.assert_close(flow, torch.full_like(flow, 2 * REACH))
    assert REACH * 64 == 6


def test_what_the_warp_draws_of_a_mirror_image_is_the_mirror_image():
    torch.manual_seed(0)
    generator = WarpingGenerator(8, 4)
    nn.init.normal_(generator.last.weight, std=0.3)
    faces, conditions = torch.rand(2, 3, 64, 64), torch.randn(2, 8)
    for learning in (True, False):
        generator.train(learning)
        with torch.inference_mode():
            one, other = generator(faces, conditions), generator(faces.flip(3), conditions)
        assert (one.faces - faces).abs().mean() > 0.01
        assert torch.allclose(one.faces, other.faces.flip(3), atol=1e-4) is not learning
        assert torch.allclose(one.flow[:, :1], -other.flow[:, :1].flip(3), atol=1e-5) is not learning


def test_what_the_warp_paints_has_no_grid():
    """Mask and light have a map for each pixel of two by two: a difference between these may not be seen."""
    torch.manual_seed(0)
    generator = WarpingGenerator(8, 4)  # in eval mode the mirror image alone takes away upright lines
    with torch.no_grad():
        generator.last.bias[2:] = torch.randn(8) * 3
    grey = torch.full((1, 3, 32, 32), 0.3)
    with torch.inference_mode():
        painted = generator(grey, torch.randn(1, 8)).faces
    assert (painted - 0.3).abs().min() > 0.001
    inside = painted[..., 2:-2, 2:-2]
    assert (inside.diff(dim=2).abs().max(), inside.diff(dim=3).abs().max()) == pytest.approx((0, 0), abs=1e-5)


@pytest.mark.parametrize("opt", [PAPER, QUICK])
def test_the_condition_changes_the_face(opt):
    torch.manual_seed(0)
    generator = generator_of(8, replace(opt, width=4, blocks=1, side=32)).eval()
    if isinstance(generator, WarpingGenerator):
        nn.init.normal_(generator.last.weight, std=0.1)
    faces = torch.rand(1, 3, 32, 32).expand(2, -1, -1, -1)
    one, other = generator(faces, torch.eye(8)[:2] * 3).faces
    assert (one - other).abs().max() > 0.01
    middle = (one - other)[:, 12:20, 12:20]  # not just where padding lets a constant plane through
    assert middle.abs().max() > 0.01


def test_two_faces_are_disturbed_alike_by_one_disturbance():
    torch.manual_seed(0)
    faces = torch.rand(4, 3, 64, 64)
    disturb = disturbance(4, 64)
    assert torch.equal(disturb(faces), disturb(faces.clone()))
    assert (disturbance(4, 64)(faces) - disturb(faces)).abs().max() > 0.1


def test_the_condition_changes_what_the_discriminator_says_of_every_patch():
    torch.manual_seed(0)
    critic = Discriminator(8, width=8)
    one, other = critic(torch.rand(1, 3, 64, 64).expand(2, -1, -1, -1), torch.eye(8)[:2] * 3)
    assert (one - other).abs().min() > 1e-3


def test_the_pool_gives_back_earlier_fakes_with_their_own_conditions_and_survives_a_checkpoint():
    torch.manual_seed(0)
    pool = FakePool(size=5, side=2, conditions=1)
    given, back = [], []
    for number in range(40):
        faces = torch.full((2, 3, 2, 2), float(number))
        faces[1] += 0.5
        found, conditions = pool.exchanged(faces, faces[:, :1, 0, 0])
        assert torch.equal(found[:, :1, 0, 0], conditions)
        given += faces[:, 0, 0, 0].tolist()
        back += found[:, 0, 0, 0].tolist()
    assert back[:5] == given[:5], "a pool that is not full keeps and returns what it gets"
    later = np.array(back[6:]) != np.array(given[6:])
    assert 0.25 < later.mean() < 0.75, "then half come from it"
    assert set(back) <= set(given)
    again = FakePool(5, 2, 1)
    again.load_state_dict(pool.state_dict())
    torch.manual_seed(1)
    one = pool.exchanged(torch.ones(4, 3, 2, 2), torch.ones(4, 1))[0]
    torch.manual_seed(1)
    torch.testing.assert_close(again.exchanged(torch.ones(4, 3, 2, 2), torch.ones(4, 1))[0], one)
    assert torch.equal(FakePool(0, 2, 1).exchanged(torch.ones(1, 3, 2, 2), torch.ones(1, 1))[0], torch.ones(1, 3, 2, 2))


# The losses


def test_the_emotion_loss_reaches_the_generator(bench):
    """In the source's public code it has no gradient: it stands in the discriminator's loss, which it cannot change."""
    opt = replace(QUICK, width=4, critic_width=4, batch=4)
    cycle = learner(bench, opt)
    nn.init.normal_(cycle.forth.last.weight, std=0.1)
    batch = cycle.draws.batch(np.random.default_rng(0))
    drawn = cycle.forth(batch.neutral, batch.right)
    (loss,) = cycle._of_emotion(drawn.faces, batch.emotion).values()
    gradients = torch.autograd.grad(loss, list(cycle.forth.parameters()), allow_unused=True)
    reached = [
        name
        for (name, _), gradient in zip(cycle.forth.named_parameters(), gradients, strict=True)
        if gradient is not None and gradient.abs().max() > 0
    ]
    assert {"last.weight", "first.0.weight", "film.0.weight"} <= set(reached)
    assert all(parameter.grad is None for parameter in cycle.verifier.parameters())


def test_a_step_down_the_emotion_loss_lowers_it(bench):
    opt = replace(QUICK, width=4, critic_width=4, batch=4, weight_pair=0.0, weight_match=0.0)
    cycle = learner(bench, opt)
    batch = cycle.draws.batch(np.random.default_rng(0))
    values = []
    optimiser = torch.optim.Adam(cycle.forth.parameters(), lr=1e-2)
    for _ in range(30):
        torch.manual_seed(0)
        (loss,) = cycle._of_emotion(cycle.forth(batch.neutral, batch.right).faces, batch.emotion).values()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        values.append(float(loss))
    assert values[-1] < 0.9 * values[0]


def test_a_face_that_is_its_pair_has_no_loss_of_the_pair_however_it_is_disturbed(bench):
    cycle = learner(bench, replace(QUICK, width=2, critic_width=2, batch=2))  # starts as a copy
    torch.manual_seed(0)
    batch = cycle.draws.batch(np.random.default_rng(0))
    same = replace(batch, emotional=batch.neutral)
    for pair, least, most in ((same, 0, 1e-4), (batch, 1e-3, np.inf)):
        losses = cycle._of_one(cycle.forth(pair.neutral, pair.right), pair)
        assert least <= float(losses["match"]) / QUICK.weight_match <= most
        assert least <= float(losses["pair"]) / QUICK.weight_pair <= most


def test_weight_0_is_the_ablation(bench):
    with_loss = losses_of(learner(bench, replace(TINY, side=64)))
    without = losses_of(learner(bench, replace(TINY, side=64, weight_emotion=0.0)))
    assert "emotion" in with_loss["generator"]
    assert "emotion" not in without["generator"]
    assert set(with_loss["generator"]) - set(without["generator"]) == {"emotion"}


def test_wrong_conditions_are_negatives_of_the_discriminator(bench):
    opt = replace(TINY, critic_from=0.0, batch=8)
    cycle = learner(bench, opt)
    batch = cycle.draws.batch(np.random.default_rng(0))
    assert (batch.wrong.argmax(dim=1) != batch.right.argmax(dim=1)).all()
    assert torch.equal(batch.right.argmax(dim=1), batch.emotion)
    seen = []
    cycle.critic.register_forward_hook(lambda module, given, output: seen.append(given))
    cycle._of_critics(torch.rand_like(batch.neutral), None, batch)
    assert any(torch.equal(faces, batch.emotional) and torch.equal(z, batch.wrong) for faces, z in seen)
    seen.clear()
    cycle.opt = replace(opt, wrong_conditions=False)
    cycle._of_critics(torch.rand_like(batch.neutral), None, batch)
    assert len(seen) == 2
    assert not any(torch.equal(z, batch.wrong) for _, z in seen)


def test_a_discriminator_that_knows_the_condition_pays_for_taking_a_wrong_one(bench):
    """Least squares by hand, with a discriminator that says 1 to the right condition of a real face and 0 otherwise."""
    cycle = learner(bench, replace(TINY, critic_from=0.0, batch=4, pool=0))
    batch = cycle.draws.batch(np.random.default_rng(0))

    class Says(nn.Module):
        def __init__(self, wrong):
            super().__init__()
            self.wrong = wrong

        def forward(self, faces, conditions):
            if not torch.equal(faces, batch.emotional):
                return torch.zeros(len(faces), 1, 6, 6)
            return torch.full((len(faces), 1, 6, 6), 1.0 if torch.equal(conditions, batch.right) else self.wrong)

    for wrong, expected in ((0.0, 0.0), (1.0, 0.25)):
        cycle.critic = Says(wrong)
        assert float(cycle._of_critics(torch.rand_like(batch.neutral), None, batch)["critic"]) == pytest.approx(
            expected
        )


def test_cycles_go_both_ways_in_every_step_of_the_paper(bench):
    cycle = learner(bench, replace(PAPER, side=64, width=2, critic_width=2, blocks=1, batch=2))
    for number in range(3):
        found = losses_of(cycle, number)
        assert {"cycle, forward", "cycle, backward", "adversarial", "adversarial, neutral"} <= set(found["generator"])
        assert set(found["critic"]) == {"critic", "critic, neutral"}


def test_a_perfect_way_back_has_no_cycle_loss(bench):
    cycle = learner(bench, replace(QUICK, width=2, critic_width=2, batch=2))  # starts as a copy
    found = losses_of(cycle)["generator"]
    assert found["cycle, forward"] == pytest.approx(0, abs=1e-4)
    assert found["cycle, backward"] == pytest.approx(0, abs=1e-4)


def test_discriminators_come_in_when_the_options_say(bench):
    cycle = learner(bench, replace(TINY, critic_from=0.5), steps=10)
    assert "critic" not in losses_of(cycle, 4)
    assert "critic" in losses_of(cycle, 5)


def test_the_mean_of_the_weights_has_the_half_life_of_the_options(bench):
    cycle = learner(bench, replace(TINY, average=0.1), steps=100)
    (before,) = [p.clone() for p in [cycle.mean.last.bias]]
    with torch.no_grad():
        cycle.forth.last.bias += 1
    for number in range(50, 60):
        cycle._follow(number)
    torch.testing.assert_close(cycle.mean.last.bias, before + 0.5)
    nn.init.zeros_(cycle.mean.last.bias)
    for number in range(3):
        with torch.no_grad():
            cycle.forth.last.bias.fill_(number)
            cycle.forth.first[1].running_mean.fill_(number)
        cycle._follow(number)
    torch.testing.assert_close(cycle.mean.last.bias, torch.ones(10), msg="at first the plain mean")
    torch.testing.assert_close(cycle.mean.first[1].running_mean, torch.ones(2))
    assert cycle.generator is cycle.mean


# Draws


def test_pairs_are_of_one_person_and_unpaired_sources_of_anybody(bench):
    for paired in (True, False):
        opt = replace(TINY, weight_pair=float(paired), weight_match=0.0)
        draws = learner(bench, opt).draws
        table = bench.split("train").table
        assert opt.paired == paired
        for row, sources in draws.sources.items():
            assert (table["emotion"].iloc[sources] == "neutral").all()
            same = (table["speaker"].iloc[sources] == table["speaker"].iloc[row]).all()
            assert same == paired or table["speaker"].nunique() == 1
        if paired:
            assert all(
                sources != [row] for row, sources in draws.sources.items() if table["emotion"].iloc[row] != "neutral"
            )


def test_a_pair_is_cut_and_mirrored_alike(bench):
    draws = learner(bench, replace(TINY, larger=6, batch=16)).draws
    faces = torch.rand(16, 3, 64, 64)
    one, other = draws._cropped(faces, faces, np.random.default_rng(0))
    assert torch.equal(one, other)
    assert one.shape == (16, 3, 64, 64)
    assert not torch.allclose(one, faces)


def test_a_pair_is_composed_into_the_hair_and_light_of_the_source():
    """Of one picture in another light nothing is left to learn; of another one, only its middle."""
    torch.manual_seed(0)
    source = 0.3 + 0.4 * torch.rand(2, 3, 64, 64)
    darker = source * torch.tensor([0.6, 0.7, 0.8])[:, None, None] + 0.1
    torch.testing.assert_close(composed(source, darker), source, atol=1e-4, rtol=0)
    other = 0.3 + 0.4 * torch.rand(2, 3, 64, 64)
    found = composed(source, other)
    torch.testing.assert_close(found[..., :4], source[..., :4], atol=0.01, rtol=0)
    torch.testing.assert_close(found[:, :, :6], source[:, :, :6], atol=0.01, rtol=0)
    near, far = ((found - each)[:, :, 30:40, 28:36].abs().mean() for each in (other, source))
    assert near < 0.2 * far


def test_faces_find_the_voices_of_their_clip_their_person_or_their_emotion():
    table = pd.DataFrame(
        [("a", True, True, "sad"), ("a", False, True, "sad"), ("b", False, True, "sad"), ("b", True, False, "happy"),
         ("c", False, True, "angry"), ("c", True, True, "")],
        columns=["speaker", "voice", "face", "emotion"],
    )  # fmt: skip
    classes = classes_of(table, ("happy", "sad", "angry"))
    assert classes.tolist() == [1, 1, 1, 0, 2, -1]
    assert voices_for_faces(table, classes) == {0: [0], 1: [0], 2: [0]}


def test_what_a_data_set_lacks_is_said(bench):
    table = bench.split("train").table
    assert lacking(table, paired=True) == ""
    assert "neutral faces" in lacking(table[table["emotion"] != "neutral"], paired=False)
    assert "two emotions" in lacking(table[table["emotion"] == "neutral"], paired=False)
    assert "two emotions" in lacking(table.drop(columns="emotion"), paired=False)
    first = table["speaker"].iloc[0]
    apart = table[(table["emotion"] == "neutral") == (table["speaker"] == first)]  # nobody is seen in both
    assert lacking(apart, paired=False) == ""
    assert lacking(apart.assign(face=apart["face"] & (apart["emotion"] != "calm")), paired=False) == ""
    offer = Offer("elsewhere", "emotion", table.assign(emotion=""), table, {})
    assert CycleGan.unsuited(QUICK, offer) == "elsewhere has no training voices labelled with two emotions or more"


# Through the contract


def test_whitened_vectors_differ_alike_in_all_directions_within_an_emotion():
    rng = np.random.default_rng(0)
    mixing = np.array([[3.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 0.4]])
    classes = np.repeat([0, 1, -1], [4000, 4000, 5])
    vectors = torch.tensor(rng.normal(size=(8005, 3)) @ mixing + 3 * (classes == 1)[:, None], dtype=torch.float32)
    vectors[0] = torch.nan
    for whiten in (False, True):
        mean, axes = scaling(vectors, classes, whiten)
        scaled = (vectors[1:] - mean) @ axes
        assert scaled.mean(dim=0).abs().max() < 1e-3
        assert float(scaled.square().mean().sqrt()) == pytest.approx(1, abs=1e-3)
        within = torch.stack([torch.cov(scaled[classes[1:] == number].T) for number in (0, 1)]).mean(dim=0)
        spread = torch.linalg.eigvalsh(within).sqrt()
        assert bool(spread[-1] / spread[0] < 1.05) is whiten
    assert scaling(torch.eye(3), np.arange(3), True)[1].isfinite().all(), "one vector an emotion has no deviation"


def test_conditions_are_settled_in_training_too(bench, monkeypatch):
    given = []
    monkeypatch.setattr(training, "Draws", lambda *all: (given.append(all), Draws(*all))[1])
    method = CycleGan(replace(TINY, steps=1, settle=1.0))
    method.fit(bench.split("train"), bench.split("validation"), Context())
    ((_, classes, _, conditions, _),) = given
    for number in set(classes) - {-1}:
        mine = conditions[classes == number]
        mine = mine[~mine.isnan().any(dim=1)]
        assert torch.allclose(mine, method._typical[number].expand_as(mine), atol=1e-5)


def test_an_emotion_that_no_voice_has_is_not_learned():
    table = pd.DataFrame(
        [(True, "neutral"), (True, "happy"), (False, "sad"), (True, "")], columns=["voice", "emotion"]
    ).assign(face=True)
    assert emotions_in(table) == ("neutral", "happy")


def test_it_draws_the_same_after_restore(bench, fitted):
    again = CycleGan(TINY)
    again.restore(fitted.state(), "cpu")
    trials = trials_for(bench, CycleGan.needs, np.arange(6))
    faces = fitted.generate(trials, Context())
    assert faces.shape == (6, 3, 64, 64)
    assert torch.equal(again.generate(trials, Context()), faces)
    varied = again.vary("emotion", trials, Context())
    assert varied.columns == ("source", *EMOTIONS[:8])
    assert varied.faces.shape == (6, 9, 3, 64, 64)
    assert torch.equal(varied.faces[:, 0], trials.proposals)


def test_a_settled_condition_is_the_training_mean_of_the_emotion_that_is_heard(bench, fitted):
    settled = CycleGan(replace(TINY, settle=1.0))
    settled.restore(fitted.state(), "cpu")
    trials = trials_for(bench, CycleGan.needs, np.arange(6))
    with torch.inference_mode():
        heard = settled._voice.hear(*mfsc_of(trials.voices, **front_end_options(TINY))).argmax(dim=1)
    sheet = settled.vary("emotion", trials, Context()).faces[:, 1:]
    torch.testing.assert_close(settled.generate(trials, Context()), sheet[torch.arange(6), heard])


def test_the_accuracies_of_its_networks_are_facts(fitted, bench):
    voice, face = fitted.facts()
    validation = bench.split("validation").table
    assert (voice.n, face.n) == (validation["voice"].sum(), validation["face"].sum())
    assert voice.over == "validation clips"
    assert voice.chance == 1 / 8
    assert 0 <= voice.value <= 1


@pytest.mark.slow
def test_a_paper_step_at_128_pixels(bench):
    cycle = learner(bench, PAPER)
    found = losses_of(cycle)
    assert set(found) == {"generator", "critic"}
    assert all(np.isfinite(list(losses.values())).all() for losses in found.values())
    assert cycle.forth(torch.rand(1, 3, 128, 128), torch.randn(1, 8)).faces.shape == (1, 3, 128, 128)


def test_options_that_contradict_each_other_are_refused():
    with pytest.raises(UsageError, match="head=warp"):
        replace(PAPER, weight_area=1.0)
    assert replace(PAPER, side=68).side == 68
    for opt, side, step in ((PAPER, 66, 4), (QUICK, 68, 8)):
        with pytest.raises(UsageError, match=f"multiple of {step}"):
            replace(opt, side=side)
    with pytest.raises(UsageError, match="high"):
        replace(PAPER, high=10.0)
