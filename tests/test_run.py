"""The main job from the command line, on a small world: records, repeatability, killed processes, troubled plugins."""

import json
import re
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import SMALL

from v2f_bench.harness.sheet import SHOWN

# Enough training to change every weight, far too little to learn.
TINY_CAE = ["width=4", "critic_width=4", "steps=6", "batch=4", "voice_width=0.1", "voice_steps=6", "voice_batch=8"]
CAE = ["--method", "cae", *(word for setting in TINY_CAE for word in ("--set", setting))]


def records_below(folder):
    found = [json.loads(path.read_text()) for path in folder.rglob("record.json")]
    return {(record["method"]["name"], record["seed"]): record for record in found}


def without_circumstances(record):
    return {key: value for key, value in record.items() if key != "circumstances"}


@pytest.fixture(scope="module")
def finished(cli, tmp_path_factory):
    """A finished small run of cae and the baselines: its output folder, and what the command printed."""
    output = tmp_path_factory.mktemp("finished")
    done = cli("run", *CAE, *SMALL, "--output", output)
    return output, done


def test_a_run_leaves_all_that_is_promised(finished):
    output, done = finished
    records = records_below(output)
    assert {name for name, _ in records} == {
        *("cae", "copy-proposal", "labelled-face", "mean-face", "nearest-voice", "oracle", "random-face", "real-photo"),
        *("same-sex-and-age-face", "same-sex-face"),
    }
    for path in output.rglob("record.json"):
        record = json.loads(path.read_text())
        trials = pd.read_parquet(path.with_name("trials.parquet"))
        applicable = trials["applicable"].sum()
        faces = list((path.parent / "faces").glob("*.png"))
        assert len(faces) == applicable == record["applicable"]
        assert applicable == (trials["real_photo"] != "").sum() or record["method"]["name"] != "real-photo"
        influence = pd.read_parquet(path.with_name("influence.parquet"))
        assert set(influence["speaker"]) == set(trials["speaker"])
        assert "verification/AUC @ in-domain-identity" in influence
        assert (path.parent / "checkpoint" / "model.safetensors").is_file()
        assert (path.parent / "sheet.png").is_file()
        assert not list((path.parent / "checkpoint").glob("*.training")), "what a killed training needs, and no other"
        for training in ("voice-embedding", "generator") if record["method"]["name"] == "cae" else ():
            assert (path.parent / "checkpoint" / f"{training}-losses.png").is_file()
        assert (path.parent / "variation-voice.png").is_file() == (record["method"]["name"] == "cae")
        assert json.loads((path.parent / "protocol.json").read_text())["protocol"]["trials"]
        (quality,) = (judge["quality"] for judge in record["judges"] if judge["name"] == "in-domain-identity")
        assert 0.5 < quality["at_half_resolution"]["verification_auc"] < 1
        assert quality["verification_auc"] != quality["at_half_resolution"]["verification_auc"]
        for stage in ("checkpoint", "faces", "scores"):
            assert {"torch", "v2f-bench"} <= set(record["circumstances"][stage]["packages"])
    for name, _ in records:
        assert re.search(rf"^{name} ", done.stdout, re.MULTILINE), f"no row of {name}"


def test_every_number_has_its_context(finished):
    for record in records_below(finished[0]).values():
        for lacking in record["unavailable"]:
            films_only = lacking["metric"] in ("flicker", "lip-dynamics")
            assert ("measured on films only" if films_only else "needs weights/") in lacking["reason"]
        judges = {judge["name"]: judge for judge in record["judges"]}
        for result in record["results"]:
            assert result["n"] <= result["expected"] == record["applicable"]
            assert result["floor"] is not None
            assert result["floor_is"]
            assert result["ceiling_is"]
            assert judges[result["judge"]]["sha256"] or result["judge"] in ("mtcnn", "grid"), "of a wheel, or none"
            assert result["failure_policy"]
            if result["value"] is not None and result["low"] is not None:
                assert result["low"] <= result["value"] <= result["high"]


