"""From answers to numbers: known values, references that are not ours, and simulated studies whose truth is known."""

import json
import math
import sys
from collections import defaultdict
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from small_study import attentive, session_of, simulated_raters, small_key, write_answers, write_study

from v2f_bench.interfaces import DataError, Silent
from v2f_bench.study.agreement import agreement
from v2f_bench.study.plan import World, logit_of_share, plan_studies
from v2f_bench.study.preference import Games, _log_strengths, strengths
from v2f_bench.study.questions import Size
from v2f_bench.study.report import report
from v2f_bench.study.results import human_results, read_human_results, write_results
from v2f_bench.study.scoring import analyse, answer_table, score_study


def everybody(key, choose):
    return [session_of(key, number, attentive(choose)) for number in range(1, len(key.lists) + 1)]


def other(key, answer):
    return next(each for each in key.answers if each != answer)


def right_for(*methods):
    """Right answers to questions about these methods, wrong ones to all others."""
    return lambda key: lambda q: q.right if q.method in methods else other(key, q.right)


# ------------------------------------------------------------------- values


@pytest.mark.parametrize("design", ["match-2afc", "name-emotion", "same-person"])
def test_the_share_of_right_answers(design):
    key = small_key(design)
    found = score_study(key, everybody(key, right_for("one", "real photo")(key))).kept
    values = {each.method: each.estimate.value for each in found.methods}
    assert values == {"one": 1.0, "two": 0.0}
    assert found.calibration.value == 1.0
    assert found.floor.value == 0.0
    (pair,) = found.comparisons
    assert (pair.first, pair.second, pair.estimate.value) == ("one", "two", 1.0)
    assert pair.p < 0.05
    assert all(each.p_chance < 0.05 for each in found.methods)
    assert found.methods[0].estimate.n == found.methods[0].estimate.n
    assert found.methods[0].estimate.raters == 6


def test_realism_is_the_mean_of_both_kinds_of_error():
    # StyleGAN in HYPE's table: .622 of its faces are taken for real, .393 of photographs for made: .507.
    key = small_key("realism", methods=("gan",), size=Size(lists=10, trials=100, anchors=0, checks=2), items=100)
    made, real = iter(range(10**6)), iter(range(10**6))

    def choose(question):
        if question.kind == "method":
            return "real" if next(made) % 500 < 311 else "made"
        return "made" if next(real) % 1000 < 393 else "real"

    found = score_study(key, everybody(key, choose)).kept
    faces = sum(q.kind == "method" for questions in key.lists for q in questions)
    photographs = sum(q.kind == "real" for questions in key.lists for q in questions)
    assert faces == photographs == 500
    assert found.methods[0].estimate.value == pytest.approx((311 / 500 + 393 / 500) / 2)
    assert found.calibration.value == pytest.approx(1 - 393 / 500)


def test_preference_is_wins_and_half_of_the_ties():
    key = small_key("which-method", methods=("one", "two", "three"), size=Size(9, 18, 6, 2))

    def choose(question):
        """One beats two, ties with three; three beats two; photographs beat all, all beat the floor."""
        order = {"real photo": 3, "one": 2, "three": 2, "two": 1, "floor": 0}
        ahead = order[question.method] - order[question.against]
        if ahead == 0:
            return "equal"
        opposite = "left" if question.first == "right" else "right"
        return question.first if ahead > 0 else opposite

    found = score_study(key, everybody(key, choose)).kept
    assert {each.method: each.estimate.value for each in found.methods} == {"one": 0.75, "two": 0.0, "three": 0.75}
    assert found.calibration.value == 1.0
    assert found.floor.value == 0.0
    differences = {(each.first, each.second): each.estimate.value for each in found.comparisons}
    assert differences == {("one", "two"): 1.0, ("one", "three"): 0.0, ("two", "three"): -1.0}
    scales = {each.name: each.scale for each in found.strengths.strengths}
    assert scales["one"] == scales["three"] != scales["two"]
    notes = " ".join(found.strengths.notes)
    assert "one, three won all comparisons with two: ahead by more than can be measured" in notes


