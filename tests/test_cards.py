"""Judges by card: what a card may say, how faces reach its network, and four real networks on real faces."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from fixtures.cards.tiny_onnx import flatten, linear, network

from v2f_bench.interfaces import BenchError, NotAvailable, UsageError
from v2f_bench.judges.onnx import read_card
from v2f_bench.judges.weights import find_weights
from v2f_bench.media.picture import read_picture, resize

CARDS = Path(__file__).parents[1] / "cards"
EMOTIONS = '["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]'


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def card(folder, onnx, kind="features", name="mine", given="", gives="", top="", layout="NCHW", size=8, colour="rgb"):
    """Write a card for an ONNX file; `given` and `gives` are further lines of its two tables."""
    path = folder / f"{name}.toml"
    sha256 = hashlib.sha256(onnx.read_bytes()).hexdigest() if onnx.is_file() else "0" * 64
    path.write_text(
        f'name = "{name}"\nkind = "{kind}"\nfile = "{onnx.name}"\nsha256 = "{sha256}"\nlicence = "none"\n{top}\n'
        f'[input]\nlayout = "{layout}"\nsize = {size}\ncolour = "{colour}"\n{given}\n[output]\n{gives}\n'
    )
    return path


def opened(path, folder=Path("nowhere")):
    judge = read_card(path)
    judge.load(find_weights(judge.weights, folder), "cpu")
    return judge


def noise(n, side=8, seed=0):
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(seed))


NORMALISED = {
    "": lambda x: x * 255,
    "scale = 0.00784313725490196\nshift = -1": lambda x: x * 255 / 127.5 - 1,
    "highest = 1\nmean = [0.1, 0.2, 0.3]\nstd = [0.5, 0.6, 0.7]": lambda x: (
        (x - np.array([0.1, 0.2, 0.3])[:, None, None]) / np.array([0.5, 0.6, 0.7])[:, None, None]
    ),
    "mean = 127.5\nstd = 128": lambda x: (x * 255 - 127.5) / 128,
    'standardise = "per-image"': lambda x: np.stack([(i - i.mean()) / max(i.std(), i.size**-0.5) for i in x * 255]),
}


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("colour", ["rgb", "bgr"])
@pytest.mark.parametrize("given", NORMALISED, ids=["as it is", "scale", "channels", "mean", "per image"])
def test_a_face_reaches_the_network_as_the_card_says(tmp_path, layout, colour, given):
    shape = ["n", 3, 8, 8] if layout == "NCHW" else ["n", 8, 8, 3]
    judge = opened(card(tmp_path, flatten(tmp_path / "net.onnx", shape), given=given, layout=layout, colour=colour))
    faces = noise(5)
    wanted = NORMALISED[given](faces.numpy().astype(float)[:, :: 1 if colour == "rgb" else -1])
    wanted = wanted if layout == "NCHW" else wanted.transpose(0, 2, 3, 1)
    np.testing.assert_allclose(judge.predict(faces), wanted.reshape(5, -1), rtol=1e-4, atol=1e-4)


def test_grey_is_the_usual_sum_and_faces_are_resized_without_aliasing(tmp_path):
    judge = opened(card(tmp_path, flatten(tmp_path / "net.onnx", ["n", 1, 8, 8]), colour="grey"))
    faces = noise(3, side=40)
    small = resize(faces, 8) * 255
    wanted = 0.299 * small[:, 0] + 0.587 * small[:, 1] + 0.114 * small[:, 2]
    torch.testing.assert_close(judge.predict(faces), wanted.flatten(1), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("batch", [1, 4])
def test_a_network_of_a_fixed_batch_gives_the_same(tmp_path, batch):
    free = opened(card(tmp_path, flatten(tmp_path / "free.onnx", ["n", 3, 8, 8]), name="free"))
    fixed = opened(card(tmp_path, flatten(tmp_path / "fixed.onnx", [batch, 3, 8, 8]), name="fixed"))
    faces = noise(7)
    assert torch.equal(free.predict(faces), fixed.predict(faces))


def test_half_precision_in_and_out(tmp_path):
    half = opened(card(tmp_path, flatten(tmp_path / "half.onnx", ["n", 3, 8, 8], kind=np.float16), given="highest = 1"))
    found = half.predict(noise(3))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, noise(3).flatten(1), rtol=0, atol=1e-3)


def test_a_row_does_not_depend_on_its_batch(tmp_path):
    weight = np.random.default_rng(0).normal(size=(192, 5))
    judge = opened(card(tmp_path, linear(tmp_path / "net.onnx", ["n", 3, 8, 8], weight), given="highest = 1"))
    faces = noise(40)
    alone = torch.cat([judge.predict(face[None]) for face in faces])
    torch.testing.assert_close(judge.predict(faces), alone, rtol=1e-5, atol=1e-5)


def test_logits_become_probabilities_and_labels_their_shared_names(tmp_path):
    weight = np.random.default_rng(0).normal(size=(192, 7)) / 100
    net = linear(tmp_path / "net.onnx", ["n", 3, 8, 8], weight)
    judge = opened(card(tmp_path, net, "emotion", gives=f'labels = {EMOTIONS}\ngives = "logits"'))
    assert judge.labels == ("angry", "disgust", "fearful", "happy", "sad", "surprised", "neutral")
    wanted = torch.from_numpy(noise(4).flatten(1).numpy() * 255 @ weight).softmax(dim=1)
    torch.testing.assert_close(judge.predict(noise(4)).double(), wanted, rtol=1e-4, atol=1e-5)
    sex = card(
        tmp_path, net, "attribute", "sex", gives='labels = ["Man", "Woman"]\ngives = "logits"', top='attribute = "sex"'
    )
    assert (read_card(sex).kind, read_card(sex).labels) == ("sex", ("male", "female"))


def test_an_age_is_one_number_of_years(tmp_path):
    weight = np.full((192, 1), 30 / 192)
    net = linear(tmp_path / "net.onnx", ["n", 3, 8, 8], weight)
    judge = opened(card(tmp_path, net, "attribute", top='attribute = "age"', given="highest = 1"))
    assert judge.kind == "age"
    torch.testing.assert_close(judge.predict(torch.ones(2, 3, 8, 8)), torch.full((2, 1), 30.0))


def test_a_changed_card_is_another_judge_and_a_moved_file_is_not(tmp_path):
    net = flatten(tmp_path / "net.onnx", ["n", 3, 8, 8])
    first = read_card(card(tmp_path, net))
    assert read_card(card(tmp_path, net, given="highest = 1")).version != first.version
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    shutil.copy(net, moved / "other-name.onnx")
    assert read_card(card(moved, moved / "other-name.onnx")).version == first.version
    assert first.version.startswith("1+")


WRONG = [
    ('kind = "identity"', 'kind = "identiy"', "kind is one of identity, emotion, attribute, features.*mean 'identity'"),
    ('kind = "identity"', 'kind = "attribute"', "attribute is missing"),
    ('kind = "identity"', 'kind = "emotion"', "output.labels is missing"),
    ('kind = "identity"', 'kind = "identity"\nattribute = "sex"', "attribute belongs to kind attribute"),
    ('licence = "none"', "", "licence is missing"),
    ('licence = "none"', 'license = "none"', "license is no key of a judge card; did you mean 'licence'"),
    ('licence = "none"', "licence = 3", "licence is text, not 3"),
    ('licence = "none"', 'licence = "none"\nmet = "vggface2"', r"met is a list of texts"),
    ('licence = "none"', 'licence = "none"\nurl = "file:///etc/passwd"', "url begins with https://"),
    ('name = "mine"', 'name = "../mine"', "name is letters, digits"),
    ("sha256", "sha265", "sha265 is no key.*did you mean 'sha256'"),
    ('sha256 = "0000', 'sha256 = "XYZ0', "sha256 is the 64 hexadecimal digits"),
    ('sha256 = "0000', 'sha256 = "0', "sha256 is the 64 hexadecimal digits"),
    ('layout = "NCHW"', 'layout = "NHCW"', "input.layout is one of NHWC, NCHW"),
    ('layout = "NCHW"', 'layot = "NCHW"', "input.layot is no key.*did you mean 'layout'"),
    ("size = 8", "size = 8.5", "input.size is a whole number"),
    ("size = 8", "size = true", "input.size is a whole number"),
    ("size = 8", "size = 8\nscale = 2.0", "input.shift is missing: scale and shift go together"),
    ("size = 8", "size = 8\nmean = 1\nstd = 0", "input.std is above 0"),
    ("size = 8", "size = 8\nmean = [1, 2]\nstd = 1", "input.mean is a number, or a list of 3"),
    ("size = 8", "size = 8\nmean = 1\nstd = 1\nscale = 1\nshift = 0", "input.mean stands beside scale"),
    ("size = 8", 'size = 8\nstandardise = "per-batch"', "input.standardise is one of per-image"),
    ("size = 8", "size = 8\nhighest = 2", "input.highest is 255 or 1, not 2"),
    ("[output]", '[output]\nlabels = ["happy"]', "output.labels belongs to emotion and sex"),
]


@pytest.mark.parametrize(("old", "new", "problem"), WRONG, ids=[problem[:30] for _, _, problem in WRONG])
def test_what_is_wrong_is_named_with_card_and_key(tmp_path, old, new, problem):
    path = card(tmp_path, tmp_path / "net.onnx", "identity")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(UsageError, match=problem) as caught:
        read_card(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 2


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        ('["hapy", "sad"]', "has 'hapy'; did you mean 'happy'.*Known: neutral, calm, happy"),
        ('["joy", "happy"]', "has 'happy' twice"),
        ('"happy"', "list of texts"),
    ],
)
def test_emotion_labels_are_known_ones(tmp_path, labels, problem):
    path = card(tmp_path, tmp_path / "net.onnx", "emotion", gives=f'labels = {labels}\ngives = "logits"')
    with pytest.raises(UsageError, match=problem):
        read_card(path)


def test_a_card_that_is_absent_or_no_toml_is_told(tmp_path):
    with pytest.raises(UsageError, match="no such judge card"):
        read_card(tmp_path / "absent.toml")
    (tmp_path / "text.toml").write_text("name = ")
    with pytest.raises(UsageError, match="not readable as a judge card"):
        read_card(tmp_path / "text.toml")


def test_a_card_as_an_editor_of_windows_saves_it_is_the_same_judge(tmp_path):
    path = card(tmp_path, flatten(tmp_path / "net.onnx", ["n", 3, 8, 8]))
    version, text = read_card(path).version, path.read_text()
    digits = text.partition('sha256 = "')[2][:64]
    shouted = text.replace(digits, digits.upper())
    for data in (shouted.encode("utf-8-sig"), shouted.replace("\n", "\r\n").encode(), text.encode("utf-16")):
        path.write_bytes(data)
        assert read_card(path).version == version
        assert opened(path).weights.sha256 == digits
    path.write_bytes(text.replace('licence = "none"', 'licence = "Müller"').encode("cp1252"))
    with pytest.raises(UsageError, match=r"not readable as a judge card \(line 5 is not UTF-8"):
        read_card(path)


def minus_the_mean_of_the_batch(path, weight, share):
    """A network that takes a part of the batch's mean from each row, as batch normalisation does in training."""
    nodes = [
        ("Flatten", ["in"], ["flat"], {"axis": 1}),
        ("MatMul", ["flat", "weight"], ["rows"], {}),
        ("ReduceMean", ["rows"], ["mean"], {"axes": [0], "keepdims": 1}),
        ("Mul", ["mean", "share"], ["part"], {}),
        ("Sub", ["rows", "part"], ["out"], {}),
    ]
    constants = {"weight": weight.astype(np.float32), "share": np.array([share], np.float32)}
    return network(path, nodes, ["n", 3, 8, 8], ["n", weight.shape[1]], constants)


