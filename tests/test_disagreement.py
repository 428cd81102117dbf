"""Rows on which two judges of emotion disagree by more than on real faces are marked, and no others."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_records import SPEAKERS, judge_facts, made_record, records_in, result

from v2f_bench.leaderboard import Choice, leaderboard
from v2f_bench.leaderboard.disagreement import PAIR
from v2f_bench.record import INFLUENCE, TRIALS, column_name, write_record
from v2f_bench.render import Format, render

MEASURE, JUDGES = PAIR[0].measure, [column.judge for column in PAIR]
REAL = (0.98, 0.93)  # what the two agree with on real faces


def write(root, name, shares, seed=0):
    """A run whose faces the judges agree with in `shares` of the trials."""
    rng = np.random.default_rng(seed)
    by_judge = {judge: rng.permutation(np.arange(len(SPEAKERS)) < share * len(SPEAKERS)).astype(float)
                for judge, share in zip(JUDGES, shares, strict=True)}  # fmt: skip
    results = [
        result(MEASURE, values, judge, ceiling=real)
        for (judge, values), real in zip(by_judge.items(), REAL, strict=True)
    ]
    record = made_record(name, judges=[judge_facts(judge, kind="emotion") for judge in JUDGES])
    folder = root / f"{name}-{seed}"
    folder.mkdir()
    write_record(folder, replace(record, run=f"{name}{seed}", seed=seed, results=results))
    trials = {"trial": [f"t{i:03d}" for i in range(len(SPEAKERS))], "speaker": SPEAKERS}
    columns = {column_name(MEASURE, judge): values for judge, values in by_judge.items()}
    pd.DataFrame(trials | columns).to_parquet(folder / TRIALS, index=False)
    pd.DataFrame({"speaker": np.unique(SPEAKERS)}).to_parquet(folder / INFLUENCE, index=False)


@pytest.mark.parametrize(
    ("shares", "marked"),
    [
        ((0.60, 0.15), True),  # colour is taken for an expression
        ((0.15, 0.60), True),
        ((0.50, 0.47), False),  # as far apart as on real faces
        ((0.45, 0.48), False),
    ],
)
@pytest.mark.parametrize("seeds", [1, 3])
def test_the_mark_follows_the_difference(tmp_path, shares, marked, seeds):
    for seed in range(seeds):
        write(tmp_path, "editor", shares, seed)
        write(tmp_path, "honest", (0.5, 0.47), seed)
    made = leaderboard(records_in(tmp_path), Choice(measures=[MEASURE]))
    rows = {row.name: row.judges_disagree for row in made.boards[0].rows}
    assert rows == {"editor": marked, "honest": False}
    page = render(made, Format.MARKDOWN)
    assert ("editor ¶" in page, "on real faces +0.050" in page) == (marked, marked)


def test_runs_that_differ_alike_for_both_judges_hide_no_disagreement(tmp_path):
    """Both judge the faces of the same runs: what a run does to both is no error of their difference."""
    for seed, share in enumerate((0.3, 0.5, 0.7)):
        write(tmp_path, "editor", (share + 0.15, share - 0.15), seed)
    (row,) = leaderboard(records_in(tmp_path), Choice(measures=[MEASURE])).boards[0].rows
    assert row.judges_disagree


def test_the_mark_does_not_hang_on_the_columns_that_are_shown(tmp_path):
    write(tmp_path, "editor", (0.60, 0.15))
    (folder,) = tmp_path.iterdir()
    (record,) = records_in(tmp_path).values()
    write_record(folder, replace(record, results=[*record.results, result("fid", np.ones(len(SPEAKERS)), JUDGES[0])]))
    (row,) = leaderboard(records_in(tmp_path), Choice(measures=["fid"])).boards[0].rows
    assert row.judges_disagree


def test_without_the_second_judge_nothing_is_marked(tmp_path):
    write(tmp_path, "editor", (0.6, 0.1))
    (folder,) = tmp_path.iterdir()
    (record,) = records_in(tmp_path).values()
    write_record(folder, replace(record, results=record.results[:1]))
    made = leaderboard(records_in(tmp_path), Choice(measures=[MEASURE]))
    assert made.boards[0].rows[0].judges_disagree is None