def test_a_trial_without_a_face_costs_what_the_design_says():
    key = small_key("match-2afc")
    lacking = {
        **key.methods,
        "one": replace(key.methods["one"], expected=40, missing=tuple(f"x{n}" for n in range(10))),
    }
    sessions = everybody(key, right_for("one", "two", "real photo")(key))
    found = score_study(replace(key, methods=lacking), sessions).kept.methods
    assert found[0].estimate.value == pytest.approx(0.75 * 1 + 0.25 * 0.5), "a guess"
    assert found[0].unadjusted.value == 1.0
    assert found[0].missing == 10
    assert found[1].estimate.value == 1.0
    realism = small_key("realism")
    always_real = everybody(realism, lambda q: "real")
    lacking = {**realism.methods, "one": replace(realism.methods["one"], expected=40, missing=("x",) * 10)}
    values = score_study(
        replace(realism, rules=replace(realism.rules, max_same_answer=1.0), methods=lacking), always_real
    )
    one, two = (each.estimate.value for each in values.kept.methods)
    assert two == pytest.approx(0.5), "all faces and all photographs are taken for real"
    assert one == pytest.approx(0.5 * 0.75), "no face fools nobody"
    pairs = small_key("which-method")
    lacking = {**pairs.methods, "one": replace(pairs.methods["one"], missing=tuple(f"x{n}" for n in range(6)))}
    wins = everybody(replace(pairs, methods=lacking), lambda q: q.first)
    one, two = (each.estimate.value for each in score_study(replace(pairs, methods=lacking), wins).kept.methods)
    assert one == pytest.approx(18 / 24), "of 24 trials 6 are lost"
    assert two == pytest.approx(6 / 24)


def test_numbers_by_group_are_those_of_the_groups_speakers():
    key = small_key("match-2afc")

    def choose(question):
        female = key.items[question.item]["sex"] == "female"
        return question.right if female else other(key, question.right)

    found = score_study(key, everybody(key, choose)).kept.methods[0]
    groups = {(each.by, each.group): each.estimate for each in found.groups}
    assert groups["sex", "female"].value == 1.0
    assert groups["sex", "male"].value == 0.0
    assert groups["sex", "female"].n + groups["sex", "male"].n == found.estimate.n
    assert {by for by, _ in groups} == {"sex", "age"}


# ------------------------------------------------------------------- raters


def test_results_stand_with_and_without_those_whom_the_rules_leave_out():
    key = small_key("match-2afc")
    good = [session_of(key, number, attentive(lambda q: q.right)) for number in range(1, 6)]
    careless = session_of(key, 6, lambda q: other(key, q.right))
    found = score_study(key, [*good, careless])
    assert found.excluded == {"rater 6": ("failed 2 of 2 attention checks",)}
    assert found.kept.raters == 5
    assert found.everybody.raters == 6
    assert found.kept.methods[0].estimate.value == 1.0
    assert found.everybody.methods[0].estimate.value == pytest.approx(5 / 6)
    text = report(found)
    assert "with all raters" in text
    assert "rater 6: failed 2 of 2 attention checks" in text
    with pytest.raises(DataError, match="the rules leave out all of 1 raters: failed 2 of 2"):
        score_study(key, [careless])
    with pytest.raises(DataError, match="not one session"):
        score_study(key, [])


# ------------------------------------------------------------------- agreement


def alpha_by_pairs(answers_of_unit):
    """Krippendorff's nominal alpha from its definition: disagreement within units over that between all answers."""
    units = [values for values in answers_of_unit if len(values) > 1]
    everything = [value for values in units for value in values]
    n = len(everything)
    observed = sum(2 * sum(a != b for a, b in combinations(values, 2)) / (len(values) - 1) for values in units) / n
    expected = 2 * sum(a != b for a, b in combinations(everything, 2)) / (n * (n - 1))
    return 1 - observed / expected


