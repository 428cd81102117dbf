"""Identity metrics against scikit-learn and against their definitions counted out by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from measuring import interval_of, point
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve
from sklearn.metrics.pairwise import cosine_similarity

from v2f_bench.interfaces import Evidence
from v2f_bench.metrics import (
    Diversity,
    IdentityCosine,
    IdentityPreservation,
    Matching,
    MeanAveragePrecision,
    RecognitionAccuracy,
    Retrieval,
    SsppGain,
    Verification,
)
from v2f_bench.metrics.mean_average_precision import expected_average_precision
from v2f_bench.stats import average_precision

SPEAKERS, TRIALS, PHOTOS, DIMENSIONS = 40, 3, 3, 12


def world(seed=0, speakers=SPEAKERS):
    """People with a direction of their own; their pictures, and what a fair method makes of them, scatter around it.

    The first of the three reference pictures of each is the gallery's.
    """
    rng = np.random.default_rng(seed)
    names = [f"s{i:03d}" for i in range(speakers)]
    gallery = pd.DataFrame(
        {
            "clip": [f"{name}-0" for name in names],
            "speaker": names,
            "sex": np.resize(["female", "male"], speakers),
            "age": np.resize([20.0, 25.0, 40.0, 50.0, 70.0, 71.0], speakers),
        }
    )
    trials = gallery.loc[gallery.index.repeat(TRIALS), ["speaker", "sex", "age"]].reset_index(drop=True)
    reference = gallery.loc[gallery.index.repeat(PHOTOS)].reset_index(drop=True)
    reference["clip"] = [f"{name}-{i % PHOTOS}" for i, name in enumerate(reference["speaker"])]
    people = rng.standard_normal((speakers, DIMENSIONS))

    def pictures(of, scatter):
        return (people[of] + scatter * rng.standard_normal((len(of), DIMENSIONS))).astype(np.float32)

    every = np.arange(speakers)
    own, photo_of = every.repeat(TRIALS), every.repeat(PHOTOS)
    of_gallery, of_reference = pictures(every, 0.5), pictures(photo_of, 0.5)
    of_reference[::PHOTOS] = of_gallery
    strangers = rng.standard_normal((len(own), DIMENSIONS)).astype(np.float32)
    mean_of_sex = np.stack([strangers[own % 2 == sex].mean(axis=0) for sex in (0, 1)])
    seen = {
        "generated": pictures(own, 2.0),
        "target": of_gallery[own],
        "proposal": pictures((own + 1) % speakers, 0.5),
        "other": of_gallery[(own + 7) % speakers],
        "real-photo": pictures(own, 0.5),
        "random-face": strangers,
        "mean-face": strangers.mean(axis=0, keepdims=True).repeat(len(own), axis=0),
        "mean-face-of-sex": mean_of_sex[own % 2],
        "gallery": of_gallery,
        "reference": of_reference,
    }
    return Evidence(trials, gallery, reference, seen)


def measures(metric, found):
    return {measure.name: measure for measure in metric().measure(found)}


def scores_of(found):
    """Cosines of generated to gallery faces, and the target's column."""
    return cosine_similarity(found.seen["generated"], found.seen["gallery"]), np.arange(SPEAKERS).repeat(TRIALS)


def pooled(found, same=None):
    """Scores and labels of every pair of a trial and a gallery face; `same`: the label both must share."""
    scores, target = scores_of(found)
    labels = np.arange(SPEAKERS)[None, :] == target[:, None]
    if same is None:
        return scores.ravel(), labels.ravel()
    taking_part = found.trials[same].to_numpy()[:, None] == found.gallery[same].to_numpy()[None, :]
    return scores[taking_part], labels[taking_part]


