"""Typed options from `name=value` settings."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Literal, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2f_bench.hashing import canonical_json, file_sha256
from v2f_bench.interfaces import (
    Count,
    Decay,
    OptionFile,
    Positive,
    Range,
    Share,
    UsageError,
    apply_settings,
    describe_options,
    setting_grid,
)
from v2f_bench.interfaces.options import options_from, unsettable, value_in_words
from v2f_bench.plugins import registry


@dataclass(frozen=True)
class Options:
    width: int = 64
    rate: float = 0.1
    flip: bool = False
    mode: Literal["fast", "exact"] = "fast"
    names: tuple[str, ...] = ("a",)
    limit: int | None = None
    title: str = ""


@given(
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.sampled_from(["fast", "exact"]),
    st.none() | st.integers(),
)
def test_every_value_comes_back_as_it_was_written(width, rate, flip, mode, limit):
    settings = [f"width={width}", f"rate={rate!r}", f"flip={flip}", f"mode={mode}", f"limit={limit}"]
    found = apply_settings(Options(), settings, "x")
    assert (found.width, found.rate, found.flip, found.mode, found.limit) == (width, rate, flip, mode, limit)


@given(st.text())
def test_any_text_is_either_a_setting_or_a_usage_error(text):
    try:
        found = apply_settings(Options(), [text], "x")
    except UsageError:
        return
    assert text.partition("=")[0].strip().replace("-", "_") in {field.name for field in fields(found)}


def test_lists_hyphens_and_the_later_setting():
    found = apply_settings(Options(), ["names=b, c", "width=1", "width=2"], "x")
    assert found.names == ("b", "c")
    assert found.width == 2


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("widht=3", "did you mean 'width'?"),
        ("colour=3", "It takes: width, rate,"),
        ("width=3.5", "width takes a whole number, not '3.5'"),
        ("rate=nan", "rate takes a number"),
        ("mode=slow", "one of fast, exact"),
        ("flip=maybe", "true or false"),
        ("limit=few", "a whole number or none"),
        ("width", "name=value"),
    ],
)
def test_a_wrong_setting_says_what_is_allowed(setting, told):
    with pytest.raises(UsageError, match=r"^x") as error:
        apply_settings(Options(), [setting], "x")
    assert told in str(error.value)


def test_a_grid_has_every_combination_and_leaves_lists_and_texts_alone():
    found = setting_grid(Options(), ["width=8, 16", "mode=fast,exact", "names=b,c", "title=a, b", "limit=none,3"])
    assert len(found) == len({tuple(each) for each in found}) == 8
    options = [apply_settings(Options(), each, "x") for each in found]
    assert {(each.width, each.mode, each.limit) for each in options} == {
        (width, mode, limit) for width in (8, 16) for mode in ("fast", "exact") for limit in (None, 3)
    }
    assert {(each.names, each.title) for each in options} == {(("b", "c"), "a, b")}
    assert setting_grid(Options(), []) == [[]]
    assert setting_grid(Options(), ["width=1,2", "width=3"]) == [["width=3"]], "the later of two counts"
    with pytest.raises(UsageError, match="whole number, not 'x'"):
        [apply_settings(Options(), each, "x") for each in setting_grid(Options(), ["width=1,x"])]


def test_options_survive_json():
    options = Options(names=("p", "q"), limit=4)
    as_json = {
        field.name: list(v) if isinstance(v := getattr(options, field.name), tuple) else v for field in fields(options)
    }
    assert options_from(Options, as_json) == options


def test_description_has_every_field():
    assert [name for name, _, _ in describe_options(Options())] == [field.name for field in fields(Options)]


@dataclass(frozen=True)
class Ranged:
    width: Count = 64
    lr: Positive = 0.1
    share: Share = 0.5
    beta: Decay = 0.9
    limit: Count | None = None
    sizes: tuple[Count, ...] = (1,)
    tilt: Annotated[float, Range(over=-1, most=1)] = 0.0

    def __post_init__(self):
        if self.share > self.width:
            raise UsageError("share is more than width")


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("width=0", "width takes a whole number (1 or more), not '0'"),
        ("lr=0", "lr takes a number (more than 0), not '0'"),
        ("share=1.01", "share takes a number (0 or more and at most 1), not '1.01'"),
        ("beta=1", "beta takes a number (0 or more and less than 1), not '1'"),
        ("limit=-3", "limit takes a whole number (1 or more) or none, not '-3'"),
        ("sizes=4,0", "sizes takes a comma-separated list of a whole number (1 or more), not '4,0'"),
        ("tilt=-1", "tilt takes a number (more than -1 and at most 1), not '-1'"),
    ],
)
def test_a_number_out_of_its_range_is_refused_with_the_range(setting, told):
    with pytest.raises(UsageError) as error:
        apply_settings(Ranged(), [setting], "x")
    assert str(error.value) == f"x: {told}"


def test_the_bounds_themselves_and_none_are_taken():
    found = apply_settings(Ranged(), ["width=1", "share=1", "beta=0", "limit=none", "tilt=1", "sizes=2,1"], "x")
    assert found == Ranged(width=1, share=1.0, beta=0.0, limit=None, tilt=1.0, sizes=(2, 1))


def test_what_options_refuse_together_names_its_owner():
    with pytest.raises(UsageError, match=r"^x: share is more than width$"):
        apply_settings(Ranged(share=-2, width=-1), ["share=1"], "x")


def bundled():
    """(plugin, options) of every preset and every default."""
    for kind in ("method", "dataset"):
        for plugin in registry().all(kind):
            for options in [plugin.cls.options(), *getattr(plugin.cls, "presets", {}).values()]:
                yield plugin.name, options


def test_every_number_of_a_bundled_plugin_has_a_range_that_its_own_values_keep():
    for name, options in bundled():
        for field, kind in get_type_hints(type(options), include_extras=True).items():
            members = [kind, *get_args(kind)]
            if not {int, float} & set(members):
                continue
            ranges = [part for member in members for part in get_args(member)[1:] if isinstance(part, Range)]
            ranges += [part for part in members if isinstance(part, Range)]
            assert ranges, f"{name}: {field} takes any number"
            value = getattr(options, field)
            assert value is None or all(value in allowed for allowed in ranges), f"{name}: {field}={value}"


@dataclass(frozen=True)
class WithFile:
    network: Literal["own"] | OptionFile = "own"
    list: OptionFile | None = None


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, content in (("a.pt", "a"), ("b.pt", "b"), ("copy.pt", "a")):
        Path(name).write_text(content)
    return tmp_path


def test_a_file_is_an_option_by_its_content(here):
    assert unsettable(WithFile) == []
    found = apply_settings(WithFile(), ["network=a.pt", "list=b.pt"], "x")
    assert found.network == OptionFile("a.pt", file_sha256(here / "a.pt"), str(here / "a.pt"))
    assert found.network.path() == here / "a.pt"
    assert apply_settings(found, ["network=own", "list=none"], "x") == WithFile()
    elsewhere = OptionFile("a.pt", found.network.sha256, "/elsewhere/a.pt")
    assert canonical_json(elsewhere) == canonical_json(found.network), "its place is in no key"
    assert canonical_json(OptionFile.at(here / "b.pt")) != canonical_json(found.network)


def test_a_file_survives_json_with_its_place_in_a_spec_and_without_it_in_a_record(here):
    options = apply_settings(WithFile(), ["network=a.pt"], "x")
    in_spec = options_from(WithFile, json.loads(json.dumps(asdict(options))))
    in_record = options_from(WithFile, json.loads(canonical_json(options)))
    assert options == in_spec == in_record
    assert in_spec.network.path() == here / "a.pt"
    with pytest.raises(UsageError, match=r"^a\.pt: no such file$"):
        in_record.network.path()


@pytest.mark.parametrize("text", ["c.pt", "", "."])
def test_a_file_that_is_not_there_is_refused(here, text):
    with pytest.raises(UsageError, match=r"^x: network takes one of own or an existing file, not"):
        apply_settings(WithFile(), [f"network={text}"], "x")


def test_files_are_combined_as_other_choices_are(here):
    grid = setting_grid(WithFile(), ["network=own,a.pt,b.pt,copy.pt"])
    found = [apply_settings(WithFile(), each, "x").network for each in grid]
    assert found[0] == "own"
    assert [each.name for each in found[1:]] == ["a.pt", "b.pt", "copy.pt"]


def test_a_value_is_shown_in_words(here):
    shown = json.loads(canonical_json(OptionFile.at(here / "a.pt")))
    assert value_in_words(shown) == f"a.pt {file_sha256(here / 'a.pt')[:8]}"
    assert [value_in_words(value) for value in (3, "own", None, {"odd": 1})] == ["3", "own", "None", "{'odd': 1}"]
