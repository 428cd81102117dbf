"""Faces in scenes: found as facenet-pytorch finds them, chosen, and brought to one framing."""

import numpy as np
import pytest
import scipy.ndimage
import torch
from hypothesis import given
from hypothesis import strategies as st
from made_media import people, scene
from PIL import Image

from v2f_bench.media.align import TEMPLATE, aligned, frontality, sharpness, similarity, which_face
from v2f_bench.media.clips import Frame, align_faces
from v2f_bench.media.mtcnn import BLOCK, _thinned, find_faces
from v2f_bench.media.mtcnn_networks import load_networks
from v2f_bench.media.picture import read_picture


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def drawn():
    return people(8)


@pytest.fixture(scope="module")
def networks():
    return load_networks("cpu", "a test")


def test_boxes_scores_and_points_are_the_package_s_own(drawn, networks):
    """In scenes with no, one and two faces, not square."""
    from facenet_pytorch import MTCNN

    scenes = [
        scene(shape=(180, 320)),
        scene((drawn[0], 120, 90, 30), shape=(180, 320)),
        scene((drawn[1], 110, 20, 40), (drawn[2], 80, 200, 60), shape=(180, 320)),
    ]
    package = MTCNN(min_face_size=20, keep_all=True, device="cpu")
    pictures = torch.from_numpy(np.stack(scenes)).permute(0, 3, 1, 2)
    for form in (pictures, pictures.float()):
        found = find_faces(form, networks, 20)
        assert found.images.tolist() == [1, 2, 2]
        for number in (1, 2):
            boxes, scores, points = package.detect(scenes[number], landmarks=True)
            order = np.argsort(-scores.astype(float))
            mine = found.images == number
            assert found.scores[mine].numpy() == pytest.approx(scores[order].astype(float), abs=1e-4)
            assert found.boxes[mine].numpy() == pytest.approx(boxes[order].astype(float), abs=0.05)
            assert found.points[mine].numpy() == pytest.approx(points[order].astype(float), abs=0.05)


@pytest.mark.parametrize("boxes", [0, 1, 40, 4 * BLOCK])
@pytest.mark.parametrize("overlap", [0.3, 0.5, 0.7])
def test_of_boxes_that_overlap_torchvision_keeps_the_same(boxes, overlap):
    """With boxes of whole numbers, whose overlap may be just the limit, and with equal scores."""
    from torchvision.ops import batched_nms

    rng = torch.Generator().manual_seed(boxes)
    for pictures in (1, 7):
        images = torch.randint(pictures, (boxes,), generator=rng)
        corner = torch.randint(60, (boxes, 2), generator=rng).double()
        rows = torch.cat([corner, corner + torch.randint(1, 30, (boxes, 2), generator=rng)], dim=1)
        scores = torch.randint(100, (boxes,), generator=rng) / 100
        wanted = batched_nms(rows, scores.double(), images, overlap)
        assert torch.equal(_thinned(rows, scores, images, overlap).sort().values, wanted.sort().values)


def test_pictures_too_small_for_a_face_have_none(networks):
    assert len(find_faces(torch.zeros(2, 3, 15, 40, dtype=torch.uint8), networks, 20).images) == 0


@given(st.integers(0, 10_000))
def test_the_similarity_is_that_of_least_squares(seed):
    rng = np.random.default_rng(seed)
    points, places = rng.normal(size=(2, 5, 2))
    rows = [[(x, -y, 1, 0), (y, x, 0, 1)] for x, y in points]
    (a, b, right, down), *_ = np.linalg.lstsq(np.concatenate(rows), places.ravel(), rcond=None)
    turn, shift = similarity(points, places)
    assert (turn, shift) == pytest.approx((complex(a, b), complex(right, down)), abs=1e-9)


@pytest.mark.parametrize("scale", [0.6, 1.0, 2.5, 6.0])
@pytest.mark.parametrize("degrees", [0, 25, -90])
def test_the_five_points_come_to_lie_at_the_template(scale, degrees):
    """Dots at the points of a turned and scaled face are found at the template's places in the crop."""
    size, dots = 128, []
    turn = scale * np.exp(1j * np.radians(degrees))
    centred = (TEMPLATE - 0.5) * size
    places = turn * (centred[:, 0] + 1j * centred[:, 1]) + 500 + 450j
    rows, columns = np.mgrid[:900, :1000]
    picture = np.zeros((900, 1000, 3), np.float64)
    for place in places:
        far = ((columns - place.real) ** 2 + (rows - place.imag) ** 2) / (3 * max(scale, 1)) ** 2
        picture += 255 * np.exp(-far)[:, :, None]
    crop = aligned(picture.clip(0, 255).astype(np.uint8), np.stack([places.real, places.imag], 1), size)
    assert crop.shape == (size, size, 3)
    bright, _ = scipy.ndimage.label(crop[:, :, 0] > 60)
    dots = np.array(scipy.ndimage.center_of_mass(crop[:, :, 0], bright, range(1, 6)))[:, ::-1] + 0.5
    wanted = TEMPLATE * size
    distances = np.linalg.norm(dots[:, None] - wanted[None], axis=2).min(axis=0)
    assert distances.max() < 0.6, "pixels"


