"""Discovery: third parties' packages, really installed beside; broken ones; two with one name."""

import dataclasses
import json
import re
import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points

import pytest

from v2f_bench.catalogue import Listed, read_catalogue
from v2f_bench.contracts import problem_of
from v2f_bench.interfaces import Card, Dataset, Judge, Method, Metric, PluginError, UsageError
from v2f_bench.plugins import Registry, installed, made_catalogue, registry

BUNDLED = {"cae", "copy-proposal", "mean-face", "oracle", "random-face", "real-photo", "same-sex-face"}


def test_bundled_plugins_come_through_entry_points():
    assert set(registry().names("method")) >= BUNDLED
    assert set(registry().names("dataset")) >= {"synthetic-speakers", "voxceleb-vggface"}
    assert set(registry().names("metric")) >= {"identity-cosine", "retrieval", "fid"}
    assert not registry().broken


def test_the_catalogue_is_what_the_bundled_plugins_register():
    """Where not: see `v2f_bench/catalogue.py`."""
    assert read_catalogue() == made_catalogue()


def test_listing_and_describing_import_no_more_than_they_need(cli):
    """A method is described without torch, and what is listed is not imported at all."""
    for arguments, heavy in ((["list"], "numpy"), (["list", "--json"], "numpy"), (["info", "cae"], "torch")):
        code = (
            f"import sys; sys.argv[1:] = {arguments}\n"
            "from v2f_bench.cli import main\ntry: main()\nexcept SystemExit: pass\n"
            "print([m for m in ('numpy', 'pandas', 'scipy', 'torch') if m in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert heavy not in done.stdout.splitlines()[-1], arguments


def test_a_bundled_plugin_that_cannot_be_imported_says_so_when_it_is_used():
    listed = {"cae": [Listed("method", "cae", "", "v2f_cae.nowhere:CAE")]}
    found = Registry([each for each in installed() if each.name == "cae"], listed)
    assert found.names("method") == ["cae"]
    with pytest.raises(PluginError, match=r"plugin cae of v2f-bench: ModuleNotFoundError: .*v2f_cae\.nowhere"):
        found.find("method", "cae").cls  # noqa: B018 - reading it is what fails


def test_an_unknown_name_answers_with_what_there_is():
    with pytest.raises(UsageError, match="did you mean 'same-sex-face'") as error:
        registry().find("method", "same-sex-fce")
    assert "copy-proposal" in str(error.value)


def test_an_empty_world_has_no_plugins():
    with pytest.raises(UsageError, match="there is no method 'cae'"):
        Registry([]).find("method", "cae")


@pytest.mark.slow
def test_a_third_partys_package_appears_and_is_described(cli, installed):
    env = {"PYTHONPATH": str(installed("third_party"))}
    listed = json.loads(cli("list", "--json", env=env).stdout)
    assert {"name": "grey", "summary": "one grey face", "from": "v2f-grey 2.1", "problem": ""} in listed["methods"]
    assert {row["name"] for row in listed["methods"]} >= BUNDLED
    assert "gain" in cli("info", "grey", env=env).stdout


def test_broken_packages_are_rows_with_a_reason_and_stop_nobody(cli, installed):
    env = {"PYTHONPATH": str(installed("broken"))}
    listed = json.loads(cli("list", "--json", env=env).stdout)
    reasons = {row["plugin"].split(" ")[0]: row["reason"] for row in listed["broken"]}
    assert "a_library_that_is_not_installed" in reasons["missing-import"]
    assert "Unfinished does not implement generate" in reasons["no-generate"]
    assert {row["name"] for row in listed["methods"]} >= BUNDLED
    problems = {row["from"]: row["problem"] for row in listed["methods"] if row["name"] == "cae"}
    assert len(problems) == 2
    assert all("two plugins register the method 'cae'" in problem for problem in problems.values())
    plain = cli("list", env=env).stdout
    assert "a_library_that_is_not_installed" in plain


def test_two_plugins_with_one_name_is_an_error_naming_both(cli, installed):
    env = {"PYTHONPATH": str(installed("broken"))}
    done = cli("info", "cae", ok=False, env=env)
    assert done.returncode == 1
    assert "v2f-broken 0.3" in done.stderr
    assert "v2f-bench" in done.stderr
    assert "mean-face" in cli("info", "mean-face", env=env).stdout, "other names go on working"


def test_what_is_no_plugin_is_refused_with_the_contract_it_breaks():
    found = Registry([EntryPoint("json", "json", "v2f_bench")])
    assert [broken.entry_point for broken in found.broken] == ["json = json"]
    assert "registers nothing" in found.broken[0].reason
    assert isinstance(PluginError("x"), Exception)


@dataclasses.dataclass
class Thawed:
    width: int = 1


@dataclasses.dataclass(frozen=True)
class NoDefault:
    width: int


@dataclasses.dataclass(frozen=True)
class Unsettable:
    layers: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Fine:
    width: int = 1
    names: tuple[str, ...] = ()
    limit: float | None = None


class Drawing(Method):
    name = "drawing"

    def fit(self, train, validation, context): ...

    def generate(self, trials, context): ...


class Measuring(Metric):
    name = "measuring"
    judged_by = ("identity",)

    def measure(self, evidence): ...


class Looking(Judge):
    name = "looking"
    kind = "identity"

    def predict(self, faces): ...


class Collection(Dataset):
    name = "collection"
    card = Card("", "", "", "", "")

    def index(self): ...

    def split(self, speakers): ...

    def read_voice(self, entry): ...

    def read_face(self, entry, side): ...


@pytest.mark.parametrize(
    ("kind", "base", "attributes", "problem"),
    [
        ("method", Drawing, {}, ""),
        ("method", Drawing, {"options": Fine, "presets": {"quick": Fine(2)}}, ""),
        ("method", Drawing, {"options": dict}, "options must be a dataclass"),
        ("method", Drawing, {"options": Thawed}, "options must be a frozen dataclass"),
        ("method", Drawing, {"options": NoDefault}, "width must have a default"),
        ("method", Drawing, {"options": Unsettable}, "layers is of type <class 'dict'>, which cannot be set"),
        ("method", Drawing, {"options": Fine, "presets": {"quick": {}}}, r"presets\['quick'\] must be Fine"),
        ("method", Drawing, {"needs": {"voise"}}, "needs has voise; there is: voice"),
        ("method", Drawing, {"tracks": "identity"}, "tracks must be a set of tracks"),
        ("method", Drawing, {"tracks": {"age"}}, "tracks has age"),
        ("method", Drawing, {"trained_with": "facenet"}, "trained_with must be a tuple"),
        ("method", Drawing, {"name": "../x"}, "name must be text of letters"),
        ("dataset", Collection, {}, ""),
        ("dataset", Collection, {"card": None}, "card must be a v2f_bench.Card"),
        ("dataset", Collection, {"options": Thawed}, "frozen"),
        ("metric", Measuring, {}, ""),
        ("metric", Measuring, {"judged_by": "identity"}, "judged_by must be a tuple"),
        ("metric", Measuring, {"judged_by": ("beauty",)}, "judged_by has beauty"),
        ("metric", Measuring, {"floor": "nobody"}, "floor is 'nobody'"),
        ("judge", Looking, {}, ""),
        ("judge", Looking, {"kind": "beauty"}, "kind is 'beauty'"),
        ("judge", Drawing, {}, "not a subclass of v2f_bench.Judge"),
    ],
)
def test_a_class_that_breaks_the_contract_is_refused_in_a_line(kind, base, attributes, problem):
    found = problem_of(kind, type(base.__name__, (base,), attributes))
    assert re.search(problem, found) if problem else found == ""
    assert "\n" not in found


def entry_point(folder, name, text):
    """An entry point of a module in a folder that is put on the path."""
    (folder / f"{name}.py").write_text(text)
    return EntryPoint(name, name, "v2f_bench")


def test_a_plugin_named_like_a_baseline_does_not_remove_it(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    text = "from v2f_baselines import MeanFace\nfrom v2f_bench import hookimpl\n"
    text += "class Other(MeanFace): ...\n@hookimpl\ndef v2f_bench_methods(): return [Other]\n"
    found = Registry([*entry_points(group="v2f_bench"), entry_point(tmp_path, "namesake", text)])
    (mean,) = [plugin for plugin in found.all("method") if plugin.name == "mean-face"]
    assert mean.cls.__module__ == "v2f_baselines.floors"
    assert any("two plugins register the method 'mean-face'" in line for line in found.problems())
    with pytest.raises(PluginError, match="tables have v2f-bench's own"):
        found.find("method", "mean-face")


def test_what_a_plugin_prints_is_no_output_of_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(tmp_path))
    Registry([entry_point(tmp_path, "chatty", "print('hello from a plugin')")])
    said = capsys.readouterr()
    assert said.out == ""
    assert "hello from a plugin" in said.err