def test_gains_are_over_the_mean_faces_trial_by_trial():
    found = world()
    seen, target = found.seen, found.seen["target"]
    for mean in ("mean-face", "mean-face-of-sex"):
        measure = measures(IdentityCosine, found)[f"identity-cosine/gain-over-{mean}"]
        own, blind = (np.diag(cosine_similarity(seen[role], target)) for role in ("generated", mean))
        np.testing.assert_allclose(measure.values, own - blind, atol=1e-6)
        assert measure.floor == mean
        at_floor = measures(IdentityCosine, found.instead(mean))[measure.name]
        np.testing.assert_allclose(at_floor.values, 0, atol=1e-12)


def test_without_labels_there_is_no_gain_over_the_mean_of_the_sex():
    found = world()
    found = replace(found, seen={role: rows for role, rows in found.seen.items() if role != "mean-face-of-sex"})
    assert "identity-cosine/gain-over-mean-face" in measures(IdentityCosine, found)
    assert "identity-cosine/gain-over-mean-face-of-sex" not in measures(IdentityCosine, found)


def test_preservation_is_the_cosine_to_the_source():
    found = world()
    values = measures(IdentityPreservation, found)["identity-preservation"].values
    expected = np.diag(cosine_similarity(found.seen["generated"], found.seen["proposal"]))
    np.testing.assert_allclose(values, expected, atol=1e-6)
    assert point(measures(IdentityPreservation, found.instead("proposal"))["identity-preservation"]) == pytest.approx(1)


def test_recall_in_smaller_galleries_is_what_drawing_them_gives():
    found = world(speakers=60)
    scores = cosine_similarity(found.seen["generated"], found.seen["gallery"])
    rng = np.random.default_rng(0)
    retrieval, hits = measures(Retrieval, found), {1: [], 5: [], 10: []}
    for _ in range(1500):
        trial = rng.integers(len(scores))
        own = trial // TRIALS
        others = rng.choice(np.delete(np.arange(60), own), 49, replace=False)
        for k, found_there in hits.items():
            found_there.append((scores[trial, others] > scores[trial, own]).sum() < k)
    for k, found_there in hits.items():
        measure = retrieval[f"retrieval/R@{k}-of-50"]
        assert measure.values.mean() == pytest.approx(np.mean(found_there), abs=0.045)
        assert measure.chance == pytest.approx(k / 50)
        assert measure.values.mean() >= retrieval[f"retrieval/R@{k}"].values.mean()
    assert "retrieval/R@5-of-100" not in retrieval


def test_a_gallery_of_just_that_size_gives_its_own_recall():
    found = world(speakers=50)
    retrieval = measures(Retrieval, found)
    np.testing.assert_allclose(retrieval["retrieval/R@5-of-50"].values, retrieval["retrieval/R@5"].values)


def test_within_sex_and_age_ranks_only_these():
    found = world()
    scores, _ = scores_of(found)
    bands = np.digitize(found.gallery["age"], [30, 45, 60])
    values = measures(Retrieval, found)["retrieval/within-sex-and-age/R@1"].values
    for trial in range(0, len(scores), 5):
        own = trial // TRIALS
        rivals = (bands == bands[own]) & (found.gallery["sex"] == found.gallery["sex"][own]).to_numpy()
        if rivals.sum() > 1:
            assert values[trial] == (scores[trial, rivals].max() == scores[trial, own]), trial
        else:
            assert np.isnan(values[trial])


def test_people_without_a_label_stand_in_nobodys_stratum():
    found = world()
    unknown = found.gallery.assign(sex=found.gallery["sex"].where(found.gallery.index >= 4, ""))
    found = replace(found, gallery=unknown)
    retrieval = measures(Retrieval, found)
    within = retrieval["retrieval/within-sex/R@5"]
    assert np.isnan(within.values[: 4 * TRIALS]).all()
    assert not np.isnan(within.values[4 * TRIALS :]).any()
    assert within.chance == pytest.approx(5 / 18)
    assert not np.isnan(retrieval["retrieval/R@5"].values).any()
    nobody = replace(found, gallery=unknown.assign(sex=None))
    assert not any("within" in name for name in measures(Retrieval, nobody))


