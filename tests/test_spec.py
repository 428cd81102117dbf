"""Run specs: a run as plain values, that another process carries out with the same record."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2f_bench.harness.command import BenchRequest, RunRequest, place
from v2f_bench.harness.execute import execute
from v2f_bench.harness.opening import candidates
from v2f_bench.harness.run import SPEC
from v2f_bench.harness.spec import BenchSpec, PlaceSpec, RunSpec
from v2f_bench.interfaces import DataError, Silent, UsageError
from v2f_bench.plugins import registry

WORLD = ("speakers=48", "clips=4")


def request(output, **changes):
    plain = {
        "bench": BenchRequest("synthetic-speakers", dataset_settings=WORLD),
        "place": place(output, threads=1, jobs=1),
        "methods": ["mean-face"],
        "voices": ("whole",),
        "seeds": [0, 1],
        "preset": "quick",
        "settings": [],
        "baselines": False,
    }
    return RunRequest(**plain | changes)


words = st.text(max_size=20)
options = st.dictionaries(
    words,
    st.one_of(st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), words),
)
benches = st.builds(
    BenchSpec,
    dataset=words,
    options=options,
    data_root=st.none() | words,
    lists=st.lists(words).map(tuple),
    judges=st.lists(words).map(tuple),
    fetch_weights=st.booleans(),
)
places = st.builds(PlaceSpec, output=words, cache=words, threads=st.none() | st.integers(1, 99))


@given(
    st.builds(RunSpec, bench=benches, place=places, method=words, options=options, preset=words, seed=st.integers(0))
)
def test_a_spec_comes_back_from_its_json(spec):
    assert RunSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize("text", ["", "{", "[]", '{"method": "cae"}'])
def test_what_is_no_spec_is_refused(text):
    with pytest.raises(DataError, match="not readable as a run spec"):
        RunSpec.from_json(text)


def test_paths_in_a_spec_are_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("lists.txt").write_text("a b c\n")
    (spec, *_) = request(Path("runs"), bench=BenchRequest("synthetic-speakers", lists=(Path("lists.txt"),))).specs()
    assert spec.place.output == str(tmp_path / "runs")
    assert Path(spec.place.cache).is_absolute()
    assert spec.bench.lists == (str(tmp_path / "lists.txt"),)


def test_baselines_come_first_and_every_seed_has_its_spec(tmp_path):
    specs = request(tmp_path, methods=["cae"], baselines=True).specs()
    names = [spec.method for spec in specs]
    assert names[-2:] == ["cae", "cae"]
    assert set(names[:-2]) >= {"mean-face", "random-face", "real-photo"}
    assert [spec.seed for spec in specs] == [0, 1] * (len(specs) // 2)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"methods": ["caee"]}, "did you mean 'cae'"),
        ({"bench": BenchRequest("synthetic-speakers", judges=("in-domain-identity", "nobody"))}, "no judge 'nobody'"),
        ({"bench": BenchRequest("synthetic-speakers", metrics=("identity-cosin",))}, "did you mean 'identity-cosine'"),
        ({"bench": BenchRequest("synthetic-speakers", judge_cards=(Path("none.toml"),))}, "none.toml: no such file"),
        ({"bench": BenchRequest("synthetic-speakers", data_root=Path("/"))}, "needs no folder"),
        ({"measures": ("emotion-agreement",)}, "the track identity has"),
    ],
)
def test_wrong_names_are_refused_before_any_work(tmp_path, changes, said):
    with pytest.raises(UsageError, match=said):
        request(tmp_path, **changes).specs()
    assert not list(tmp_path.iterdir())


CARD = Path(__file__).parents[1] / "cards" / "facenet128.toml"


def test_a_judge_of_a_card_is_chosen_by_its_name_like_any_other():
    """The judges that the user asks for are loaded or end the command; a card's is always one of them."""

    def loaded(*judges):
        spec = BenchRequest("synthetic-speakers", judges=judges, judge_cards=(CARD,)).spec()
        return {candidate.name: candidate.wanted for candidate in candidates(spec)}

    every = loaded()
    assert set(every) == {*registry().names("judge"), "facenet128"}
    assert [name for name, wanted in every.items() if wanted] == ["facenet128"]
    assert loaded("facenet128") == {"facenet128": True}
    assert loaded("mtcnn") == loaded("facenet128", "mtcnn") == {"mtcnn": True, "facenet128": True}
    with pytest.raises(UsageError, match="there is no judge 'facenet-128'; did you mean 'facenet128'"):
        loaded("facenet-128")
    with pytest.raises(UsageError, match="there is no judge 'facenet128'"):
        BenchRequest("synthetic-speakers", judges=("facenet128",)).spec()


def test_two_cards_of_one_name_are_refused():
    with pytest.raises(UsageError, match="there is a judge 'facenet128' already"):
        BenchRequest("synthetic-speakers", judge_cards=(CARD, CARD)).spec()


def record_of(folder):
    """A record as text, without what differs between any two runs: times, the machine, and whether it was resumed."""
    record = json.loads((folder / "record.json").read_text())
    return {name: value for name, value in record.items() if name != "circumstances"}


CARRY_OUT = """
import pathlib, sys
from v2f_bench.harness.execute import execute
from v2f_bench.harness.spec import RunSpec
from v2f_bench.interfaces import Silent
(outcome,) = execute([RunSpec.from_json(pathlib.Path(sys.argv[1]).read_text())], Silent())
print(outcome.folder)
"""


@pytest.mark.slow
def test_another_process_carries_out_a_spec_with_the_same_record(tmp_path, cache, environment, monkeypatch):
    monkeypatch.setenv("V2F_BENCH_CACHE", str(cache))
    (here,) = execute(request(tmp_path / "here", seeds=[3]).specs(), Silent())
    spec = RunSpec.from_json((here.folder / SPEC).read_text())
    file = tmp_path / "spec.json"
    file.write_text(replace(spec, place=replace(spec.place, output=str(tmp_path / "there"))).to_json())
    done = subprocess.run(
        [sys.executable, "-c", CARRY_OUT, str(file)], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    there = Path(done.stdout.strip())
    assert there == tmp_path / "there" / here.folder.relative_to(tmp_path / "here")
    assert record_of(there) == record_of(here.folder)
