"""The command line as a user meets it: help, names, mistakes."""

import json
import resource
import signal
import subprocess
import sys

import pytest

from v2f_bench.cli.run import parse_seeds
from v2f_bench.interfaces import UsageError


@pytest.mark.parametrize(
    ("text", "seeds"), [("0", [0]), ("0,2,5", [0, 2, 5]), ("1-3", [1, 2, 3]), ("0,0-1, 7", [0, 1, 7])]
)
def test_seeds(text, seeds):
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "1-", "-1", "1.5", "3-1"])
def test_seeds_that_are_none(text):
    with pytest.raises(UsageError, match="--seed"):
        parse_seeds(text)


@pytest.mark.parametrize(
    "verb",
    [[], ["run"], ["list"], ["info"], ["leaderboard"], ["generate"], ["doctor"], ["trials"], ["score"], ["weights"]],
)
def test_help_has_an_example(cli, verb):
    assert "v2f-bench " in cli(*verb, "--help").stdout
    assert "Example" in cli(*verb, "--help").stdout


def test_help_is_quick_and_imports_no_torch(cli):
    def needed():
        """CPU seconds, which a busy machine stretches less than the clock's."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        cli("--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(needed() for _ in range(5)) < 0.5
    heavy = "('torch', 'pandas', 'scipy')"
    code = f"import sys; from v2f_bench.cli.app import app; print([m for m in {heavy} if m in sys.modules])"
    assert run_python(code) == "[]"


def test_what_the_bundled_plugins_are_is_shown_without_heavy_imports():
    code = """
import sys
from typer.testing import CliRunner
from v2f_bench.catalogue import read_catalogue
from v2f_bench.cli.app import app
names = dict.fromkeys(each.name for listed in read_catalogue().values() for each in listed)
assert len(names) > 50
for words in (["list"], *(["info", name] for name in names)):
    assert CliRunner().invoke(app, words).exit_code == 0, words
    assert not {"torch", "pandas"} & set(sys.modules), words
