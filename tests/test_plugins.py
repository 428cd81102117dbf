"""Discovery: third parties' packages, really installed beside; broken ones; two with one name."""

import json

import pytest

from v2f_bench.interfaces import PluginError, UsageError
from v2f_bench.plugins import Registry, registry

BUNDLED = {"cae", "copy-proposal", "mean-face", "oracle", "random-face", "real-photo", "same-sex-face"}


def test_bundled_plugins_come_through_entry_points():
    assert set(registry().names("method")) >= BUNDLED
    assert set(registry().names("dataset")) >= {"synthetic-speakers", "voxceleb-vggface"}
    assert set(registry().names("metric")) >= {"identity-cosine", "retrieval", "fid"}
    assert not registry().broken


def test_an_unknown_name_answers_with_what_there_is():
    with pytest.raises(UsageError, match="did you mean 'same-sex-face'") as error:
        registry().find("method", "same-sex-fce")
    assert "copy-proposal" in str(error.value)


def test_an_empty_world_has_no_plugins():
    with pytest.raises(UsageError, match="there is no method 'cae'"):
        Registry([]).find("method", "cae")


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
    from importlib.metadata import EntryPoint

    found = Registry([EntryPoint("json", "json", "v2f_bench")])
    assert [broken.entry_point for broken in found.broken] == ["json = json"]
    assert "registers nothing" in found.broken[0].reason
    assert isinstance(PluginError("x"), Exception)
