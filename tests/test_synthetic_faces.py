"""The faces of `synthetic-speakers`: framed as real ones, every cause is seen, and a face detector finds them."""

from __future__ import annotations

import itertools
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from v2f_bench.datasets.synthetic_speakers.causes import (
    FACE_TRAITS,
    POPULATIONS,
    SHARED_FACTORS,
    Person,
    draw_person,
)
from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions, SyntheticSpeakers
from v2f_bench.datasets.synthetic_speakers.expression import EMOTIONS, Muscles, muscles
from v2f_bench.datasets.synthetic_speakers.face.appearance import appearance_of
from v2f_bench.datasets.synthetic_speakers.face.framing import framing_of
from v2f_bench.datasets.synthetic_speakers.face.render import draw_face
from v2f_bench.datasets.synthetic_speakers.face.scene import Scene, draw_scene, neutral_scene
from v2f_bench.judges.mtcnn import Mtcnn
from v2f_bench.media.align import TEMPLATE, similarity
from v2f_bench.media.mtcnn import find_faces
from v2f_bench.media.mtcnn_networks import load_networks
from v2f_bench.media.picture import to_tensor

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


def random_sitting(number: int) -> tuple[Person, Muscles, Scene]:
    person, rng = draw_person(WORLD, number), np.random.default_rng(number)
    emotion = EMOTIONS[number % len(EMOTIONS)]
    intensity = "normal" if emotion == "neutral" or number % 3 else "strong"
    return person, muscles(emotion, intensity, rng), draw_scene(person, rng)


def random_picture(number: int, size: int = 128) -> np.ndarray:
    return draw_face(*random_sitting(number), size)


@pytest.mark.parametrize("size", [32, 64, 101, 256])
def test_pictures_are_bytes_of_the_size_asked_for(size: int) -> None:
    picture = random_picture(3, size)
    assert picture.shape == (size, size, 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 20


@pytest.mark.parametrize("size", [32, 64, 128])
def test_a_small_picture_is_the_large_one_seen_from_afar(size: int) -> None:
    """Within 4 of 255 grey levels on average, of which the grain of the smaller picture is more than 1."""
    times = 256 // size
    for number in range(12):
        large = random_picture(number, 256).reshape(size, times, size, times, 3).astype(float).mean(axis=(1, 3))
        assert np.abs(random_picture(number, size) - large).mean() < 4.5


def test_eyes_and_mouth_lie_where_real_faces_are_aligned_to() -> None:
    """The five known points of heads, in a picture of 128 pixels, on average at the template of `media/align.py`."""
    pixels = []
    for number in range(240):
        face = appearance_of(*random_sitting(number))
        framing = framing_of(face.points, face.scene)
        pixels.append(np.stack(framing.place(*np.array(face.points).T), axis=1) * (128 / framing.side))
    left, right, _, mouth_left, mouth_right = np.abs(np.mean(pixels, axis=0) - TEMPLATE * 128).max(axis=1)
    assert max(left, right, mouth_left, mouth_right) < 1.0
    assert np.abs(pixels - TEMPLATE * 128).max() < 12
    assert 1 < np.std(pixels, axis=0).mean() < 3, "as different faces, turned heads and a detector's errors leave it"


def test_the_eyes_are_drawn_where_they_are_known_to_be() -> None:
    """What a glance moves: one spot a side, at the template's eyes."""
    person = middling("male", "arden")
    scene = replace(plain_scene(person, "cropped"), gaze=(-0.6, 0.0))
    left, right = (draw_face(person, Muscles(), replace(scene, gaze=(x, 0.0)), 128) for x in (-0.6, 0.6))
    moved = np.abs(left.astype(float) - right).mean(axis=2)
    moved[moved < 8] = 0
    rows, columns = np.mgrid[:128, :128] + 0.5
    for (x, y), half in zip(TEMPLATE[:2] * 128, (columns < 64, columns >= 64), strict=True):
        weight = moved * half
        assert (weight * columns).sum() / weight.sum() == pytest.approx(x, abs=2)
        assert (weight * rows).sum() / weight.sum() == pytest.approx(y, abs=2)
        assert weight[np.hypot(columns - x, rows - y) > 12].sum() == 0


def test_a_detector_would_align_the_pictures_to_where_they_are() -> None:
    """MTCNN's own five points in the pictures ask for hardly any shift or change of size."""
    pictures = np.stack([random_picture(number) for number in range(32)])
    framed = np.pad(pictures, ((0, 0), (32, 32), (32, 32), (0, 0)), mode="edge")
    found = find_faces(torch.from_numpy(framed).permute(0, 3, 1, 2), load_networks("cpu", "a test"), 60)
    first = [found.images.tolist().index(number) for number in range(32)]  # the surest of each
    middle, sizes, shifts = 0.5 + 0.6j, [], []
    for points in found.points[first].numpy():
        turn, shift = similarity(TEMPLATE, (points + 0.5 - 32) / 128)
        sizes.append(abs(turn))
        shifts.append(turn * middle + shift - middle)
    assert np.mean(sizes) == pytest.approx(1, abs=0.05)
    assert abs(np.mean(shifts)) < 0.015
    assert max(np.abs(shifts)) < 0.06


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
        grey = np.stack(pictures)[:, 18:58, 14:50].mean(-1).reshape(each, -1)
        middles.append((grey - grey.mean(1, keepdims=True)) / grey.std(1, keepdims=True))
    vectors, names = np.concatenate(middles), np.repeat(np.arange(people), each)
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -np.inf)
    assert (names[alike.argmax(1)] == names).mean() > 5 / people


def test_a_face_detector_finds_the_faces() -> None:
    """The judge `mtcnn`, which was trained on photographs, finds 99.5 % of the data set's pictures at 64 pixels."""
    people = 100
    dataset = SyntheticSpeakers(SyntheticOptions(speakers=people, clips=4, world=WORLD), None)
    pictures = np.stack([dataset.read_face(entry, 64) for entry in dataset.index()["face"]])
    judge = Mtcnn()
    judge.start("cpu")
    found = torch.cat([judge.predict(to_tensor(part, 64)) for part in np.split(pictures, 8)])
    assert (found > 0).double().mean() >= 0.995
    assert (found > 0.9).double().mean() >= 0.97