def test_a_network_whose_rows_depend_on_the_batch_is_refused(tmp_path):
    weight = np.random.default_rng(0).normal(size=(192, 5))
    for share in (1.0, 0.1):
        net = minus_the_mean_of_the_batch(tmp_path / "net.onnx", weight, share)
        with pytest.raises(BenchError, match="depends on the other faces of the batch; export it in evaluation mode"):
            opened(card(tmp_path, net, given="highest = 1"))
    opened(card(tmp_path, minus_the_mean_of_the_batch(tmp_path / "net.onnx", weight, 0.0), given="highest = 1"))


@pytest.mark.parametrize(("layout", "shape"), [("NCHW", (3, 64, 64)), ("NHWC", (64, 64, 3))])
def test_a_network_that_takes_another_size_is_named_with_it(tmp_path, layout, shape):
    """Its sides are free as it is declared, and fixed by a matrix inside."""
    free = ["n", 3, "h", "w"] if layout == "NCHW" else ["n", "h", "w", 3]
    weight, size = np.ones((3 * 64 * 64, 2), np.float32), [free[0], 2]
    nodes = [("Flatten", ["in"], ["flat"], {"axis": 1}), ("MatMul", ["flat", "weight"], ["out"], {})]
    net = network(tmp_path / "net.onnx", nodes, free, size, {"weight": weight})
    with pytest.raises(BenchError, match=r"mine: its network takes faces .*: set size = 64") as caught:
        opened(card(tmp_path, net, layout=layout, size=32))
    assert str(shape) in str(caught.value)
    assert not isinstance(caught.value, UsageError), "exit code 1: the command was right"
    opened(card(tmp_path, net, layout=layout, size=64))


