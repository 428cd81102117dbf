"""From records to tables, on made-up runs: what is ranked with what, what each cell says, and hostile names."""

import json
import random
import re
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_records import (
    COSINE,
    JUDGE,
    R5,
    RANK,
    SPEAKERS,
    judge_facts,
    made_record,
    made_run,
    made_values,
    records_in,
    result,
    unavailable,
    write_run,
)
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from v2f_bench.cli.app import app
from v2f_bench.interfaces import BenchError, UsageError
from v2f_bench.leaderboard import Choice, gather, leaderboard
from v2f_bench.leaderboard.entries import ELSEWHERE
from v2f_bench.record import INFLUENCE, Slice, StageFacts, read_record
from v2f_bench.render import Format, render


def render_table(folders, strict=False, measures=(), rank_by=""):
    """The Markdown page of some runs, as `v2f-bench leaderboard` prints it."""
    choice = Choice(tuple(measures), rank_by=rank_by, strict=strict)
    return render(leaderboard(records_in(folders), choice), Format.MARKDOWN)


def boards(records, choice=Choice()):  # noqa: B008
    return leaderboard(records, choice).boards


def render_groups(folders, label):
    """What stands of the groups of a label."""
    page = render(leaderboard(records_in(folders), Choice(by=(label,))), Format.MARKDOWN)
    return page[page.index("### By") :]


def entries_of(folders, lines=None):
    """The entries of the one protocol of some runs."""
    (found,) = gather(records_in(folders), lines.append if lines is not None else print).values()
    return found


def parsed(markdown):
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)


def tables_of(markdown):
    """Every table of a page as rows of cell texts, the header first, read by a Markdown parser."""
    tables, tokens = [], parsed(markdown)
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif token.type in ("td_open", "th_open"):
            tables[-1][-1].append("".join(child.content for child in following.children))
    return tables


def ranking(markdown):
    """The first table: method name to its cells by heading, in order."""
    header, *rows = tables_of(markdown)[0]
    assert all(len(row) == len(header) for row in rows)
    return {row[0]: dict(zip(header, row, strict=True)) for row in rows}


def bootstrap_by_hand(values, resamples=4000):
    """Percentile interval of the mean over whole speakers, in the plainest way."""
    rng = np.random.default_rng(99)
    trials_of = [np.flatnonzero(speaker == SPEAKERS) for speaker in np.unique(SPEAKERS)]
    means = [
        values[np.concatenate([trials_of[i] for i in rng.integers(len(trials_of), size=len(trials_of))])].mean()
        for _ in range(resamples)
    ]
    return np.percentile(means, [2.5, 97.5])


def test_chosen_measures_stand_in_place_of_the_headline_ones_and_rank(tmp_path):
    values = made_values(0)
    extra = [result("sspp-gain/accuracy", values[R5], headline=False), result("sspp-gain", values[R5], headline=False)]
    folders = [made_run(tmp_path, extra=extra), made_run(tmp_path, "rival", made_values(1, of_r5=0.9))]
    rows = ranking(render_table(folders, measures=["sspp-gain"]))
    assert list(rows["ours"])[5:] == ["sspp-gain/accuracy ↑", "sspp-gain ↑"]
    assert rows["rival"]["sspp-gain ↑"] == "not measured"
    rows = ranking(render_table(folders, measures=[RANK, R5]))
    assert list(rows["ours"])[5:] == ["norm. rank ↓", "R@5 ↑"]
    with pytest.raises(UsageError, match="did you mean 'sspp-gain'"):
        render_table(folders, measures=["ssp-gain"])


def test_medians_are_compared_by_medians(tmp_path):
    """Ahead by median, .300 against .320 where lower is better, although a few trials far off move the mean."""
    measure = "retrieval/normalised-median-rank"
    rng = np.random.default_rng(0)
    ours = 0.30 + 0.002 * rng.standard_normal(len(SPEAKERS))
    theirs = 0.32 + 0.002 * rng.standard_normal(len(SPEAKERS))
    ours[np.isin(SPEAKERS, ["s01", "s02", "s05", "s09"])] = 1.0
    changes = {"aggregate": "median", "better": "lower"}
    folders = [
        made_run(tmp_path, name, {measure: v}, result_changes=changes | {"value": float(np.median(v))}, **more)
        for name, v, more in (("ours", ours, {}), ("floor", theirs, {"method__baseline": True}))
    ]
    board = boards(records_in(folders), Choice((measure,)))[0]
    gap = board.differences[0].gaps[0][0]
    assert gap.value == pytest.approx(np.median(theirs) - np.median(ours), abs=1e-12)
    assert 0.015 < gap.low < gap.value < gap.high < 0.025
    assert gap.significant
    assert ours.mean() > theirs.mean(), "by means it would have looked worse"


