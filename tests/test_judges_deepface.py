"""deepface's networks in batches: the same numbers as deepface's own calls give face by face, and nothing fetched.

The networks have the right shape and random weights: their numbers say nothing about faces, only about the code.
"""

import gc
import math
import os
import socket

import numpy as np
import pytest
import torch
from fixtures.cards.tiny_onnx import linear

from v2f_bench.interfaces import BenchError, NotAvailable
from v2f_bench.judges import deepface as ours


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    """No judge here may reach for the network, by whichever library."""

    def refuse(*_, **__):
        raise AssertionError("a judge reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def random_weights(network, path):
    """A file of the network's tensors. Each is a view into few numbers, so a file of 145 million takes few bytes."""
    rng = torch.Generator().manual_seed(0)
    tensors = {}
    for name, tensor in network.state_dict().items():
        strides = [5, 3, 2, 1][-tensor.ndim :] if tensor.ndim else []
        numbers = torch.randn(1 + sum((n - 1) * s for n, s in zip(tensor.shape, strides, strict=True)), generator=rng)
        if name.endswith("running_var"):
            numbers = numbers.abs() + 0.5
        elif tensor.ndim > 1:
            numbers *= math.sqrt(2 / tensor[0].numel())
        tensors[name] = numbers.to(tensor.dtype).as_strided(tensor.shape, strides)
    torch.save(tensors, path)
    assert path.stat().st_size < 5e6
    return path


def faces(n=2, side=64):
    """Smooth pictures, no two alike."""
    coarse = torch.rand(n, 3, 6, 6, generator=torch.Generator().manual_seed(1))
    smooth = torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic").clamp(0, 1)
    return (smooth * 255).round() / 255


def as_deepface_takes_it(face):
    """uint8 [H, W, 3], BGR, as from cv2.imread."""
    return (face * 255).round().byte().permute(1, 2, 0).numpy()[:, :, ::-1]


@pytest.fixture
def deepface_finds(tmp_path, monkeypatch):
    """Let deepface's own calls build their network from a file, where they look for it by themselves."""
    from deepface.modules import modeling

    def find(file):
        folder = tmp_path / ".deepface" / "weights"
        folder.mkdir(parents=True)
        (folder / file.name).symlink_to(file)
        monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
        monkeypatch.setattr(modeling, "cached_models", {task: {} for task in modeling.AVAILABLE_MODELS}, raising=False)

    return find


def trunk(module, name):
    import importlib

    return importlib.import_module(f"deepface.models.{module}.pytorch.{name}").base_model()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("judge", "module", "network", "width"),
    [
        (ours.DeepFaceArcFace, "facial_recognition", "ArcFace", 512),
        (ours.DeepFaceVggFace, "facial_recognition", "VGGFace", 4096),
    ],
)
def test_embeddings_are_those_of_represent(tmp_path, deepface_finds, judge, module, network, width):
    from deepface.modules.representation import represent

    judge = judge()
    judge.load(random_weights(trunk(module, network), tmp_path / judge.weights.file), "cpu")
    deepface_finds(tmp_path / judge.weights.file)
    found = judge.predict(faces()).numpy()
    assert found.shape == (2, width)
    assert found.dtype == np.float32
    for face, row in zip(faces(), found, strict=True):
        (own,) = represent(as_deepface_takes_it(face), judge.model, detector_backend="skip")
        np.testing.assert_allclose(row, own["embedding"], atol=1e-4 * np.abs(own["embedding"]).max())
    assert np.abs(found[0] - found[1]).max() > 1e-3 * np.abs(found).max()
    assert judge.predict(faces()[:1]).shape == (1, width)


def test_sface_is_that_of_represent(tmp_path, deepface_finds):
    from deepface.modules.representation import represent

    judge = ours.DeepFaceSFace()
    weight = np.random.default_rng(0).normal(size=(3 * 112 * 112, 128)) / 1e4
    judge.load(linear(tmp_path / judge.weights.file, [1, 3, 112, 112], weight), "cpu")
    deepface_finds(tmp_path / judge.weights.file)
    found = judge.predict(faces()).numpy()
    for face, row in zip(faces(), found, strict=True):
        (own,) = represent(as_deepface_takes_it(face), "SFace", detector_backend="skip")
        np.testing.assert_allclose(row, own["embedding"], rtol=1e-4, atol=1e-4)


def test_emotions_are_those_of_analyze(tmp_path, deepface_finds):
    from deepface.modules.demography import analyze

    judge = ours.DeepFaceEmotion()
    judge.load(random_weights(trunk("demography", "Emotion"), tmp_path / judge.weights.file), "cpu")
    deepface_finds(tmp_path / judge.weights.file)
    assert judge.labels == ("angry", "disgust", "fearful", "happy", "sad", "surprised", "neutral")
    found = judge.predict(faces(20)).numpy()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    for face, row in zip(faces(20), found, strict=True):
        (own,) = analyze(as_deepface_takes_it(face), actions=["emotion"], detector_backend="skip")
        np.testing.assert_allclose(row, np.array(list(own["emotion"].values())) / 100, atol=1e-4)
    np.testing.assert_allclose(judge.predict(faces(20)[4:5])[0], found[4], atol=1e-5)