def test_a_network_that_takes_no_face_says_what_it_said(tmp_path):
    net = linear(tmp_path / "net.onnx", ["n", 3, "h", "w"], np.ones((777, 2)))
    with pytest.raises(BenchError, match=r"cannot take faces \(3, 32, 32\) \("):
        opened(card(tmp_path, net, size=32))


def test_another_file_is_refused_before_it_is_opened(tmp_path):
    path = card(tmp_path, flatten(tmp_path / "net.onnx", ["n", 3, 8, 8]))
    (tmp_path / "net.onnx").write_bytes(b"something else")
    judge = read_card(path)
    with pytest.raises(BenchError, match=r"net\.onnx: sha256 is .* not opened"):
        find_weights(judge.weights, tmp_path)
    (tmp_path / "net.onnx").unlink()
    with pytest.raises(
        NotAvailable, match=r"needs weights/net\.onnx in the cache folder \(none\); put it there by hand$"
    ):
        find_weights(read_card(path).weights, tmp_path / "cache")


def test_the_file_lies_beside_the_card_or_in_a_weights_folder_or_where_it_says(tmp_path, monkeypatch):
    cards, cache, lab = (tmp_path / name for name in ("cards", "cache", "lab"))
    for folder in (cards, cache, lab):
        folder.mkdir()
    net = flatten(tmp_path / "net.onnx", ["n", 3, 8, 8])
    path = cards / card(tmp_path, net).rename(cards / "mine.toml")
    monkeypatch.setenv("V2F_BENCH_WEIGHTS", str(lab))
    for folder in (lab, cache, cards):  # each later one comes before those before it
        shutil.copy(net, folder)
        assert find_weights(read_card(path).weights, cache) == folder / "net.onnx"
    path.write_text(path.read_text().replace('"net.onnx"', f'"{net}"'))
    assert find_weights(read_card(path).weights, cache) == net


