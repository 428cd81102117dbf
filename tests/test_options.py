"""Typed options from `name=value` settings."""

from dataclasses import dataclass, fields
from typing import Annotated, Literal, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2f_bench.interfaces import (
    Count,
    Decay,
    Positive,
    Range,
    Share,
    UsageError,
    apply_settings,
    describe_options,
    setting_grid,
)
from v2f_bench.interfaces.options import options_from
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
