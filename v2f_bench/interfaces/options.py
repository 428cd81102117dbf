"""Typed options: a plugin's options are one frozen dataclass; `name=value` settings are checked against its types.

The type of a number may state its range: `width: Count = 64`, or `Annotated[float, Range(over=0, most=2)]`.
"""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import types
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from v2f_bench.hashing import file_sha256
from v2f_bench.interfaces.errors import UsageError

O = TypeVar("O")  # noqa: E741 - an options dataclass
SHOWN_DIGITS = 8  # of a file's hash


@dataclass(frozen=True)
class NoOptions:
    """For a plugin with nothing to set."""


@dataclass(frozen=True)
class Range:
    """The range of a number, for use in `Annotated`: `least` and `most` are included, `over` and `below` are not."""

    least: float = -inf
    most: float = inf
    over: float = -inf
    below: float = inf

    def __contains__(self, number: float) -> bool:
        return self.least <= number <= self.most and self.over < number < self.below

    def in_words(self) -> str:
        """As in "more than 0 and at most 1"."""
        bounds = {
            f"{self.least:g} or more": self.least,
            f"more than {self.over:g}": self.over,
            f"at most {self.most:g}": self.most,
            f"less than {self.below:g}": self.below,
        }
        return " and ".join(words for words, bound in bounds.items() if abs(bound) < inf)


@dataclass(frozen=True)
class OptionFile:
    """A file as an option's value, such as pretrained weights: `weights: OptionFile | None = None`.

    Its content is what counts. Where it lies is in no key and no record: two copies of a file are the same option.

    Attributes:
        name: its last part.
        sha256: of its content when the option was set; 64 hexadecimal digits.
        location: absolute path; "" in the options of a record.
    """

    name: str
    sha256: str
    location: str = field(default="", compare=False)

    @classmethod
    def at(cls, path: Path) -> OptionFile:
        return cls(path.name, file_sha256(path), str(path.resolve()))

    def path(self) -> Path:
        """Where the file lies. UsageError where it is gone, or has changed since the option was set."""
        path = Path(self.location)
        if not (self.location and path.is_file()):
            raise UsageError(f"{self.location or self.name}: no such file")
        if file_sha256(path) != self.sha256:
            raise UsageError(f"{path}: it has changed since the run was planned; start the run again")
        return path


Count = Annotated[int, Range(least=1)]
Positive = Annotated[float, Range(over=0)]
NotNegative = Annotated[float, Range(least=0)]
Share = Annotated[float, Range(least=0, most=1)]
Decay = Annotated[float, Range(least=0, below=1)]  # of a running mean, such as Adam's


def apply_settings(options: O, settings: Iterable[str], owner: str) -> O:
    """`options` with each `name=value` of `settings` applied. Of two settings of one name the later one counts.

    Types may be `int`, `float`, `bool`, `str`, `Literal[...]`, `tuple[T, ...]` (comma-separated), `OptionFile` (its
    path), unions such as `T | None` ("none"), and numbers of a `Range`.

    Raises:
        UsageError: a setting without `=`, an unknown name, a value of another type or out of its range, or values that
            the options refuse together; says what is allowed.
    """
    kinds = get_type_hints(type(options), include_extras=True)
    fields = [field.name for field in dataclasses.fields(options)]  # type: ignore[arg-type]
    changes: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        name = name.strip().replace("-", "_")
        if not equals:
            raise UsageError(f"{owner}: a setting is name=value, not {setting!r}")
        if name not in fields:
            raise UsageError(f"{owner} has no option {name!r}{did_you_mean(name, fields)} {_allowed(fields)}")
        try:
            changes[name] = _convert(text.strip(), kinds[name])
        except ValueError:
            raise UsageError(f"{owner}: {name} takes {_kind_in_words(kinds[name])}, not {text.strip()!r}") from None
    try:
        return dataclasses.replace(options, **changes)  # type: ignore[type-var]
    except UsageError as error:
        raise UsageError(f"{owner}: {error}") from None


def setting_grid(options: object, settings: Iterable[str]) -> list[list[str]]:
    """Every combination of the values of settings such as `width=8,16`, each a list for `apply_settings`.

    In lists and texts a comma belongs to the value itself, and combines nothing.
    """
    kinds = get_type_hints(type(options))
    choices: dict[str, list[str]] = {}  # by option: the later of two settings of one name counts
    for setting in settings:
        name, equals, text = setting.partition("=")
        several = "," in text and not _has_commas(kinds.get(name.strip().replace("-", "_"), str))
        values = dict.fromkeys(part.strip() for part in text.split(",")) if several else [text]
        choices[name.strip().replace("-", "_")] = [f"{name}{equals}{value}" for value in values]
    return [list(combination) for combination in itertools.product(*choices.values())]


