"""What is to be run, as plain values: any process can read a spec from JSON, open what it names, and carry it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from v2f_bench.data.protocol import RESOLUTION
from v2f_bench.data.voices import WHOLE
from v2f_bench.interfaces import DataError


@dataclass(frozen=True)
class BenchSpec:
    """A data set under the protocol of a track, with the judges and metrics that score on it. Paths are whole."""

    dataset: str
    options: dict[str, Any]  # of the data set, all of them
    data_root: str | None = None
    track: str = "identity"
    lists: tuple[str, ...] = ()  # files of published questions
    resolution: int = RESOLUTION  # pixels a side at which faces are judged
    voices: str = WHOLE  # how they are handed over
    judges: tuple[str, ...] = ()  # by name; empty: all that can be had
    judge_cards: tuple[str, ...] = ()  # files
    metrics: tuple[str, ...] = ()  # by name; empty: all of the track
    fetch_weights: bool = False


@dataclass(frozen=True)
class PlaceSpec:
    """Where and with what the work is done. Folders are whole paths."""

    output: str  # of the runs
    cache: str
    devices: tuple[str, ...] = ("cpu",)
    threads: int | None = None  # of torch; None: as it chooses
    jobs: int = 1  # processes that prepare data
    precision: str = "float32"  # of training


@dataclass(frozen=True)
class RunSpec:
    """One run: a method with its options and a seed, on a bench."""

    bench: BenchSpec
    place: PlaceSpec
    method: str
    options: dict[str, Any]  # of the method, all of them
    preset: str  # that the options started from
    seed: int

    def to_json(self) -> str:
        return msgspec.json.format(msgspec.json.encode(self).decode(), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> RunSpec:
        """DataError where the text is no spec."""
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError as error:
            raise DataError(f"not readable as a run spec: {error}") from None