@pytest.mark.parametrize("same", [None, "sex"])
def test_matching_counts_every_choice(same):
    found = world()
    scores, target = scores_of(found)
    prefix = f"matching/within-{same}/" if same else "matching/"
    measure = measures(Matching, found)[f"{prefix}1:2"]
    expected = []
    for trial, own in enumerate(target):
        rivals = np.arange(SPEAKERS) != own
        if same:
            rivals &= (found.gallery[same] == found.gallery[same][own]).to_numpy()
        expected.append((scores[trial, own] > scores[trial, rivals]).mean())
    np.testing.assert_allclose(measure.values, expected)
    assert measure.chance == 0.5


def test_matching_among_more_is_harder():
    matching = measures(Matching, world())
    values = [point(matching[f"matching/1:{n}"]) for n in (2, 5, 10)]
    assert values == sorted(values, reverse=True)
    assert [matching[f"matching/1:{n}"].chance for n in (2, 5, 10)] == [0.5, 0.2, 0.1]


@pytest.mark.parametrize(("prefix", "same"), [("", None), ("within-sex/", "sex")])
def test_auc_and_eer_equal_scikit_learn(prefix, same):
    found = world()
    scores, labels = pooled(found, same)
    verification = measures(Verification, found)
    assert point(verification[f"verification/{prefix}AUC"]) == pytest.approx(roc_auc_score(labels, scores), abs=1e-9)
    false_accept, accept, _ = roc_curve(labels, scores, drop_intermediate=False)
    refuse = 1 - accept
    after = int(np.argmax(false_accept >= refuse))
    gap = false_accept - refuse
    share = -gap[after - 1] / (gap[after] - gap[after - 1])
    expected = false_accept[after - 1] + share * (false_accept[after] - false_accept[after - 1])
    assert point(verification[f"verification/{prefix}EER"]) == pytest.approx(expected, abs=1e-9)


def test_verification_has_intervals_around_its_values_and_narrower_ones_than_chance_is_away():
    found = world()
    speakers = found.trials["speaker"].to_numpy()
    for name, measure in measures(Verification, found).items():
        value, low, high = interval_of(measure, speakers)
        assert low < value < high, name
        assert (low > 0.5) if name.endswith("AUC") else (high < 0.5)


def test_verification_of_a_group_takes_that_groups_trials():
    found = world()
    rows = np.arange(30)
    part = {role: values[rows] if len(values) == len(found.trials) else values for role, values in found.seen.items()}
    part |= {role: found.seen[role] for role in ("gallery", "reference")}
    alone = replace(found, trials=found.trials.iloc[rows], seen=part)
    for name, measure in measures(Verification, found).items():
        assert measure.statistic(rows) == pytest.approx(point(measures(Verification, alone)[name])), name


def test_map_equals_scikit_learn_over_each_picture_once():
    found = world()
    further = np.arange(len(found.reference)) % PHOTOS != 0
    vectors = np.concatenate([found.seen["gallery"], found.seen["reference"][further]])
    whose = np.concatenate([found.gallery["speaker"], found.reference["speaker"][further]])
    scores = cosine_similarity(found.seen["generated"], vectors)
    expected = [
        average_precision_score(whose == speaker, row)
        for speaker, row in zip(found.trials["speaker"], scores, strict=True)
    ]
    measure = measures(MeanAveragePrecision, found)["map"]
    np.testing.assert_allclose(measure.values, expected, atol=1e-9)
    assert measure.chance == pytest.approx(expected_average_precision(np.array([PHOTOS]), SPEAKERS * PHOTOS)[0])


@pytest.mark.parametrize(("relevant", "candidates"), [(1, 10), (3, 40), (5, 5), (1, 1)])
def test_expected_average_precision_is_that_of_random_orders(relevant, candidates):
    rng = np.random.default_rng(0)
    scores = rng.random((4000, candidates))
    drawn = average_precision(scores, np.arange(candidates)[None, :].repeat(4000, axis=0) < relevant)
    expected = expected_average_precision(np.array([relevant]), candidates)[0]
    assert drawn.mean() == pytest.approx(expected, abs=4 * drawn.std() / np.sqrt(4000) + 1e-9)


