"""`latent-search` with somebody else's StyleGAN2: its computation against scipy's, its files, and the way to faces."""

import pickle
from argparse import Namespace
from dataclasses import asdict
from itertools import pairwise

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.signal import convolve2d, correlate2d, upfirdn
from small_bench import plan_of

from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions, SyntheticSpeakers
from v2f_bench.harness.make_bench import make_bench
from v2f_bench.harness.spec import RunSpec
from v2f_bench.harness.trials import trials_for
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import Context, OptionFile, UsageError, apply_settings
from v2f_bench.interfaces.options import options_from
from v2f_speech2expression.attributes import Attributes
from v2f_speech2expression.latent_search import LatentSearch
from v2f_speech2expression.options import SEARCH_QUICK
from v2f_speech2expression.pretrained import PretrainedGenerator, read_stylegan2
from v2f_speech2expression.search import inverted
from v2f_speech2expression.stylegan2 import Architecture, StyleGan2

LATENT, MAPPING, CHANNELS = 12, 3, (6, 5, 4)  # 16 pixels a side
TAPS = np.array([1.0, 3.0, 3.0, 1.0]) / 4  # 1, 3, 3, 1 with the sum 2


def g_ema():
    """A state dict with the names and shapes that rosinality's training writes, and random numbers."""
    shapes = {f"style.{layer}.weight": (LATENT, LATENT) for layer in range(1, MAPPING + 1)}
    shapes |= {f"style.{layer}.bias": (LATENT,) for layer in range(1, MAPPING + 1)}
    shapes |= {"input.input": (1, CHANNELS[0], 4, 4), "noises.noise_0": (1, 1, 4, 4)}
    shapes |= styled("conv1", CHANNELS[0], CHANNELS[0]) | to_rgb("to_rgb1", CHANNELS[0])
    kernels = []
    for number, (before, after) in enumerate(pairwise(CHANNELS)):
        shapes |= styled(f"convs.{2 * number}", before, after) | styled(f"convs.{2 * number + 1}", after, after)
        shapes |= to_rgb(f"to_rgbs.{number}", after)
        kernels += [f"convs.{2 * number}.conv.blur.kernel", f"to_rgbs.{number}.upsample.kernel"]
        for noise in (2 * number + 1, 2 * number + 2):
            shapes[f"noises.noise_{noise}"] = (1, 1, 8 << number, 8 << number)
    rng = torch.Generator().manual_seed(0)
    state = {name: torch.randn(shape, generator=rng) for name, shape in shapes.items()}
    for name in state:
        if name.startswith("style."):
            state[name] *= 100  # they are used at a hundredth
        if name.endswith("modulation.bias"):
            state[name] = 1 + state[name] / 4
    return state | {name: torch.from_numpy(np.outer(TAPS, TAPS)).float() for name in kernels}


def styled(name, before, after):
    return {
        f"{name}.conv.weight": (1, after, before, 3, 3),
        f"{name}.conv.modulation.weight": (before, LATENT),
        f"{name}.conv.modulation.bias": (before,),
        f"{name}.noise.weight": (1,),
        f"{name}.activate.bias": (after,),
    }


def to_rgb(name, before):
    return {
        f"{name}.conv.weight": (1, 3, before, 1, 1),
        f"{name}.conv.modulation.weight": (before, LATENT),
        f"{name}.conv.modulation.bias": (before,),
        f"{name}.bias": (1, 3, 1, 1),
    }


def network_of(state):
    network = StyleGan2(Architecture.of(state))
    network.load_state_dict(state)
    return network


# The computation, one picture at a time, with the weights of its own (Karras et al. 2020, equations 1 and 3)


def leaky(x):
    return np.where(x > 0, x, 0.2 * x) * np.sqrt(2)


def slow_mapping(state, z):
    x = z / np.sqrt((z**2).mean() + 1e-8)
    for layer in range(1, MAPPING + 1):
        weight, bias = state[f"style.{layer}.weight"], state[f"style.{layer}.bias"]
        x = leaky(0.01 * (weight @ x / np.sqrt(LATENT) + bias))
    return x


def slow_convolution(state, name, x, w, demodulated, doubling=False):
    style = state[f"{name}.modulation.weight"] @ w / np.sqrt(LATENT) + state[f"{name}.modulation.bias"]
    weight = state[f"{name}.weight"][0]
    weight = weight / np.sqrt(weight[0].size) * style[None, :, None, None]
    if demodulated:
        weight = weight / np.sqrt((weight**2).sum(axis=(1, 2, 3), keepdims=True) + 1e-8)
    if not doubling:
        return np.array([sum(correlate2d(a, b, "same") for a, b in zip(x, of_one, strict=True)) for of_one in weight])
    apart = np.zeros((len(x), 2 * x.shape[1] - 1, 2 * x.shape[2] - 1))
    apart[:, ::2, ::2] = x
    full = [sum(convolve2d(a, b, "full") for a, b in zip(apart, of_one, strict=True)) for of_one in weight]
    return np.array([convolve2d(np.pad(one, 1), np.outer(TAPS, TAPS), "valid") for one in full])


