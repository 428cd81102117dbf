"""Pictures made without a plugin, from trials to a table; and what a constant face, real photos and noise are worth."""

import json
import re
import shutil
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import SMALL
from heard import Heard
from made_records import records_in
from PIL import Image
from small_bench import small_bench, small_workplace

from v2f_bench.artefacts import write_origin
from v2f_bench.harness.face_check import find_detector
from v2f_bench.harness.judges import Candidate, load_judges
from v2f_bench.harness.make_bench import make_bench
from v2f_bench.harness.submission import Submission, give_out_trials, score_folder
from v2f_bench.harness.views import outputs
from v2f_bench.interfaces import BenchError, DataError, Judge, UsageError
from v2f_bench.judges.in_domain import InDomainIdentity
from v2f_bench.leaderboard import gather
from v2f_bench.media.picture import to_pixels
from v2f_bench.plugins import registry
from v2f_bench.record import read_record


@pytest.fixture(scope="module")
def workplace(cache, tmp_path_factory):
    return small_workplace(cache, tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def bench(workplace):
    return small_bench(workplace)


@pytest.fixture(scope="module")
def trials(bench, workplace, tmp_path_factory):
    return give_out_trials(bench, tmp_path_factory.mktemp("given"), workplace).parent


@pytest.fixture(scope="module")
def score(bench, workplace, tmp_path_factory):
    """Score one picture (uint8 [H, W, 3], or the bytes of a file, or None) a trial; returns the record."""
    plugins = registry()
    candidates = [Candidate(plugin.name, plugin.cls) for plugin in plugins.all("judge")]
    judges = load_judges(candidates, plugins.all("metric"), bench, workplace, False)

    def score(name, picture_of):
        folder = tmp_path_factory.mktemp(name)
        for trial in bench.trials["trial"]:
            picture = picture_of(trial)
            if isinstance(picture, bytes):
                (folder / f"{trial}.png").write_bytes(picture)
            elif picture is not None:
                Image.fromarray(picture).save(folder / f"{trial}.png")
        write_origin(folder, bench.protocol)
        return score_folder(folder, Submission(name), bench, judges, workplace)[1]

    return score


def results(record):
    return {result.measure: result for result in record.results}


def test_trials_tell_what_a_method_may_know_and_nothing_else(trials, bench):
    table = pd.read_csv(trials / "trials.csv")
    assert list(table.columns) == ["trial", "voice", "proposal"]
    assert all((trials / path).is_file() for column in ("voice", "proposal") for path in table[column])
    assert Image.open(trials / table["proposal"][0]).size == (64, 64)
    given = {path.relative_to(trials).parts[0] for path in trials.rglob("*") if path.is_file()}
    assert given == {"trials.csv", "trials.json", "training-clips.csv", "voices", "proposals"}
    tested = bench.store.clips.loc[bench.protocol.splits["test"]]
    for name in ("trials.csv", "trials.json", "training-clips.csv"):
        words = set(re.split(r"[^\w-]+", (trials / name).read_text()))
        assert not words & {*tested["clip"], *tested["speaker"]}, f"{name} names a test speaker"
    learning = pd.read_csv(trials / "training-clips.csv")
    assert list(learning["clip"]) == [*bench.protocol.splits["train"], *bench.protocol.splits["validation"]]
    for folder in ("voices", "proposals"):
        stamps = [path.stem for path in sorted((trials / folder).iterdir(), key=lambda path: path.stat().st_mtime_ns)]
        assert stamps == sorted(stamps), "nor does the order in which files were written"


def test_a_constant_face_is_at_the_floor(score, trials):
    """A real face, so that it is found and judged: but the same for everybody."""
    face = np.asarray(Image.open(sorted((trials / "proposals").iterdir())[0]))
    found = results(score("constant", lambda trial: face))
    assert found["face-found"].value == 1
    checked = 0
    for name, result in found.items():
        family = name.split("/")[0]
        if family in ("retrieval", "matching", "verification", "map", "diversity") or name.endswith("any-constant"):
            checked += 1
            worst = min if result.better == "higher" else max
            # Its interval holds the floor, or it is worse: never better.
            end = result.low if result.better == "higher" else result.high
            assert worst(end, result.floor) == pytest.approx(end, abs=1e-9), (name, result)
    assert checked > 20
    assert found["diversity"].value == pytest.approx(0, abs=1e-6)


def test_the_mean_face_gains_nothing_over_itself(score, bench):
    face = to_pixels(bench.mean_faces()[""][None])[0]
    found = results(score("mean", lambda trial: face))
    assert found["identity-cosine/gain-over-mean-face"].value == pytest.approx(0, abs=1e-5)
    assert found["identity-cosine/gain-over-mean-face-of-sex"].low <= 0
    assert found["identity-cosine/gain-over-any-constant"].value <= 0


def test_real_photos_are_at_the_ceiling(score, bench):
    photo_of = dict(zip(bench.trials["trial"], bench.trials["real_photo"], strict=True))
    record = score("photos", lambda trial: to_pixels(bench.faces([photo_of[trial]]))[0])
    assert record.failures == {}
    found = results(record)
    at_ceiling = [name for name, result in found.items() if result.ceiling_is == "real-photo"]
    assert len(at_ceiling) > 30
    for name in at_ceiling:
        assert found[name].value == pytest.approx(found[name].ceiling, abs=1e-6), name
    assert found["retrieval/R@5"].low > found["retrieval/R@5"].floor


def test_noise_loses_every_number_that_needs_a_face(score, trials):
    rng = np.random.default_rng(0)
    record = score("noise", lambda trial: rng.integers(0, 256, (64, 64, 3), np.uint8))
    found, n = results(record), record.applicable
    assert record.failures == {"no face found (mtcnn)": n}
    assert found["face-found"].value == 0
    for name, worst in {
        "retrieval/R@5": 0,
        "retrieval/normalised-mean-rank": 1,
        "matching/1:2": 0,
        "identity-cosine/target": -1,
        "verification/AUC": 0,
        "verification/EER": 1,
        "map": 0,
    }.items():
        assert found[name].value == pytest.approx(worst, abs=0.05 if name == "map" else 0), name
        assert found[name].failed == n


def test_bad_pictures_are_counted_by_reason_and_the_rest_is_judged(score, trials):
    rows = sorted(pd.read_csv(trials / "trials.csv")["trial"])
    proposal = {trial: np.asarray(Image.open(trials / "proposals" / f"{trial}.png")) for trial in rows}
    whole = (trials / "proposals" / f"{rows[0]}.png").read_bytes()
    bad = {rows[0]: whole[: len(whole) // 2], rows[1]: None, rows[2]: proposal[rows[2]][:40], rows[3]: b""}
    record = score("partly", lambda trial: bad.get(trial, proposal[trial]))
    assert record.failures == {"unreadable": 2, "missing": 1, "not square": 1}
    cosine = results(record)["identity-cosine/proposal"]
    assert cosine.failed == 4
    assert cosine.expected == len(rows)
    assert cosine.value == pytest.approx(1, abs=1e-4)  # of the copies that are there


def test_larger_pictures_are_seen_at_the_protocols_size(score, trials):
    face = Image.open(sorted((trials / "proposals").iterdir())[0])
    small = results(score("small", lambda trial: np.asarray(face)))
    large = results(score("large", lambda trial: np.asarray(face.resize((256, 256), Image.Resampling.NEAREST))))
    assert large["identity-cosine/target"].value == pytest.approx(small["identity-cosine/target"].value, abs=0.02)


@pytest.fixture
def given(trials, tmp_path):
    """A folder of proposals as pictures that somebody made of the trials, with what says of which protocol they are."""
    folder = tmp_path / "mine"
    shutil.copytree(trials / "proposals", folder)
    shutil.copy(trials / "trials.json", folder)
    return folder


@pytest.fixture(scope="module")
def in_domain(bench, workplace):
    plugins = registry()
    wanted = [Candidate(p.name, p.cls) for p in plugins.all("judge") if p.name in ("in-domain-identity", "mtcnn")]
    metrics = [plugin for plugin in plugins.all("metric") if plugin.name in ("identity-cosine", "face-found")]
    return load_judges(wanted, metrics, bench, workplace, False)


def cosine_of(record):
    return results(record)["identity-cosine/proposal"]


def test_pictures_of_another_protocol_are_refused(bench, in_domain, workplace, given):
    other = json.loads((given / "trials.json").read_text())
    other["dataset"]["options"]["world"] = 1
    (given / "trials.json").write_text(json.dumps(other | {"questions": "0" * 16, "protocol": "identity-v2"}))
    with pytest.raises(DataError, match=r"made for identity-v2 .*'world': 1.* any-protocol"):
        score_folder(given, Submission("other"), bench, in_domain, workplace)
    _, record = score_folder(given, Submission("other"), bench, in_domain, workplace, any_protocol=True)
    assert cosine_of(record).value == pytest.approx(1, abs=1e-4)


def test_pictures_of_another_world_are_of_no_trial(bench, in_domain, workplace, given):
    """They have other names, so that they are refused under any protocol too."""
    for path in list(given.glob("*.png")):
        path.rename(given / f"t{hash(path.stem) & 0xFFFFFFFFFFFF:012x}.png")
    with pytest.raises(DataError, match=r"has no picture of a trial of .* it has 51 others"):
        score_folder(given, Submission("other"), bench, in_domain, workplace, any_protocol=True)


def test_pictures_that_say_nothing_of_their_protocol_need_a_word(bench, in_domain, workplace, given):
    (given / "trials.json").unlink()
    with pytest.raises(
        DataError, match=r"trials\.json is missing, so it is not known for which protocol .* any-protocol"
    ):
        score_folder(given, Submission("mine"), bench, in_domain, workplace)
    score_folder(given, Submission("mine"), bench, in_domain, workplace, any_protocol=True)
    (given / "trials.json").write_text("{")
    with pytest.raises(DataError, match=r"trials\.json: damaged"):
        score_folder(given, Submission("mine"), bench, in_domain, workplace)


def test_surplus_missing_and_other_endings_are_told(bench, in_domain, workplace, given):
    names = sorted(given.glob("*.png"))
    for path in names[:20]:
        Image.open(path).save(path.with_suffix(".JPG"), format="JPEG", quality=95)
        path.unlink()
    names[20].unlink()
    shutil.copy(names[30], given / "example.png")
    heard = Heard()
    _, record = score_folder(given, Submission("endings"), bench, in_domain, replace(workplace, progress=heard))
    assert record.failures == {"missing": 1}, "a .JPG is a picture too"
    assert any("1 pictures" in line and "example" in line for line in heard.lines)
    assert any("1 of 51 trials have no picture" in line for line in heard.lines)
    shutil.copy(names[30], names[30].with_suffix(".jpeg"))
    with pytest.raises(DataError, match=r"two pictures of one name: .*\.jpeg and .*\.png"):
        score_folder(given, Submission("endings"), bench, in_domain, workplace)


def test_pictures_that_were_repaired_are_scored_anew(bench, in_domain, workplace, given):
    """And so are those whose list of failures was taken away: every file that enters a number enters its key."""
    trial = sorted(given.glob("*.png"))[0].stem
    whole = (given / f"{trial}.png").read_bytes()
    (given / f"{trial}.png").write_bytes(whole[:100])
    broken, record = score_folder(given, Submission("repaired"), bench, in_domain, workplace)
    assert (cosine_of(record).failed, record.failures) == (1, {"unreadable": 1})
    (given / f"{trial}.png").write_bytes(whole)
    repaired, record = score_folder(given, Submission("repaired"), bench, in_domain, workplace)
    assert (cosine_of(record).failed, record.failures) == (0, {})
    assert repaired != broken
    (given / "failures.json").write_text(json.dumps({trial: "not finite"}))
    _, record = score_folder(given, Submission("repaired"), bench, in_domain, workplace)
    assert record.failures == {"not finite": 1}
    (given / "failures.json").unlink()
    assert score_folder(given, Submission("repaired"), bench, in_domain, workplace)[1].failures == {}
    (entry,) = next(iter(gather(records_in(repaired.parent), print).values()))
    assert entry.folders == (repaired,)


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "a\\b", "/tmp", ".hidden", "x" * 81, "new\nline", "end."])
def test_a_name_that_is_no_folder_is_refused(name):
    with pytest.raises(UsageError, match="cannot be the name of a folder"):
        Submission(name)


@pytest.mark.parametrize("name", ["sf2f", "SF2F (128 px, ours)", "Wen et al. 2019", "müller+é"])
def test_a_name_that_is_one_is_taken(name):
    assert Submission(name).name == name


class Stumbling(Judge):
    """Judges every real picture, and stumbles over the first generated one."""

    name = "stumbling"
    kind = "identity"
    met = frozenset()

    def predict(self, faces):
        if self.stumble:
            raise ZeroDivisionError("by hand")
        return torch.randn(len(faces), 8, generator=torch.Generator().manual_seed(0))

    stumble = False


def test_a_judge_that_crashes_on_the_faces_costs_its_numbers_alone(bench, workplace, given, in_domain, monkeypatch):
    metrics = in_domain.metrics
    candidates = [Candidate("stumbling", Stumbling), Candidate("in-domain-identity", InDomainIdentity)]
    judges = load_judges(candidates, metrics, bench, workplace, False)
    monkeypatch.setattr(Stumbling, "stumble", True)
    _, record = score_folder(given, Submission("stumbled"), bench, judges, workplace)
    assert {result.judge for result in record.results} == {"in-domain-identity"}
    assert [(one.name, one.reason) for one in record.judges_missing] == [
        ("stumbling", "crashed: ZeroDivisionError: by hand")
    ]
    assert cosine_of(record).value == pytest.approx(1, abs=1e-4)


def crashing():
    raise SystemExit("a constructor that ends the program")


def test_a_judge_whose_constructor_crashes_costs_its_numbers_alone_unless_it_was_asked_for(bench, workplace, in_domain):
    mine = Candidate("in-domain-identity", InDomainIdentity)
    judges = load_judges([Candidate("broken", crashing), mine], in_domain.metrics, bench, workplace, False)
    assert [ready.judge.name for ready in judges.ready] == ["in-domain-identity"]
    assert judges.missing[0].reason == "crashed: SystemExit: a constructor that ends the program"
    with pytest.raises(BenchError, match="judge broken: crashed: SystemExit"):
        load_judges([Candidate("broken", crashing, wanted=True)], in_domain.metrics, bench, workplace, False)


@pytest.mark.slow
def test_two_processes_with_other_judges_on_one_run_do_not_swap_results(
    bench, workplace, given, in_domain, monkeypatch
):
    """Between the scores of the one and its record, the other scores and writes its own."""
    from v2f_bench.harness import recording as module

    alone = replace(in_domain, ready=[ready for ready in in_domain.ready if ready.judge.name == "mtcnn"])
    score_by_both = module.score

    def interrupted(*args):
        scores = score_by_both(*args)
        monkeypatch.setattr(module, "score", score_by_both)
        _, record = score_folder(given, Submission("swap"), bench, alone, workplace)
        assert {result.judge for result in record.results} == {"mtcnn"}
        return scores

    monkeypatch.setattr(module, "score", interrupted)
    run, record = score_folder(given, Submission("swap"), bench, in_domain, workplace)
    assert {result.judge for result in record.results} == {"mtcnn", "in-domain-identity"}
    columns = pd.read_parquet(run / "trials.parquet").columns
    values = {f"{r.measure} @ {r.judge}" for r in record.results if r.aggregate is not None}
    assert values <= set(columns)
    assert read_record(run) == record


def test_views_are_joined_by_the_name_of_the_clip(bench, workplace, in_domain):
    """Not by the place in which it once stood."""
    ready = in_domain.ready[0] if in_domain.ready[0].judge.name == "in-domain-identity" else in_domain.ready[1]
    folder = workplace.cache / "views" / f"{ready.judge.name}-{ready.key}"
    names = json.loads((folder / "clips.json").read_text())
    assert names == bench.real_pictures
    clip = names[-1]
    again = outputs(ready.judge, bench.faces([clip]))[0]
    np.testing.assert_allclose(ready.clips[clip], again, atol=1e-5)


def test_two_installations_with_and_without_the_detector_are_two_protocols(workplace, bench, monkeypatch):
    monkeypatch.setitem(sys.modules, "facenet_pytorch", None)
    heard = Heard()
    detector, name = find_detector(registry(), "cpu", heard)
    assert (detector, name) == (None, "none")
    assert "pip install --no-deps facenet-pytorch" in heard.lines[0]
    unchecked = make_bench(bench.dataset, workplace, face_check=(detector, name))
    assert unchecked.protocol.hash != bench.protocol.hash
    assert "no-face-check" in unchecked.protocol.name
    assert unchecked.protocol.questions_hash == bench.protocol.questions_hash, "the same faces may be scored under both"


@pytest.mark.slow
def test_from_trials_to_a_table_by_the_command_line(cli, tmp_path):
    told = cli("trials", *SMALL, "--output", tmp_path / "trials").stdout
    assert "51 trials of identity-v2" in told
    proposals = tmp_path / "trials" / "proposals"
    sorted(proposals.iterdir())[3].unlink()
    shutil.copy(tmp_path / "trials" / "trials.json", proposals)
    command = ("score", proposals, *SMALL, "--name", "copies", "--output", tmp_path / "runs")
    printed = cli(*command).stdout
    assert "no face to judge: missing 1 of 51 trials" in printed
    assert "\ncopies" in printed
    (tmp_path / "empty").mkdir()
    done = cli("score", tmp_path / "empty", *command[2:], ok=False)
    assert done.returncode != 0
    assert "such as t" in done.stderr
    assert "v2f-bench trials" in done.stderr
