"""Judge cards: a small TOML file describes your own judge, any ONNX network.

name = "facenet128"            # stands beside every number
kind = "identity"              # identity, emotion, attribute, features
attribute = "sex"              # kind attribute only: sex or age
file = "facenet128_fp16.onnx"  # beside the card, in <cache>/weights or in $V2F_BENCH_WEIGHTS; or an absolute path
sha256 = "80901ff3..."         # all 64 digits: another file is not opened
licence = "MIT"
version = "1"                  # optional; a hash of the card is added to it
summary = "..."                # optional
people = "..."                 # the people that it was trained on, in words; optional
met = ["vggface2"]             # the same as names of collections; leave it out where they are not known
url = "https://..."            # where the file can be downloaded; optional

[input]
layout = "NHWC"                # or NCHW
size = 160                     # pixels a side to which faces are resized (antialiased)
colour = "rgb"                 # rgb, bgr, grey
highest = 255                  # value of a white pixel before normalisation: 255 (the default) or 1
scale = 0.00784313725490196    # pixels · scale + shift; or
shift = -1.0
mean = [0.485, 0.456, 0.406]   # (pixels - mean) / std, a number or one for each channel in the network's order; or
std = [0.229, 0.224, 0.225]
standardise = "per-image"      # (pixels - mean) / max(std, 1/√n), of each picture's own n numbers

[output]
name = "Identity:0"            # optional where the network has one output
labels = ["angry", "disgust"]  # emotion and sex: what the columns mean, in order
gives = "logits"               # emotion and sex: logits or probabilities
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NoReturn

from v2f_bench.hashing import key_of
from v2f_bench.interfaces import DataError, UsageError
from v2f_bench.interfaces.judge import JUDGE_KINDS
from v2f_bench.interfaces.labels import standard_label
from v2f_bench.interfaces.options import did_you_mean
from v2f_bench.media.text import read_text

KINDS = tuple(dict.fromkeys(kind.on_card for kind in JUDGE_KINDS.values() if kind.on_card))
ATTRIBUTES = tuple(name for name, kind in JUDGE_KINDS.items() if kind.on_card == "attribute")
CLASSIFIERS = tuple(name for name, kind in JUDGE_KINDS.items() if kind.on_card and kind.labels)
CHANNELS = {"rgb": 3, "bgr": 3, "grey": 1}


@dataclass(frozen=True)
class Input:
    """The input: float [N, size, size, C] or [N, C, size, size]."""

    layout: str
    size: int
    colour: str
    highest: float = 255.0
    scale: float | None = None
    shift: float | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    standardise: str | None = None

    @property
    def channels(self) -> int:
        return CHANNELS[self.colour]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one face, without the first axis."""
        side = (self.size, self.size)
        return (self.channels, *side) if self.layout == "NCHW" else (*side, self.channels)


@dataclass(frozen=True)
class Output:
    """The output: float [N, D]."""

    name: str | None = None
    labels: tuple[str, ...] = ()
    gives: str | None = None


@dataclass(frozen=True)
class Card:
    """A card, read and checked."""

    name: str
    kind: str  # of JUDGE_KINDS: sex or age, where the card says "attribute"
    file: str
    sha256: str
    licence: str
    input: Input
    output: Output
    version: str = "1"
    summary: str = ""
    people: str = "not known"
    met: frozenset[str] | None = None
    url: str = ""

    @property
    def key(self) -> str:
        """A hash of all that the card says of the network, but not of the path and URL of its file."""
        return key_of({name: value for name, value in asdict(self).items() if name not in ("file", "url", "summary")})