def test_beyond_the_picture_its_edge_goes_on():
    picture = np.full((50, 60, 3), 200, np.uint8)
    crop = aligned(picture, TEMPLATE * 128 - 60, 128)
    assert (crop == 200).all()


def test_a_large_face_is_not_aliased():
    """Stripes finer than the crop's pixels become even grey."""
    picture = np.zeros((800, 800, 3), np.uint8)
    picture[:, ::2] = 255
    crop = aligned(picture, TEMPLATE * 640 + 50, 128)
    assert np.abs(crop[8:-8, 8:-8].astype(int) - 127).max() <= 4


def test_faces_of_drawn_people_are_framed_alike_wherever_they_are(drawn, networks):
    frames = [
        Frame(0.0, scene((pixels, side, left, top)))
        for pixels, side, left, top in zip(
            drawn, (240, 140, 340, 200, 110, 300, 180, 260), range(10, 290, 35), [5, 50] * 4, strict=True
        )
    ]
    align_faces(frames, 128)
    assert not any(frame.missing for frame in frames)
    crops = torch.from_numpy(np.stack([frame.face for frame in frames])).permute(0, 3, 1, 2)
    found = find_faces(crops, networks, 40)
    first = [int((found.images == number).nonzero()[0, 0]) for number in range(len(frames))]
    places = (found.points[first].numpy() + 0.5) / 128
    assert np.abs(places - TEMPLATE).mean() < 0.03
    assert np.abs(places - TEMPLATE).max() < 0.1


def test_what_is_no_single_face_has_its_reason(drawn):
    frames = [
        Frame(0.0, scene()),
        Frame(0.0, scene((drawn[0], 200, 60, 80), (drawn[1], 190, 360, 80))),
        Frame(0.0, scene((drawn[0], 220, 60, 80), (drawn[1], 110, 400, 80))),
    ]
    align_faces(frames, 128)
    assert [frame.missing for frame in frames] == ["no face", "two faces of alike size", ""]
    alone = Frame(0.0, scene((drawn[0], 220, 60, 80)))
    align_faces([alone], 128)
    assert np.abs(frames[2].face.astype(int) - alone.face).mean() < 3, "the clearly bigger one is taken"


def test_real_faces_are_found_without_being_told_where(shared_data):
    paths = sorted(shared_data.glob("voxceleb-vggface/unzippedFaces/*/*/*/*.jpg"))[::12]
    if not paths:
        pytest.skip("no VoxCeleb frames")
    frames = [Frame(float("nan"), read_picture(path)) for path in paths]
    align_faces(frames, 128)
    assert sum(frame.face is not None for frame in frames) >= 0.96 * len(frames)


def box(side, left=0.0):
    return [left, 0.0, left + side, side]


@pytest.mark.parametrize(
    ("boxes", "scores", "chosen"),
    [
        ([], [], "no face"),
        ([box(50)], [0.71], 0),
        ([box(50), box(49, 80)], [0.99, 0.98], "two faces of alike size"),
        ([box(50), box(80, 80)], [0.99, 0.98], 1),
        ([box(80), box(70, 90)], [0.75, 0.97], 1),
        ([box(80), box(70, 90)], [0.75, 0.80], "two faces of alike size"),
    ],
)
def test_which_face(boxes, scores, chosen):
    assert which_face(np.array(boxes).reshape(-1, 4), np.array(scores)) == chosen


def test_frontality_falls_as_a_head_turns_and_not_as_it_tilts():
    """Five points of a head in space, turned about the upright axis and seen from the front."""
    head = np.array([(-1, 0, 0), (1, 0, 0), (0, 0.8, 0.9), (-0.7, 1.6, 0.2), (0.7, 1.6, 0.2)])
    seen = []
    for degrees in (0, 10, 20, 30, 45, 80):
        sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
        points = np.stack([cosine * head[:, 0] + sine * head[:, 2], head[:, 1]], axis=1)
        seen.append(frontality(points))
        tilted = points @ np.array([[0.8, 0.6], [-0.6, 0.8]])
        assert frontality(tilted) == pytest.approx(seen[-1], abs=1e-9)
    assert seen[0] == pytest.approx(1)
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] == 0


def test_sharpness_is_the_variance_of_scipy_s_laplacian(drawn):
    grey = np.asarray(drawn[0], np.float64) @ (0.299, 0.587, 0.114)
    assert sharpness(drawn[0]) == pytest.approx(scipy.ndimage.laplace(grey)[1:-1, 1:-1].var(), rel=1e-4)
    blurred = np.asarray(Image.fromarray(drawn[0]).resize((32, 32)).resize((128, 128)))
    assert sharpness(blurred) < 0.3 * sharpness(drawn[0])