def test_a_statistic_of_several_seeds_varies_with_them(tmp_path):
    """An area whose runs differ much more than its speakers make it: the single intervals are too narrow."""
    rng = np.random.default_rng(1)
    areas = [0.60, 0.66, 0.72]
    folders, columns = [], {}
    for seed, area in enumerate(areas):
        number = result("verification/AUC", [area], aggregate=None, low=area - 0.01, high=area + 0.01)
        folders.append(made_run(tmp_path, values={}, seed=seed, extra=[number]))
        columns[f"verification/AUC @ {JUDGE}"] = 0.005 / np.sqrt(30) * rng.choice([-1, 1], 30)
        pd.DataFrame({"speaker": np.unique(SPEAKERS), **columns}).to_parquet(folders[-1] / INFLUENCE)
    cell = boards(records_in(folders))[0].rows[0].cells[0]
    from scipy.stats import t

    assert cell.value == pytest.approx(0.66)
    of_runs = t.ppf(0.975, 2) * np.std(areas, ddof=1) / np.sqrt(3)
    assert (cell.high - cell.low) / 2 == pytest.approx(of_runs, rel=0.05)
    assert cell.high - cell.low > 10 * 0.02


def test_two_seeds_are_shown_as_seeds(tmp_path):
    """Student's t with one degree of freedom would give ± .69."""
    folders = [made_run(tmp_path, values={R5: made_values(0)[R5] + seed / 10}, seed=seed) for seed in range(2)]
    board = render_table(folders)
    value, half = map(float, ranking(board)["ours"]["R@5 ↑"].split(" ± "))
    assert half < 0.15
    first = made_values(0)[R5].mean()
    assert f"ours (seed 0: {first:.3f}, seed 1: {first + 0.1:.3f})" in board
    assert value == pytest.approx(first + 0.05, abs=0.0006)
    assert "Fewer than 3 seeds" in board
    assert "Fewer than 3 seeds" not in render_table([*folders, made_run(tmp_path, seed=2)])


def test_there_is_no_note_on_letters_where_there_are_none(tmp_path):
    alone = made_run(tmp_path, "alone")
    assert "share a letter" not in render_table([alone])
    assert "share a letter" in render_table([alone, made_run(tmp_path, "second", made_values(3))])


def two_judges(folder, name, better):
    """A run that two judges scored; for the judge with the name that sorts first, `better` is its number."""
    values = made_values(1)
    both = [result(R5, values[R5] * 0 + better, judge="aaa-takes-over"), result(R5, values[R5], "in-domain-identity")]
    record = made_record(name, {}, extra=both, judges=[judge_facts(one.judge) for one in both])
    run = write_run(folder / name, record, {})
    trials = pd.read_parquet(run / "trials.parquet")
    trials[f"{R5} @ aaa-takes-over"], trials[f"{R5} @ in-domain-identity"] = better, values[R5]
    trials.to_parquet(run / "trials.parquet", index=False)
    return run


def test_what_a_judge_is_called_does_not_make_it_rank(tmp_path):
    runs = [two_judges(tmp_path, name, better) for name, better in (("one", 0.1), ("two", 0.9))]
    board = boards(records_in(runs))[0]
    assert board.ranked_by.judge == "in-domain-identity"
    assert board.columns[0] == board.ranked_by
    assert board.rows[0].standing.tie == board.rows[1].standing.tie == "a", "by that judge they are alike"
    chosen = boards(records_in(runs), Choice(rank_by="aaa-takes-over"))[0]
    assert [row.name for row in chosen.rows] == ["two", "one"]
    assert "Ranked by R@5 by aaa-takes-over" in chosen.notes[0].text
    with pytest.raises(UsageError, match="did you mean 'aaa-takes-over'"):
        boards(records_in(runs), Choice(rank_by="aaa-take-over"))


