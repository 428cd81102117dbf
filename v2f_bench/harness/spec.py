"""Specs: what to run, as plain values. Any process can read a spec from JSON, open what it names, and carry it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from v2f_bench.data.protocol import RESOLUTION
from v2f_bench.data.voices import WHOLE
from v2f_bench.interfaces import DataError


@dataclass(frozen=True)
class BenchSpec:
    """A data set under the protocol of a track, with the judges and metrics to score by. Paths are absolute."""

    dataset: str
    options: dict[str, Any]  # of the data set, all of them
    data_root: str | None = None
    track: str = "identity"
    lists: tuple[str, ...] = ()  # files of published questions
    resolution: int = RESOLUTION  # pixels a side at which faces are judged
    voices: str = WHOLE  # their form (see `data/voices.py`)
    judges: tuple[str, ...] = ()  # by name; empty: all that are available
    judge_cards: tuple[str, ...] = ()  # files
    metrics: tuple[str, ...] = ()  # by name; empty: all of the track
    fetch_weights: bool = False


@dataclass(frozen=True)
class PlaceSpec:
    """Where and with what the work is done. Paths are absolute."""

    output: str  # of the runs
    cache: str
    devices: tuple[str, ...] = ("cpu",)
    threads: int | None = None  # of torch; None: torch's default
    jobs: int = 1  # processes that prepare data
    precision: str = "float32"  # of training


@dataclass(frozen=True)
class RunSpec:
    """One run: a method with its options and a seed, on a bench."""

    bench: BenchSpec
    place: PlaceSpec
    method: str
    options: dict[str, Any]  # of the method, all of them
    preset: str  # the one that the options are based on
    seed: int

    def to_json(self) -> str:
        return msgspec.json.format(msgspec.json.encode(self).decode(), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> RunSpec:
        """The spec in a JSON text. DataError where the text is none."""
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError as error:
            raise DataError(f"not readable as a run spec: {error}") from None