@pytest.mark.slow
def test_the_same_command_does_nothing_twice(finished, cli):
    output, first = finished
    times = {path: path.stat().st_mtime_ns for path in output.rglob("*.png")}
    again = cli("run", *CAE, *SMALL, "--output", output)
    assert {path: path.stat().st_mtime_ns for path in output.rglob("faces/*.png")} == {
        path: time for path, time in times.items() if path.parent.name == "faces"
    }
    assert again.stdout == first.stdout


@pytest.mark.slow
def test_a_seed_repeats_a_run_bit_for_bit(finished, cli, tmp_path):
    cli("run", *CAE, *SMALL, "--no-baselines", "--output", tmp_path)
    (ours,), theirs = tmp_path.rglob("record.json"), finished[0] / "synthetic-speakers" / "cae"
    (theirs,) = theirs.rglob("record.json")
    assert without_circumstances(json.loads(ours.read_text())) == without_circumstances(json.loads(theirs.read_text()))
    for name in ("checkpoint/model.safetensors", *(f"faces/{path.name}" for path in (ours.parent / "faces").glob("*"))):
        if not name.endswith(".json"):
            assert (ours.parent / name).read_bytes() == (theirs.parent / name).read_bytes(), name
    pd.testing.assert_frame_equal(*(pd.read_parquet(path.with_name("trials.parquet")) for path in (ours, theirs)))


@pytest.mark.slow
def test_another_seed_gives_another_run_beside_it(finished, cli, tmp_path):
    done = cli("run", "--method", "random-face", *SMALL, "--no-baselines", "--seed", "0-2", "--output", tmp_path)
    records = records_below(tmp_path)
    assert len(re.findall(r"^random-face ", done.stdout.partition("floor")[0], re.MULTILINE)) == 1, "one row"
    assert {seed for _, seed in records} == {0, 1, 2}
    assert len({record["protocol"]["hash"] for record in records.values()}) == 1, "all seeds meet the same trials"
    assert len({json.dumps(record["results"]) for record in records.values()}) == 3
    table = cli("leaderboard", tmp_path, "--format", "md").stdout
    assert re.search(r"random-face +\|[^|]*\|[^|]*\| 3 ", table), "seeds of one method are one row"


# Each is a point at which the process kills itself: the n-th call of a function, in the order in which a run comes by.
KILLS = [
    ("prepare", "v2f_bench.data.store_writer:StoreWriter.add", 60),
    ("prepare, about to be whole", "pathlib:Path.rename", 1),
    ("the judge's training", "torch.optim:AdamW.step", 10),
    ("the judge's view", "v2f_bench.harness.views:outputs", 2),
    ("fit", "v2f_bench.nn.critic:Critic.forward", 7),
    ("fit, about to be whole", "v2f_bench.harness.fit:write_state", 1),
    ("generate", "v2f_bench.harness.generate:write_face", 40),
    ("score", "v2f_bench.artefacts.faces:read_picture", 20),
    ("record", "v2f_bench.harness.recording:write_record", 1),
]
KILLED_AT = """
import functools, importlib, os, signal, sys
point, count = sys.argv.pop(1), int(sys.argv.pop(1))
module, _, path = point.partition(":")
*owners, name = path.split(".")
owner = functools.reduce(getattr, owners, importlib.import_module(module))
original, calls = getattr(owner, name), 0
@functools.wraps(original)
def counted(*args, **kwargs):
    global calls
    calls += 1
    if calls == count:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*args, **kwargs)
setattr(owner, name, counted)
if __name__ == "__main__":
    from v2f_bench.cli import main
    main()
"""