def test_a_network_that_is_not_as_its_card_says_is_told(tmp_path):
    net = flatten(tmp_path / "net.onnx", ["n", 3, 8, 8])
    with pytest.raises(
        UsageError, match=r"mine: input\.layout.*make faces \(8, 8, 3\), but the network takes \(3, 8, 8\)"
    ):
        opened(card(tmp_path, net, layout="NHWC"))
    with pytest.raises(UsageError, match="make faces"):
        opened(card(tmp_path, net, size=16))
    with pytest.raises(UsageError, match=r"has no output 'outt'; did you mean 'out'"):
        opened(card(tmp_path, net, gives='name = "outt"'))
    with pytest.raises(UsageError, match="gives 192 numbers a face, but the card says 7 labels"):
        opened(card(tmp_path, net, "emotion", gives=f'labels = {EMOTIONS}\ngives = "logits"'))
    with pytest.raises(UsageError, match="gives 192 numbers a face, but the card says one number: years"):
        opened(card(tmp_path, net, "attribute", top='attribute = "age"'))
    weight = np.random.default_rng(0).normal(size=(192, 7))
    logits = linear(tmp_path / "logits.onnx", ["n", 3, 8, 8], weight)
    with pytest.raises(UsageError, match=r'gives no probabilities .* is output\.gives "logits"'):
        opened(card(tmp_path, logits, "emotion", gives=f'labels = {EMOTIONS}\ngives = "probabilities"'))
    one = network(
        tmp_path / "one.onnx", [("ReduceMean", ["in"], ["out"], {"keepdims": 1})], ["n", 3, 8, 8], [1, 1, 1, 1]
    )
    with pytest.raises(UsageError, match=r"for 3 faces, not \[N, D\]"):
        opened(card(tmp_path, one))
    nodes = [("Flatten", ["in"], [out], {"axis": 1}) for out in ("out", "more")]
    two = network(tmp_path / "two.onnx", nodes, ["n", 3, 8, 8], ["n", 192], outputs=("out", "more"))
    with pytest.raises(UsageError, match=r"several outputs; output\.name must be one of out, more"):
        opened(card(tmp_path, two))
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no network")
    with pytest.raises(BenchError, match="not readable as an ONNX network"):
        opened(card(tmp_path, broken))


