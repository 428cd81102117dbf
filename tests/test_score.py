"""Pictures made without a plugin, from trials to a table; and what a constant face, real photos and noise are worth."""

import json

import numpy as np
import pandas as pd
import pytest
from conftest import SMALL
from PIL import Image

from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions, SyntheticSpeakers
from v2f_bench.harness.bench import set_up
from v2f_bench.harness.folder import Entrant, give_out_trials, score_folder
from v2f_bench.harness.judging import summon
from v2f_bench.harness.workplace import Workplace
from v2f_bench.leaderboard.record import read_record
from v2f_bench.media.picture import to_pixels
from v2f_bench.plugins import registry


@pytest.fixture(scope="module")
def workplace(cache, tmp_path_factory):
    return Workplace(cache=cache, output=tmp_path_factory.mktemp("runs"), jobs=1)


@pytest.fixture(scope="module")
def bench(workplace):
    return set_up(SyntheticSpeakers(SyntheticOptions(speakers=48, clips=4), None), workplace)


@pytest.fixture(scope="module")
def trials(bench, workplace, tmp_path_factory):
    return give_out_trials(bench, tmp_path_factory.mktemp("given"), workplace).parent


@pytest.fixture(scope="module")
def score(bench, workplace, tmp_path_factory):
    """Score one picture (uint8 [H, W, 3], or the bytes of a file, or None) a trial; returns the record."""
    plugins = registry()
    jury = summon([plugin.cls() for plugin in plugins.all("judge")], plugins.all("metric"), bench, workplace, False)

    def score(name, picture_of):
        folder = tmp_path_factory.mktemp(name)
        for trial in bench.trials["trial"]:
            picture = picture_of(trial)
            if isinstance(picture, bytes):
                (folder / f"{trial}.png").write_bytes(picture)
            elif picture is not None:
                Image.fromarray(picture).save(folder / f"{trial}.png")
        return read_record(score_folder(folder, Entrant(name), bench, jury, workplace))

    return score


def results(record):
    return {result["measure"]: result for result in record["results"] if result["unavailable"] is None}


def test_trials_tell_what_a_method_may_know_and_nothing_else(trials):
    table = pd.read_csv(trials / "trials.csv")
    assert list(table.columns) == ["trial", "voice", "proposal"]
    assert all((trials / path).is_file() for column in ("voice", "proposal") for path in table[column])
    assert Image.open(trials / table["proposal"][0]).size == (64, 64)
    speakers = {
        clip.rsplit("-", 1)[0] for clip in json.loads((trials / "protocol.json").read_text())["protocol"]["gallery"]
    }
    assert not any(speaker in path for speaker in speakers for path in (trials / "trials.csv").read_text().split())


def test_a_constant_face_is_at_the_floor(score, trials):
    """A real face, so that it is found and judged: but the same for everybody."""
    face = np.asarray(Image.open(sorted((trials / "proposals").iterdir())[0]))
    found = results(score("constant", lambda trial: face))
    assert found["face-found"]["value"] == 1
    checked = 0
    for name, result in found.items():
        family = name.split("/")[0]
        if family in ("retrieval", "matching", "verification", "map", "diversity") or name.endswith("any-constant"):
            checked += 1
            worst = min if result["better"] == "higher" else max
            # Its interval holds the floor, or it is worse: never better.
            end = result["low"] if result["better"] == "higher" else result["high"]
            assert worst(end, result["floor"]) == pytest.approx(end, abs=1e-9), (name, result)
    assert checked > 20
    assert found["diversity"]["value"] == pytest.approx(0, abs=1e-6)


def test_the_mean_face_gains_nothing_over_itself(score, bench):
    face = to_pixels(bench.mean_faces()[""][None])[0]
    found = results(score("mean", lambda trial: face))
    assert found["identity-cosine/gain-over-mean-face"]["value"] == pytest.approx(0, abs=1e-5)
    assert found["identity-cosine/gain-over-mean-face-of-sex"]["low"] <= 0
    assert found["identity-cosine/gain-over-any-constant"]["high"] <= 0


def test_real_photos_are_at_the_ceiling(score, bench):
    photo_of = dict(zip(bench.trials["trial"], bench.trials["real_photo"], strict=True))
    record = score("photos", lambda trial: to_pixels(bench.faces([photo_of[trial]]))[0])
    assert record["failures"] == {}
    found = results(record)
    at_ceiling = [name for name, result in found.items() if result["ceiling_is"] == "real-photo"]
    assert len(at_ceiling) > 30
    for name in at_ceiling:
        assert found[name]["value"] == pytest.approx(found[name]["ceiling"], abs=1e-6), name
    assert found["retrieval/R@5"]["low"] > found["retrieval/R@5"]["floor"]


def test_noise_loses_every_number_that_needs_a_face(score, trials):
    rng = np.random.default_rng(0)
    record = score("noise", lambda trial: rng.integers(0, 256, (64, 64, 3), np.uint8))
    found, n = results(record), record["posed"]
    assert record["failures"] == {"no face found (mtcnn)": n}
    assert found["face-found"]["value"] == 0
    for name, worst in {
        "retrieval/R@5": 0,
        "retrieval/normalised-mean-rank": 1,
        "matching/1:2": 0,
        "identity-cosine/target": -1,
        "verification/AUC": 0,
        "verification/EER": 1,
        "map": 0,
    }.items():
        assert found[name]["value"] == pytest.approx(worst, abs=0.05 if name == "map" else 0), name
        assert found[name]["failed"] == n


def test_bad_pictures_are_counted_by_reason_and_the_rest_is_judged(score, trials):
    rows = sorted(pd.read_csv(trials / "trials.csv")["trial"])
    proposal = {trial: np.asarray(Image.open(trials / "proposals" / f"{trial}.png")) for trial in rows}
    whole = (trials / "proposals" / f"{rows[0]}.png").read_bytes()
    bad = {rows[0]: whole[: len(whole) // 2], rows[1]: None, rows[2]: proposal[rows[2]][:40], rows[3]: b""}
    record = score("partly", lambda trial: bad.get(trial, proposal[trial]))
    assert record["failures"] == {"unreadable": 2, "missing": 1, "not square": 1}
    cosine = results(record)["identity-cosine/proposal"]
    assert cosine["failed"] == 4
    assert cosine["expected"] == len(rows)
    assert cosine["value"] == pytest.approx(1, abs=1e-4)  # of the copies that are there


def test_larger_pictures_are_seen_at_the_protocols_size(score, trials):
    face = Image.open(sorted((trials / "proposals").iterdir())[0])
    small = results(score("small", lambda trial: np.asarray(face)))
    large = results(score("large", lambda trial: np.asarray(face.resize((256, 256), Image.Resampling.NEAREST))))
    assert large["identity-cosine/target"]["value"] == pytest.approx(small["identity-cosine/target"]["value"], abs=0.02)


def test_from_trials_to_a_table_by_the_command_line(cli, tmp_path):
    told = cli("trials", *SMALL, "--output", tmp_path / "trials").stdout
    assert "51 trials of identity-v1" in told
    proposals = tmp_path / "trials" / "proposals"
    (proposals / "t00003.png").unlink()
    command = ("score", proposals, *SMALL, "--name", "copies", "--output", tmp_path / "runs")
    printed = cli(*command).stdout
    assert "no face to judge: missing 1 of 51 trials" in printed
    assert "| copies" in printed
    (tmp_path / "empty").mkdir()
    done = cli("score", tmp_path / "empty", *command[2:], ok=False)
    assert done.returncode != 0
    assert "t00000.png" in done.stderr
    assert "v2f-bench trials" in done.stderr
