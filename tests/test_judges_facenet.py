"""FaceNet's code path, with a network of the right shape and random weights: it says nothing about faces."""

import os
import socket
import sys

import pytest
import torch

from v2f_bench.interfaces import BenchError, NotAvailable
from v2f_bench.judges.facenet import FaceNetCasia, FaceNetVggFace2
from v2f_bench.media.picture import resize


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a judge reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="module")
def network():
    from facenet_pytorch import InceptionResnetV1

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield InceptionResnetV1().eval()
    torch.set_num_threads(before)


@pytest.mark.parametrize(("judge", "people"), [(FaceNetVggFace2, 8631), (FaceNetCasia, 10575)])
def test_embeddings_are_the_network_s_own(tmp_path, network, judge, people):
    judge = judge()
    file = tmp_path / judge.weights.file
    classifier = {"logits.weight": torch.zeros(people, 512), "logits.bias": torch.zeros(people)}  # as in the real file
    torch.save(network.state_dict() | classifier, file)
    judge.load(file, "cpu")
    faces = torch.rand(5, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        own = network((resize(faces, 160) * 255 - 127.5) / 128)
    found = judge.predict(faces)
    assert found.shape == (5, 512)
    torch.testing.assert_close(found, own, rtol=0, atol=1e-4)
    torch.testing.assert_close(judge.predict(faces[2:3])[0], found[2], rtol=0, atol=1e-5)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(5))


def test_another_file_is_named(tmp_path):
    judge, file = FaceNetVggFace2(), tmp_path / "weights.pt"
    file.write_text("<html>not found</html>")
    with pytest.raises(BenchError, match=r"weights\.pt: facenet-vggface2 cannot read tensors"):
        judge.load(file, "cpu")
    torch.save({"weight": torch.zeros(3)}, file)
    with pytest.raises(BenchError, match=r"weights\.pt: not the weights of facenet-vggface2"):
        judge.load(file, "cpu")
    torch.save([1, 2], file)
    with pytest.raises(BenchError, match=r"weights\.pt: not a dict of tensors"):
        judge.load(file, "cpu")


class Trap:
    def __reduce__(self):
        return os.mkdir, (os.environ["TRAP"],)


def test_no_code_in_a_weights_file_is_run(tmp_path, monkeypatch):
    monkeypatch.setenv("TRAP", str(tmp_path / "sprung"))
    torch.save({"weight": Trap()}, tmp_path / "weights.pt")
    with pytest.raises(BenchError, match="cannot read tensors"):
        FaceNetVggFace2().load(tmp_path / "weights.pt", "cpu")
    assert not (tmp_path / "sprung").exists()


def test_without_facenet_pytorch_it_says_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "facenet_pytorch", None)
    with pytest.raises(NotAvailable, match="pip install --no-deps facenet-pytorch"):
        FaceNetVggFace2().load(tmp_path / "weights.pt", "cpu")
