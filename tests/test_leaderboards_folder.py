"""The committed pages are what the committed records say."""

import importlib.util
import shutil
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from conftest import SMALL
from made_records import made_run
from PIL import Image

from v2f_bench.harness.command import BenchRequest
from v2f_bench.harness.run import Outcome
from v2f_bench.interfaces import UsageError
from v2f_bench.record import find_records, read_record

FOLDER = Path(__file__).parents[1] / "leaderboards"


@pytest.fixture(scope="module")
def rebuild():
    spec = importlib.util.spec_from_file_location("rebuild", FOLDER / "rebuild.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def wanted(rebuild):
    return rebuild.pages(rebuild.read_all())


def test_tables_match_records(rebuild, wanted):
    assert [path.name for path in rebuild.different(wanted)] == [], "python leaderboards/rebuild.py makes them anew"
    assert {path.name for path in wanted} == {
        path.name for path in FOLDER.iterdir() if path.suffix in (".md", ".html")
    } - {"README.md"}


def test_one_changed_number_is_noticed(rebuild, wanted, tmp_path):
    """In what lies beside a record, and in a page."""
    copy = shutil.copytree(FOLDER / "records", tmp_path / "records")
    path = next(iter(sorted(copy.rglob("cae/*/trials.parquet"))))
    trials = pd.read_parquet(path)
    trials["retrieval/R@5 @ in-domain-identity"] = 1.0
    trials.to_parquet(path, index=False)
    changed = rebuild.pages(rebuild.read_all(copy))
    assert {path.name for path in rebuild.different(changed)} == {path.name for path in wanted}
    page = FOLDER / "index.html"
    text = page.read_text(encoding="utf-8")
    assert rebuild.comparable(text.replace("0.", "1.", 1)) != rebuild.comparable(text)


def test_the_page_of_all_records_is_small():
    assert (FOLDER / "index.html").stat().st_size < 300_000


def made(root, name, seeds=(0, 1, 2), **changes):
    """Outcomes of runs with one face."""
    outcomes = []
    for seed in seeds:
        folder = made_run(root, name, seed=seed, dataset__name="synthetic-speakers", **changes)
        (folder / "faces").mkdir()
        Image.new("RGB", (64, 64), "white").save(folder / "faces" / "t000.png")
        outcomes.append(Outcome(None, folder, read_record(folder)))
    return outcomes


def held(root):
    """Method, seed, track and protocol of each record."""
    records = [read_record(folder) for folder in find_records(root)]
    return sorted((one.method.name, one.seed, one.protocol.track, one.protocol.hash) for one in records)


def test_new_records_take_the_place_of_those_of_their_method_and_of_older_protocols(rebuild, tmp_path):
    root = tmp_path / "records"
    for name, track, protocol in (
        ("a", "identity", "hash-one"),
        ("b", "identity", "hash-one"),
        ("b", "emotion", "other"),
        ("c", "identity", "of-last-year"),
    ):
        first = made(tmp_path / name / track, name, protocol__track=track, protocol__hash=protocol, run=f"{track}0")
        rebuild.take(first[:1], root)
    assert [name for name, *_ in held(root)] == ["b", "c"], "each took the place of the protocol before it"
    rebuild.take(made(tmp_path / "new", "b", run="new")[:1], root)
    assert held(root) == [("b", 0, "emotion", "other"), ("b", 0, "identity", "hash-one")]


def test_a_method_that_fails_keeps_its_older_records_and_stops_no_other(rebuild, tmp_path, monkeypatch, capsys):
    taken = []

    def run_seeds(name, track, output):
        outcomes = made(tmp_path / name, name)
        if name == "cae":
            outcomes[1] = Outcome(None, outcomes[1].folder, None, "cae crashed: no memory")
        if name == "real-photo":
            outcomes = [Outcome(None, tmp_path, None, "nobody has two photos", unsuited=True)] * 3
        return outcomes

    monkeypatch.setattr(rebuild, "run_seeds", run_seeds)
    monkeypatch.setattr(rebuild, "take", lambda outcomes: taken.append(outcomes[0].record.method.name))
    failed = rebuild.run_all(tmp_path, ["identity"], ["cae", "mean-face", "real-photo", "voice2face-gan"])
    assert failed == ["identity: cae: cae crashed: no memory"]
    assert taken == ["mean-face", "voice2face-gan"]
    told = capsys.readouterr().out
    assert "[4/4] identity: voice2face-gan" in told
    assert "does not apply: real-photo: nobody has two photos" in told


def test_methods_and_tracks_are_chosen(rebuild, tmp_path):
    assert rebuild.bundled("emotion", ["cyclegan", "mean-face", "cae"]) == ["mean-face", "cyclegan"], "baselines first"
    assert {"cae", "cgan", "emotion-vae", "voice2face-gan"} < set(rebuild.bundled("identity"))
    with pytest.raises(UsageError, match=r"caee.*cae"):
        rebuild.bundled("identity", ["caee"])
    with pytest.raises(UsageError, match="on the track emotion"):
        rebuild.run_all(tmp_path, ["emotion"], ["cae"])


@pytest.mark.slow
def test_records_are_made_by_one_command(rebuild, tmp_path, cache, monkeypatch):
    """On a smaller world, without training; done twice, it is not done again."""
    monkeypatch.setenv("V2F_BENCH_CACHE", str(cache))
    settings = tuple(word for word in SMALL if "=" in word)
    monkeypatch.setattr(rebuild, "BenchRequest", partial(BenchRequest, dataset_settings=settings))
    root = tmp_path / "records"
    monkeypatch.setattr(rebuild.take, "__defaults__", (root,))
    assert rebuild.run_all(tmp_path / "runs", ["identity"], ["mean-face", "copy-proposal"]) == []
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("faces/*.png")}
    assert [(name, seed) for name, seed, *_ in held(root)] == [
        (name, seed) for name in ("copy-proposal", "mean-face") for seed in range(3)
    ]
    assert len(list(root.rglob("thumbnail.webp"))) == 6
    assert not list(root.rglob("faces"))
    assert rebuild.run_all(tmp_path / "runs", ["identity"], ["mean-face", "copy-proposal"]) == []
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(held(root)) == 6
