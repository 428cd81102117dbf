"""Pages about runs and comparisons: what they show, and that they are safe and whole without a network."""

import base64
import csv
import io
import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import SMALL
from made_records import COSINE, JUDGE, R5, RANK, SPEAKERS, made_run, made_values, records_in
from PIL import Image
from test_render import HOSTILE, Tags

from v2f_bench.interfaces import UsageError
from v2f_bench.leaderboard import leaderboard
from v2f_bench.leaderboard.compare import compare, runs_called
from v2f_bench.record import find_records, read_record, read_trials, write_record
from v2f_bench.render import Format, render_comparison
from v2f_bench.render.words import plain
from v2f_bench.report import People, comparison_page, report_page
from v2f_bench.report.curves import match_curve
from v2f_bench.report.trials import choices

pytestmark = pytest.mark.slow

NOBODY = People(None, "not here")


@pytest.fixture(scope="module")
def runs(cli, tmp_path_factory):
    output = tmp_path_factory.mktemp("runs")
    done = cli("run", "--method", "copy-proposal,real-photo", "--no-baselines", *SMALL, "--output", output)
    return output, done.stdout


def trials_on(page):
    """The trials that a page shows, by the title of the sheet."""
    sheets = re.split(r"<h3>(.*?)</h3>", page)
    return {
        title: re.findall(r"<code>(t[0-9a-f]{12})</code>", body)
        for title, body in zip(sheets[1::2], sheets[2::2], strict=True)
    }


@pytest.mark.slow
def test_run_leaves_a_page_for_every_run_and_says_where(runs):
    output, told = runs
    for folder in find_records(output):
        assert f"report: {folder / 'report.html'}" in told
        page = (folder / "report.html").read_text(encoding="utf-8")
        assert {"Contact sheet", "Best", "Worst", "By lot"} <= set(trials_on(page))
        assert read_record(folder).method.name in page


def test_best_and_worst_are_by_numbers_and_the_rest_by_lot(runs):
    output, _ = runs
    (folder,) = find_records(output / "synthetic-speakers" / "copy-proposal")
    shown = trials_on((folder / "report.html").read_text(encoding="utf-8"))
    ranks = read_trials(folder)[f"{RANK} @ in-domain-identity"]
    assert sorted(ranks[shown["Best"]]) == sorted(ranks)[:6]
    assert sorted(ranks[shown["Worst"]]) == sorted(ranks)[-6:]
    lot = np.random.default_rng(0).permutation(np.array(sorted(ranks.index), dtype=object))[:6]
    assert shown["By lot"] == list(lot)
    assert len(shown["Contact sheet"]) == 12


def test_a_page_plays_the_voice_and_shows_the_very_face(runs):
    output, _ = runs
    (folder,) = find_records(output / "synthetic-speakers" / "copy-proposal")
    page = (folder / "report.html").read_text(encoding="utf-8")
    card = page[page.index('class="trial"') :]
    voice = base64.b64decode(re.search(r"data:audio/mpeg;base64,([^\"]+)", card)[1])
    samples, rate = soundfile.read(io.BytesIO(voice))
    assert rate == 16000
    assert np.abs(samples).max() > 0.01
    trial = re.search(r"<code>(t[0-9a-f]{12})</code>", card)[1]
    pictures = re.findall(r"data:image/webp;base64,([^\"]+)", card[: card.index("</code>")])
    made = np.asarray(Image.open(io.BytesIO(base64.b64decode(pictures[-1]))).convert("RGB"), float)
    truth = np.asarray(Image.open(folder / "faces" / f"{trial}.png").convert("RGB"), float)
    assert made.shape == truth.shape
    assert np.abs(made - truth).mean() < 6, "of 255: WebP is not exact"


def test_a_page_asks_nothing_of_any_network(runs):
    output, _ = runs
    for folder in find_records(output):
        tags = Tags((folder / "report.html").read_text(encoding="utf-8"))
        addresses = [value for _, a in tags.found for name, value in a.items() if name in ("src", "href")]
        assert all(address.startswith(("data:", "#")) for address in addresses)
        (policy,) = [a["content"] for tag, a in tags.found if tag == "meta" and "http-equiv" in a]
        assert policy.startswith("default-src 'none'")


def test_a_page_without_people_holds_no_face_and_no_voice(runs, cli, tmp_path):
    output, _ = runs
    (folder,) = find_records(output / "synthetic-speakers" / "copy-proposal")
    cli("report", folder, "--no-people", "--output", tmp_path / "bare.html")
    page = (tmp_path / "bare.html").read_text(encoding="utf-8")
    assert "data:image/webp" not in page
    assert "data:audio" not in page
    assert "R@5" in page


