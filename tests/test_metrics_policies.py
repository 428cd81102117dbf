"""What every metric owes: floors, ceilings, a price for failed faces, and an answer in odd worlds too."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measuring import interval_of, point
from test_metrics_identity import SPEAKERS, TRIALS, world

from v2f_bench.interfaces import Evidence
from v2f_bench.interfaces.judge import JUDGE_KINDS
from v2f_bench.interfaces.metric import FILM_ROLES, ROLES
from v2f_bench.metrics import v2f_bench_metrics

METRICS = v2f_bench_metrics()
EMOTIONS = ("angry", "happy", "neutral", "sad")
BY_TRIAL = {"generated", *ROLES, *FILM_ROLES}


def evidence(kind, seed=0, speakers=SPEAKERS):
    """The people of `test_metrics_identity.world` as a judge of each kind would see them."""
    found = world(seed, speakers)
    rng = np.random.default_rng(seed)
    emotion = np.resize(EMOTIONS, len(found.trials))
    shown = 2 * (emotion[:, None] == np.array(EMOTIONS))
    trials = found.trials.assign(
        emotion=emotion, heard=np.where(rng.random(len(emotion)) < 0.3, "happy", emotion), duration=3.0
    )
    trials["real_photo"] = [f"photo-{number}" for number in range(len(trials))]
    trials["random_face"] = "face"
    see = {
        "identity": lambda rows: rows,
        "inception": lambda rows: rows,
        "features": lambda rows: rows,
        "emotion": lambda rows: np.abs(rows[:, :4]),
        "sex": lambda rows: np.abs(rows[:, :2]),
        "age": lambda rows: 40 + 10 * rows[:, :1],
        "detection": lambda rows: np.abs(rows[:, :1]),
        "pixels": lambda rows: np.resize(1 / (1 + np.exp(-rows.T)), (768, len(rows))).T,
        "grid": lambda rows: np.abs(rows[:, :4]) + 0.1,
        "motion": lambda rows: np.tanh(np.abs(rows[:, :3])),
    }[kind]
    seen = {role: see(rows) for role, rows in found.seen.items()}
    if kind == "emotion":
        seen["real-photo"] = seen["real-photo"] + 3 * shown
        seen["target"] = seen["target"] + 3 * shown
        seen["generated"] = seen["generated"] + shown
    if kind == "sex":
        own = np.array(["female", "male"]) == trials["sex"].to_numpy()[:, None]
        seen["real-photo"] = seen["real-photo"] + 3 * own
    if kind == "age":
        seen["real-photo"] = trials[["age"]].to_numpy(float) + rng.standard_normal((len(trials), 1))
    if kind == "detection":
        seen["random-face"] = seen["random-face"] * 0
    if kind == "motion":
        seen |= {"real-film": seen["target"] / 4 + 0.7, "other-voice": seen["target"] / 4}
    if kind == "pixels":
        seen["real-photo"] = seen["proposal"] + 0.01
    labels = {"emotion": EMOTIONS, "sex": ("female", "male")}.get(kind, ())
    return Evidence(trials, found.gallery, found.reference, seen, "judge", labels)


CASES = [pytest.param(metric, kind, id=f"{metric.name}-{kind}") for metric in METRICS for kind in metric.judged_by]
SHARED = (
    *("precision-recall/recall", "sspp-gain", "sspp-gain/accuracy", "sspp-gain/one-sample"),
    *("consistency", "consistency/beyond-others"),
)


def measures(metric, found):
    return {measure.name: measure for measure in metric().measure(found)}


def answer(found, rows):
    return replace(found, seen={**found.seen, "generated": rows})


def nothing(found):
    return answer(found, np.full((len(found.trials), 1), np.nan, np.float32))


def is_better(measure, one, other):
    return one > other if measure.better == "higher" else one < other


def test_every_metric_says_what_it_is():
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    assert [metric.name for metric in METRICS if not metric.floor] == ["flicker"], "nothing flickers most"
    for metric in METRICS:
        assert metric.summary
        assert set(metric.judged_by) <= set(JUDGE_KINDS)
        for kind in metric.judged_by:
            found = evidence(kind)
            assert not metric.floor or metric.floor in found.seen
            assert metric.ceiling in found.seen
            for name, measure in measures(metric, found).items():
                assert name == metric.name or name.startswith(f"{metric.name}/")
                assert measure.unit
                assert measure.failure
                assert (measure.values is None) != (measure.statistic is None)
                assert measure.covers is not None or measure.statistic is None
                assert not measure.floor or measure.floor in found.seen


@pytest.mark.parametrize(("metric", "kind"), CASES)
def test_the_ceiling_is_better_than_the_floor(metric, kind):
    found = evidence(kind)
    for name, ceiling in measures(metric, found.instead(metric.ceiling)).items():
        copies_of_one_face_may_look_real = name == "precision-recall/precision"
        the_source_itself_is_preserved_whole = name == "identity-preservation"
        everybody_fits_in = ceiling.chance == 1
        if (
            everybody_fits_in
            or ceiling.better == "neither"
            or copies_of_one_face_may_look_real
            or the_source_itself_is_preserved_whole
        ):
            continue
        floor = ceiling.floor or metric.floor
        blind = ceiling.chance if ceiling.chance is not None else point(measures(metric, found.instead(floor))[name])
        assert is_better(ceiling, point(ceiling), blind), (name, point(ceiling), blind)


@pytest.mark.parametrize(("metric", "kind"), CASES)
def test_a_method_that_returns_real_photographs_is_at_the_ceiling(metric, kind):
    found = evidence(kind)
    perfect = answer(found, found.seen[metric.ceiling].copy())
    ceiling = measures(metric, found.instead(metric.ceiling))
    for name, measure in measures(metric, perfect).items():
        assert point(measure) == point(ceiling[name]), name


def test_a_constant_face_is_at_the_floor_of_every_gain_rank_matching_and_diversity():
    found = evidence("identity")
    constant = found.instead("mean-face")
    by_name = {metric.name: metric for metric in METRICS}
    for family in ("retrieval", "matching", "verification", "recognition-accuracy"):
        for name, measure in measures(by_name[family], constant).items():
            if "within-sex-and-age" in name:
                continue  # its groups differ in size, where chance holds on average alone
            assert point(measure) == pytest.approx(measure.chance, abs=1e-9), name
    cosine = measures(by_name["identity-cosine"], constant)
    assert point(cosine["identity-cosine/gain-over-mean-face"]) == pytest.approx(0, abs=1e-12)
    of_sex = measures(by_name["identity-cosine"], found.instead("mean-face-of-sex"))
    assert point(of_sex["identity-cosine/gain-over-mean-face-of-sex"]) == pytest.approx(0, abs=1e-12)
    for measure in measures(by_name["diversity"], constant).values():
        assert point(measure) == pytest.approx(0, abs=1e-9)
    assert point(measures(by_name["sspp-gain"], constant)["sspp-gain"]) <= 0
    assert point(measures(by_name["precision-recall"], constant)["precision-recall/recall"]) == 0
    mean_precision = measures(by_name["map"], constant)["map"]
    assert point(mean_precision) == pytest.approx(mean_precision.chance, abs=0.03)


def test_any_constant_face_is_at_chance_in_ranks():
    """Every gallery face stands at one place of its order, so it is right for as many as chance is."""
    found = evidence("identity")
    by_name = {metric.name: metric for metric in METRICS}
    for seed in range(5):
        face = np.random.default_rng(seed).standard_normal((1, found.seen["generated"].shape[1]))
        constant = answer(found, face.repeat(len(found.trials), axis=0).astype(np.float32))
        assert point(measures(by_name["retrieval"], constant)["retrieval/R@5"]) == pytest.approx(5 / SPEAKERS)
        assert point(measures(by_name["matching"], constant)["matching/1:2"]) == pytest.approx(0.5)
        assert point(measures(by_name["verification"], constant)["verification/AUC"]) == pytest.approx(0.5)


WORST = {
    "identity-cosine/target": -1,
    "identity-preservation": -1,
    "retrieval/R@1": 0,
    "retrieval/R@5-of-50": 0,
    "retrieval/normalised-mean-rank": 1,
    "retrieval/normalised-median-rank": 1,
    "retrieval/within-sex/normalised-mean-rank": 1,
    "matching/1:2": 0,
    "matching/within-sex/1:5": 0,
    "verification/AUC": 0,
    "verification/EER": 1,
    "verification/within-sex/AUC": 0,
    "map": 0,
    "recognition-accuracy": 0,
    "sspp-gain/accuracy": 0,
    "diversity": 0,
    "consistency": -1,
    "consistency/beyond-others": -2,
    "emotion-agreement/accuracy": 0,
    "emotion-agreement/macro-F1": 0,
    "emotion-agreement/heard-accuracy": 0,
    "emotion-agreement/AUC": 0,
    "emotion-agreement/kappa": 0,  # what any answer scores that has nothing to do with the label
    "colour-shift": 100,
    "sex-agreement": 0,
    "sex-agreement/balanced": 0,
    "face-found": 0,
    "lip-dynamics": 0,
    "precision-recall/precision": 0,
    "precision-recall/recall": 0,
}


@pytest.mark.parametrize(("metric", "kind"), CASES)
def test_faces_that_all_failed_are_the_worst_by_policy(metric, kind):
    found = evidence(kind, speakers=60)
    failed = measures(metric, nothing(found))
    rivals = {role: measures(metric, found.instead(role)) for role in ("mean-face", "random-face", "real-photo")}
    for name, measure in failed.items():
        value = point(measure)
        if name in WORST:
            assert value == pytest.approx(WORST[name]), name
        if measure.better == "neither" or "is left out" in measure.failure:
            assert value is None or name == "sspp-gain/one-sample", name
            continue
        for role, other in rivals.items():
            if name.endswith("kappa"):
                continue
            assert not is_better(measure, value, point(other[name])), (name, role)
        _, low, high = interval_of(measure, found.trials["speaker"].to_numpy())
        assert (np.isnan(low) and np.isnan(high)) or low <= value <= high, name


@pytest.mark.parametrize(("metric", "kind"), CASES)
def test_a_failed_face_never_helps_and_touches_no_other_trial(metric, kind):
    found = evidence(kind)
    for seed in range(3):
        failing = np.random.default_rng(seed).random(len(found.trials)) < 0.2
        holed = found.seen["generated"].copy()
        holed[failing] = np.nan
        before, after = measures(metric, found), measures(metric, answer(found, holed))
        for name, measure in before.items():
            if measure.values is None or name in SHARED:
                continue
            np.testing.assert_allclose(after[name].values[~failing], measure.values[~failing], err_msg=name)
            if measure.better == "neither":
                assert np.isnan(after[name].values[failing]).all()
                continue
            np.testing.assert_array_equal(np.isnan(after[name].values), np.isnan(measure.values), err_msg=name)
            worse = (after[name].values - measure.values)[failing] * (1 if measure.better == "lower" else -1)
            assert (np.nan_to_num(worse) >= 0).all(), name


def odd_worlds():
    def no_labels(found):
        unlabelled = [
            table.drop(columns=["sex", "age", "emotion", "heard"], errors="ignore")
            for table in (found.trials, found.gallery, found.reference)
        ]
        seen = {role: rows for role, rows in found.seen.items() if role != "mean-face-of-sex"}
        return Evidence(*unlabelled, seen, found.source, found.labels)

    def empty_labels(found):
        return replace(
            found,
            trials=found.trials.assign(sex="", age=None, emotion="", heard=None),
            gallery=found.gallery.assign(sex=None, age=np.nan),
        )

    def take(found, trials, gallery, reference):
        seen = {role: rows[trials] for role, rows in found.seen.items() if role in BY_TRIAL}
        seen |= {"gallery": found.seen["gallery"][gallery], "reference": found.seen["reference"][reference]}
        tables = [
            table.iloc[rows].reset_index(drop=True)
            for table, rows in ((found.trials, trials), (found.gallery, gallery), (found.reference, reference))
        ]
        return Evidence(*tables, seen, found.source, found.labels)

    def blank(*roles):
        return lambda found: replace(
            found,
            seen={role: np.full_like(x, np.nan) if role in roles else x for role, x in found.seen.items()},
        )

    return {
        "no-labels": no_labels,
        "empty-labels": empty_labels,
        "one-speaker": lambda found: take(found, slice(TRIALS), slice(1), slice(3)),
        "two-speakers": lambda found: take(found, slice(2 * TRIALS), slice(2), slice(6)),
        "one-trial": lambda found: take(found, slice(1), slice(None), slice(None)),
        "no-trials": lambda found: take(found, slice(0), slice(None), slice(None)),
        "no-reference": lambda found: take(found, slice(None), slice(None), slice(0)),
        "speakers-not-in-the-gallery": lambda found: take(found, slice(None), slice(5, None), slice(None)),
        "blank-gallery": blank("gallery", "target"),
        "blank-references": blank("reference"),
        "blank-mean-face": blank("mean-face", "mean-face-of-sex"),
        "all-blank": lambda found: blank(*found.seen)(found),
        "nothing-generated": nothing,
    }


@pytest.mark.parametrize("odd", odd_worlds())
@pytest.mark.parametrize(("metric", "kind"), CASES)
def test_odd_worlds_have_numbers_or_none_and_no_crash(metric, kind, odd):
    found = odd_worlds()[odd](evidence(kind))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        said = measures(metric, found)
        for name, measure in said.items():
            speakers = found.trials["speaker"].to_numpy()
            assert measure.values is None or measure.values.shape == speakers.shape, name
            if len(speakers):
                value, low, high = interval_of(measure, speakers)
                told = point(measure)
                assert (told is None) == (not np.isfinite(value)), name
                assert not np.isinf([low, high]).any(), name
                assert not (low > high), name
            json.dumps([measure.details, measure.chance], allow_nan=False)
        for role in ("mean-face", "real-photo"):
            if role in found.seen:
                assert list(measures(metric, found.instead(role))) == list(said)


@pytest.mark.parametrize(("metric", "kind"), CASES)
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_trials_does_not_matter(metric, kind, seed):
    found = evidence(kind)
    order = np.random.default_rng(seed).permutation(len(found.trials))
    seen = {role: rows[order] if role in BY_TRIAL else rows for role, rows in found.seen.items()}
    mixed = replace(found, trials=found.trials.iloc[order].reset_index(drop=True), seen=seen)
    before, after = measures(metric, found), measures(metric, mixed)
    assert list(before) == list(after)
    for name, measure in before.items():
        assert point(after[name]) == pytest.approx(point(measure), rel=1e-6, abs=1e-9), name
        if measure.values is not None:
            np.testing.assert_allclose(after[name].values, measure.values[order], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("metric", [metric for metric in METRICS if metric.judged_by == ("identity",)])
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_only_directions_count_for_identity(metric, seed):
    if metric.name == "frechet-identity":
        pytest.skip("a distance in the space itself")
    found = evidence("identity")
    rng = np.random.default_rng(seed)
    scaled = {role: rows * rng.uniform(0.1, 10, (len(rows), 1)) for role, rows in found.seen.items()}
    for name, measure in measures(metric, replace(found, seen=scaled)).items():
        assert point(measure) == pytest.approx(point(measures(metric, found)[name]), abs=1e-6), name


@settings(max_examples=25, deadline=None)
@given(
    kept=st.lists(st.integers(0, SPEAKERS - 1), min_size=2, max_size=12, unique=True),
    twins=st.integers(1, 6),
    seed=st.integers(0, 100),
)
def test_people_with_one_face_share_what_chance_gives_them(kept, twins, seed):
    """However many gallery faces are equal to the target, the speaker is found as often as chance finds among them."""
    found = evidence("identity")
    same = np.random.default_rng(seed).choice(SPEAKERS, twins, replace=False)
    gallery = found.seen["gallery"].copy()
    gallery[same] = gallery[same[0]]
    target = gallery.repeat(TRIALS, axis=0)
    found = replace(found, seen={**found.seen, "gallery": gallery, "target": target, "generated": target})
    retrieval = measures(next(metric for metric in METRICS if metric.name == "retrieval"), found)
    values = retrieval["retrieval/R@1"].values.reshape(SPEAKERS, TRIALS)
    np.testing.assert_allclose(values[same], 1 / twins)
    np.testing.assert_allclose(values[[speaker for speaker in kept if speaker not in same]], 1)
