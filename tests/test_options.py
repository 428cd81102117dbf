"""Typed options from `name=value` settings."""

from dataclasses import dataclass, fields
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2f_bench.interfaces import UsageError, apply_settings, describe_options, setting_grid
from v2f_bench.interfaces.options import options_from


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