def parse_card(path: Path) -> Card:
    """What the card says, checked.

    Raises:
        UsageError: the card is missing or has an error; names the card and the key.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such judge card")
    try:
        entries = tomllib.loads(read_text(path, "a judge card"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not readable as a judge card ({error})") from None
    except DataError as error:
        raise UsageError(str(error)) from None
    top = _Table(path, "", entries, {*(field.name for field in fields(Card)), "attribute"})
    given = _Table(path, "input.", top.table("input"), {field.name for field in fields(Input)})
    gives = _Table(path, "output.", top.table("output"), {field.name for field in fields(Output)})
    kind = top.choice("kind", KINDS)
    if kind == "attribute":
        kind = top.choice("attribute", ATTRIBUTES)
    elif "attribute" in top.entries:
        top.fail("attribute", f"belongs to kind attribute, not to {kind}")
    met = top.texts("met")
    url = top.text("url", "")
    if url and not url.startswith("https://"):
        top.fail("url", f"begins with https://, not {url!r}")
    return Card(
        name=top.matching("name", r"[A-Za-z0-9][\w.-]*", "letters, digits, '-', '_' and '.'"),
        kind=kind,
        file=top.text("file"),
        sha256=top.matching(
            "sha256", r"\s*[0-9a-fA-F]{64}\s*", "the 64 hexadecimal digits that `sha256sum FILE` prints"
        )
        .strip()
        .lower(),
        licence=top.text("licence"),
        version=top.text("version", "1"),
        summary=top.text("summary", ""),
        people=top.text("people", "not known"),
        met=None if met is None else frozenset(met),
        url=url,
        input=_input(given),
        output=_output(gives, kind),
    )


def _input(table: _Table) -> Input:
    colour = table.choice("colour", tuple(CHANNELS))
    size = table.required("size")
    if not isinstance(size, int) or not 8 <= size <= 2048:
        table.fail("size", f"is a whole number of pixels from 8 to 2048, not {size!r}")
    highest = table.number("highest")
    if highest not in (None, 1, 255):
        table.fail("highest", f"is 255 or 1, not {highest:g}")
    ways = [keys for keys in (("scale", "shift"), ("mean", "std"), ("standardise",)) if {*keys} & {*table.entries}]
    if len(ways) > 1:
        first, second = (next(key for key in way if key in table.entries) for way in ways[:2])
        table.fail(second, f"stands beside {first}: normalise in one way only")
    for missing in [key for way in ways for key in way if key not in table.entries]:
        table.fail(missing, f"is missing: {' and '.join(ways[0])} go together")
    std = table.per_channel("std", CHANNELS[colour])
    if std and min(std) <= 0:
        table.fail("std", "is above 0")
    return Input(
        layout=table.choice("layout", ("NHWC", "NCHW")),
        size=size,
        colour=colour,
        highest=highest or 255.0,
        scale=table.number("scale"),
        shift=table.number("shift"),
        mean=table.per_channel("mean", CHANNELS[colour]),
        std=std,
        standardise=table.choice("standardise", ("per-image",)) if "standardise" in table.entries else None,
    )


def _output(table: _Table, kind: str) -> Output:
    name = table.text("name", "") or None
    if kind not in CLASSIFIERS:
        for key in ("labels", "gives"):
            if key in table.entries:
                table.fail(key, f"belongs to {' and '.join(CLASSIFIERS)}, not to {kind}")
        return Output(name)
    known = JUDGE_KINDS[kind].labels
    labels = tuple(standard_label(label) for label in table.texts("labels") or table.fail("labels", "is missing"))
    for label in labels:
        if label not in known:
            table.fail("labels", f"has {label!r}{did_you_mean(label, known)} Known: {', '.join(known)}.")
        if labels.count(label) > 1:
            table.fail("labels", f"has {label!r} twice")
    if JUDGE_KINDS[kind].all_labels and len(labels) != len(known):
        table.fail("labels", f"are {len(known)}: {' and '.join(known)}, in the network's order")
    return Output(name, labels, table.choice("gives", ("logits", "probabilities")))


class _Table:
    """A table of a card. Its methods read a key each; errors name the card and the key."""

    def __init__(self, path: Path, prefix: str, entries: dict[str, Any], known: Collection[str]) -> None:
        self.path, self.prefix, self.entries = path, prefix, entries
        for key in entries:
            if key not in known:
                self.fail(
                    key, f"is no key of a judge card{did_you_mean(key, known)} Known: {', '.join(sorted(known))}."
                )

    def fail(self, key: str, problem: str) -> NoReturn:
        raise UsageError(f"{self.path}: {self.prefix}{key} {problem}")

    def required(self, key: str) -> Any:
        if key not in self.entries:
            self.fail(key, "is missing")
        return self.entries[key]

    def table(self, key: str) -> dict[str, Any]:
        entries = self.entries.get(key, {})
        if not isinstance(entries, dict):
            self.fail(key, f"is a table, [{key}]")
        return entries

    def text(self, key: str, otherwise: str | None = None) -> str:
        text = self.required(key) if otherwise is None else self.entries.get(key, otherwise)
        if not isinstance(text, str) or (otherwise is None and not text.strip()):
            self.fail(key, f"is text, not {text!r}")
        return text

    def matching(self, key: str, pattern: str, in_words: str) -> str:
        text = self.text(key)
        if not re.fullmatch(pattern, text):
            self.fail(key, f"is {in_words}, not {text!r}")
        return text

    def choice(self, key: str, known: tuple[str, ...]) -> str:
        text = self.required(key)
        if text not in known:
            self.fail(key, f"is one of {', '.join(known)}, not {text!r}{did_you_mean(str(text), known)}")
        return str(text)

    def texts(self, key: str) -> tuple[str, ...] | None:
        texts = self.entries.get(key)
        if texts is None:
            return None
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            self.fail(key, f'is a list of texts, ["...", "..."], not {texts!r}')
        return tuple(texts)

    def number(self, key: str) -> float | None:
        number = self.entries.get(key)
        if number is not None and not _is_number(number):
            self.fail(key, f"is a number, not {number!r}")
        return None if number is None else float(number)

    def per_channel(self, key: str, channels: int) -> tuple[float, ...] | None:
        """A number for each channel; the card gives a list, or one number for all."""
        given = self.entries.get(key)
        if given is None:
            return None
        numbers = given if isinstance(given, list) else [given] * channels
        if len(numbers) != channels or not all(map(_is_number, numbers)):
            self.fail(key, f"is a number, or a list of {channels} numbers, not {given!r}")
        return tuple(map(float, numbers))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
