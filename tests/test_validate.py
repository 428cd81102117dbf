"""Runs that are handed in: made ready, and refused with the reason where anything in them was changed."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest
from conftest import SMALL
from PIL import Image

from v2f_bench.artefacts import FACES
from v2f_bench.data.protocol import Protocol
from v2f_bench.harness.recording import PROTOCOL
from v2f_bench.hashing import canonical_json, file_sha256
from v2f_bench.interfaces import Silent
from v2f_bench.record import TRIALS, find_records, read_record, read_trials, write_record
from v2f_bench.validation import MANIFEST, submit, validate
from v2f_bench.validation.manifest import read_manifest, write_manifest
from v2f_bench.validation.package import first_of_speakers, folder_name

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(cli, tmp_path_factory):
    """Two finished runs, without training."""
    output = tmp_path_factory.mktemp("runs")
    cli("run", "--method", "copy-proposal,random-face", "--no-baselines", *SMALL, "--output", output)
    return output


@pytest.fixture(scope="module")
def ready(cli, runs, tmp_path_factory):
    """One of them made ready."""
    output = tmp_path_factory.mktemp("submission")
    (run,) = find_records(runs / "synthetic-speakers" / "copy-proposal")
    done = cli("submit", run, "--output", output)
    assert "CHECKLIST.md" in done.stdout
    return next(iter(find_records(output)))


@pytest.fixture
def handed_in(ready, tmp_path, cache, monkeypatch):
    """A copy that a test may change."""
    monkeypatch.setenv("V2F_BENCH_CACHE", str(cache))
    return shutil.copytree(ready, tmp_path / "handed-in")


def sealed(folder):
    """Write the manifest anew, as a careful forger does: the content has to give the change away."""
    manifest = read_manifest(folder)
    files = {name: file_sha256(folder / name) for name in manifest.files}
    faces = {path.stem: file_sha256(path) for path in (folder / FACES).glob("*.png")}
    write_manifest(folder, replace(manifest, files=files, faces=faces, run=read_record(folder).run))
    return folder


def problems(folder, others=(), with_faces=False):
    return "\n".join(validate(folder, others, Silent(), with_faces=with_faces).problems)


def change_result(folder, name="value", by=1e-6, **where):
    record = read_record(folder)
    place = next(
        n for n, one in enumerate(record.results) if all(getattr(one, key) == value for key, value in where.items())
    )
    results = list(record.results)
    results[place] = replace(results[place], **{name: getattr(results[place], name) + by})
    write_record(folder, replace(record, results=results))
    return sealed(folder)


def test_what_is_made_ready_holds_all_that_is_needed_and_nobody_s_picture(ready, runs):
    there = {path.relative_to(ready).parts[0] for path in ready.rglob("*")}
    assert there == {
        *("record.json", TRIALS, "influence.parquet", PROTOCOL, FACES, MANIFEST, "CHECKLIST.md", "thumbnail.webp")
    }
    (run,) = find_records(runs / "synthetic-speakers" / "copy-proposal")
    assert {path.name for path in (ready / FACES).iterdir()} == {path.name for path in (run / FACES).glob("*.png")}


def test_a_small_picture_of_the_first_speakers_goes_along(runs, tmp_path):
    """Also where faces do not; the same speakers in every run."""
    for run in find_records(runs / "synthetic-speakers"):
        ready = submit(run, tmp_path, with_faces=False)
        assert not (ready / FACES).exists()
        with Image.open(ready / "thumbnail.webp") as picture:
            assert picture.size == (4 * 48, 48)
        assert (ready / "thumbnail.webp").stat().st_size <= 6144
        assert "thumbnail.webp" in read_manifest(ready).files
        trials = read_trials(run)
        chosen = trials.loc[first_of_speakers(trials, trials.index), "speaker"]
        assert list(chosen) == sorted(trials["speaker"].unique())[:4]


def test_the_small_picture_may_be_left_out_and_not_exchanged(handed_in):
    (handed_in / "thumbnail.webp").write_bytes(b"another")
    assert "thumbnail.webp was changed after it was made ready" in problems(handed_in)
    (handed_in / "thumbnail.webp").unlink()
    assert problems(handed_in) == ""


def test_a_true_run_is_passed_from_its_faces_too(handed_in):
    verdict = validate(handed_in, [], Silent())
    assert verdict.problems == []
    done = {check.name: check.done for check in verdict.checks}
    assert "numbers from the faces" in done["scores"]
    assert "numbers from per-trial values" in done["numbers"]


@pytest.mark.parametrize("name", ["value", "low", "high", "n", "expected", "speakers"])
def test_one_digit_of_a_number_is_refused(handed_in, name):
    by = 1e-6 if name in ("value", "low", "high") else 1
    told = problems(change_result(handed_in, name, by, measure="retrieval/R@5"))
    assert f"retrieval/R@5 @ in-domain-identity: {name} is" in told
    assert "from the values" in told


def test_one_digit_of_a_group_is_refused(handed_in):
    record = read_record(handed_in)
    place = next(n for n, one in enumerate(record.results) if one.measure == "retrieval/R@5")
    result = record.results[place]
    first = replace(result.slices[0], value=result.slices[0].value + 1e-4)
    results = [*record.results]
    results[place] = replace(result, slices=[first, *result.slices[1:]])
    write_record(handed_in, replace(record, results=results))
    assert f"value of {first.by} {first.group}" in problems(sealed(handed_in))


def test_a_file_that_was_changed_after_it_was_made_ready_is_named(handed_in):
    text = (handed_in / "record.json").read_text()
    (handed_in / "record.json").write_text(text + " ")
    assert problems(handed_in) == "record.json was changed after it was made ready"


def test_a_missing_trial_is_refused(handed_in):
    trials = pd.read_parquet(handed_in / TRIALS)
    trials.iloc[1:].to_parquet(handed_in / TRIALS, index=False)
    told = problems(sealed(handed_in))
    assert f"1 trials of the protocol are missing: {trials['trial'][0]}" in told
    assert f"{len(trials) - 1} trials in the table, {len(trials)} in the record" in told


def test_a_swapped_protocol_is_refused(handed_in):
    protocol = Protocol.read(handed_in / PROTOCOL)
    swapped = replace(protocol, resolution=32)
    (handed_in / PROTOCOL).write_text(swapped.to_json())
    told = problems(sealed(handed_in))
    assert f"hash is {protocol.hash} in the record, {swapped.hash} in protocol.json" in told
    assert "resolution is 64 in the record, 32 in protocol.json" in told


def test_a_protocol_whose_answers_were_swapped_is_refused_even_where_all_hashes_agree(handed_in):
    protocol = Protocol.read(handed_in / PROTOCOL)
    first = protocol.trials[0]
    second = next(trial for trial in protocol.trials if trial["target"] != first["target"])
    trials = [{**first, "target": second["target"]}, *protocol.trials[1:]]
    swapped = replace(protocol, trials=trials)
    (handed_in / PROTOCOL).write_text(swapped.to_json())
    record = read_record(handed_in)
    write_record(handed_in, replace(record, protocol=replace(record.protocol, hash=swapped.hash)))
    assert f"1 trials ask something else than in protocol.json: {first['trial']}" in problems(sealed(handed_in))


def test_a_protocol_changed_by_hand_is_refused(handed_in):
    text = json.loads((handed_in / PROTOCOL).read_text())
    text["protocol"]["sample_rate"] = 8000
    (handed_in / PROTOCOL).write_text(canonical_json(text))
    assert "its content does not match its hash" in problems(sealed(handed_in))


def with_judge(folder, sha256):
    record = read_record(folder)
    judges = [replace(one, sha256=sha256) if one.name == "in-domain-identity" else one for one in record.judges]
    write_record(folder, replace(record, judges=judges))
    return sealed(folder)


def test_a_forged_judge_is_refused_by_other_records_and_by_the_judge_itself(handed_in, runs):
    forged = with_judge(handed_in, "ab" * 32)
    (other,) = find_records(runs / "synthetic-speakers" / "random-face")
    assert "in-domain-identity: weights abababababab…, every other record" in problems(forged, [read_record(other)])
    assert problems(forged) == "", "nobody to ask"
    told = problems(forged, with_faces=True)
    assert "judge in-domain-identity: weights abababababab… in the record" in told
    assert "trained on the same processor with the same torch" in told


def test_numbers_of_another_version_of_a_judge_are_told_as_not_checked(handed_in):
    record = read_record(handed_in)
    here = next(one.version for one in record.judges if one.name == "in-domain-identity")
    judges = [replace(one, version="0") if one.name == "in-domain-identity" else one for one in record.judges]
    write_record(handed_in, replace(record, judges=judges))
    verdict = validate(sealed(handed_in), (), Silent(), with_faces=True)
    assert verdict.problems == []
    told = f"identity-cosine/other @ in-domain-identity: version 0 of the judge in the record, {here} here"
    assert told in [reason for check in verdict.checks for reason in check.not_checked]


def swap_faces(folder):
    one, other, *_ = sorted((folder / FACES).glob("*.png"))
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)
    return {one.stem, other.stem}


def test_exchanged_faces_are_refused(handed_in):
    trials = swap_faces(handed_in)
    told = problems(handed_in)
    assert "2 other pictures than were made ready" in told
    assert all(trial in told for trial in trials)


def test_exchanged_faces_are_found_by_scoring_where_their_hashes_were_exchanged_too(handed_in):
    trials = swap_faces(handed_in)
    sealed(handed_in)
    assert problems(handed_in) == "", "by hash they are right"
    told = problems(handed_in, with_faces=True)
    assert "2 of 51 trials have other values than their faces give" in told
    assert all(trial in told for trial in trials)


def test_values_changed_with_the_record_are_found_by_scoring(handed_in):
    """Per-trial values and record agree, and both lie."""
    trials = pd.read_parquet(handed_in / TRIALS)
    column = "retrieval/R@5 @ in-domain-identity"
    loser = trials.index[trials[column] == 0][0]
    trials.loc[loser, column] = 1.0
    trials.to_parquet(handed_in / TRIALS, index=False)
    assert f"{column}: value is" in problems(sealed(handed_in))
    assert "1 of 51 trials have other values than their faces give" in problems(handed_in, with_faces=True)


def test_the_command_refuses_with_the_reason_and_exits_1(cli, handed_in):
    passed = cli("validate", handed_in, "--no-faces")
    assert "nothing found" in passed.stdout
    assert "left out on request" in passed.stdout
    done = cli("validate", change_result(handed_in, measure="retrieval/R@5"), "--no-faces", ok=False)
    assert done.returncode == 1
    assert "REFUSED" in done.stdout
    assert "retrieval/R@5" in done.stdout
    assert "1 of 1 runs are not what they say" in done.stderr


def test_a_run_that_would_be_refused_is_not_made_ready(cli, runs, tmp_path):
    (run,) = find_records(runs / "synthetic-speakers" / "random-face")
    copy = shutil.copytree(run, tmp_path / "copy")
    record = read_record(copy)
    write_record(copy, replace(record, applicable=record.applicable - 1))
    done = cli("submit", copy, "--output", tmp_path / "out", ok=False)
    assert done.returncode == 1
    assert "trials apply" in done.stderr
    assert not (tmp_path / "out").exists()


def test_faces_that_must_not_be_shown_stay_at_home(cli, runs, tmp_path):
    (run,) = find_records(runs / "synthetic-speakers" / "random-face")
    copy = shutil.copytree(run, tmp_path / "copy")
    record = read_record(copy)
    write_record(copy, replace(record, dataset=replace(record.dataset, may_be_shown="no")))
    cli("submit", copy, "--output", tmp_path / "out")
    (folder,) = find_records(tmp_path / "out")
    assert not list(folder.rglob("*.png"))
    assert not list(folder.rglob("*.webp"))
    assert len(read_manifest(folder).faces) == 51
    assert "does not let faces be shown" in (folder / "CHECKLIST.md").read_text()


@pytest.mark.parametrize("name", ["../../etc", "a/b", "..", "C:\\x", "", " . ", "con|x"])
def test_a_hostile_name_is_one_folder_inside(tmp_path, name):
    folder = tmp_path / folder_name(name)
    assert folder.parent == tmp_path
    assert folder.resolve().parent == tmp_path.resolve()
    folder.mkdir()
