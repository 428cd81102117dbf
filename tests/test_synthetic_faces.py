"""The faces of `synthetic-speakers`: every cause is seen, the scene varies, and a face detector finds them."""

from __future__ import annotations

import itertools
from dataclasses import fields, replace

import numpy as np
import pytest

from v2f_bench.datasets.synthetic_speakers.causes import (
    FACE_TRAITS,
    POPULATIONS,
    SHARED_FACTORS,
    Person,
    draw_person,
)
from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions, SyntheticSpeakers
from v2f_bench.datasets.synthetic_speakers.expression import EMOTIONS, Muscles, muscles
from v2f_bench.datasets.synthetic_speakers.face.render import draw_face
from v2f_bench.datasets.synthetic_speakers.face.scene import Scene, draw_scene, neutral_scene

WORLD = 5


def middling(sex: str, population: str, age: float = 35.0, **traits: float) -> Person:
    person = Person("S0000", sex, age, population, dict.fromkeys(SHARED_FACTORS, 0.0), {}, {}, seed=len(population))
    face = {trait: law.population[POPULATIONS.index(population)] for trait, law in FACE_TRAITS.items()}
    return replace(person, face=face | traits)


def plain_scene(person: Person, hairstyle: str) -> Scene:
    return replace(neutral_scene(person), hairstyle=hairstyle)


def change(a: np.ndarray, b: np.ndarray) -> float:
    """Mean absolute difference where the pictures differ most: over the 0.5 % of the pixels that change most."""
    each = np.sort(np.abs(a.astype(float) - b).mean(-1).ravel())
    return float(each[-len(each) // 200 :].mean())


def random_picture(number: int, size: int = 128) -> np.ndarray:
    person, rng = draw_person(WORLD, number), np.random.default_rng(number)
    emotion = EMOTIONS[number % len(EMOTIONS)]
    intensity = "normal" if emotion == "neutral" or number % 3 else "strong"
    return draw_face(person, muscles(emotion, intensity, rng), draw_scene(person, rng), size)


@pytest.mark.parametrize("size", [64, 128, 200])
def test_pictures_are_bytes_of_the_size_asked_for(size: int) -> None:
    picture = random_picture(3, size)
    assert picture.shape == (size, size, 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 20


def test_the_same_arguments_give_the_same_bytes() -> None:
    for number in range(4):
        assert np.array_equal(random_picture(number), random_picture(number))


def test_drawing_does_not_depend_on_what_was_drawn_before() -> None:
    first = random_picture(1)
    random_picture(2, size=64)
    assert np.array_equal(first, random_picture(1))


@pytest.mark.parametrize("trait", [*FACE_TRAITS])
@pytest.mark.parametrize(("sex", "hairstyle"), [("female", "behind ears"), ("male", "short side")])
def test_every_trait_is_seen_at_64_pixels(trait: str, sex: str, hairstyle: str) -> None:
    if trait == "beard_growth" and sex == "female":
        pytest.skip("women of this world grow no beards")
    for population in POPULATIONS:
        low, high = (middling(sex, population, **{trait: value}) for value in (-2.0, 2.0))
        scene = plain_scene(low, hairstyle)
        assert change(draw_face(low, Muscles(), scene, 64), draw_face(high, Muscles(), scene, 64)) > 12


@pytest.mark.parametrize("muscle", [field.name for field in fields(Muscles)])
def test_every_muscle_moves_the_face(muscle: str) -> None:
    for sex, hairstyle in (("female", "tied"), ("male", "cropped")):
        person = middling(sex, "dunmore", age=45.0)
        scene = plain_scene(person, hairstyle)
        rest = draw_face(person, Muscles(), scene)
        assert change(rest, draw_face(person, replace(Muscles(), **{muscle: 1.0}), scene)) > 12


def test_age_is_seen() -> None:
    for sex, hairstyle in (("female", "tied"), ("male", "cropped")):
        young, old = (middling(sex, "arden", age=age) for age in (20.0, 78.0))
        scene = plain_scene(young, hairstyle)
        assert change(draw_face(young, Muscles(), scene), draw_face(old, Muscles(), scene)) > 20


def test_a_person_wears_the_hair_in_two_to_four_ways() -> None:
    for number in range(30):
        person, rng = draw_person(WORLD, number), np.random.default_rng(number)
        worn = {draw_scene(person, rng).hairstyle for _ in range(60)}
        assert 2 <= len(worn) <= 4
        assert neutral_scene(person).hairstyle in worn


def test_scenes_vary_yet_a_person_is_recognised_without_colour_and_hair() -> None:
    """The nearest other picture, by the grey middle of the face in its own contrast, is mostly of the same person."""
    people, each = 16, 6
    middles = []
    for number in range(people):
        person, rng = draw_person(WORLD, number), np.random.default_rng(number)
        pictures = [draw_face(person, Muscles(), draw_scene(person, rng), 64) for _ in range(each)]
        assert min(change(a, b) for a, b in itertools.pairwise(pictures)) > 40
        grey = np.stack(pictures)[:, 18:52, 18:46].mean(-1).reshape(each, -1)
        middles.append((grey - grey.mean(1, keepdims=True)) / grey.std(1, keepdims=True))
    vectors, names = np.concatenate(middles), np.repeat(np.arange(people), each)
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -np.inf)
    assert (names[alike.argmax(1)] == names).mean() > 5 / people


def test_a_face_detector_finds_the_faces() -> None:
    """MTCNN, which was trained on photographs, finds 99 % of the data set's pictures at p > 0.9."""
    facenet_pytorch = pytest.importorskip("facenet_pytorch", reason="MTCNN comes with facenet-pytorch")
    image = pytest.importorskip("PIL.Image")
    people = 200
    dataset = SyntheticSpeakers(SyntheticOptions(speakers=people), None)
    entries = dataset.index()["face"].iloc[:: SyntheticOptions.clips]
    pictures = [image.fromarray(dataset.read_face(entry)) for entry in entries]
    detector = facenet_pytorch.MTCNN(keep_all=False, device="cpu")
    found = [detector.detect(pictures[start : start + 40])[1] for start in range(0, people, 40)]
    probability = np.array([row[0] or 0.0 for batch in found for row in batch], float)
    assert (probability > 0.9).mean() >= 0.99