"""
    assert run_python(code) == ""


def run_python(code):
    import subprocess

    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "--method", "cea", "--dataset", "synthetic-speakers"], "did you mean 'cae'?"),
        (["run", "--method", "cae", "--dataset", "synthetic-speaker"], "did you mean 'synthetic-speakers'?"),
        (["run", "--method", "cae", "--dataset", "synthetic-speakers", "--set", "widht=3"], "did you mean 'width'?"),
        (["run", "--method", "cae", "--dataset", "synthetic-speakers", "--preset", "papr"], "did you mean 'paper'?"),
        (
            ["run", "--method", "cae", "--dataset", "synthetic-speakers", "--dataset-set", "x=3"],
            "speakers, clips, world",
        ),
        (["run", "--method", "cae", "--dataset", "synthetic-speakers", "--set", "gan.x=3"], "'gan' is not among"),
        (
            ["run", "--method", "cae", "--dataset", "synthetic-speakers", "--data-root", "."],
            "its data root must be left out",
        ),
        (["run", "--method", "cae", "--dataset", "synthetic-speakers", "--device", "quantum"], "device quantum"),
        (["run", "--method", "cae", "--dataset", "voxceleb-vggface"], "V2F_BENCH_VOXCELEB_VGGFACE"),
        (["info", "retrieva"], "did you mean 'retrieval'?"),
        (["list", "foo"], "'foo' is not one of"),
        (
            ["run", "--method", "cae", "--dataset", "synthetic-speakers", "--judge", "/nope.toml"],
            "/nope.toml: no such file",
        ),
        (
            ["run", "--method", "cae", "--dataset", "synthetic-speakers", "--set", "steps=0"],
            "cae: steps takes a whole number (1 or more), not '0'",
        ),
        (
            ["run", "--method", "cae", "--dataset", "synthetic-speakers", "--dataset-set", "clips=-2"],
            "synthetic-speakers: clips takes a whole number (1 or more), not '-2'",
        ),
        (
            ["run", "--method", "cae", "--dataset", "synthetic-speakers", "--track", "foo"],
            "There is: identity, emotion",
        ),
        (["trials", "--dataset", "synthetic-speakers", "--track", "emotoin"], "did you mean 'emotion'?"),
        (
            ["score", ".", "--dataset", "synthetic-speakers", "-n", "ours", "--trained-with", "facenet-vgface2"],
            "there is no judge 'facenet-vgface2'; did you mean 'facenet-vggface2'?",
        ),
        (
            ["run", "--method", "cae", "--dataset", "synthetic-speakers", "--measure", "retrieva/R@1"],
            "did you mean 'retrieval'?",
        ),
        (
            ["run", "--method", "cae", "--dataset", "synthetic-speakers", "--measure", "colour-shift"],
            "colour-shift is for the track emotion; the track identity has: age-error,",
        ),
        (
            ["run", "--method", "cae", "--dataset", "synthetic-speakers", "--judges", "in-domain-identty"],
            "did you mean 'in-domain-identity'?",
        ),
        (
            ["run", "--method", "cae", "--dataset", "synthetic-speakers", "--metrics", "retrieval,colour-shift"],
            "colour-shift is for the track emotion",
        ),
        (
            ["score", ".", "--dataset", "synthetic-speakers", "--name", ".."],
            "the name '..' cannot be the name of a folder",
        ),
        (["info", "CAE"], "did you mean 'cae'?"),
        (["leaderboard", "--output", "."], "--output"),
        (["trials", "--dataset", "synthetic-speakers", "--output", __file__], "--output"),
        (["generate", "runs/x", "--voice", "me.wav", "-o", "face.gif"], "face.gif: the name of a picture ends in"),
        (
            ["generate", "runs/x", "--voice", "me.wav", "-s", "f.mp4", "-o", "f.avi"],
            "f.avi: the name of a film ends in",
        ),
        (["generate", "runs/x", "--voice", "me.wav", "-s", "f.mp4", "-p", "p.png", "-o", "o.mp4"], "leave --proposal"),
        (["run", "--method", "cae"], "Missing option '--dataset'"),
        (["run", "--nope"], "No such option: --nope"),
        (["runn"], "'run'"),
        (["run", "--method", "cae", "--dataset", "synthetic-speakers", "--jobs", "0"], "--jobs"),
    ],
)
def test_a_mistake_is_answered_in_a_line_or_two(in_process, arguments, told):
    done = in_process(*arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3


def test_no_runs_is_said(cli, tmp_path):
    done = cli("leaderboard", tmp_path, ok=False)
    assert done.returncode == 1
    assert "no finished runs" in done.stderr


def test_info_tells_whether_what_a_method_was_trained_with_is_a_judge_here(in_process, monkeypatch):
    """Under a misspelt name the judge would count as independent of the method."""
    from v2f_bench.plugins import registry

    monkeypatch.setattr(registry().find("method", "mean-face").cls, "trained_with", ("mtcnn", "facenet-vgface2"))
    facts = json.loads(in_process("info", "mean-face", "--json").stdout)
    assert facts["trained_with"] == {"mtcnn": "a judge", "facenet-vgface2": "no judge of this name here"}


def test_info_of_every_plugin_in_text_and_json(in_process):
    listed = json.loads(in_process("list", "--json").stdout)
    names = [row["name"] for kind in ("methods", "datasets", "metrics", "judges") for row in listed[kind]]
    assert len(names) >= 14
    for name in ("cae", "voxceleb-vggface", "retrieval", "inception-v3"):
        facts = json.loads(in_process("info", name, "--json").stdout)
        assert facts["name"] == name
        assert facts["summary"] in in_process("info", name).stdout
    assert "did not consent" in in_process("info", "voxceleb-vggface").stdout


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_says_so_and_exits_with_130(environment, tmp_path, number):
    command = [sys.executable, "-m", "v2f_bench", "prepare", "--dataset", "synthetic-speakers", "--jobs", "1"]
    env = environment | {"V2F_BENCH_CACHE": str(tmp_path)}
    pipes = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    # a shell lets what it starts in the background ignore the signal, and so would what that starts
    running = subprocess.Popen(
        command, env=env, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), **pipes
    )
    first = running.stderr.readline()
    running.send_signal(number)
    rest = running.communicate(timeout=120)[1]
    assert running.returncode == 130, first + rest
    assert "interrupted" in rest
    assert "Traceback" not in rest