@pytest.mark.slow
def test_killed_in_any_stage_the_same_command_ends_with_the_same_record(finished, cli, environment, tmp_path):
    """One cache and one output folder go through all the deaths; the record must be the undisturbed one."""
    script = tmp_path / "killed_at.py"
    script.write_text(KILLED_AT)
    env = environment | {"V2F_BENCH_CACHE": str(tmp_path / "cache")}
    command = ["run", *CAE, *SMALL, "--no-baselines", "--output", str(tmp_path / "runs"), "--jobs", "1"]
    for stage, point, count in KILLS:
        call = [sys.executable, str(script), point, str(count), *command]
        died = subprocess.run(call, env=env, capture_output=True, text=True, check=False)
        assert died.returncode == -signal.SIGKILL, f"{stage}: {died.stderr}"
        assert not list((tmp_path / "runs").rglob("record.json"))
    cli(*command, env=env)
    (ours,) = records_below(tmp_path / "runs").values()
    theirs = records_below(finished[0])["cae", 0]
    assert without_circumstances(ours) == without_circumstances(theirs)
    assert ours["circumstances"]["faces"]["resumed"], "the faces of the first batch were made only once"
    assert not list((tmp_path / "runs").rglob(".*unfinished*"))


@pytest.mark.slow
def test_a_third_partys_method_runs_beside_the_bundled_ones(cli, installed, tmp_path):
    env = {"PYTHONPATH": str(installed("third_party"))}
    done = cli("run", "--method", "grey", *SMALL, "--set", "gain=2", "--output", tmp_path, env=env)
    record = records_below(tmp_path)["grey", 0]
    assert (record["method"]["distribution"], record["method"]["version"]) == ("v2f-grey", "2.1")
    assert record["options"] == {"gain": 2.0}
    assert "\ngrey " in done.stdout
    assert "\noracle " in done.stdout
    results = {result["measure"]: result for result in record["results"]}
    chance = results["retrieval/R@5"]["floor"]
    assert results["retrieval/R@5"]["value"] <= 2 * chance + 0.05, "one face for all finds nobody"


@pytest.mark.slow
def test_troubled_plugins_cost_only_themselves(cli, installed, tmp_path):
    env = {"PYTHONPATH": str(installed("troubled"))}
    methods = "crash,ends-the-program,diverged,wrong-range,peeking,forgetful,meddling,no-disk,half-missing,mean-face"
    done = cli("run", "--method", methods, *SMALL, "--no-baselines", "--output", tmp_path, env=env, ok=False)
    assert done.returncode == 1
    assert {name for name, _ in records_below(tmp_path)} == {"half-missing", "mean-face", "meddling"}
    for told in (
        "crash crashed: KeyError: 'no such key'",
        "diverged: training gave numbers that are not finite in weights",
        "wrong-range: generate gave values from",
        "'proposal' of a trial but does not declare it",
        "ends-the-program crashed: SystemExit: 0",
        "no-disk crashed: FileNotFoundError: [Errno 2] No such file or directory: 'what/it/looks/for'",
        "forgetful: draws other faces after restore() than after fit()",
    ):
        assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert "no such key" in next((tmp_path / "synthetic-speakers" / "crash").rglob("crash.txt")).read_text()
    record = records_below(tmp_path)["half-missing", 0]
    trials = pd.read_parquet(next((tmp_path / "synthetic-speakers" / "half-missing").rglob("trials.parquet")))
    missing = trials["failure"] == "not finite"
    assert missing.mean() == pytest.approx(0.5, abs=0.05)
    assert set(trials.loc[~missing, "failure"]) == {"no face found (mtcnn)"}, "the other half is noise"
    assert sum(record["failures"].values()) == len(trials)
    by_identity = [result for result in record["results"] if result.get("judge") == "in-domain-identity"]
    faceless = {result["measure"]: result for result in by_identity}
    assert {result["failed"] for result in faceless.values()} == {len(trials)}
    assert faceless["retrieval/R@5"]["value"] == 0, "no face finds nobody: it counts, as the worst"
    assert faceless["retrieval/normalised-mean-rank"]["value"] == 1
    assert faceless["identity-cosine/target"]["value"] == -1