def options_from(cls: type[O], values: dict[str, Any]) -> O:
    """Options from their JSON values: lists become tuples again, objects files."""
    return cls(**{name: _from_json(value) for name, value in values.items()})


def value_in_words(value: Any) -> str:
    """The JSON value of an option as tables and pages show it: of a file, its name and how its hash begins."""
    if isinstance(value, dict) and value.keys() == {"name", "sha256"}:
        return f"{value['name']} {str(value['sha256'])[:SHOWN_DIGITS]}"
    return str(value)


def describe_options(options: object) -> list[tuple[str, str, Any]]:
    """(name, type and range in words, value) of each option."""
    kinds = get_type_hints(type(options), include_extras=True)
    return [
        (field.name, _kind_in_words(kinds[field.name]), getattr(options, field.name))
        for field in dataclasses.fields(options)  # type: ignore[arg-type]
    ]


def unsettable(options: type) -> list[tuple[str, Any]]:
    """Name and type of each option of a dataclass that `apply_settings` cannot set, because of its type."""
    kinds = get_type_hints(options, include_extras=True)
    return [(name, kind) for name, kind in kinds.items() if not _is_known(kind)]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The phrase '; did you mean X?' for the closest known name, or '.' where none is close."""
    close = closest(name, known)
    return f"; did you mean {close!r}?" if close else "."


def closest(name: str, known: Iterable[str]) -> str:
    """The known name that is most similar to `name`, ignoring case; "" where none is similar."""
    plain = {each.lower(): each for each in known}
    return next((plain[each] for each in difflib.get_close_matches(name.lower(), plain, n=1, cutoff=0.6)), "")


def _allowed(fields: list[str]) -> str:
    return f"It takes: {', '.join(fields)}." if fields else "It takes none."


def _from_json(value: Any) -> Any:
    if isinstance(value, dict):
        return OptionFile(**value)
    return tuple(value) if isinstance(value, list) else value


def _convert(text: str, kind: Any) -> Any:
    """`text` as a value of type `kind`; ValueError where it is none."""
    origin = get_origin(kind)
    if origin is Annotated:
        value = _convert(text, get_args(kind)[0])
        if any(value not in allowed for allowed in _ranges(kind)):
            raise ValueError(text)
        return value
    if origin in (Union, types.UnionType):
        members = [member for member in get_args(kind) if member is not type(None)]
        if type(None) in get_args(kind) and text.lower() == "none":
            return None
        for member in members:
            try:
                return _convert(text, member)
            except ValueError:
                continue
        raise ValueError(text)
    if origin is Literal:
        for choice in get_args(kind):
            if text == str(choice):
                return choice
        raise ValueError(text)
    if origin is tuple:
        item = get_args(kind)[0]
        return tuple(_convert(part.strip(), item) for part in text.split(",") if part.strip())
    if kind is bool:
        if text.lower() not in ("true", "yes", "on", "1", "false", "no", "off", "0"):
            raise ValueError(text)
        return text.lower() in ("true", "yes", "on", "1")
    if kind is int:
        return int(text)
    if kind is float:
        number = float(text)
        if number != number or number in (float("inf"), float("-inf")):
            raise ValueError(text)
        return number
    if kind is str:
        return text
    if kind is OptionFile:
        path = Path(text).expanduser()
        if not (text and path.is_file()):
            raise ValueError(text)
        return OptionFile.at(path)
    raise TypeError(f"options of type {kind} cannot be set from the command line")


def _is_known(kind: Any) -> bool:
    origin = get_origin(kind)
    if origin is Annotated:
        return _is_known(get_args(kind)[0])
    if origin in (Union, types.UnionType):
        return all(member is type(None) or _is_known(member) for member in get_args(kind))
    if origin is tuple:
        return len(get_args(kind)) == 2 and get_args(kind)[1] is Ellipsis and _is_known(get_args(kind)[0])
    return origin is Literal or kind in (bool, int, float, str, OptionFile)


def _has_commas(kind: Any) -> bool:
    """Whether a value of type `kind` may be written with a comma."""
    members = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    return any(member is str or get_origin(member) is tuple for member in members)


def _ranges(kind: Any) -> list[Range]:
    return [each for each in get_args(kind)[1:] if isinstance(each, Range)]


def _kind_in_words(kind: Any) -> str:
    origin = get_origin(kind)
    if origin is Annotated:
        return " ".join([_kind_in_words(get_args(kind)[0]), *(f"({allowed.in_words()})" for allowed in _ranges(kind))])
    if origin in (Union, types.UnionType):
        return " or ".join("none" if member is type(None) else _kind_in_words(member) for member in get_args(kind))
    if origin is Literal:
        return "one of " + ", ".join(map(str, get_args(kind)))
    if origin is tuple:
        return f"a comma-separated list of {_kind_in_words(get_args(kind)[0])}"
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    return (words | {OptionFile: "an existing file"}).get(kind, str(kind))