def test_pictures_made_elsewhere_are_marked_beside_a_method_of_their_name(tmp_path):
    folders = [made_run(tmp_path, "cae"), made_run(tmp_path, "cae", method__distribution=ELSEWHERE)]
    rows = ranking(render_table(folders))
    assert "cae (made=here)" in rows
    assert any("pictures made elsewhere" in name for name in rows)


def test_of_pictures_scored_again_the_newest_result_counts_and_the_older_is_named(tmp_path):
    def scored(values, day):
        stages = {"scores": StageFacts(finished=f"2026-01-0{day}T00:00:00+0000")}
        return made_run(tmp_path, "mine", values, method__distribution=ELSEWHERE, circumstances=stages)

    older, newer = scored({R5: np.full(len(SPEAKERS), 0.508)}, 1), scored({R5: np.full(len(SPEAKERS), 1.0)}, 2)
    for order in ([older, newer], [newer, older]):
        lines = []
        (entry,) = entries_of(order, lines)
        assert entry.folders == (newer,)
        assert len(lines) == 1
        assert str(older) in lines[0]
        assert "passed over" in lines[0]


def conflicting(root):
    """Seeds 0 to 2 of one method by two machines that differ in threads, and a copy of one of them."""
    runs = []
    for threads in (1, 2):
        for seed in range(3):
            values = {R5: np.full(len(SPEAKERS), 0.25 + 0.26 * (threads - 1) + seed / 100)}
            stages = {"checkpoint": StageFacts(device="cpu", threads=threads, finished=f"{threads}")}
            runs.append(made_run(root, values=values, seed=seed, circumstances=stages))
    shutil.copytree(runs[0], root / "copy")
    return [*runs, root / "copy"]


@pytest.fixture(scope="module")
def two_machines(tmp_path_factory):
    return records_in(conflicting(tmp_path_factory.mktemp("machines")))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_two_results_for_one_seed_are_two_rows_in_whatever_order_folders_come(two_machines, order):
    folders = list(two_machines)
    order.shuffle(folders)
    (found,) = gather({folder: two_machines[folder] for folder in folders}, print).values()
    said = {entry.name: (entry.seeds, [r.results[0].value for r in entry.records]) for entry in found}
    assert said == {
        "ours (threads=1)": ([0, 1, 2], pytest.approx([0.25, 0.26, 0.27])),
        "ours (threads=2)": ([0, 1, 2], pytest.approx([0.51, 0.52, 0.53])),
    }


def test_a_table_does_not_depend_on_the_order_of_folders(tmp_path):
    folders = conflicting(tmp_path) + [made_run(tmp_path, f"m{seed % 3}", seed=seed) for seed in range(6)]
    board = render_table(folders)
    for seed in range(5):
        random.Random(seed).shuffle(folders)
        assert render_table(folders) == board


@pytest.mark.parametrize(
    ("change", "label"),
    [
        ({"core__version": "2"}, "v2f-bench="),
        ({"core__learning": "other-code"}, "learning code="),
        ({"core__scoring": "other-code"}, "scoring code="),
        ({"method__source_hash": "f" * 16}, "source="),
        ({"dataset__content": "d" * 64}, "data="),
        ({"circumstances": {"checkpoint": StageFacts(device="NVIDIA H100")}}, "device="),
    ],
)
def test_seeds_by_other_code_or_another_kind_of_device_are_another_row(tmp_path, change, label):
    entries = entries_of([made_run(tmp_path, seed=0), made_run(tmp_path, seed=1, **change)])
    assert [entry.seeds for entry in entries] in ([[0], [1]], [[1], [0]])
    assert all(label in entry.name for entry in entries)


@pytest.mark.slow
def test_forty_rows_of_three_seeds_take_seconds(tmp_path):
    """With tie letters over 780 pairs, and 33 tables of differences to 7 baselines."""
    rng = np.random.default_rng(0)
    folders = []
    for number in range(40):
        for seed in range(3):
            values = {R5: (rng.random(len(SPEAKERS)) < number / 80).astype(float), RANK: rng.random(len(SPEAKERS))}
            folders.append(made_run(tmp_path, f"m{number}", values, seed, method__baseline=number < 7))
    start = time.monotonic()
    rows = ranking(render_table(folders))
    assert time.monotonic() - start < 30
    assert len(rows) == 42
    assert {row["tie"][:1] for name, row in rows.items() if name.startswith("m")} >= {"a", "b"}