@pytest.mark.slow
def test_another_track_trains_nothing_anew(finished, cli, tmp_path):
    """What can be learned from is the same: the checkpoint is taken from the run on the other track."""
    command = ("run", "--method", "mean-face,random-face", *SMALL, "--no-baselines", "--output", tmp_path)
    cli(*command)
    first = records_below(tmp_path)
    cli(*command, "--track", "emotion")
    tracks = {}
    for path in tmp_path.rglob("record.json"):
        record = json.loads(path.read_text())
        if record["method"]["name"] == "mean-face":
            tracks[record["protocol"]["track"]] = (record["circumstances"], path.parent / "checkpoint")
    (identity, one), (emotion, two) = tracks["identity"], tracks["emotion"]
    assert one != two
    assert identity["checkpoint"] == emotion["checkpoint"], "the same training, at the same time"
    assert (one / "model.safetensors").samefile(two / "model.safetensors")
    assert first


@pytest.mark.slow
def test_the_number_of_threads_is_part_of_what_a_seed_repeats(cli, tmp_path):
    for threads in (1, 2):
        cli(*("run", "--method", "mean-face", *SMALL, "--no-baselines", "--threads", threads, "--output", tmp_path))
    runs = [json.loads(path.read_text()) for path in tmp_path.rglob("record.json")]
    assert {record["circumstances"]["checkpoint"]["threads"] for record in runs} == {1, 2}
    assert len({record["run"] for record in runs}) == 2


@pytest.mark.slow
def test_generate_draws_one_face_from_a_finished_run(finished, cli, tmp_path):
    import soundfile
    from PIL import Image

    run = next((finished[0] / "synthetic-speakers" / "cae").iterdir())
    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "me.wav", rng.uniform(-0.3, 0.3, 44_100).astype(np.float32), 22_050)
    proposal = next((run / "faces").glob("*.png"))
    voice = ["--voice", tmp_path / "me.wav"]
    lacking = cli("generate", run, *voice, "--output", tmp_path / "face.png", ok=False)
    assert lacking.returncode == 2
    assert "--proposal" in lacking.stderr
    cli("generate", run, *voice, "--proposal", proposal, "--output", tmp_path / "face.png")
    with Image.open(tmp_path / "face.png") as face:
        assert face.size == (64, 64)
    cli("generate", run, *voice, "-p", proposal, "--samples", 3, "-o", tmp_path / "draws.jpg")
    with Image.open(tmp_path / "draws.jpg") as sheet:
        assert (sheet.format, sheet.width) == ("JPEG", 3 * SHOWN)
    cli("generate", run, *voice, "-p", proposal, "--vary", "voice", "-o", tmp_path / "one.png")
    unknown = cli("generate", run, *voice, "-p", proposal, "--vary", "voices", "-o", tmp_path / "x.png", ok=False)
    assert unknown.returncode == 2
    assert "did you mean 'voice'?" in unknown.stderr
    assert not (tmp_path / "x.png").exists()
    (tmp_path / "cut.wav").write_bytes((tmp_path / "me.wav").read_bytes()[:30])
    broken = cli("generate", run, "--voice", tmp_path / "cut.wav", "-p", proposal, "-o", tmp_path / "x.png", ok=False)
    assert broken.returncode == 1
    assert "cut.wav" in broken.stderr
    nowhere = cli("generate", tmp_path, *voice, "--output", tmp_path / "x.png", ok=False)
    assert "no finished run here" in nowhere.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("measure", "told"),
    [
        ("retrieval/R@7", "did you mean 'retrieval/R@"),
        ("fid", "no judge of kind inception is available"),
        ("retrieval/R@50-of-100", "There is: retrieval/R@1, "),
    ],
)
def test_a_measure_that_nobody_will_give_is_refused_before_any_training(finished, cli, tmp_path, measure, told):
    done = cli("run", *CAE, *SMALL, "--measure", measure, "--output", tmp_path, ok=False)
    assert done.returncode == 2
    assert told in done.stderr
    assert not list(tmp_path.rglob("*.*"))


def test_leaderboard_gathers_the_runs(finished, cli, tmp_path):
    output, done = finished
    table = cli("leaderboard", output, "--output", tmp_path / "board.md")
    assert "10 runs" in table.stdout
    board = (tmp_path / "board.md").read_text()
    for method in ("cae", "random-face", "real-photo"):
        assert f"| {method} " in board
        assert f"\n{method} " in done.stdout
