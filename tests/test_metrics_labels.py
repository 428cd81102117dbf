"""Metrics of emotion, sex, age, faces found and colour, against scikit-learn and published colours."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from measuring import interval_of, point
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    f1_score,
    roc_auc_score,
)

from v2f_bench.interfaces import Evidence
from v2f_bench.metrics import AgeError, ColourShift, EmotionAgreement, FaceFound, SexAgreement
from v2f_bench.metrics.colour_shift import lab, still_cells

N, PER_SPEAKER = 240, 4
KNOWN = ("angry", "happy", "neutral", "sad")


def evidence(given, labels=(), **columns):
    """What a judge gives for generated faces; other roles have the same rows, targets in another order."""
    trials = pd.DataFrame({"speaker": [f"s{place // PER_SPEAKER:03d}" for place in range(len(given))], **columns})
    gallery = trials.drop_duplicates("speaker").reset_index(drop=True)
    seen = {"generated": given, "target": np.roll(given, 1, axis=0), "proposal": given, "gallery": given[::PER_SPEAKER]}
    return Evidence(trials, gallery, gallery.iloc[:0], {**seen, "reference": given[:0]}, "judge", labels)


def judged_emotions(seed=0):
    """Probabilities that lean to the truth, emotions of voices (some that the judge does not know), and heard ones."""
    rng = np.random.default_rng(seed)
    emotion = rng.choice([*KNOWN, "calm"], N, p=[0.4, 0.2, 0.2, 0.1, 0.1])
    given = rng.random((N, len(KNOWN))) + 0.6 * (emotion[:, None] == np.array(KNOWN))
    given[rng.random(N) < 0.1] = np.nan
    heard = np.where(rng.random(N) < 0.3, "", rng.choice(KNOWN, N))
    return (given / given.sum(axis=1, keepdims=True)).astype(np.float32), emotion, heard


def measures(metric, found):
    return {measure.name: measure for measure in metric().measure(found)}


@pytest.mark.parametrize(("column", "prefix"), [("emotion", ""), ("heard", "heard-")])
def test_emotion_agreement_equals_scikit_learn(column, prefix):
    given, emotion, heard = judged_emotions()
    found = evidence(given, KNOWN, emotion=emotion, heard=heard)
    truth = found.trials[column].to_numpy()
    counts = np.isin(truth, KNOWN)
    said = np.array([*KNOWN, "no face"])[np.where(np.isnan(given).any(axis=1), 4, np.nan_to_num(given).argmax(axis=1))]
    truth, said = truth[counts], said[counts]
    agreement = measures(EmotionAgreement, found)
    value = {part: point(agreement[f"emotion-agreement/{prefix}{part}"]) for part in ("accuracy", "macro-F1", "kappa")}
    assert value["accuracy"] == pytest.approx(accuracy_score(truth, said))
    assert value["macro-F1"] == pytest.approx(f1_score(truth, said, labels=KNOWN, average="macro"))
    assert value["kappa"] == pytest.approx(cohen_kappa_score(truth, said))
    details = agreement[f"emotion-agreement/{prefix}accuracy"].details
    assert details["row_labels"] == list(KNOWN)
    assert details["column_labels"] == [*KNOWN, "no face"]
    cells = confusion_matrix(truth, said, labels=[*KNOWN, "no face"])[:-1]
    np.testing.assert_array_equal(details["confusion"], cells)
    assert details["without_label"] == int((found.trials[column] == "").sum())
    assert json.loads(json.dumps(details, allow_nan=False)) == details


def test_area_of_one_emotion_against_the_rest_equals_scikit_learn():
    given, emotion, _ = judged_emotions()
    given = np.where(np.isnan(given), 0.25, given).astype(np.float32)  # ties; scikit-learn takes no failed face
    counts = emotion != "calm"
    area = measures(EmotionAgreement, evidence(given, KNOWN, emotion=emotion))["emotion-agreement/AUC"]
    expected = [roc_auc_score(emotion[counts] == name, given[counts, place]) for place, name in enumerate(KNOWN)]
    assert point(area) == pytest.approx(np.mean(expected))
    assert area.details["area_of"] == pytest.approx(dict(zip(KNOWN, expected, strict=True)), abs=1e-6)


def test_area_does_not_mind_a_judge_that_leans_to_one_emotion():
    given, emotion, _ = judged_emotions()
    leaning = given + np.array([0, 0, 0, 5], np.float32)  # everything is called sad
    plain, leant = (measures(EmotionAgreement, evidence(seen, KNOWN, emotion=emotion)) for seen in (given, leaning))
    assert point(leant["emotion-agreement/accuracy"]) < 0.2 < 0.4 < point(plain["emotion-agreement/accuracy"])
    assert point(leant["emotion-agreement/AUC"]) == pytest.approx(point(plain["emotion-agreement/AUC"]))


@pytest.mark.slow
def test_area_of_answers_that_have_nothing_to_do_with_the_voice_lies_within_its_interval_of_a_half():
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        of_speaker = rng.random((N // PER_SPEAKER, 4)).repeat(PER_SPEAKER, axis=0)  # a speaker's faces are alike
        given = (of_speaker + 0.3 * rng.random((N, 4))).astype(np.float32)
        found = evidence(given, KNOWN, emotion=rng.choice(KNOWN, N))
        area = measures(EmotionAgreement, found)["emotion-agreement/AUC"]
        _, low, high = interval_of(area, found.trials["speaker"].to_numpy())
        held += low <= 0.5 <= high
    assert 88 <= held <= 99  # of 95 expected


def test_a_failed_face_never_helps_the_area():
    given, emotion, _ = judged_emotions()
    given = np.where(np.isnan(given), 0.25, given).astype(np.float32)
    before = point(measures(EmotionAgreement, evidence(given, KNOWN, emotion=emotion))["emotion-agreement/AUC"])
    for place in range(0, N, 7):
        holed = given.copy()
        holed[place] = np.nan
        after = measures(EmotionAgreement, evidence(holed, KNOWN, emotion=emotion))["emotion-agreement/AUC"]
        assert point(after) <= before


def test_labels_that_the_judge_does_not_know_are_left_out_and_counted():
    given, emotion, _ = judged_emotions()
    accuracy = measures(EmotionAgreement, evidence(given, KNOWN, emotion=emotion))["emotion-agreement/accuracy"]
    np.testing.assert_array_equal(np.isnan(accuracy.values), emotion == "calm")
    assert accuracy.details["not_known_to_judge"] == {"calm": int((emotion == "calm").sum())}


def test_emotions_go_by_their_shared_names():
    """A judge's labels are those of its authors."""
    given, emotion, _ = judged_emotions()
    ours = evidence(given, KNOWN, emotion=emotion)
    theirs = evidence(given, ("Anger", "happiness", "Neutral", "sadness"), emotion=emotion)
    np.testing.assert_array_equal(*(EmotionAgreement().measure(found)[0].values for found in (ours, theirs)))