def test_alpha_is_that_of_the_published_example_and_of_a_second_implementation():
    nan = math.nan  # Krippendorff (2011), "Computing Krippendorff's alpha-reliability", section C: nominal .743
    table = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
        [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
    ]
    rows = [(r, u, str(v)) for r, row in enumerate(table) for u, v in enumerate(row) if not math.isnan(v)]
    found = agreement(*(pd.Series(column) for column in zip(*rows, strict=True)))
    assert found.alpha == pytest.approx(0.743, abs=5e-4)
    by_unit = defaultdict(list)
    for _, unit, value in rows:
        by_unit[unit].append(value)
    assert found.alpha == pytest.approx(alpha_by_pairs(by_unit.values()))
    assert found.units == 11, "one unit has a single answer"


@pytest.mark.parametrize("design", ["match-2afc", "which-method", "same-person", "realism", "name-emotion"])
def test_alpha_of_a_study_is_that_of_what_was_chosen_not_of_where_it_stood(design):
    key = small_key(design, size=Size(lists=12, trials=12, anchors=2, checks=1))
    rng = np.random.default_rng(0)
    sessions = everybody(
        key, lambda q: key.answers[rng.integers(len(key.answers))] if rng.random() < 0.4 else q.right or q.first
    )
    table = answer_table(key, sessions)
    by_unit = defaultdict(list)
    for row in table[table["kind"] == "method"].itertuples():
        chosen = row.answer
        if chosen in ("left", "right"):
            chosen = "first" if chosen == row.first else "second"
        by_unit[row.item, row.method, row.against, row.variant].append(chosen)
    assert analyse(key, table).agreement.alpha == pytest.approx(alpha_by_pairs(by_unit.values()))


def test_alpha_that_means_nothing_is_not_a_number():
    one = agreement(pd.Series([1, 2]), pd.Series(["a", "b"]), pd.Series(["x", "y"]))
    assert math.isnan(one.alpha)
    assert "no question was answered by two" in one.unavailable
    same = agreement(pd.Series([1, 2]), pd.Series(["a", "a"]), pd.Series(["x", "x"]))
    assert math.isnan(same.alpha)
    assert "all answers are the same" in same.unavailable


# ------------------------------------------------------------------- strengths


def games(rows):
    first, second, score = (np.array(column) for column in zip(*rows, strict=True))
    return Games(first, second, score.astype(float), np.arange(len(rows)) % 10, np.arange(len(rows)) % 7)


def davidson_by_likelihood(count, found):
    """Log strengths, less their mean, of greatest likelihood under Davidson's model (1970), by scipy."""

    def cost(parameters):
        logs, tie = np.append(parameters[: count - 1], 0.0), parameters[-1]
        a, b = np.exp(logs[found.first]), np.exp(logs[found.second])
        tied = np.exp(tie) * np.sqrt(a * b) if (found.score == 0.5).any() else 0.0
        chance = np.where(found.score == 1, a, np.where(found.score == 0, b, tied)) / (a + b + tied)
        return -np.log(chance).sum()

    logs = np.append(minimize(cost, np.zeros(count), tol=1e-12).x[: count - 1], 0.0)
    return logs - logs.mean()


def test_strengths_are_those_of_greatest_likelihood():
    rng = np.random.default_rng(0)
    truth = np.array([0.0, 0.5, 1.2, -0.4])
    rows = []
    for _ in range(600):
        i, j = rng.choice(4, 2, replace=False)
        a, b = np.exp(truth[[i, j]])
        tied = 0.7 * np.sqrt(a * b)
        draw = rng.random() * (a + b + tied)
        rows.append((i, j, 1 if draw < a else 0 if draw < a + b else 0.5))
    found = strengths(list("abcd"), games(rows))
    assert [each.strength for each in found.strengths] == pytest.approx(
        davidson_by_likelihood(4, games(rows)), abs=1e-4
    )
    assert found.notes == ()
    assert {each.scale for each in found.strengths} == {1}
    for each, true in zip(found.strengths, truth - truth.mean(), strict=True):
        assert each.low < true < each.high
        assert each.low < each.strength < each.high
    assert found.ties == pytest.approx(np.mean([score == 0.5 for _, _, score in rows]))


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 4), st.sampled_from([0.0, 0.02, 0.3]))
@example(1719, 2, 0.3)
def test_strengths_are_right_with_any_number_of_methods_and_ties(seed, count, ties):
    rng = np.random.default_rng(seed)
    rows = []
    for i, j in combinations(range(count), 2):
        rows += [(i, j, 1), (j, i, 1)]  # connected, so that there are strengths
        rows += [(i, j, 0.5 if rng.random() < ties else float(rng.integers(2))) for _ in range(20)]
    found = _log_strengths(range(count), games(rows), np.ones(len(rows)))
    assert found == pytest.approx(davidson_by_likelihood(count, games(rows)), abs=1e-3)