def slow_layer(state, name, number, x, w):
    doubling = f"{name}.conv.blur.kernel" in state
    x = slow_convolution(state, f"{name}.conv", x, w, demodulated=True, doubling=doubling)
    x = x + state[f"{name}.noise.weight"] * state[f"noises.noise_{number}"][0]
    return leaky(x + state[f"{name}.activate.bias"][:, None, None])


def slow_picture(state, w):
    x = slow_layer(state, "conv1", 0, state["input.input"][0], w)
    picture = slow_convolution(state, "to_rgb1.conv", x, w, demodulated=False) + state["to_rgb1.bias"][0]
    for number in range(len(CHANNELS) - 1):
        for layer in (2 * number, 2 * number + 1):
            x = slow_layer(state, f"convs.{layer}", layer + 1, x, w)
        picture = upfirdn(TAPS, upfirdn(TAPS, picture, up=2, axis=1), up=2, axis=2)[:, 1:-1, 1:-1]
        picture = picture + slow_convolution(state, f"to_rgbs.{number}.conv", x, w, demodulated=False)
        picture = picture + state[f"to_rgbs.{number}.bias"][0]
    return picture


def test_it_computes_what_the_paper_says():
    network, state = network_of(g_ema()).double(), {name: x.double().numpy() for name, x in g_ema().items()}
    z = torch.randn(3, LATENT, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        w = network.map(z)
        pictures = network(w)
    for row in range(3):
        np.testing.assert_allclose(w[row].numpy(), slow_mapping(state, z[row].numpy()), atol=1e-9)
        np.testing.assert_allclose(pictures[row].numpy(), slow_picture(state, w[row].numpy()), atol=1e-9)
    assert pictures.shape == (3, 3, 16, 16)
    assert float(pictures.std(dim=0).mean()) > 0.1, "another w, another picture"


def test_the_architecture_is_that_of_the_shapes():
    assert Architecture.of(g_ema()) == Architecture(LATENT, MAPPING, CHANNELS)
    largest = StyleGan2(Architecture(512, 8, (512, 512, 512, 512, 512, 256, 128, 64, 32)))
    assert largest.side == 1024
    trained = sum(each.numel() for each in largest.parameters())
    assert trained == pytest.approx(30e6, rel=0.02), (
        "30 million, as Karras et al. 2020 say of configuration F (appendix B)"
    )


def test_a_batch_in_parts_draws_the_same_with_the_same_gradient():
    generator = PretrainedGenerator(96, 32, network_of(g_ema())).double()
    w = torch.randn(5, LATENT, generator=torch.Generator().manual_seed(2)).double().requires_grad_(True)
    found = []
    for at_once in (8, 2):
        generator.at_once = at_once
        faces = generator(w)
        first, second = (
            torch.autograd.grad(score, w, retain_graph=True)[0] for score in (faces.sum(), faces.square().sum())
        )
        found.append((faces.detach(), first, second))
    assert found[0][0].shape == (5, 3, 32, 32)
    assert ((found[0][0] >= 0) & (found[0][0] <= 1)).all()
    assert float(found[0][1].abs().max()) > 0
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


# Files


def written(path, state):
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    return OptionFile.at(path)


def picture_of(file):
    w = torch.linspace(-1, 1, LATENT)[None]
    with torch.inference_mode():
        return read_stylegan2(file)(w)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("converted.pt", lambda: {"g_ema": g_ema(), "latent_avg": torch.zeros(LATENT)}),
        ("trained.pt", lambda: {"g": {}, "g_ema": g_ema(), "g_optim": {"state": {}}, "args": Namespace(size=16)}),
        ("plain.pth", g_ema),
        ("half.pt", lambda: {"g_ema": {name: x.half() for name, x in g_ema().items()}}),
        ("network.safetensors", g_ema),
    ],
)
def test_a_file_is_read(tmp_path, name, content):
    expected = network_of(g_ema())(torch.linspace(-1, 1, LATENT)[None])
    tolerance = 0.05 if name == "half.pt" else 1e-5
    torch.testing.assert_close(
        picture_of(written(tmp_path / name, content())), expected, atol=tolerance, rtol=tolerance
    )