def test_two_protocols_never_share_a_table(tmp_path):
    folders = [
        made_run(tmp_path, "ours-one"),
        made_run(tmp_path, "ours-two", protocol__hash="hash-two"),
        made_run(tmp_path, "theirs-one"),
        made_run(tmp_path, "rival-two", protocol__hash="hash-two", method__baseline=True),
    ]
    one, two = render_table(folders).split("## ")[1:]
    assert "hash-one" in one.splitlines()[0]
    assert set(ranking(one)) == {"ours-one", "theirs-one", "floor", "ceiling"}
    assert "-two" not in one
    assert "better than" not in one, "the baseline of another protocol is no rival"
    assert "hash-two" in two.splitlines()[0]
    assert set(ranking(two)) == {"ours-two", "rival-two", "floor", "ceiling"}
    assert "-one" not in two
    assert "ours-two better than" in two


def test_seeds_become_one_row_with_the_interval_over_speakers(tmp_path):
    seeds = [made_values(seed) for seed in range(3)]
    folders = [made_run(tmp_path, values=values, seed=seed) for seed, values in enumerate(seeds)]
    row = ranking(render_table(folders))["ours"]
    assert row["seeds"] == "3"
    assert row["faces"] == f"{3 * len(SPEAKERS)}/{3 * len(SPEAKERS)}"
    per_trial = np.mean([values[RANK] for values in seeds], axis=0)
    value, half = map(float, row["norm. rank ↓"].split(" ± "))
    assert value == pytest.approx(per_trial.mean(), abs=0.0006)
    low, high = bootstrap_by_hand(per_trial)
    assert half == pytest.approx((high - low) / 2, abs=0.003)
    over_trials = 1.96 * per_trial.std(ddof=1) / np.sqrt(len(per_trial))
    assert half > 1.15 * over_trials, "trials of one speaker are not independent"


def test_a_copy_of_a_run_is_no_further_seed(tmp_path):
    folder = made_run(tmp_path)
    shutil.copytree(folder, tmp_path / "copy")
    assert ranking(render_table([folder, tmp_path / "copy", folder]))["ours"]["seeds"] == "1"


def test_paired_differences_are_numpys_and_starred_where_zero_lies_outside(tmp_path):
    ours, near, far = made_values(1), made_values(1), made_values(1)
    rng = np.random.default_rng(5)
    shared = rng.normal(scale=0.1, size=30)[np.unique(SPEAKERS, return_inverse=True)[1]]
    near[RANK] = ours[RANK] + shared - shared.mean() + rng.normal(scale=0.01, size=len(SPEAKERS))
    far[RANK] = ours[RANK] + shared + rng.normal(0.1, 0.01, size=len(SPEAKERS))
    folders = [made_run(tmp_path, "ours", ours)]
    folders += [made_run(tmp_path, name, v, method__baseline=True) for name, v in (("near", near), ("far", far))]
    _, header_and_rows = tables_of(render_table(folders))
    header, *rows = header_and_rows
    cells = {row[0]: dict(zip(header, row, strict=True)) for row in rows}
    assert header[0] == "ours better than"
    for name, rival, starred in (("near", near, False), ("far", far, True)):
        gap = rival[RANK] - ours[RANK]  # a lower rank is better: positive where ours is
        low, high = bootstrap_by_hand(gap)
        assert bool(low > 0 or high < 0) is starred, "the example itself must be clear"
        told = [float(number) for number in re.findall(r"[+-]\d+\.\d+", cells[name]["norm. rank ↓"])]
        assert told == pytest.approx([gap.mean(), low, high], abs=0.003)
        assert told[0] == pytest.approx(gap.mean(), abs=0.0006)
        assert cells[name]["norm. rank ↓"].endswith(" *") is starred
        assert cells[name]["R@5 ↑"] == "+0.000 [+0.000, +0.000]", "the same on every trial: no star"


def test_rows_are_ordered_by_retrieval_and_one_without_a_number_comes_last(tmp_path):
    folders = []
    for share in (3, 9, 1, 6):  # by rank, which the record names first, the order would be the other way round
        values = made_values(of_r5=share / 10, of_rank=share / 10)
        folders.append(made_run(tmp_path, f"m{share}", {RANK: values[RANK], R5: values[R5]}))
    lacking = made_run(tmp_path, "lacking", {}, extra=[unavailable("retrieval", "no judge")])
    names = list(ranking(render_table([lacking, *folders])))
    assert names == ["m9", "m6", "m3", "m1", "lacking", "floor", "ceiling"]