def test_people_who_must_not_be_shown_are_warned_of(runs, tmp_path):
    output, _ = runs
    (folder,) = find_records(output / "synthetic-speakers" / "copy-proposal")
    record = read_record(folder)
    closed = replace(record, dataset=replace(record.dataset, may_be_shown="no"))
    boards = leaderboard({folder: closed}).boards
    assert "forbids showing" in report_page({folder: closed}, boards, {folder: NOBODY})
    assert "forbids showing" not in report_page({folder: closed}, boards, {folder: NOBODY}, shown=False)
    assert "forbids showing" not in report_page({folder: record}, boards, {folder: NOBODY})


def test_a_page_of_hostile_names_is_only_text(tmp_path):
    for text in HOSTILE:
        made_run(tmp_path, text, made_values(), options={text: text}, method__source=text, failures={text: 1})
    records = records_in(tmp_path)
    page = report_page(records, leaderboard(records).boards, dict.fromkeys(records, NOBODY))
    tags = Tags(page)
    assert sum(tag == "script" for tag, _ in tags.found) == 1
    assert not [name for _, attributes in tags.found for name in attributes if name.startswith("on")]
    text = "".join(tags.words)
    assert all(plain(name) in text for name in HOSTILE)


def test_judges_that_disagree_pick_the_trials_on_which_their_orders_differ(tmp_path):
    names = [f"t{n:03d}" for n in range(len(SPEAKERS))]
    values = {RANK: np.linspace(0, 1, len(SPEAKERS))}
    folder = made_run(tmp_path, values=values)
    record = read_record(folder)
    second = replace(record.results[0], judge="second")
    record = replace(record, results=[*record.results, second])
    trials = read_trials(folder)
    other = values[RANK].copy()
    other[[3, 70]] = other[[70, 3]]
    trials[f"{RANK} @ second"] = other
    (found,) = [one for one in choices(record, trials) if one.title == "Judges disagree"]
    assert set(found.trials[:2]) == {names[3], names[70]}


def test_the_match_curve_is_that_of_its_ranks():
    ranks, speakers = np.array([1.0, 1, 2, 4, 4]), np.array(["a", "a", "b", "c", "d"])
    curve = match_curve(ranks, speakers, 5)
    assert curve.shares.tolist() == [0.4, 0.6, 0.6, 1.0, 1.0]
    assert (curve.low <= curve.shares).all()
    assert (curve.shares <= curve.high).all()
    assert curve.low[0] < 0.2, "of four speakers"


def test_a_damaged_file_of_losses_is_named_and_does_not_stop_the_page(tmp_path):
    folder = made_run(tmp_path)
    (folder / "checkpoint").mkdir()
    (folder / "checkpoint" / "generator-losses.csv").write_text("step,loss,value\n1,pixel,0.5\n2,pixel,0.25\n")
    (folder / "checkpoint" / "voice-losses.csv").write_text("garbage")
    records = records_in(tmp_path)
    page = report_page(records, leaderboard(records).boards, {folder: NOBODY})
    assert "At the last step: pixel 0.25." in page
    assert "voice-losses.csv: not readable" in page


# -- compare


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    root = tmp_path_factory.mktemp("pair")
    values = {m: v for m, v in made_values(1).items() if m != COSINE}
    better = {R5: np.clip(values[R5] + (np.arange(len(SPEAKERS)) % 3 == 0), 0, 1), RANK: values[RANK] - 0.05}
    folders = {name: made_run(root, name, own) for name, own in (("first", better), ("second", values))}
    for folder in folders.values():
        trials = pd.read_parquet(folder / "trials.parquet")
        trials["sex"] = np.where(np.unique(SPEAKERS, return_inverse=True)[1] % 2, "male", "female")
        trials.to_parquet(folder / "trials.parquet", index=False)
    return {name: records_in([folder]) for name, folder in folders.items()}, better, values


def test_a_comparison_is_scipy_s(pair):
    from scipy.stats import ttest_rel

    records, better, values = pair
    (table,) = compare(records["first"], records["second"])
    row = next(row for row in table.rows if row.column.measure == R5)
    gaps = pd.Series(better[R5] - values[R5]).groupby(SPEAKERS)
    assert row.gap.value == pytest.approx((better[R5] - values[R5]).mean(), abs=1e-12)
    assert row.gap.raw_p_value == pytest.approx(ttest_rel(gaps.mean(), 0 * gaps.mean()).pvalue, abs=0.01)
    assert (row.gap.speakers, row.gap.trials) == (30, len(SPEAKERS))
    assert row.first.value - row.second.value == pytest.approx(row.gap.value)
    rank = next(row for row in table.rows if row.column.measure == RANK)
    assert rank.gap.value == pytest.approx(0.05), "lower is better: the first is better by so much"


