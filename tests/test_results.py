"""From metrics to results: over the trials that apply, with honest counts; and what a metric's mistakes cost."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from test_metrics_policies import evidence

from v2f_bench.harness.containment import process_state_kept
from v2f_bench.harness.judges import Judges
from v2f_bench.harness.results import Case, results_of
from v2f_bench.interfaces import Evidence, Measure, Metric, PluginError
from v2f_bench.metrics import (
    Diversity,
    FaceFound,
    FrechetIdentity,
    IdentityCosine,
    LipDynamics,
    Retrieval,
    SexAgreement,
    Verification,
)
from v2f_bench.metrics.vectors import all_cosines

NOBODY = Judges([], [], [])


def case_of(kind="identity", applicable=None, **changes):
    found = replace(evidence(kind), **changes)
    found = replace(found, source="judge", kind=kind)
    return Case(found, np.ones(len(found.trials), bool) if applicable is None else applicable)


def half_have_a_photo():
    """A method that can answer for every second speaker alone, and answers these perfectly, as real-photo may.

    The other trials have no picture, and so no embedding."""
    found = evidence("identity")
    speakers = sorted(set(found.trials["speaker"]))
    has = found.trials["speaker"].isin(speakers[::2]).to_numpy()
    generated = np.where(has[:, None], found.seen["target"], np.nan)
    photo = np.where(has[:, None], found.seen["real-photo"], np.nan)
    photos = [f"photo-{number}" if there else "" for number, there in enumerate(has)]
    trials = found.trials.assign(real_photo=photos, random_face="face")
    return case_of(applicable=has, trials=trials, seen={**found.seen, "generated": generated, "real-photo": photo})


def by_name(metric, case):
    return {one.result.measure: one.result for one in results_of(metric(), case, Judges([], [], []))}


@pytest.mark.parametrize("metric", [Verification, Diversity, FrechetIdentity, Retrieval, IdentityCosine, FaceFound])
def test_trials_that_do_not_apply_are_no_part_of_any_number(metric):
    """Perfect answers on half of the trials: what the metric says of these alone."""
    case = half_have_a_photo()
    found = by_name(metric, case)
    alone = case.with_role_as_generated("generated", case.applicable)
    count, speakers = int(case.applicable.sum()), alone.trials["speaker"].nunique()
    for measure in metric().measure(alone):
        result = found[measure.name]
        plain = measure.values if measure.values is not None else None
        expected = np.nanmean(plain) if plain is not None else measure.statistic(np.arange(count))
        if measure.aggregate == "mean" or plain is None:
            assert result.value == pytest.approx(expected, nan_ok=True), measure.name
        assert (result.expected, result.failed) == (count, 0), measure.name
        assert result.n <= count
        assert result.speakers <= speakers


def test_a_floor_that_rests_on_the_method_is_each_methods_own():
    """The films of a method with other voices: one command scores several methods with the same judges."""
    trials = evidence("identity").trials
    rows = {role: np.zeros((len(trials), 3), np.float32) for role in ("generated", "real-film", "other-voice")}
    judges = Judges([], [], [])

    def floor(correlation: float) -> float:
        other = np.full((len(trials), 3), correlation, np.float32)
        found = Evidence(
            trials, trials.iloc[:0], trials.iloc[:0], {**rows, "other-voice": other}, "motion", kind="motion"
        )
        (measured,) = results_of(LipDynamics(), Case(found, np.ones(len(trials), bool)), judges)
        return measured.result.floor

    assert floor(0.2) == pytest.approx(0.2)
    assert floor(0.6) == pytest.approx(0.6)


def test_perfect_answers_are_perfect_by_an_independent_computation():
    """As many trials that do not apply as do: they once pulled the area to one half and the error rate up to it."""
    case = half_have_a_photo()
    verification, diversity = by_name(Verification, case), by_name(Diversity, case)
    rows = np.flatnonzero(case.applicable)
    cosines = all_cosines(case.evidence.seen["generated"][rows], case.evidence.seen["gallery"])
    own = case.evidence.trials["speaker"].to_numpy()[rows, None] == case.evidence.gallery["speaker"].to_numpy()
    assert verification["verification/AUC"].value == pytest.approx(roc_auc_score(own.ravel(), cosines.ravel()))
    assert verification["verification/AUC"].value > 0.99
    assert verification["verification/EER"].value < 0.05
    assert diversity["diversity"].value == pytest.approx(1, abs=0.02)
    assert verification["verification/AUC"].n == verification["verification/AUC"].expected == len(rows)


def test_the_ceiling_rests_on_the_trials_that_have_such_a_picture():
    """Of a method that applies to all trials: its ceiling is not pulled down by speakers without a second photo."""
    case = half_have_a_photo()
    everybody = replace(case, applicable=np.ones_like(case.applicable))
    for metric, name in ((Verification, "verification/AUC"), (Retrieval, "retrieval/R@5"), (Diversity, "diversity")):
        of_half = by_name(metric, case)[name]
        of_all = by_name(metric, everybody)[name]
        assert of_all.ceiling == of_half.ceiling, name
        assert of_all.ceiling > 0.6, name
        assert (of_all.ceiling_n, of_all.expected) == (int(case.applicable.sum()), len(case.applicable))
        assert of_all.failed == int((~case.applicable).sum()), "what applies and is missing has failed"


def test_counts_tell_failures_from_what_does_not_apply():
    case = half_have_a_photo()
    generated = case.evidence.seen["generated"].copy()
    generated[np.flatnonzero(case.applicable)[:3]] = np.nan
    holed = replace(case, evidence=replace(case.evidence, seen={**case.evidence.seen, "generated": generated}))
    result = by_name(Retrieval, holed)["retrieval/R@5"]
    count = int(case.applicable.sum())
    assert (result.n, result.expected, result.failed) == (count, count, 3)
    frechet = by_name(FrechetIdentity, holed)["frechet-identity"]
    assert (frechet.n, frechet.expected, frechet.failed) == (count - 3, count, 3)


class Spoiling(Metric):
    """Writes into what all metrics share."""

    name = "spoiling"
    judged_by = ("identity",)

    def measure(self, found):
        generated = found.seen[self.role]
        generated -= found.seen["mean-face"]
        return []

    role = "generated"


@pytest.mark.parametrize("role", ["generated", "mean-face", "gallery"])
def test_a_metric_that_writes_in_place_changes_no_other_number(role):
    case = case_of()
    before = by_name(IdentityCosine, case)
    spoiling = type("Spoiling", (Spoiling,), {"role": role})
    with pytest.raises(ValueError, match="read-only"):
        results_of(spoiling(), case, NOBODY)
    assert by_name(IdentityCosine, case) == before


def test_a_metric_that_changes_its_table_changes_no_other_number():
    class Relabelling(Metric):
        name = "relabelling"
        judged_by = ("identity",)

        def measure(self, found):
            found.trials["speaker"] = "all the same"
            found.gallery["speaker"] = found.gallery["speaker"].to_numpy()[::-1]
            return []

    case = case_of()
    before = by_name(Retrieval, case)
    results_of(Relabelling(), case, NOBODY)
    assert by_name(Retrieval, case) == before


def made_metric(change, **attributes):
    """A metric whose one measure is right but for `change`."""

    class Made(Metric):
        name = "made"
        judged_by = ("identity",)

        def measure(self, found):
            right = Measure("made", "higher", "share", "costs nothing", values=np.linspace(0, 1, len(found.trials)))
            return change(right)

    for name, value in attributes.items():
        setattr(Made, name, value)
    return Made()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda m: [replace(m, better="up")], "says that better is 'up', not higher, lower, neither"),
        (lambda m: [replace(m, aggregate="mode")], "has the aggregate 'mode'"),
        (lambda m: [m, m], "is given twice"),
        (lambda m: [replace(m, name="other/part")], "must be called made, or made/ and a part"),
        (lambda m: [replace(m, floor="blind-guess")], "has the floor 'blind-guess', which is no role"),
        (lambda m: [replace(m, values=m.values / 0)], "has infinite values"),
        (lambda m: [replace(m, values=m.values[1:])], r"has values of shape \(\d+,\), not one a trial"),
        (lambda m: [replace(m, values=m.values.astype(str))], "has values of type <U"),
        (lambda m: [replace(m, statistic=lambda rows: 1.0)], "must have either values or a statistic"),
        (lambda m: [replace(m, values=None)], "must have either values or a statistic"),
        (lambda m: [replace(m, values=None, statistic=lambda rows: float("inf"))], "is inf"),
        (lambda m: [replace(m, chance=float("nan"))], "has the chance level nan"),
        (lambda m: [replace(m, details={"rows": {1, 2, object}})], "details that cannot be written as JSON"),
        (lambda m: m, r"gave Measure, not a list of Measure"),
        (lambda m: ["made"], "gave str among its measures"),
        (
            lambda m: [
                replace(m, values=None, statistic=lambda rows: 0.5, by_weights=lambda place: lambda w: 0 * w[:, 0])
            ],
            "by_weights gives 0.0 for weights of 1, but the statistic is 0.5",
        ),
    ],
)
def test_a_measure_that_breaks_the_contract_is_its_metrics_error(change, problem):
    with np.errstate(divide="ignore", invalid="ignore"), pytest.raises(PluginError, match=problem):
        results_of(made_metric(change), case_of(), NOBODY)
    assert by_name(SexAgreement, case_of("sex")), "others have their numbers"


def test_a_metric_of_a_role_that_there_is_not_is_refused():
    with pytest.raises(PluginError, match="has the ceiling 'best-face', which is no role; roles are: target, proposal"):
        results_of(made_metric(lambda m: [m], ceiling="best-face"), case_of(), NOBODY)


def test_a_statistic_of_a_plugin_has_an_interval_by_leaving_out_speakers():
    """A mean given as a statistic has the interval that its values would have."""
    by_values = results_of(made_metric(lambda m: [m]), case_of(), NOBODY)[0].result
    as_statistic = made_metric(lambda m: [replace(m, values=None, statistic=lambda rows: m.values[rows].mean())])
    found = results_of(as_statistic, case_of(), NOBODY)[0]
    assert found.result.value == pytest.approx(by_values.value)
    assert found.result.high - found.result.low == pytest.approx(by_values.high - by_values.low, rel=0.1)
    assert found.number.influence.shape == (found.result.speakers,)
    assert found.result.aggregate is None


def test_a_gallery_that_finds_everybody_is_no_headline():
    """R@5 among five faces is 1.000 for all."""
    found = evidence("identity", speakers=5)
    results = by_name(Retrieval, Case(found, np.ones(len(found.trials), bool)))
    assert results["retrieval/R@5"].value == 1
    assert not results["retrieval/R@5"].headline
    assert results["retrieval/normalised-mean-rank"].headline
    assert by_name(Retrieval, case_of())["retrieval/R@5"].headline


def state_of_the_process():
    torch_s = (torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads(), torch.get_default_device())
    return (*torch_s, torch.are_deterministic_algorithms_enabled(), Path.cwd(), np.geterr())


def test_what_a_plugin_changes_for_the_process_is_undone(tmp_path):
    before = state_of_the_process()
    with process_state_kept():
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        torch.set_num_threads(3)
        torch.use_deterministic_algorithms(True)
        torch.set_default_device("meta")
        np.seterr(all="raise")
        os.chdir(tmp_path)
        assert all(now != then for now, then in zip(state_of_the_process(), before, strict=True))
    assert state_of_the_process() == before