def test_one_without_a_number_comes_last_where_lower_is_better_too(tmp_path):
    folders = [made_run(tmp_path, f"m{mean}", {RANK: made_values(of_rank=mean / 10)[RANK]}) for mean in (4, 2)]
    lacking = made_run(tmp_path, "lacking", {}, extra=[unavailable("retrieval", "no judge")])
    assert list(ranking(render_table([lacking, *folders])))[:3] == ["m2", "m4", "lacking"]


def test_answers_and_judges_that_are_not_independent_are_marked(tmp_path):
    plain = made_run(tmp_path, "plain")
    photo = made_run(tmp_path, "photo", answers=["real-photo"], method__baseline=True)
    met = "the method was trained with it"
    friend = made_run(tmp_path, "friend", judges=[judge_facts(independent=False, not_independent_because=met)])
    who = judge_facts(independent=None, not_independent_because="who?")
    stranger = made_run(tmp_path, "stranger", judges=[who])
    board = render_table([plain, photo, friend, stranger])
    rows = ranking(board)
    assert "photo †" in rows
    assert re.search(r"^\* † uses the answer \(photo\)", board, re.MULTILINE)
    assert rows["friend"]["R@5 ↑"].endswith("‡")
    assert rows["friend"]["norm. rank ↓"].endswith("‡")
    assert "‡" not in "".join(rows["plain"].values()) + "".join(rows["photo †"].values())
    assert f"* ‡ {JUDGE}: {met} (friend): not independent." in board
    assert rows["stranger"]["R@5 ↑"].endswith("§")
    assert f"* § {JUDGE}: who? (stranger): whether it is independent is not known." in board
    assert not re.search("[†‡§]", render_table([plain])), "no mark is explained where there is none"


def test_strict_tables_refuse_what_is_not_independent(tmp_path):
    friend = made_run(tmp_path, "friend", judges=[judge_facts(independent=False, not_independent_because="met")])
    rows = ranking(render_table([made_run(tmp_path, "plain"), friend], strict=True))
    assert rows["friend"]["R@5 ↑"] == "refused ‡"
    assert re.match(r"0\.\d+ ± ", rows["plain"]["R@5 ↑"])


def test_a_measure_that_could_not_be_had_is_told_with_its_reason_whoever_lacks_it(tmp_path):
    whole = made_run(tmp_path, "whole", {**made_values(), "fid": np.full(len(SPEAKERS), 31.5)})
    lacking = made_run(tmp_path, "lacking", extra=[unavailable("fid", "inception: weights are not here")])
    for order in ([whole, lacking], [lacking, whole]):
        board = render_table(order)
        assert board.count("fid: not available: inception: weights are not here.") == 1
        rows = ranking(board)
        assert rows["lacking"]["fid ↑"] == "not measured"
        assert rows["whole"]["fid ↑"].startswith("31.5")


def test_failed_faces_are_counted_with_what_they_cost(tmp_path):
    board = render_table(
        [made_run(tmp_path, result_changes={"failed": 4}, failures={"missing": 3, "no face found": 1}, applicable=50)]
    )
    assert "* Without a face that can be judged: ours: missing 3, no face found 1." in board
    assert ranking(board)["ours"]["faces"] == "46/50"
    assert "Failed faces: a missing face is not retrieved." in board


def test_an_emotion_table_tells_what_people_recognise(tmp_path):
    told = {
        "dataset__name": "acted",
        "dataset__human": {"voice": {"all": 0.416, "sad": 0.164}, "face": {"all": 0.663}},
        "dataset__human_source": "votes",
        "dataset__labels": {"emotion": {"SAD": "sad", "NEU": "neutral"}},
    }
    board = render_table([made_run(tmp_path, **told, protocol__track="emotion")])
    assert "People choose the intended emotion in 41.6% (voice), 66.3% (face): votes." in board
    assert "Emotions, as acted calls them: SAD = sad, NEU = neutral." in board
    assert "People choose" not in render_table([made_run(tmp_path, **told)]), "an identity table is not about them"