def test_agreement_of_a_group_and_its_interval():
    given, emotion, _ = judged_emotions()
    found = evidence(given, KNOWN, emotion=emotion)
    speakers, rows = found.trials["speaker"].to_numpy(), np.arange(40, 100)
    alone = evidence(given[rows], KNOWN, emotion=emotion[rows])
    alone.seen["target"] = found.seen["target"][rows]
    for name, measure in measures(EmotionAgreement, found).items():
        value, low, high = interval_of(measure, speakers)
        assert low < value < high, name
        if measure.statistic is not None:
            assert measure.statistic(rows) == pytest.approx(point(measures(EmotionAgreement, alone)[name]))


def test_a_judge_that_cannot_decide_is_right_as_often_as_chance():
    """All classes equally probable: taking the first would make one emotion always right."""
    _, emotion, _ = judged_emotions()
    found = evidence(np.full((N, 4), 0.25, np.float32), KNOWN, emotion=emotion)
    agreement = measures(EmotionAgreement, found)
    assert point(agreement["emotion-agreement/accuracy"]) == pytest.approx(0.25)
    assert point(agreement["emotion-agreement/kappa"]) == pytest.approx(0)


def test_a_voice_heard_otherwise_than_meant_can_agree_with_one_only():
    emotion, heard = np.repeat(["angry", "sad"], N // 2), np.repeat(["sad", "angry"], N // 2)
    given = (heard[:, None] == np.array(KNOWN)).astype(np.float32)
    agreement = measures(EmotionAgreement, evidence(given, KNOWN, emotion=emotion, heard=heard))
    assert point(agreement["emotion-agreement/accuracy"]) == 0
    assert point(agreement["emotion-agreement/heard-accuracy"]) == 1
    assert point(agreement["emotion-agreement/heard-kappa"]) == 1
    assert point(agreement["emotion-agreement/kappa"]) < 0


def test_agreement_with_the_real_face_is_with_what_the_judge_sees_in_it():
    """Real faces of sad voices look angry to this judge; generated ones are judged by what it sees there."""
    emotion = np.repeat(["sad", "happy"], N // 2)
    real, drawn = np.repeat(["angry", "happy"], N // 2), np.tile(["angry", "happy"], N // 2)
    seen = {role: (each[:, None] == np.array(KNOWN)).astype(np.float32) for role, each in (("t", real), ("g", drawn))}
    found = evidence(seen["g"], KNOWN, emotion=emotion)
    found.seen["target"] = seen["t"].copy()
    found.seen["target"][:10] = np.nan
    agreement = measures(EmotionAgreement, found)
    truth, said = real[10:], drawn[10:]
    value = {
        part: point(agreement[f"emotion-agreement/real-face-{part}"]) for part in ("accuracy", "macro-F1", "kappa")
    }
    assert value["accuracy"] == pytest.approx(accuracy_score(truth, said))
    assert value["macro-F1"] == pytest.approx(f1_score(truth, said, average="macro"))
    assert value["kappa"] == pytest.approx(cohen_kappa_score(truth, said))
    assert agreement["emotion-agreement/real-face-accuracy"].details["without_label"] == 10
    assert point(agreement["emotion-agreement/accuracy"]) == pytest.approx(0.25)
    itself = measures(EmotionAgreement, found.instead("target"))
    assert point(itself["emotion-agreement/real-face-accuracy"]) == 1


def test_sex_agreement_equals_scikit_learn():
    rng = np.random.default_rng(0)
    sex = rng.choice(["female", "male"], N, p=[0.8, 0.2])
    given = rng.random((N, 2)).astype(np.float32)
    said = np.array(["female", "male"])[given.argmax(axis=1)]
    agreement = measures(SexAgreement, evidence(given, ("Woman", "Man"), sex=sex))
    assert point(agreement["sex-agreement"]) == pytest.approx(accuracy_score(sex, said))
    assert point(agreement["sex-agreement/balanced"]) == pytest.approx(balanced_accuracy_score(sex, said))


def test_one_sex_for_all_is_no_better_than_chance_when_balanced():
    sex = np.repeat(["female", "male"], [200, 40])
    given = np.tile(np.float32([0.9, 0.1]), (N, 1))
    agreement = measures(SexAgreement, evidence(given, ("female", "male"), sex=sex))
    assert point(agreement["sex-agreement"]) == pytest.approx(200 / 240)
    assert point(agreement["sex-agreement/balanced"]) == 0.5


def test_age_error_is_in_years_and_a_missing_face_costs_the_largest():
    given = np.float32([[30], [50], [np.nan], [np.nan], [20], [np.nan]])
    found = evidence(given, age=[25.0, 60.0, 20.0, 70.0, np.nan, None])
    values = measures(AgeError, found)["age-error"].values
    np.testing.assert_array_equal(values, [5, 10, 80, 70, np.nan, np.nan])


def test_faces_are_found_where_the_detector_is_more_than_not_sure():
    given = np.float32([[0], [0.01], [1], [np.nan]])
    np.testing.assert_array_equal(measures(FaceFound, evidence(given))["face-found"].values, [0, 1, 1, 0])


@pytest.mark.parametrize(
    ("rgb", "published"),
    [
        ((1, 0, 0), (53.2408, 80.0925, 67.2032)),
        ((0, 1, 0), (87.7347, -86.1827, 83.1793)),
        ((0, 0, 1), (32.2970, 79.1875, -107.8602)),
        ((1, 1, 0), (97.1393, -21.5537, 94.4780)),
        ((1, 1, 1), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((119 / 255, 119 / 255, 119 / 255), (50.0344, 0, 0)),
    ],
)
def test_lab_of_srgb_colours_is_as_published(rgb, published):
    """Values of Lindbloom's calculator, D65."""
    np.testing.assert_allclose(lab(np.array(rgb, dtype=np.float32)), published, atol=0.02)


def pictures(grid):
    """float32 [n, 768] of [n, 16, 16, 3]."""
    return np.moveaxis(grid, -1, 1).reshape(len(grid), -1).astype(np.float32)


def test_colour_shift_sees_what_is_still_and_nothing_else():
    rng = np.random.default_rng(0)
    source = rng.random((6, 16, 16, 3))
    smiling, tinted = source.copy(), source.copy()
    smiling[:, ~still_cells()] = rng.random((6, int((~still_cells()).sum()), 3))
    tinted[:, 0] = 1 - tinted[:, 0]
    shift = {}
    for name, made in (("copy", source), ("smiling", smiling), ("tinted", tinted)):
        found = evidence(pictures(made))
        found = replace(found, seen={**found.seen, "proposal": pictures(source)})
        shift[name] = measures(ColourShift, found)["colour-shift"].values
    np.testing.assert_allclose(shift["copy"], 0, atol=1e-9)
    np.testing.assert_allclose(shift["smiling"], 0, atol=1e-9)
    top_row = np.linalg.norm(lab(tinted[:, 0]) - lab(source[:, 0]), axis=-1).sum(axis=1)
    np.testing.assert_allclose(shift["tinted"], top_row / still_cells().sum(), rtol=1e-4)


def test_black_for_white_shifts_by_a_hundred_and_so_does_a_missing_face():
    found = evidence(np.stack([np.zeros(768, np.float32), np.full(768, np.nan, np.float32)]))
    found = replace(found, seen={**found.seen, "proposal": np.ones((2, 768), np.float32)})
    np.testing.assert_allclose(measures(ColourShift, found)["colour-shift"].values, 100, atol=1e-2)


def test_most_of_the_picture_is_still():
    assert 0.6 < still_cells().mean() < 0.8
    assert not still_cells()[7, [5, 10]].any(), "the eyes"
    assert not still_cells()[12, 7:9].any(), "the mouth"
    assert still_cells()[[0, 15, 4]].all(), "hair, neck and forehead"
