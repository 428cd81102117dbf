"""The judges that the embedded data set delivers: there for its default world, and not fooled by patches."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from v2f_bench.contracts import TRACKS
from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions, SyntheticSpeakers
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.judges import _train, delivered_judge
from v2f_bench.harness.make_bench import make_protocol
from v2f_bench.harness.workplace import Workplace
from v2f_bench.hashing import file_sha256
from v2f_bench.interfaces import Context, Silent
from v2f_bench.judges.in_domain import InDomainEmotion, InDomainEmotionShape, InDomainIdentity
from v2f_bench.metrics.vectors import unit
from v2f_bench.stats import area_under_curve

JUDGES = (InDomainIdentity, InDomainEmotion, InDomainEmotionShape)
FACES, STEPS = 96, 40
PIXEL = 8 / 255  # most that a pixel is changed
PATCHES, SIDE = 4, 8  # free patches on a face, and pixels a side of each


def default_bench(track="identity", **options):
    """The data set with its protocol, but nothing prepared: enough to name the judges."""
    dataset = SyntheticSpeakers(SyntheticOptions(**options), None)
    index = dataset.index().assign(**{"voice": True, "face": True})
    return Bench(dataset, None, make_protocol(dataset, index.set_index("clip", drop=False), track))


def opened(cls):
    judge = cls()
    judge.restore(load_file(delivered_judge(judge, default_bench())), "cpu")
    return judge


@pytest.mark.parametrize("cls", JUDGES)
def test_every_judge_of_the_default_world_is_delivered_and_no_other(cls):
    for track in TRACKS:
        assert delivered_judge(cls(), default_bench(track)).is_file()
    assert not delivered_judge(cls(), default_bench(world=1)).exists()
    assert not delivered_judge(cls(), default_bench(speakers=399)).exists()


def test_no_other_file_lies_beside_them():
    wanted = {delivered_judge(cls(), default_bench()).name for cls in JUDGES}
    assert {path.name for path in Path(SyntheticSpeakers.judges).iterdir()} == wanted


class Faces:
    """Pictures of people of a world that no delivered judge has met."""

    def __init__(self, speakers, world=7):
        people = SyntheticSpeakers(SyntheticOptions(speakers=speakers, world=world), None)
        self.table = people.index().reset_index(drop=True)
        entries, self.table["face"] = list(self.table["face"]), True
        self.pictures = torch.stack(
            [torch.from_numpy(people.read_face(entry, 64)).permute(2, 0, 1).float() / 255 for entry in entries]
        )

    def faces(self, rows):
        return self.pictures[rows]


@pytest.fixture(scope="module")
def faces():
    return Faces(speakers=120)


def changed(faces, score, free):
    """Faces after some steps up the gradient of `score`: a little everywhere, or at will in a few patches."""
    rng = np.random.default_rng(0)
    mask = torch.zeros(len(faces), 1, 64, 64)
    for face in mask if free else ():
        for top, left in rng.integers(64 - SIDE, size=(PATCHES, 2)):
            face[:, top : top + SIDE, left : left + SIDE] = 1
    if not free:
        mask += 1
    most = 1.0 if free else PIXEL
    change = torch.zeros_like(faces)
    for _ in range(STEPS):
        change.requires_grad_(True)
        (slope,) = torch.autograd.grad(score((faces + mask * change).clamp(0, 1)), change)
        change = (change.detach() + most / 8 * slope.sign()).clamp(-most, most)
    return (faces + mask * change).clamp(0, 1).detach()


def test_they_have_learned_what_they_judge():
    """On people of another world, whom they never met."""
    people = Faces(speakers=24)
    emotions = people.table["emotion"].to_numpy()
    for cls in (InDomainEmotion, InDomainEmotionShape):
        judge = opened(cls)
        seen = np.array(judge.labels)[judge.predict(people.pictures).argmax(dim=1)]
        assert (seen == emotions).mean() > 0.8, judge.name
    vectors = unit(opened(InDomainIdentity).predict(people.pictures).numpy())
    speakers = people.table["speaker"].to_numpy()
    first, second = np.triu_indices(len(vectors), k=1)
    same = speakers[first] == speakers[second]
    cosines = (vectors @ vectors.T)[first, second]
    assert area_under_curve(cosines[same], cosines[~same]) > 0.9


def test_the_harness_takes_them_and_trains_none(monkeypatch, tmp_path):
    def refuse(*_):
        raise AssertionError("trained anew")

    for cls in JUDGES:
        monkeypatch.setattr(cls, "fit", refuse)
        judge, bench = cls(), default_bench()
        assert _train(judge, bench, Workplace(cache=tmp_path))[0] == file_sha256(delivered_judge(judge, bench))
        with pytest.raises((AssertionError, AttributeError)):  # of another world none is there, and nothing is prepared
            _train(cls(), default_bench(world=1), Workplace(cache=tmp_path))


@pytest.fixture(scope="module")
def third(faces):
    """By class, a further judge of the usual weak sort: it learned from real faces as they are."""
    by_class = {}
    for cls in (InDomainEmotion, InDomainIdentity):
        judge = cls()
        judge._augmented = lambda batch, rng: batch
        judge.fit(faces, faces, Context(77, "cpu", Silent()))
        by_class[cls] = judge
    return by_class


def on_both_sides(batch, score):
    """Judges see a face and its mirror image."""
    return score(batch) + score(batch.flip(-1))


@pytest.mark.slow
@pytest.mark.parametrize("free", [False, True])
def test_patches_drawn_against_another_classifier_are_no_emotion(faces, third, free):
    fooled = third[InDomainEmotion]
    neutral = faces.pictures[np.flatnonzero(faces.table["emotion"] == "neutral")[:FACES]]
    emotions = [number for number, label in enumerate(fooled.labels) if label != "neutral"]
    wanted = torch.tensor([emotions[number % len(emotions)] for number in range(len(neutral))])
    names = np.array(fooled.labels)[wanted]

    def likeness(batch):
        return -F.cross_entropy(fooled._head(fooled._network(batch)), wanted)

    def agreement(judge, batch):
        return float((np.array(judge.labels)[judge.predict(batch).argmax(dim=1)] == names).mean())

    drawn = changed(neutral, lambda batch: on_both_sides(batch, likeness), free)
    assert agreement(fooled, drawn) > 0.5, "the patches must fool the one they are drawn against"
    for cls in (InDomainEmotion, InDomainEmotionShape):
        judge = opened(cls)
        floor = agreement(judge, neutral)
        assert agreement(judge, drawn) <= floor + 0.10, f"{judge.name}: floor {floor:.3f}"


@pytest.mark.slow
@pytest.mark.parametrize("free", [False, True])
def test_patches_that_pull_an_embedding_are_no_person(faces, third, free):
    fooled = third[InDomainIdentity]
    people = faces.table.groupby("speaker").head(2)
    first, second = (people.index[people.groupby("speaker").cumcount() == number][:FACES] for number in (0, 1))
    start, target = faces.pictures[np.roll(first, 1)], faces.pictures[second]  # somebody else, and whom to resemble
    aim = F.normalize(fooled.predict(target), dim=1)

    def likeness(batch):
        return (fooled._network(batch) * aim).sum()

    def recall(judge, batch):
        cosines = unit(judge.predict(batch).numpy()) @ unit(judge.predict(target).numpy()).T
        return float(((cosines > np.diag(cosines)[:, None]).sum(axis=1) < 5).mean())

    drawn = changed(start, lambda batch: on_both_sides(batch, likeness), free)
    assert recall(fooled, drawn) > 0.5, "the patches must fool the one they are drawn against"
    judge = opened(InDomainIdentity)
    floor = recall(judge, start)
    assert recall(judge, drawn) <= floor + 0.10, f"floor {floor:.3f}"