def test_one_measure_by_two_judges_is_told_apart(tmp_path):
    values = made_values()
    second = result(R5, values[R5] / 2, judge="other-judge")
    judges = [judge_facts(), judge_facts("other-judge")]
    rows = ranking(render_table([made_run(tmp_path, values=values, extra=[second], judges=judges)]))
    assert float(rows["ours"][f"R@5 ↑ ({JUDGE})"].split()[0]) == pytest.approx(values[R5].mean(), abs=0.0006)
    assert float(rows["ours"]["R@5 ↑ (other-judge)"].split()[0]) == pytest.approx(values[R5].mean() / 2, abs=0.0006)


def test_a_judge_s_own_quality_is_told_with_that_on_soft_faces(tmp_path):
    quality = {"accuracy": 0.6, "faces": 40, "speakers": 8, "at_half_resolution": {"accuracy": 0.125, "faces": 40}}
    judge = judge_facts(kind="emotion", quality=quality)
    board = render_table([made_run(tmp_path, judges=[judge])])
    assert "accuracy 0.600 (0.125 at half the resolution) on 40 real faces of 8 test speakers." in board
    del quality["at_half_resolution"]  # of a record from before it was measured
    assert "accuracy 0.600 on 40 real faces" in render_table([made_run(tmp_path / "older", judges=[judge])])


def test_rows_by_different_weights_of_one_judge_are_told(tmp_path):
    runs = [
        made_run(tmp_path / name, name=name, judges=[judge_facts(sha256=digit * 64)])
        for name, digit in (("one", "1"), ("other", "2"), ("third", "1"))
    ]
    assert "11111111: one, third; 22222222: other." in render_table(runs)
    assert "different weights" not in render_table(runs[::2])


def test_seeds_that_were_trained_in_another_way_are_no_seeds_of_one_row(tmp_path):
    """Two devices make batches twice as large; bfloat16 rounds."""
    ways = [(1, "float32"), (1, "float32"), (2, "float32"), (1, "bfloat16")]
    folders = [
        made_run(tmp_path, seed=seed, circumstances={"checkpoint": StageFacts(devices=devices, precision=precision)})
        for seed, (devices, precision) in enumerate(ways)
    ]
    assert {entry.name: entry.seeds for entry in entries_of(folders)} == {
        "ours (devices=1, precision=float32)": [0, 1],
        "ours (devices=2, precision=float32)": [2],
        "ours (devices=1, precision=bfloat16)": [3],
    }


def test_options_tell_two_forms_of_one_method_apart(tmp_path):
    folders = [made_run(tmp_path, options={"width": width, "steps": 100}) for width in (8, 16)]
    assert {"ours (width=8)", "ours (width=16)"} <= set(ranking(render_table(folders)))
    folders.append(made_run(tmp_path, options={"width": 16, "steps": 100}, method__source_hash="f" * 16))
    names = [name for name in ranking(render_table(folders)) if name.startswith("ours")]
    assert len(set(names)) == 3, "the same options from another source are another row, and look so"
    assert any("ffffff" in name for name in names)


def test_a_sweep_of_thousands_of_configurations_is_named_in_seconds():
    blank = made_record()
    runs = {
        Path(f"{width}-{depth}"): replace(blank, run=f"{width}-{depth}", options={"w": width, "d": depth, "same": 1})
        for width in range(60)
        for depth in range(50)
    }
    start = time.monotonic()
    (entries,) = gather(runs, print).values()
    assert time.monotonic() - start < 10, "each was once compared with each other one, which grew with the square"
    assert {entry.name for entry in entries} == {f"ours (w={w}, d={d})" for w in range(60) for d in range(50)}


