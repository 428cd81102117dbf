"""MTCNN over batches: it finds faces and no noise, as facenet-pytorch's own detection does, batch or no batch."""

import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from v2f_bench.interfaces import NotAvailable
from v2f_bench.judges.mtcnn import Mtcnn, surest_faces
from v2f_bench.media.picture import read_picture, resize
from v2f_bench.sources import core_modules_behind

BATCH = 128


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def judge():
    judge = Mtcnn()
    judge.start("cpu")
    return judge


@pytest.fixture(scope="module")
def real(shared_data):
    """Real faces at 64 pixels, by data set."""
    patterns = {
        "VoxCeleb1": "voxceleb-vggface/unzippedFaces/*/*/*/*.jpg",
        "LFW": "lfw-aligned/*/*.jpg",
        "VGGFace": "vgg-all-frontal/VGG_ALL_FRONTAL/*/*.jpg",
    }
    return {name: load(sorted(shared_data.glob(pattern))[::3]) for name, pattern in patterns.items()}


def load(files):
    pixels = torch.from_numpy(np.stack([read_picture(file) for file in files]))
    return resize(pixels.permute(0, 3, 1, 2).float() / 255, 64)


def predict(judge, faces):
    return torch.cat([judge.predict(some) for some in faces.split(BATCH)])


def doubtful(real):
    """Faces, blurred ones, upside-down ones and noise: about half of them are found."""
    faces = real["VoxCeleb1"][:12]
    blurred = F.interpolate(F.avg_pool2d(faces, 8), (64, 64), mode="bilinear")
    noise = torch.rand(12, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    return torch.cat([faces, blurred, faces.flip(2), noise])


def test_real_faces_are_found(judge, real):
    for name, faces in real.items():
        found = predict(judge, faces)
        assert found.shape == (len(faces), 1), name
        assert float((found > 0).float().mean()) >= 0.99, name
        assert float(found.median()) > 0.99, name


def test_in_noise_and_in_nothing_no_face_is_found(judge):
    rng = torch.Generator().manual_seed(0)
    nothing = torch.cat([torch.rand(50, 3, 64, 64, generator=rng), torch.rand(5, 3, 1, 1).expand(-1, -1, 64, 64)])
    assert torch.equal(judge.predict(nothing), torch.zeros(55, 1))


def test_a_row_does_not_depend_on_its_batch(judge, real):
    faces = doubtful(real)
    together = judge.predict(faces)
    assert torch.equal(together, judge.predict(faces))
    alone = torch.cat([judge.predict(face[None]) for face in faces])
    turned = judge.predict(faces.flip(0)).flip(0)
    for other in (alone, turned):
        assert torch.equal(together > 0, other > 0)
        torch.testing.assert_close(together, other, rtol=0, atol=1e-5)
    assert 0 < int((together > 0).sum()) < len(faces)


def by_the_package(faces):
    from facenet_pytorch import MTCNN

    detector = MTCNN(min_face_size=32, select_largest=False, device="cpu")
    framed = F.pad(faces, (16,) * 4, mode="replicate") * 255
    found = [
        detector.detect(face.permute(1, 2, 0)[None])[1][0] for face in framed
    ]  # one by one: its batches are ragged
    return framed, torch.tensor([0.0 if each[0] is None else float(max(each)) for each in found])


def test_it_is_the_package_s_own_detection(judge, real):
    faces = doubtful(real)
    framed, wanted = by_the_package(faces)
    torch.testing.assert_close(surest_faces(framed, judge._networks, 0.7), wanted, rtol=0, atol=1e-4)
    assert torch.equal(judge.predict(faces)[:, 0] > 0, wanted > 0)


@pytest.mark.parametrize("side", [48, 100, 128, 224])
def test_faces_of_another_size_are_found_too(judge, real, side):
    found = judge.predict(F.interpolate(real["VoxCeleb1"][:16], (side, side), mode="bilinear", antialias=True))
    assert int((found > 0).sum()) == 16


def test_without_facenet_pytorch_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "facenet_pytorch", None)
    with pytest.raises(NotAvailable, match="pip install --no-deps facenet-pytorch"):
        Mtcnn().start("cpu")


def test_another_detector_is_another_judge():
    """Its networks are asked in `v2f_bench.media`: what changes there must not find the old answers in the cache."""
    behind = core_modules_behind(Mtcnn.__module__)
    assert {"v2f_bench.media.mtcnn", "v2f_bench.media.mtcnn_networks", "v2f_bench.media.picture"} <= behind