def test_an_undefeated_method_has_no_strength_and_that_is_said():
    rows = [(0, 1, 1), (2, 0, 0), (1, 2, 1), (2, 1, 1), (1, 2, 0.5)] * 10  # a always wins; b and c are equal
    found = strengths(["a", "b", "c"], games(rows))
    by_name = {each.name: each for each in found.strengths}
    assert math.isnan(by_name["a"].strength)
    assert by_name["a"].scale != by_name["b"].scale == by_name["c"].scale
    assert by_name["b"].strength == pytest.approx(0, abs=1e-6)
    assert found.notes[0] == "a won all comparisons with b, c: ahead by more than can be measured"


def test_comparisons_that_are_not_connected_have_no_common_scale_and_that_is_said():
    rows = [(0, 1, 1), (0, 1, 0), (0, 1, 1), (2, 3, 0), (2, 3, 1)] * 8
    found = strengths(["a", "b", "c", "d"], games(rows))
    scale = {each.name: each.scale for each in found.strengths}
    assert scale["a"] == scale["b"] != scale["c"] == scale["d"]
    assert any("nothing connects a, b and c, d" in note for note in found.notes)
    assert found.strengths[0].strength == pytest.approx(np.log(2) / 2, abs=1e-4), "twice as many wins"


def test_without_evalica_the_rest_is_scored_and_that_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "evalica", None)  # as where the extra is not installed
    found = score_study(small_key("which-method"), everybody(small_key("which-method"), lambda q: q.first))
    assert found.kept.methods[0].estimate.value == 1.0
    assert math.isnan(found.kept.agreement.alpha)
    assert all(math.isnan(each.strength) for each in found.kept.strengths.strengths)
    assert report(found).count("pip install 'v2f-bench[study]'") == 2


# ------------------------------------------------------------------- simulated studies


def test_a_simulated_study_finds_the_shares_that_it_was_made_with():
    size = Size(lists=40, trials=50, anchors=5, checks=3)
    key = small_key("match-2afc", items=150, speakers=150, size=size)
    spread = math.hypot(0.4, 1.0)
    truth = {"one": 0.72, "two": 0.58, "real photo": 0.89, "floor": 0.5}
    sessions = simulated_raters(key, {name: logit_of_share(share, spread) for name, share in truth.items()}, seed=1)
    found = score_study(key, sessions)
    for each in found.kept.methods:
        assert each.estimate.low < truth[each.method] < each.estimate.high
        assert each.estimate.high - each.estimate.low < 0.13
    assert found.kept.calibration.low < 0.89 < found.kept.calibration.high
    assert found.kept.floor.low < 0.5 < found.kept.floor.high
    assert found.kept.comparisons[0].p_holm < 0.01
    assert found.kept.methods[0].p_chance_holm < 0.001


@pytest.mark.slow
def test_scored_studies_cover_the_truth_and_do_not_find_what_is_not_there():
    size = Size(lists=20, trials=40, anchors=4, checks=2)
    key = small_key("match-2afc", items=80, speakers=80, size=size)
    logit = logit_of_share(0.7, math.hypot(0.4, 1.0))
    covered, found = [], []
    for seed in range(300):
        sessions = simulated_raters(key, dict.fromkeys(("one", "two", "real photo", "floor"), logit), seed)
        analysis = analyse(key, answer_table(key, sessions))
        covered += [each.estimate.low <= 0.7 <= each.estimate.high for each in analysis.methods]
        found.append(analysis.comparisons[0].p < 0.05)
    assert 0.93 <= np.mean(covered) <= 0.97
    assert np.mean(found) <= 0.06