HOSTILE = [
    "a|b | c",
    "<script>alert(1)</script>",
    "`code` ``",
    "two\nlines\n\n| x | y |",
    "carriage\rreturn\r\r# heading",
    "[click](http://evil.example)",
    "![img](http://evil.example/x.png)",
    "<http://evil.example>",
    "back\\|slash \\",
    "*bold* __under__ ~~gone~~",
    "&lt;b&gt; &#60;i>",
    "|--|--|",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_is_only_text(tmp_path, text):
    """Names of methods, data sets, options, measures, judges and reasons all come from elsewhere."""
    values = made_values()
    foreign = result(text, values[R5], better="higher", floor_is=text, failure_policy=text, failed=1)
    more = {
        "dataset__name": text,
        "protocol__name": text,
        "judges": [judge_facts(), judge_facts(text, version=text, sha256=text, people=text, quality={"note": text})],
        "extra": [replace(foreign, judge=text), unavailable(text, text)],
    }
    folders = [made_run(tmp_path, text, values, options={"o": option}, **more) for option in (text, "plain")]
    folders.append(made_run(tmp_path, f"floor {text}", values, method__baseline=True, answers=["oracle"], **more))
    board = render_table(folders)
    shown = " ".join(text.split())
    tokens = parsed(board)
    kinds = {token.type for token in tokens} | {c.type for token in tokens for c in token.children or ()}
    assert not kinds & {"link_open", "image", "html_inline", "html_block", "code_inline", "fence", "code_block"}
    assert not kinds & {"strong_open", "s_open"}
    assert [token.tag for token in tokens if token.type == "heading_open"] == ["h2"]
    headings, differences = tables_of(board)[0], tables_of(board)[1:]
    assert len(headings) == 1 + 3 + 2
    assert all(len(row) == 5 + 3 for row in headings), "method, rank, tie, seeds, faces and three measures"
    assert len(differences) == 2
    assert all([len(row) for row in table] == [3, 3] for table in differences)
    names = [row[0] for row in headings[1:]]
    assert sorted(names) == sorted(
        [f"{shown} (o={shown})", f"{shown} (o=plain)", f"floor {shown} †", "floor", "ceiling"]
    )
    assert headings[0][-1] == f"{shown} ↑"
    assert headings[-2][-1] == f"0.050 ({shown})"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"schema": 2, "run": "0-', "damaged"),
        (b"", "damaged"),
        (b"\xff\xfe\x00garbage", "damaged"),
        (b"[]", "damaged"),
        (b"null", "damaged"),
        (b'{"schema": 7}', "schema 7; this version reads 1, 2"),
        (b'{"schema": 1, "run": "0-1"}', "damaged"),
        (b'{"schema": 2, "run": "0-1"}', "missing required field `method`"),
    ],
)
def test_a_record_that_cannot_be_read_is_named(tmp_path, content, reason):
    bad = made_run(tmp_path)
    (bad / "record.json").write_bytes(content)
    with pytest.raises(BenchError, match=f"{re.escape(str(bad))}.*{reason}"):
        read_record(bad)


def test_a_record_saved_by_an_editor_with_a_byte_order_mark_is_read(tmp_path):
    run = made_run(tmp_path)
    before = read_record(run)
    text = (run / "record.json").read_bytes()
    (run / "record.json").write_bytes(b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))
    assert read_record(run) == before


def test_a_latex_table_that_no_page_can_hold_is_told_of(tmp_path):
    extra = [result(f"identity-cosine/part-{number}", made_values()[R5]) for number in range(4)]
    folder = made_run(tmp_path / "runs", extra=extra)
    command = ["leaderboard", str(folder), "--output", str(tmp_path / "table.tex")]
    assert "choose some by --measure" in CliRunner().invoke(app, command).stdout
    assert "--measure" not in CliRunner().invoke(app, [*command, "--measure", R5]).stdout


def test_what_cannot_be_read_does_not_stop_the_table(tmp_path):
    """An unknown schema is left out; a run whose per-trial values are missing or cut has its numbers, and no letter."""
    ours, other = (made_run(tmp_path / "runs", name) for name in ("ours", "other"))
    old = tmp_path / "runs" / "old"
    old.mkdir()
    (old / "record.json").write_text('{"schema": 0}')
    missing, cut = made_run(tmp_path / "runs", "missing"), made_run(tmp_path / "runs", "cut")
    (missing / "trials.parquet").unlink()
    (cut / "trials.parquet").write_bytes(b"PAR1 cut")
    done = CliRunner().invoke(app, ["leaderboard", str(tmp_path / "runs")])
    assert done.exit_code == 0
    assert f"left out: {old / 'record.json'}: schema 0" in done.stderr
    for run in (missing, cut):
        assert f"not compared: {run / 'trials.parquet'}: not readable" in done.stderr
    rows = boards(records_in([ours, other, missing, cut]))[0].rows
    assert {row.name: row.standing.tie for row in rows} == {"ours": "a", "other": "a", "missing": "", "cut": ""}


