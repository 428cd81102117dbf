"""From records to tables, on made-up runs: what is ranked with what, what each cell says, and hostile names."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from v2f_bench.cli.app import app
from v2f_bench.interfaces import BenchError, UsageError
from v2f_bench.leaderboard import render_groups, render_table
from v2f_bench.leaderboard.entries import gather
from v2f_bench.leaderboard.record import SCHEMA, write_record

JUDGE = "made-judge"
R5, RANK, COSINE = "retrieval/R@5", "retrieval/normalised-mean-rank", "identity-cosine/target"
BETTER = {R5: "higher", RANK: "lower", COSINE: "higher"}
# Speakers with different numbers of trials: the mean over trials is not the mean over speakers.
SPEAKERS = np.repeat([f"s{i:02d}" for i in range(30)], [1 + i % 4 for i in range(30)])


def made_values(seed=0, of_rank=0.3, of_r5=0.2):
    """Per-trial values in which the trials of one speaker go together."""
    rng = np.random.default_rng(seed)
    speaker = np.unique(SPEAKERS, return_inverse=True)[1]
    shared = rng.normal(size=30)[speaker]
    return {
        R5: (shared + rng.normal(size=len(SPEAKERS)) < np.quantile(shared, of_r5)).astype(float),
        RANK: of_rank + 0.1 * shared + 0.02 * rng.normal(size=len(SPEAKERS)),
    }


def result(measure, values, judge=JUDGE, **changes):
    return {
        "metric": measure.split("/")[0],
        "measure": measure,
        "judge": judge,
        "judge_version": "1",
        "judge_sha256": "5" * 64,
        "judge_quality": {},
        "independent": True,
        "not_independent_because": "",
        "value": float(np.mean(values)),
        "low": float(np.mean(values)) - 0.05,
        "high": float(np.mean(values)) + 0.05,
        "n": len(values),
        "expected": len(values),
        "failed": 0,
        "speakers": 30,
        "floor": 0.05,
        "floor_is": "chance",
        "ceiling": 0.91,
        "ceiling_is": "real-photo",
        "ceiling_n": len(values),
        "aggregate": "mean",
        "slices": [],
        "details": None,
        "better": BETTER.get(measure, "higher"),
        "unit": "fraction",
        "failure_policy": "a missing face is not retrieved",
        "headline": True,
        "unavailable": None,
    } | changes


def unavailable(measure, reason):
    return {"metric": measure, "measure": measure, "judge": None, "unavailable": reason}


def made_run(root, name="ours", values=None, seed=0, extra=(), result_changes=None, **changes):
    """The folder of a finished run; `changes` are dotted paths into the record, with __ for the dot."""
    values = values if values is not None else made_values(seed)
    record = {
        "schema": SCHEMA,
        "run": f"{seed}-{len(list(root.glob('*')))}",
        "method": {
            **{"name": name, "distribution": "made", "version": "1", "source_hash": "abcdef0123456789"},
            **{"summary": "", "source": "", "needs": ["voice"], "baseline": False, "trained_with": []},
        },
        "answers": [],
        "options": {},
        "preset": "",
        "dataset": {
            "name": "made-data",
            "version": "1",
            "options": {},
            "licence": "",
            "consent": "",
            "content": "c" * 64,
        },
        "protocol": {
            **{"name": "identity-v1", "track": "identity", "hash": "hash-one", "sample_rate": 16000},
            **{"resolution": 64, "gallery": 30, "trials": len(SPEAKERS)},
            "splits": {split: {"clips": 9, "speakers": 30} for split in ("train", "validation", "test")},
        },
        "posed": len(SPEAKERS),
        "seed": seed,
        "judges": [
            {"name": JUDGE, "version": "1", "kind": "identity", "sha256": "5" * 64, "people": "nobody", "quality": {}}
        ],
        "judges_missing": [],
        "failures": {},
        "results": [*(result(m, v, **(result_changes or {})) for m, v in values.items()), *extra],
        "circumstances": {},
    }
    for path, value in changes.items():
        *above, last = path.split("__")
        place = record
        for step in above:
            place = place[step]
        place[last] = value
    folder = root / f"run{len(list(root.glob('*')))}"
    folder.mkdir(parents=True)
    write_record(folder, record)
    trials = pd.DataFrame({"trial": [f"t{i:03d}" for i in range(len(SPEAKERS))], "speaker": SPEAKERS})
    columns = {f"{measure} @ {JUDGE}": value for measure, value in values.items()}
    pd.concat([trials, pd.DataFrame(columns)], axis=1).to_parquet(folder / "trials.parquet", index=False)
    return folder


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
    assert list(rows["ours"])[4:] == ["sspp-gain/accuracy ↑", "sspp-gain ↑"]
    assert rows["rival"]["sspp-gain ↑"] == "not measured"
    rows = ranking(render_table(folders, measures=[RANK, R5]))
    assert list(rows["ours"])[4:] == ["rank ↓", "R@5 ↑"]
    with pytest.raises(UsageError, match="did you mean 'sspp-gain'"):
        render_table(folders, measures=["ssp-gain"])


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
    value, half = map(float, row["rank ↓"].split(" ± "))
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
        told = [float(number) for number in re.findall(r"[+-]\d+\.\d+", cells[name]["rank ↓"])]
        assert told == pytest.approx([gap.mean(), low, high], abs=0.003)
        assert told[0] == pytest.approx(gap.mean(), abs=0.0006)
        assert cells[name]["rank ↓"].endswith(" *") is starred
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
    friend = made_run(tmp_path, "friend", result_changes={"independent": False, "not_independent_because": met})
    stranger = made_run(tmp_path, "stranger", result_changes={"independent": None, "not_independent_because": "who?"})
    board = render_table([plain, photo, friend, stranger])
    rows = ranking(board)
    assert "photo †" in rows
    assert re.search(r"^\* † uses the answer \(photo\)", board, re.MULTILINE)
    assert rows["friend"]["R@5 ↑"].endswith("‡")
    assert rows["friend"]["rank ↓"].endswith("‡")
    assert "‡" not in "".join(rows["plain"].values()) + "".join(rows["photo †"].values())
    assert f"* ‡ {JUDGE}: {met} (friend): not independent." in board
    assert rows["stranger"]["R@5 ↑"].endswith("§")
    assert f"* § {JUDGE}: who? (stranger): whether it is independent is not known." in board
    assert not re.search("[†‡§]", render_table([plain])), "no mark is explained where there is none"


def test_strict_tables_refuse_what_is_not_independent(tmp_path):
    friend = made_run(tmp_path, "friend", result_changes={"independent": False, "not_independent_because": "met"})
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
        [made_run(tmp_path, result_changes={"failed": 4}, failures={"missing": 3, "no face found": 1}, posed=50)]
    )
    assert "* Without a face that can be judged: ours: missing 3, no face found 1." in board
    assert ranking(board)["ours"]["faces"] == "46/50"
    assert "Failed faces: a missing face is not retrieved." in board


def test_an_emotion_table_tells_what_people_recognise(tmp_path):
    told = {
        **{"name": "acted", "version": "1", "options": {}, "licence": "", "consent": "", "content": "c" * 64},
        **{"human": {"voice": {"all": 0.416, "sad": 0.164}, "face": {"all": 0.663}}, "human_source": "votes"},
        "labels": {"emotion": {"SAD": "sad", "NEU": "neutral"}},
    }
    board = render_table([made_run(tmp_path, dataset=told, protocol__track="emotion")])
    assert "People choose the intended emotion in 41.6% (voice), 66.3% (face): votes." in board
    assert "Emotions, as acted calls them: SAD = sad, NEU = neutral." in board
    assert "People choose" not in render_table([made_run(tmp_path, dataset=told)]), (
        "an identity table is not about them"
    )


def test_one_measure_by_two_judges_is_told_apart(tmp_path):
    values = made_values()
    second = result(R5, values[R5] / 2, judge="other-judge")
    rows = ranking(render_table([made_run(tmp_path, values=values, extra=[second])]))
    assert float(rows["ours"][f"R@5 ↑ ({JUDGE})"].split()[0]) == pytest.approx(values[R5].mean(), abs=0.0006)
    assert float(rows["ours"]["R@5 ↑ (other-judge)"].split()[0]) == pytest.approx(values[R5].mean() / 2, abs=0.0006)


def test_a_judge_s_own_quality_is_told_with_that_on_soft_faces(tmp_path):
    quality = {"accuracy": 0.6, "faces": 40, "speakers": 8, "at_half_resolution": {"accuracy": 0.125, "faces": 40}}
    judge = {"name": JUDGE, "version": "1", "kind": "emotion", "sha256": "", "people": "nobody", "quality": quality}
    board = render_table([made_run(tmp_path, judges=[judge])])
    assert "accuracy 0.600 (0.125 at half the resolution) on 40 real faces of 8 test speakers." in board
    del quality["at_half_resolution"]  # of a record from before it was measured
    assert "accuracy 0.600 on 40 real faces" in render_table([made_run(tmp_path / "older", judges=[judge])])


def test_rows_by_different_weights_of_one_judge_are_told(tmp_path):
    judge = {"name": JUDGE, "version": "1", "kind": "identity", "people": "nobody", "quality": {}}
    runs = [
        made_run(tmp_path / name, name=name, judges=[judge | {"sha256": digit * 64}])
        for name, digit in (("one", "1"), ("other", "2"), ("third", "1"))
    ]
    assert "11111111: one, third; 22222222: other." in render_table(runs)
    assert "different weights" not in render_table(runs[::2])


def test_seeds_that_were_trained_in_another_way_are_no_seeds_of_one_row(tmp_path):
    """Two devices make batches twice as large; bfloat16 rounds."""
    ways = [(1, "float32"), (1, "float32"), (2, "float32"), (1, "bfloat16")]
    folders = [
        made_run(tmp_path, seed=seed, circumstances={"checkpoint": {"devices": devices, "precision": precision}})
        for seed, (devices, precision) in enumerate(ways)
    ]
    (entries,) = gather(folders).values()
    assert {entry.name: entry.seeds for entry in entries} == {
        "ours (devices=1, precision=float32)": [0, 1],
        "ours (devices=2, precision=float32)": [2],
        "ours (devices=1, precision=bfloat16)": [3],
    }
    (entries,) = gather([*folders[:2], made_run(tmp_path, seed=7)]).values()
    assert [entry.seeds for entry in entries] == [[0, 1, 7]], "records from before this was told: one device, float32"


def test_options_tell_two_forms_of_one_method_apart(tmp_path):
    folders = [made_run(tmp_path, options={"width": width, "steps": 100}) for width in (8, 16)]
    assert {"ours (width=8)", "ours (width=16)"} <= set(ranking(render_table(folders)))
    folders.append(made_run(tmp_path, options={"width": 16, "steps": 100}, method__source_hash="f" * 16))
    names = [name for name in ranking(render_table(folders)) if name.startswith("ours")]
    assert len(set(names)) == 3, "the same options from another source are another row, and look so"
    assert any("ffffff" in name for name in names)


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
        "judges": [{"name": text, "version": text, "sha256": text, "people": text, "quality": {"note": text}}],
        "extra": [foreign, unavailable(text, text)],
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
    assert all(len(row) == 4 + 3 for row in headings), "method, tie, seeds, faces and three measures"
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
        (b'{"schema": 1, "run": "0-', "not readable"),
        (b"", "not readable"),
        (b"\xff\xfe\x00garbage", "not readable"),
        (b"[]", "schema None; this version reads 1"),
        (b"null", "schema None"),
        (b'{"schema": 7}', "schema 7; this version reads 1"),
        (b'{"schema": 1, "run": "0-1"}', "no method, answers, options"),
    ],
)
def test_a_record_that_cannot_be_read_is_named(tmp_path, content, reason):
    good, bad = made_run(tmp_path), made_run(tmp_path)
    (bad / "record.json").write_bytes(content)
    with pytest.raises(BenchError, match=f"{re.escape(str(bad))}.*{reason}"):
        render_table([good, bad])


def test_one_record_that_cannot_be_read_does_not_stop_the_table(tmp_path):
    made_run(tmp_path / "runs", "ours")
    old = tmp_path / "runs" / "old"
    old.mkdir()
    (old / "record.json").write_text('{"schema": 0}')
    done = CliRunner().invoke(app, ["leaderboard", str(tmp_path / "runs")])
    assert done.exit_code == 0
    assert "| ours " in done.stdout
    assert f"left out: {old / 'record.json'}: schema 0" in done.stderr


@pytest.mark.parametrize("content", [None, b"PAR1 cut"])
def test_per_trial_values_that_cannot_be_read_are_named(tmp_path, content):
    ours, floor = made_run(tmp_path), made_run(tmp_path, "floor", method__baseline=True)
    (floor / "trials.parquet").unlink()
    if content:
        (floor / "trials.parquet").write_bytes(content)
    with pytest.raises(BenchError, match=re.escape(str(floor / "trials.parquet"))):
        render_table([ours, floor])


def test_a_key_that_the_schema_does_not_explain_is_refused(tmp_path):
    with pytest.raises(BenchError, match="surprise"):
        made_run(tmp_path, surprise=1)
    with pytest.raises(BenchError, match="p_value"):
        made_run(tmp_path, extra=[result(COSINE, np.ones(3), p_value=0.04)])


def test_no_runs_is_no_table():
    assert render_table([]) == "No finished runs."


def test_methods_that_do_not_differ_share_a_letter(tmp_path):
    values = {R5: made_values()[R5]}
    noise = np.random.default_rng(5).normal(0, 0.05, len(SPEAKERS))
    better, same = {R5: np.clip(values[R5] + 0.4, 0, 1.4)}, {R5: values[R5] + noise}
    rows = ranking(render_table([made_run(tmp_path, n, v) for n, v in (("a", values), ("b", same), ("c", better))]))
    assert {name: rows[name]["tie"] for name in "abc"} == {"c": "a", "a": "b", "b": "b"}


def test_groups_are_shown_with_their_size(tmp_path):
    slices = [
        {
            "by": "sex",
            "group": "female",
            "value": 0.25,
            "low": 0.2,
            "high": 0.3,
            "n": 40,
            "speakers": 20,
            "small": False,
        },
        {"by": "sex", "group": "male", "value": 0.75, "low": None, "high": None, "n": 6, "speakers": 2, "small": True},
    ]
    board = render_groups([made_run(tmp_path, result_changes={"slices": slices})], "sex")
    assert tables_of(board)[0][1] == ["ours", "0.250 ± 0.050 (40)", "0.750 (6) (few)"]
    assert "No trial has the label age" in render_groups([made_run(tmp_path)], "age")
    with pytest.raises(UsageError, match="--by takes sex, age"):
        render_groups([], "shoe size")