def test_recognition_is_by_the_mean_of_each_persons_pictures():
    found = world()
    directions = found.seen["reference"] / np.linalg.norm(found.seen["reference"], axis=1, keepdims=True)
    templates = directions.reshape(SPEAKERS, PHOTOS, -1).mean(axis=1)  # the gallery's picture is the first of these
    taken_for = cosine_similarity(found.seen["generated"], templates).argmax(axis=1)
    measure = measures(RecognitionAccuracy, found)["recognition-accuracy"]
    np.testing.assert_array_equal(measure.values, taken_for == np.arange(SPEAKERS).repeat(TRIALS))
    assert measure.chance == pytest.approx(1 / SPEAKERS)


def test_sspp_gain_is_the_change_of_recognition_of_the_probes():
    found = world()
    gallery, generated, probes = (
        rows / np.linalg.norm(rows, axis=1, keepdims=True)
        for rows in (found.seen["gallery"], found.seen["generated"], found.seen["reference"])
    )
    probes = probes.reshape(SPEAKERS, PHOTOS, -1)[:, 1:]
    joined = gallery + generated.reshape(SPEAKERS, TRIALS, -1).sum(axis=1)

    def accuracy(templates):
        right = [cosine_similarity(mine, templates).argmax(axis=1) == own for own, mine in enumerate(probes)]
        return np.mean(right, axis=1).repeat(TRIALS)

    sspp = measures(SsppGain, found)
    np.testing.assert_allclose(sspp["sspp-gain/one-sample"].values, accuracy(gallery))
    np.testing.assert_allclose(sspp["sspp-gain/accuracy"].values, accuracy(joined))
    np.testing.assert_allclose(sspp["sspp-gain"].values, accuracy(joined) - accuracy(gallery))


def test_more_real_photographs_help_single_sample_recognition_and_strangers_harm_it():
    """The more so as the single sample is poor."""
    found = world()
    poor = found.seen["gallery"] + np.random.default_rng(1).standard_normal(found.seen["gallery"].shape) * 1.2
    found = replace(found, seen={**found.seen, "gallery": poor})
    gain = {role: point(measures(SsppGain, found.instead(role))["sspp-gain"]) for role in ("real-photo", "random-face")}
    assert gain["real-photo"] > 0.05
    assert gain["random-face"] < 0


def test_diversity_is_the_mean_over_pairs_of_different_speakers():
    found = world()
    speakers = found.trials["speaker"].to_numpy()
    different = speakers[:, None] != speakers[None, :]
    expected = {
        role: 1 - cosine_similarity(found.seen[role], found.seen[role])[different].mean()
        for role in ("generated", "target")
    }
    diversity = measures(Diversity, found)
    assert point(diversity["diversity/distance"]) == pytest.approx(expected["generated"], abs=1e-6)
    assert point(diversity["diversity"]) == pytest.approx(expected["generated"] / expected["target"], abs=1e-6)
    value, low, high = interval_of(diversity["diversity"], speakers)
    assert low < value < high


def test_one_face_for_all_has_no_diversity_and_real_photographs_have_it_whole():
    found = world()
    assert point(measures(Diversity, found.instead("mean-face"))["diversity"]) == pytest.approx(0, abs=1e-9)
    assert point(measures(Diversity, found.instead("real-photo"))["diversity"]) == pytest.approx(1, abs=0.05)


def test_ties_are_given_what_chance_would():
    """A judge that sees no difference between any two faces."""
    found = world()
    blind = {role: np.ones_like(rows) for role, rows in found.seen.items()}
    found = replace(found, seen=blind)
    for metric in (Retrieval, Matching, Verification, RecognitionAccuracy):
        for name, measure in measures(metric, found).items():
            assert point(measure) == pytest.approx(measure.chance), name
    assert np.isnan(measures(Diversity, found)["diversity"].statistic(np.arange(len(found.trials))))
    assert point(measures(SsppGain, found)["sspp-gain"]) == pytest.approx(0)