def test_records_of_the_first_schema_are_read(tmp_path):
    """One with a number and one without, as they were written by version 0.1.0."""
    number = {
        **{"metric": "retrieval", "measure": R5, "judge": JUDGE, "judge_version": "1", "judge_sha256": "5" * 64},
        **{"judge_quality": {}, "independent": False, "not_independent_because": "met", "value": 0.25, "low": 0.2},
        **{"high": 0.3, "n": 75, "expected": 75, "failed": 1, "speakers": 30, "floor": 0.1, "floor_is": "chance"},
        **{"ceiling": 0.9, "ceiling_is": "real-photo", "ceiling_n": 70, "aggregate": "mean", "better": "higher"},
        **{"unit": "fraction", "failure_policy": "not retrieved", "headline": True, "details": None},
        **{"slices": [], "unavailable": None},
    }
    lacking = {"metric": "fid", "measure": "fid", "judge": None, "unavailable": "no weights"}
    old = {
        **{"schema": 1, "run": "seed0-1", "answers": [], "options": {"width": 8}, "preset": "quick", "posed": 75},
        "method": {
            **{"name": "ours", "distribution": "made", "version": "1", "source_hash": "ab", "summary": ""},
            **{"source": "", "needs": ["voice"], "baseline": False, "trained_with": []},
        },
        "dataset": {
            **{"name": "d", "version": "1", "options": {}, "licence": "", "consent": "", "clips": 5, "left_out": 0},
            "content": "c" * 64,
        },
        "protocol": {
            **{"name": "identity-v1", "track": "identity", "hash": "h", "sample_rate": 16000, "resolution": 64},
            **{"gallery": 30, "trials": 75, "splits": {"test": {"clips": 75, "speakers": 30}}},
        },
        **{"seed": 3, "failures": {"missing": 1}, "results": [number, lacking]},
        "judges": [
            {"name": JUDGE, "version": "1", "kind": "identity", "sha256": "5", "people": "nobody", "quality": {}},
            {"name": "mtcnn", "version": "1", "kind": "detection", "sha256": "", "people": "", "quality": {}},
        ],
        "judges_missing": [],
        "circumstances": {"checkpoint": {"packages": {"v2f-bench": "0.1.0"}, "threads": 2, "device": "cpu"}},
    }
    (tmp_path / "record.json").write_text(json.dumps(old))
    record = read_record(tmp_path)
    assert record.result(R5, JUDGE).value == 0.25
    assert record.judge(JUDGE).independent is False
    assert [(one.measure, one.reason) for one in record.unavailable] == [("fid", "no weights")]
    assert (record.applicable, record.protocol.face_check, record.protocol.speakers) == (75, "mtcnn 1", 30)
    assert (record.core.version, record.training.threads, record.training.device_kind) == ("0.1.0", 2, "cpu")


def test_methods_that_do_not_differ_share_a_letter(tmp_path):
    values = {R5: made_values()[R5]}
    noise = np.random.default_rng(5).normal(0, 0.05, len(SPEAKERS))
    better, same = {R5: np.clip(values[R5] + 0.4, 0, 1.4)}, {R5: values[R5] + noise}
    rows = ranking(render_table([made_run(tmp_path, n, v) for n, v in (("a", values), ("b", same), ("c", better))]))
    assert {name: rows[name]["tie"] for name in "abc"} == {"c": "a", "a": "b", "b": "b"}


def test_groups_are_shown_with_their_size(tmp_path):
    slices = [
        Slice("sex", "female", 0.25, 0.2, 0.3, 40, 20, False),
        Slice("sex", "male", 0.75, None, None, 6, 2, True),
    ]
    board = render_groups([made_run(tmp_path, result_changes={"slices": slices})], "sex")
    assert tables_of(board)[0][1] == ["ours", "0.250 ± 0.050 (40)", "0.750 (6) (few)"]
    assert "No trial has the label age" in render_groups([made_run(tmp_path)], "age")
    with pytest.raises(UsageError, match="--by takes sex, age"):
        render_groups([made_run(tmp_path)], "shoe size")


def test_runs_without_a_common_trial_have_a_mean_and_no_interval(tmp_path):
    values = np.random.default_rng(0).normal(size=len(SPEAKERS))
    for seed in range(2):
        half = np.where(np.arange(len(SPEAKERS)) % 2 == seed, values, np.nan)
        known = result(COSINE, values)
        made_run(tmp_path, "ours", {COSINE: half}, seed, results=[known])
    board = leaderboard(records_in(tmp_path), Choice(measures=[COSINE])).boards[0]
    (cell,) = board.rows[0].cells
    assert cell.value == pytest.approx(values.mean())
    assert np.isnan(cell.low)
