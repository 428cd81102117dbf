"""The study from the command line, on runs that `run` and `score` made."""

import json
import shutil

import pytest
from conftest import SMALL

from v2f_bench.study.folder import read_key


@pytest.fixture(scope="module")
def runs(cli, tmp_path_factory):
    """Two finished runs, by method."""
    output = tmp_path_factory.mktemp("runs")
    cli("run", "--method", "copy-proposal,same-sex-face", "--no-baselines", *SMALL, "--output", output)
    return {path.parent.parent.name: path.parent for path in output.rglob("record.json")}


def export(cli, *words, **more):
    return cli("study", "export", *words, "--trials", "10", "--raters", "3", "--seed", "1", **more)


@pytest.mark.slow
def test_a_study_is_exported_from_runs(cli, runs, tmp_path):
    given = [word for run in runs.values() for word in ("--run", run)]
    done = export(cli, *given, "-D", "match-2afc", "-o", tmp_path / "study", "--rule", "max_failed_checks=0")
    assert "3 lists of 23 questions" in done.stdout
    assert "the consent text names nobody" in done.stdout
    key = read_key(tmp_path / "study")
    assert set(key.methods) == {"copy-proposal", "same-sex-face"}
    assert key.rules.max_failed_checks == 0
    record = json.loads((runs["copy-proposal"] / "record.json").read_text())
    assert key.protocol["hash"] == record["protocol"]["hash"]
    assert key.methods["copy-proposal"].run == record["run"]
    assert not (tmp_path / "study" / "recruit").exists()
    again = export(cli, *given, "-D", "match-2afc", "-o", tmp_path / "study", ok=False)
    assert (again.returncode, "never written over another" in again.stderr) == (2, True)


@pytest.mark.slow
def test_seeds_of_one_method_are_told_apart_and_pictures_may_lie_elsewhere(cli, runs, tmp_path):
    scored = tmp_path / "runs" / "mine" / "seed7-1234"
    shutil.copytree(runs["copy-proposal"], scored)
    copied = ("--run", scored, "--run", runs["copy-proposal"])
    assert "are one run, copy-proposal (seed0-" in export(cli, *copied, "-D", "realism", "-o", "a", ok=False).stderr
    record = json.loads((scored / "record.json").read_text())
    (scored / "record.json").write_text(json.dumps({**record, "run": "seed7-1234abcd", "seed": 7}))
    (scored / "faces").rename(tmp_path / "pictures")
    lacking = export(cli, "--run", scored, "-D", "realism", "-o", tmp_path / "a", ok=False)
    assert f"name their folder too: {scored}=FOLDER" in lacking.stderr
    given = ("--run", f"{scored}={tmp_path / 'pictures'}", "--run", runs["copy-proposal"])
    export(cli, *given, "-D", "realism", "-o", tmp_path / "b", "--url", "https://study.example.org")
    key = read_key(tmp_path / "b")
    assert sorted(key.methods) == [f"copy-proposal ({runs['copy-proposal'].name})", "copy-proposal (seed7-1234abcd)"]
    links = (tmp_path / "b" / "recruit" / "prolific.csv").read_text()
    assert "https://study.example.org/?list=1&PROLIFIC_PID={{%PROLIFIC_PID%}}" in links
    assert (
        (tmp_path / "b" / "recruit" / "mturk.csv").read_text().startswith("link\nhttps://study.example.org/?list=1\n")
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["-D", "match"], "there is no design 'match'; did you mean 'match-2afc'?"),
        (["-D", "realism", "--show", "film"], "--show film: realism shows face"),
        (["-D", "realism", "--rule", "max_failed=1"], "--rule has no option 'max_failed'"),
        (["-D", "realism", "--rule", "min_answered=2"], "min_answered takes a number (0 or more and at most 1)"),
        (
            ["-D", "realism", "--redirect", "javascript:alert(1)"],
            "--redirect takes an address that begins with https://",
        ),
        (["-D", "realism", "--completion-code", "a b"], "--completion-code takes letters and digits"),
        (["-D", "realism", "--consent", "nothing.txt"], "not readable as UTF-8 text"),
        (["-D", "name-emotion"], "name-emotion is not for the identity track; there is: match-2afc"),
    ],
)
def test_wrong_usage_is_said_before_any_work(cli, runs, tmp_path, words, reason):
    done = export(cli, "--run", runs["copy-proposal"], *words, "-o", tmp_path / "study", ok=False)
    assert done.returncode == 2
    assert reason in done.stderr
    assert not (tmp_path / "study").exists()


@pytest.mark.slow
def test_runs_that_cannot_be_compared_are_refused(cli, runs, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(runs["copy-proposal"], other)
    record = json.loads((other / "record.json").read_text())
    record["protocol"]["hash"] = "0" * 16
    (other / "record.json").write_text(json.dumps(record))
    given = ("--run", runs["copy-proposal"], "--run", other)
    assert "only runs of one protocol" in export(cli, *given, "-D", "realism", "-o", tmp_path / "a", ok=False).stderr
    twice = ("--run", runs["copy-proposal"], "--run", runs["copy-proposal"])
    assert "named twice" in export(cli, *twice, "-D", "realism", "-o", tmp_path / "a", ok=False).stderr
    record["protocol"]["hash"] = read_protocol(runs["copy-proposal"])
    record["dataset"]["content"] = "f" * 64
    (other / "record.json").write_text(json.dumps(record))
    alone = export(cli, "--run", other, "-D", "realism", "-o", tmp_path / "a", ok=False)
    assert "is not what the runs were made on" in alone.stderr
    nothing = export(cli, "--run", tmp_path, "-D", "realism", "-o", tmp_path / "a", ok=False)
    assert "no finished run here" in nothing.stderr


def read_protocol(run):
    return json.loads((run / "protocol.json").read_text())["hash"]


@pytest.mark.slow
def test_a_consent_text_of_ones_own_is_shown(cli, runs, tmp_path):
    text = tmp_path / "consent.txt"
    text.write_text("First paragraph,\nin two lines.\n\n</script><b>Second</b> & last.\n", encoding="utf-8")
    words = ("--consent", text, "--contact", "A. Lab")
    export(cli, "--run", runs["copy-proposal"], "-D", "realism", "-o", tmp_path / "study", *words)
    public = json.loads((tmp_path / "study" / "site" / "study.json").read_text())
    assert public["consent"] == ["First paragraph, in two lines.", "</script><b>Second</b> & last."]
    page = (tmp_path / "study" / "site" / "index.html").read_text()
    assert page.count("</script>") == 4, "the text ends no element of the page"


def test_help_has_examples(cli):
    for verb in ("plan", "export", "serve", "score"):
        assert f"v2f-bench study {verb}" in cli("study", verb, "--help").stdout
    assert "Ask people" in cli("study").stdout