@pytest.mark.slow
def test_sex_is_that_of_analyze(tmp_path, deepface_finds):
    from deepface.modules.demography import analyze

    judge = ours.DeepFaceSex()
    judge.load(random_weights(trunk("demography", "Gender"), tmp_path / judge.weights.file), "cpu")
    deepface_finds(tmp_path / judge.weights.file)
    assert judge.labels == ("female", "male")
    for face, row in zip(faces(), judge.predict(faces()).numpy(), strict=True):
        (own,) = analyze(as_deepface_takes_it(face), actions=["gender"], detector_backend="skip")
        np.testing.assert_allclose(row, [own["gender"]["Woman"] / 100, own["gender"]["Man"] / 100], atol=1e-4)


@pytest.mark.slow
def test_age_is_that_of_analyze_not_rounded(tmp_path, deepface_finds):
    from deepface.modules.demography import analyze

    judge = ours.DeepFaceAge()
    judge.load(random_weights(trunk("demography", "Age"), tmp_path / judge.weights.file), "cpu")
    deepface_finds(tmp_path / judge.weights.file)
    found = judge.predict(faces())
    assert found.shape == (2, 1)
    for face, (years,) in zip(faces(), found.tolist(), strict=True):
        (own,) = analyze(as_deepface_takes_it(face), actions=["age"], detector_backend="skip")
        assert own["age"] in (int(years - 1e-3), int(years + 1e-3))


def test_nothing_is_fetched_and_nothing_else_is_opened(tmp_path):
    judge = ours.DeepFaceArcFace()
    with pytest.raises(NotAvailable, match="not there"):
        judge.load(tmp_path / judge.weights.file, "cpu")
    torch.save({}, tmp_path / "another.pth")
    with pytest.raises(NotAvailable, match=r"wants arcface_weights\.pth, not another\.pth"):
        judge.load(tmp_path / "another.pth", "cpu")
    file = tmp_path / judge.weights.file
    torch.save({"weight": torch.zeros(3)}, file)
    with pytest.raises(BenchError, match=r"arcface_weights\.pth: not the weights of deepface-arcface"):
        judge.load(file, "cpu")


class Trap:
    def __reduce__(self):
        return os.mkdir, (os.environ["TRAP"],)


def test_no_code_in_a_weights_file_is_run(tmp_path, monkeypatch):
    monkeypatch.setenv("TRAP", str(tmp_path / "sprung"))
    judge = ours.DeepFaceEmotion()
    file = tmp_path / judge.weights.file
    torch.save({"conv_1.weight": Trap()}, file)
    with pytest.raises(BenchError, match="not the weights of deepface-emotion"):
        judge.load(file, "cpu")
    assert not (tmp_path / "sprung").exists()


def test_the_user_s_own_setting_of_deepface_stays(tmp_path, monkeypatch):
    for before in (None, "onnx"):
        monkeypatch.delenv("DEEPFACE_BACKEND_ENGINE", raising=False)
        if before:
            monkeypatch.setenv("DEEPFACE_BACKEND_ENGINE", before)
        judge = ours.DeepFaceEmotion()
        judge.load(random_weights(trunk("demography", "Emotion"), tmp_path / judge.weights.file), "cpu")
        assert os.environ.get("DEEPFACE_BACKEND_ENGINE") == before


def test_deepface_on_another_engine_is_left_alone(tmp_path, monkeypatch):
    from deepface.commons import backend_utils

    monkeypatch.setattr(backend_utils, "_backend_engine", "onnx")
    torch.save({}, tmp_path / "facial_expression_model_weights.pth")
    with pytest.raises(NotAvailable, match="runs on onnx in this process"):
        ours.DeepFaceEmotion().load(tmp_path / "facial_expression_model_weights.pth", "cpu")


@pytest.mark.slow
def test_age_and_sex_with_equal_convolutions_compute_them_once(tmp_path):
    from deepface.models.demography.pytorch import Age, Gender

    age = torch.load(random_weights(Age.base_model(), tmp_path / "age_model_weights.pth"))
    sex = torch.load(random_weights(Gender.base_model(), tmp_path / "gender_model_weights.pth"))
    first = "backbone.conv1_1.weight"  # as in no other test, whose judges may still be there
    age[first] = sex[first] = age[first] * 0.9
    torch.save(age, tmp_path / "age_model_weights.pth")
    apart = {name: tensor.flip(0) for name, tensor in sex.items() if "conv5_3" in name}
    calls, found = [], {}
    for case, tensors in (("equal", sex), ("different", sex | apart)):
        torch.save(tensors, tmp_path / "gender_model_weights.pth")
        judges = ours.DeepFaceAge(), ours.DeepFaceSex()
        for judge in judges:
            judge.load(tmp_path / judge.weights.file, "cpu")
        held = {judge._client.model.backbone.conv1_1 for judge in judges}
        assert len(held) == {"equal": 1, "different": 2}[case]
        for convolution in held:
            convolution.register_forward_hook(lambda *_, case=case: calls.append(case))
        found[case] = [judge.predict(faces()) for judge in judges]
        with torch.inference_mode():
            picture = faces().flip(1).permute(0, 2, 3, 1).numpy()
            alone = Gender.base_model().eval()
            alone.load_state_dict(tensors)
            given = ours._prepared((picture * 255).round().astype(np.uint8) / 255, (224, 224))
            expected = alone(torch.from_numpy(given).permute(0, 3, 1, 2).float())
        torch.testing.assert_close(found[case][1], expected, rtol=1e-4, atol=1e-6)
        del judges, judge, held, convolution
        gc.collect()  # a trunk lives as long as a judge that uses it
    assert calls.count("equal") == 1
    assert calls.count("different") == 2
    torch.testing.assert_close(found["equal"][0], found["different"][0])
    assert age.keys() >= apart.keys()