def test_turned_round_a_comparison_changes_its_sign_alone(pair):
    records, *_ = pair
    (one,), (other,) = compare(records["first"], records["second"]), compare(records["second"], records["first"])
    for mine, theirs in zip(one.rows, other.rows, strict=True):
        assert mine.gap.value == pytest.approx(-theirs.gap.value)
        assert (mine.gap.low, mine.gap.high) == pytest.approx((-theirs.gap.high, -theirs.gap.low))
        assert mine.gap.p_value == pytest.approx(theirs.gap.p_value)


def test_groups_are_compared_within_themselves(pair):
    records, better, values = pair
    (table,) = compare(records["first"], records["second"], by=("sex",))
    male = np.unique(SPEAKERS, return_inverse=True)[1] % 2 == 1
    (row,) = [row for row in table.groups if (row.column.measure, row.group) == (R5, "male")]
    assert row.gap.value == pytest.approx((better[R5] - values[R5])[male].mean())
    assert row.first.value == pytest.approx(better[R5][male].mean())
    assert row.gap.speakers == 15


def test_the_trials_that_differ_most_come_first(pair):
    records, better, values = pair
    (table,) = compare(records["first"], records["second"], measures=(R5,))
    gaps = better[R5] - values[R5]
    assert table.told_apart_by.measure == R5
    assert table.trials[0].better_by == gaps.max() == 1
    assert {gap.trial for gap in table.trials if gap.better_by > 0} == {f"t{n:03d}" for n in np.flatnonzero(gaps > 0)}
    page = comparison_page([table], {table.first.folders[0]: NOBODY})
    assert "first is ahead by most" in page
    assert table.trials[0].trial in page


@pytest.mark.parametrize("form", [Format.MARKDOWN, Format.CSV, Format.JSON, Format.LATEX, Format.TERMINAL])
def test_a_comparison_in_every_format(pair, form):
    records, better, values = pair
    tables = compare(records["first"], records["second"], by=("sex",))
    text = render_comparison(tables, form)
    gap = (better[R5] - values[R5]).mean()
    if form is Format.CSV:
        row = next(row for row in csv.DictReader(io.StringIO(text)) if row["measure"] == R5 and not row["by"])
        assert float(row["difference_value"]) == pytest.approx(gap, abs=1e-15)
    elif form is Format.JSON:
        row = next(row for row in json.loads(text)["rows"] if row["measure"] == R5 and not row["by"])
        assert row["difference_value"] == pytest.approx(gap, abs=1e-15)
    else:
        assert f"{gap:+.3f}" in text
        assert "male" in text


def test_methods_are_called_by_name_and_seeds_of_one_told_apart(tmp_path):
    for seed in (0, 1):
        made_run(tmp_path, "ours", made_values(seed), seed)
    made_run(tmp_path, "theirs", made_values(5))
    records = records_in(tmp_path)
    assert len(runs_called(records, "ours")) == 2
    with pytest.raises(UsageError, match="did you mean 'ours'"):
        runs_called(records, "our")
    seeds = [{folder: record} for folder, record in records.items() if record.method.name == "ours"]
    (table,) = compare(*seeds)
    assert set(table.names) == {"ours (seed 0)", "ours (seed 1)"}
    with pytest.raises(UsageError, match="the same run"):
        compare(seeds[0], seeds[0])
    with pytest.raises(UsageError, match="one method on each side"):
        compare(records, seeds[0])


def test_runs_of_two_protocols_are_not_compared(tmp_path):
    one, two = made_run(tmp_path, "a"), made_run(tmp_path, "b", protocol__hash="hash-two")
    with pytest.raises(UsageError, match="no protocol in common"):
        compare(records_in([one]), records_in([two]))


@pytest.mark.slow
def test_compare_by_the_command_line(runs, cli, tmp_path):
    output, _ = runs
    told = cli("compare", "real-photo", "copy-proposal", "--runs", output, "--by", "sex").stdout
    assert "R@5 ↑" in told
    assert "* Differences" not in told
    cli("compare", "real-photo", "copy-proposal", "--runs", output, "--output", tmp_path / "c.html")
    page = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert page.count("data:audio/mpeg") >= 8
    assert "real-photo is ahead by most" in page
    done = cli("compare", "real-foto", "copy-proposal", "--runs", output, ok=False)
    assert done.returncode == 2
    assert "did you mean 'real-photo'" in done.stderr


def test_a_run_whose_trials_are_gone_still_has_a_page(tmp_path):
    folder = made_run(tmp_path)
    (folder / "trials.parquet").unlink()
    write_record(folder, read_record(folder))
    records = records_in(tmp_path)
    page = report_page(records, leaderboard(records).boards, {folder: NOBODY})
    assert "No trials can be shown" in page
    assert f"{made_values(0)[R5].mean():.3f}" in page
    assert JUDGE in page
