"""Metrics against references that others wrote, and what they say of answers whose quality is known beforehand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from measuring import interval_of, point
from sklearn.metrics import top_k_accuracy_score
from sklearn.metrics.pairwise import cosine_similarity

from v2f_bench.interfaces import Evidence
from v2f_bench.metrics import FrechetIdentity, IdentityCosine, Retrieval
from v2f_bench.metrics.frechet import frechet_distance

SPEAKERS, DIMENSIONS = 30, 16
ROLES = ("target", "proposal", "other", "real-photo", "random-face")


def evidence(generated=None, seed=0):
    """Two trials a speaker with random vectors in every role; by default the generated faces are random too."""
    rng = np.random.default_rng(seed)
    names = [f"s{i:02d}" for i in range(SPEAKERS)]
    gallery = pd.DataFrame({"speaker": names, "sex": ["female", "male"] * (SPEAKERS // 2)})
    trials = gallery.loc[gallery.index.repeat(2)].reset_index(drop=True)
    reference = gallery.loc[gallery.index.repeat(3)].reset_index(drop=True)
    faces = rng.standard_normal((SPEAKERS, DIMENSIONS)).astype(np.float32)
    seen = {role: rng.standard_normal((len(trials), DIMENSIONS)).astype(np.float32) for role in ROLES}
    seen |= {"gallery": faces, "target": np.repeat(faces, 2, axis=0)}
    seen["mean-face"] = np.repeat(faces.mean(axis=0, keepdims=True), len(trials), axis=0)
    seen["reference"] = rng.standard_normal((len(reference), DIMENSIONS)).astype(np.float32)
    seen["generated"] = seen["random-face"] if generated is None else generated(seen)
    return Evidence(trials, gallery, reference, seen)


def measures(metric, found):
    return {measure.name: measure for measure in metric.measure(found)}


def test_cosines_equal_scikit_learn():
    found = evidence()
    for role in ("target", "proposal", "other"):
        expected = np.diag(cosine_similarity(found.seen["generated"], found.seen[role]))
        values = measures(IdentityCosine(), found)[f"identity-cosine/{role}"].values
        np.testing.assert_allclose(values, expected, atol=1e-6)


@pytest.mark.parametrize("k", [1, 5, 10])
def test_retrieval_equals_scikit_learn(k):
    found = evidence()
    scores = cosine_similarity(found.seen["generated"], found.seen["gallery"])
    expected = top_k_accuracy_score(np.repeat(np.arange(SPEAKERS), 2), scores, k=k, labels=np.arange(SPEAKERS))
    measure = measures(Retrieval(), found)[f"retrieval/R@{k}"]
    assert measure.values.mean() == pytest.approx(expected)
    assert measure.chance == pytest.approx(k / SPEAKERS)


def test_within_sex_ranks_only_that_sex():
    found = evidence()
    scores = cosine_similarity(found.seen["generated"], found.seen["gallery"])
    women = scores[found.trials["sex"] == "female"][:, found.gallery["sex"] == "female"]
    expected = top_k_accuracy_score(np.repeat(np.arange(15), 2), women, k=5, labels=np.arange(15))
    values = measures(Retrieval(), found)["retrieval/within-sex/R@5"].values
    assert values[found.trials["sex"] == "female"].mean() == pytest.approx(expected)
    assert measures(Retrieval(), found)["retrieval/within-sex/R@5"].chance == pytest.approx(5 / 15)


def test_the_right_face_is_at_the_top_of_every_measure():
    found = evidence(lambda seen: seen["target"] * 3)
    retrieval = measures(Retrieval(), found)
    assert point(retrieval["retrieval/R@1"]) == 1
    assert point(retrieval["retrieval/normalised-median-rank"]) == 0
    assert point(measures(IdentityCosine(), found)["identity-cosine/target"]) == pytest.approx(1)


def test_a_constant_face_is_at_chance_and_so_is_its_within_sex_rank():
    found = evidence(lambda seen: np.repeat(seen["random-face"][:1] * 0 + 1, 2 * SPEAKERS, axis=0))
    same = replace(found, seen={**found.seen, "gallery": np.ones((SPEAKERS, DIMENSIONS), np.float32)})
    for name, measure in measures(Retrieval(), same).items():
        assert point(measure) == pytest.approx(measure.chance), name


def test_faces_that_are_missing_or_not_finite_are_never_retrieved():
    """A naive ranking of NaN similarities puts every target first."""
    found = evidence(lambda seen: np.full_like(seen["target"], np.nan))
    retrieval = measures(Retrieval(), found)
    for name in ("retrieval/R@1", "retrieval/R@5", "retrieval/R@10", "retrieval/within-sex/R@5"):
        assert point(retrieval[name]) == 0
    assert point(retrieval["retrieval/normalised-mean-rank"]) == 1
    assert point(measures(IdentityCosine(), found)["identity-cosine/target"]) == -1
    assert point(measures(FrechetIdentity(), found)["frechet-identity"]) is None


def test_a_gallery_face_that_cannot_be_judged_is_nobodys_failure():
    def blank_first(seen):
        seen["gallery"][0] = np.nan
        seen["target"][:2] = np.nan
        return seen["random-face"]

    found = evidence(blank_first)
    values = measures(Retrieval(), found)["retrieval/R@5"].values
    assert np.isnan(values[:2]).all()
    assert not np.isnan(values[2:]).any()
    assert np.isnan(measures(IdentityCosine(), found)["identity-cosine/target"].values[:2]).all()


def test_frechet_distance_of_known_normals():
    """Two normals of known mean and covariance: the distance has a closed form."""
    rng = np.random.default_rng(0)
    first = rng.standard_normal((60_000, 3)) * [1.0, 2.0, 3.0]
    second = rng.standard_normal((60_000, 3)) * [2.0, 2.0, 1.0] + [1.0, 0.0, 2.0]
    assert frechet_distance(first, second) == pytest.approx(5 + (1 + 0 + 4), rel=0.03)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("n", "m", "d"), [(40, 50, 12), (20, 25, 200), (300, 30, 64)])
def test_frechet_distance_equals_the_textbook_formula(n, m, d):
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(0)
    first, second = rng.standard_normal((n, d)), rng.standard_normal((m, d)) * 1.3 + 0.2
    c1, c2 = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    root = sqrtm(c1 @ c2 if d < n else (c1 + 1e-9 * np.eye(d)) @ (c2 + 1e-9 * np.eye(d)))
    expected = ((first.mean(0) - second.mean(0)) ** 2).sum() + np.trace(c1 + c2) - 2 * np.trace(root).real
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-3)


def test_frechet_interval_contains_its_value_and_floor_is_worse_than_ceiling():
    found = evidence(lambda seen: seen["reference"][:60] + 0.1)
    measure = measures(FrechetIdentity(), found)["frechet-identity"]
    interval = interval_of(measure, found.trials["speaker"].to_numpy())
    assert interval.low < interval.value < interval.high
    floor = measures(FrechetIdentity(), found.instead("mean-face"))["frechet-identity"]
    assert point(floor) > point(measure)