@pytest.mark.slow
def test_the_plan_gives_the_known_power():
    wanted = {(20, 100): 0.68, (30, 100): 0.81, (40, 150): 0.96}
    for (raters, items), power in wanted.items():
        (planned,) = plan_studies(World(), (raters,), (items,), 50, 1500, 0, Silent())
        assert planned.power == pytest.approx(power, abs=0.05)


def test_power_grows_with_raters_and_with_the_difference():
    few, many = plan_studies(World(), (8, 40), (60,), 30, 200, 0, Silent())
    assert few.power < many.power
    assert few.half_width > many.half_width
    (equal,) = plan_studies(World(0.7, 0.7), (20,), (60,), 30, 400, 0, Silent())
    assert equal.power <= 0.09, "with equal methods it is the rate of false findings: 5 % and what 400 studies vary by"


# ------------------------------------------------------------------- what is written


def test_results_are_written_and_read_back(tmp_path):
    key = small_key("which-method", methods=("one", "two", "three"))
    results = score_study(key, simulated_preferences(key))
    write_results(tmp_path / "results.json", results)
    content = json.loads((tmp_path / "results.json").read_text())
    assert content["format"] == "v2f-bench study results"
    assert content["kept"]["strengths"]["strengths"][0]["name"] == "one"
    assert read_human_results(tmp_path / "results.json") == human_results(results)
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(DataError, match="not readable as the results"):
        read_human_results(tmp_path / "bad.json")
    human = human_results(results)
    assert [each.method for each in human] == ["one", "two", "three"]
    assert {each.measure for each in human} == {"human-preference"}
    assert {each.source for each in human} == {"people"}
    assert all(each.low < each.value < each.high for each in human)


def simulated_preferences(key):
    rng = np.random.default_rng(2)
    return everybody(key, lambda q: rng.choice(["left", "right", "equal", q.first]))


@pytest.mark.slow
def test_the_command_scores_what_it_can_and_names_the_rest(tmp_path, cli):
    key = small_key("match-2afc")
    study = write_study(tmp_path / "study", key)
    answers = tmp_path / "answers"
    answers.mkdir()
    rng = np.random.default_rng(0)
    for number in range(1, 6):
        session = session_of(key, number, attentive(lambda q: q.right if rng.random() < 0.7 else other(key, q.right)))
        write_answers(answers / f"{number}.json", key, replace(session, platform={"PROLIFIC_PID": f"p{number}"}))
    (answers / "broken.json").write_text("{")
    done = cli("study", "score", answers, "--study", study, ok=False)
    assert done.returncode == 1, "something could not be scored"
    assert "broken.json: not readable as JSON" in done.stdout
    assert "1 of 6 were not scored" in done.stderr
    assert "human-match" in done.stdout
    assert "Krippendorff's alpha" in done.stdout
    assert len(read_human_results(study / "study-results.json")) == 2
    assert len((study / "recruit" / "prolific-submissions.csv").read_text().splitlines()) == 6
    (answers / "broken.json").unlink()
    assert cli("study", "score", answers, "-s", study, "-o", tmp_path / "mine" / "r.json").returncode == 0
    assert (tmp_path / "mine" / "r.json").is_file()
    alone = cli("study", "score", answers / "nothing.json", "-s", study, ok=False)
    assert (alone.returncode, "no such file" in alone.stderr) == (2, True)


def test_the_plan_prints_a_table(cli):
    done = cli("study", "plan", "--raters", "10,20", "--items", "60", "--trials", "30", "--studies", "20")
    assert "power for 0.72 against 0.65" in done.stdout
    assert len([line for line in done.stdout.splitlines() if line.startswith(("10 ", "20 "))]) == 2
    assert "--raters takes whole numbers" in cli("study", "plan", "--raters", "many", ok=False).stderr
    assert "need 50 items, not 20" in cli("study", "plan", "--items", "20", "--trials", "99", ok=False).stderr