# The four real networks, on real faces.


@pytest.fixture
def real(shared_data, monkeypatch):
    """Open one of the repository's cards on the real file."""
    monkeypatch.setenv("V2F_BENCH_WEIGHTS", str(shared_data / "weights"))
    return lambda name: opened(CARDS / f"{name}.toml")


@pytest.fixture(scope="module")
def lfw(shared_data):
    """Two pictures of each of 300 people."""
    people = sorted((shared_data / "lfw-aligned").iterdir())
    files = [file for person in people if person.is_dir() for file in sorted(person.glob("*.jpg"))[:2]]
    return np.array([file.parent.name for file in files]), pictures(files)


def pictures(files):
    pixels = np.stack([read_picture(file) for file in files])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255


def test_no_card_names_a_machine_or_brings_a_network():
    for path in CARDS.iterdir():
        assert path.suffix == ".toml"
        assert "/" not in read_card(path).weights.file


def test_facenet_by_card_knows_who_is_who(real, lfw):
    from sklearn.metrics import roc_auc_score

    people, faces = lfw
    vectors = F.normalize(real("facenet128").predict(faces), dim=1).numpy()
    first, second = np.triu_indices(len(vectors), k=1)
    assert roc_auc_score(people[first] == people[second], (vectors @ vectors.T)[first, second]) >= 0.995


def test_emotion_and_sex_by_card(real, shared_data):
    meta = (shared_data / "voxceleb-vggface" / "vox1_meta.csv").read_text().splitlines()[1:]
    sexes = {row.split("\t")[1].strip(): {"f": "female", "m": "male"}[row.split("\t")[2].strip()] for row in meta}
    files = sorted((shared_data / "voxceleb-vggface" / "unzippedFaces").glob("*/*/*/*.jpg"))
    faces, truth = pictures(files), np.array([sexes[file.parents[2].name] for file in files])
    sex = real("gender-mini-xception")
    given = sex.predict(faces)
    torch.testing.assert_close(given.sum(dim=1), torch.ones(len(faces)))
    right = np.array(sex.labels)[given.argmax(dim=1).numpy()] == truth
    assert right.mean() > 0.85
    assert min(right[truth == label].mean() for label in sex.labels) > 0.75
    given = real("fer2013-mini-xception").predict(faces[:64])
    assert given.shape == (64, 7)
    torch.testing.assert_close(given.sum(dim=1), torch.ones(64))


def test_features_by_card_order_real_blurred_and_noise(real, lfw):
    judge = real("efficientnet-lite0")
    faces = resize(lfw[1][torch.randperm(len(lfw[1]), generator=torch.Generator().manual_seed(0))[:160]], 64)
    blurred = F.interpolate(F.avg_pool2d(faces[80:], 4), (64, 64), mode="bilinear")
    seen, others, soft, none = (
        judge.predict(some).double() for some in (faces[:80], faces[80:], blurred, noise(80, side=64))
    )
    assert kid(seen, others) < 0.1 * kid(seen, soft) < 0.1 * kid(seen, none)


def kid(first, second):
    """Unbiased squared maximum mean discrepancy with the kernel (x·y/D + 1)³ (Binkowski et al. 2018)."""

    def kernel(x, y):
        return (x @ y.T / x.shape[1] + 1) ** 3

    n, m = len(first), len(second)
    within = [(kernel(x, x).sum() - kernel(x, x).trace()) / (k * (k - 1)) for x, k in ((first, n), (second, m))]
    return float(sum(within) - 2 * kernel(first, second).mean())