def test_a_file_of_before_torch_saved_archives_is_read(tmp_path):
    torch.save({"g_ema": g_ema()}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    expected = network_of(g_ema())(torch.linspace(-1, 1, LATENT)[None])
    torch.testing.assert_close(picture_of(OptionFile.at(tmp_path / "old.pt")), expected)


def test_a_file_without_noise_is_drawn_without_it(tmp_path):
    state = g_ema()
    silent = state | {name: torch.zeros_like(x) for name, x in state.items() if name.endswith("noise.weight")}
    early = {name: x for name, x in state.items() if not name.startswith("noises.")}
    torch.testing.assert_close(
        picture_of(written(tmp_path / "early.pt", {"g_ema": early})),
        picture_of(written(tmp_path / "silent.pt", {"g_ema": silent})),
    )


@pytest.mark.parametrize("start", [b"\x80", b"PK"])
def test_safetensors_are_known_by_their_header_whatever_its_length(tmp_path, start):
    path = tmp_path / "network.safetensors"
    file = written(path, g_ema())
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    longer = next(each for each in range(length, length + 70_000) if each.to_bytes(8, "little").startswith(start))
    header = content[8 : 8 + length] + b" " * (longer - length)
    expected = picture_of(file)
    path.write_bytes(longer.to_bytes(8, "little") + header + content[8 + length :])
    assert torch.equal(picture_of(OptionFile.at(path)), expected)


class Malicious:
    def __reduce__(self):
        return exec, ("raise SystemExit('code of the file was run')",)


def without(*names):
    return {name: x for name, x in g_ema().items() if name not in names}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "neither safetensors nor a file that torch saved"),
        (b"<!DOCTYPE html><html>Quota exceeded</html>", "neither safetensors nor a file that torch saved"),
        (b"version https://git-lfs.github.com/spec/v1", "neither safetensors nor a file that torch saved"),
        (b"\x40\0\0\0\0\0\0\0{" + b"x" * 80, "damaged"),
        (b"PK\x03\x04" + b"x" * 80, "damaged, or it holds code"),
        (pickle.dumps({"G_ema": Malicious()}), "NVIDIA's .pkl does: convert it to .* by the convert_weight.py"),
        ({"g_ema": g_ema() | {"more": Malicious()}}, "holds code, which is not run"),
        ([1, 2], "holds no tensors by name under g_ema"),
        ({"g_ema": {}}, "holds no tensors by name under g_ema"),
        ({"g_ema": {"input.input": "tensor"}}, "holds no tensors by name under g_ema"),
        ({"fc.weight": torch.zeros(3, 3)}, "lacks style.1.weight"),
        (without("input.input"), "lacks input.input$"),
        (
            without(*(name for name in g_ema() if name.startswith("conv1."))),
            r"lacks conv1.conv.weight, conv1.conv.modulation.weight, conv1.conv.modulation.bias and 2 more$",
        ),
        (without("noises.noise_3"), "lacks noises.noise_3$"),
        (g_ema() | {"final.weight": torch.zeros(1)}, "has besides final.weight$"),
        (g_ema() | {"input.input": torch.zeros(1, 6, 8, 8)}, "has another shape in input.input$"),
        (g_ema() | {"input.input": torch.zeros(())}, "has another shape in what tells its size$"),
        (
            g_ema() | {"convs.0.conv.weight": torch.zeros(1, 1 << 40, 0, 3, 3)},
            "has another shape in what tells its size$",
        ),
        (g_ema() | {"style.1.weight": torch.zeros(0, 0)}, "has another shape in what tells its size$"),
        (g_ema() | {"input.input": torch.zeros(1, 0, 4, 4)}, "has another shape in what tells its size$"),
        (g_ema() | {"style.1.bias": torch.full((LATENT,), torch.nan)}, "not finite in style.1.bias$"),
        (g_ema() | {"style.1.bias": torch.zeros(LATENT).to_sparse()}, "real numbers in style.1.bias$"),
        (g_ema() | {"style.1.bias": torch.zeros(LATENT, device="meta")}, "real numbers in style.1.bias$"),
        (g_ema() | {"style.1.bias": torch.zeros(LATENT, dtype=torch.complex64)}, "real numbers in style.1.bias$"),
        (g_ema() | {7: torch.zeros(1)}, "holds no tensors by name under g_ema"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_a_line(tmp_path, content, problem):
    path = tmp_path / "given.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(UsageError, match=problem) as error:
        read_stylegan2(OptionFile.at(path))
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


# Through the contracts of the harness


@pytest.fixture(scope="module")
def bench(cache):
    dataset = SyntheticSpeakers(SyntheticOptions(speakers=48, clips=4), None)
    return make_bench(dataset, Workplace(cache=cache, jobs=1), track="emotion")


def options_with(path, *settings):
    tiny = ("voice_steps=2", "classifier_steps=2", "classifier_width=4", "encoder_steps=2", "batch=2")
    few = ("direction_faces=4", "invert_steps=2", "walk_steps=2", "keep=identity,sex,age")
    return apply_settings(SEARCH_QUICK, [*tiny, *few, f"generator={path}", *settings], "latent-search")


@pytest.mark.slow
def test_from_a_file_to_faces_and_back_without_it(bench, tmp_path):
    path = tmp_path / "ours.pt"
    torch.save({"g_ema": g_ema()}, path)
    method = LatentSearch(options_with(path))
    torch.manual_seed(0)
    method.fit(bench.split("train", 64), bench.split("validation", 64), Context(folder=tmp_path))
    state = {name: tensor.clone() for name, tensor in method.state().items()}
    for name, tensor in g_ema().items():
        assert torch.equal(state[f"generator.stylegan2.{name}"], tensor), "what was pretrained stays as it was"
    trials = trials_for(bench, LatentSearch.needs, np.arange(5))
    faces = method.generate(trials, Context())
    assert faces.shape == (5, 3, 64, 64)
    assert ((faces >= 0) & (faces <= 1)).all()
    path.unlink()
    in_record = plan_of(LatentSearch, method.opt, bench).options_as_json()
    again = LatentSearch(options_from(LatentSearch.options, in_record))
    again.restore(state, "cpu")
    assert torch.equal(again.generate(trials, Context()), faces)


def test_a_wrong_file_is_refused_before_anything_is_trained(bench, tmp_path):
    path = tmp_path / "page.pt"
    path.write_text("<html>")
    method = LatentSearch(options_with(path, "voice_steps=1000000"))
    with pytest.raises(UsageError, match=r"page\.pt: neither"):
        method.fit(bench.split("train", 64), bench.split("validation", 64), Context())


def test_the_content_of_the_file_is_in_the_key_and_its_place_is_not(bench, tmp_path):
    def keys(path):
        plan = plan_of(LatentSearch, options_with(path), bench)
        return plan.checkpoint_key, plan.faces_key, plan.run_id

    first, copy, other = (tmp_path / place / "given.pt" for place in ("a", "b", "c"))
    for path, state in ((first, g_ema()), (copy, g_ema()), (other, g_ema() | {"input.input": torch.zeros(1, 6, 4, 4)})):
        path.parent.mkdir()
        save_file(state, path)
    assert keys(first) == keys(copy)
    assert all(one != another for one, another in zip(keys(first), keys(other), strict=True))
    plan = plan_of(LatentSearch, options_with(first), bench)
    assert str(tmp_path) not in str(plan.options_as_json()), "a record has no path of the machine"
    spec = RunSpec.from_json(plan.spec.to_json())
    assert options_from(LatentSearch.options, spec.options).generator.path() == first.resolve()
    assert options_from(LatentSearch.options, asdict(plan.options)) == plan.options


def test_a_file_that_changed_after_the_run_was_planned_is_refused(tmp_path):
    path = tmp_path / "given.pt"
    torch.save(g_ema(), path)
    file = options_with(path).generator
    torch.save(g_ema() | {"input.input": torch.zeros(1, 6, 4, 4)}, path)
    with pytest.raises(UsageError, match=r"given\.pt: it has changed since the run was planned"):
        read_stylegan2(file)
    path.unlink()
    with pytest.raises(UsageError, match=r"given\.pt: no such file"):
        read_stylegan2(file)


@pytest.mark.parametrize("text", ["stile", "no/such/file.pt", "", "."])
def test_what_is_no_generator_and_no_file_is_refused(text):
    with pytest.raises(UsageError, match="generator takes one of style, redrawing or an existing file, not"):
        options_with(text)


def test_faces_of_the_generator_are_inverted():
    """What it draws itself is drawn again from the latents that are found, much nearer than from the mean."""
    opt = apply_settings(SEARCH_QUICK, ["invert_steps=60", "invert_lr=0.05", "invert_perceptual=0.01"], "test")
    torch.manual_seed(0)
    h = Attributes(8, 20, 4).eval().requires_grad_(False)
    state = g_ema()
    for name in state:  # in which colours are seldom out of range
        if "to_rgb" in name and name.endswith("conv.weight"):
            state[name] /= 10
    generator = PretrainedGenerator(h.seen, 64, network_of(state))
    generator.centre()
    for parameter in generator.encoder[-1].parameters():
        torch.nn.init.zeros_(parameter)
    generator.eval().requires_grad_(False)
    rng = torch.Generator().manual_seed(3)
    with torch.no_grad():
        faces = generator(generator.map(torch.randn(6, LATENT, generator=rng)))
    _, _, losses = inverted(generator, h, faces, opt)
    assert losses.shape == (61, 6)
    assert (losses[-1] < 0.25 * losses[0]).all()
