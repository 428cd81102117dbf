"""The contract of a metric: one pure function from what a judge saw to values a trial, or one statistic of them all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class Evidence:
    """What one judge made of the faces of one run.

    `trials` has one row a trial: `trial`, `speaker` and the speaker's labels; `gallery` one row a gallery face:
    `speaker` and labels, each speaker once, sorted by speaker. `seen` maps a role to vectors, float32 [n, D], one row a
    trial in the order of `trials`; a row that is NaN is a face that is missing or could not be judged. Roles:
    "generated" (the method's), "target" (the speaker's gallery face), "proposal", "other" (the gallery face of a random
    other test speaker), "real-photo" (another picture of the speaker), "random-face" (a training speaker's),
    "mean-face" (the mean training face); and beside the trials "gallery" (one row a gallery face) and "reference" (any
    number of real test faces, for distributions).
    """

    trials: pd.DataFrame
    gallery: pd.DataFrame
    seen: dict[str, np.ndarray]

    def instead(self, role: str) -> Evidence:
        """The same trials as if the method had returned the faces of `role`: how floors and ceilings are measured."""
        return replace(self, seen={**self.seen, "generated": self.seen[role]})


@dataclass(frozen=True)
class Measure:
    """One number of a metric. Intervals, floors and ceilings are the harness's job.

    Either `values`, float64 [n], one a trial (NaN: not defined for this trial) with the aggregate that makes one number
    of them, or `statistic`, which maps trial positions (int64, repeats allowed) to the number.
    """

    name: str
    better: Literal["higher", "lower", "neither"]
    unit: str
    failure: str  # what a missing or unjudgeable face costs, in words
    values: np.ndarray | None = None
    aggregate: Literal["mean", "median"] = "mean"
    statistic: Callable[[np.ndarray], float] | None = None
    covers: np.ndarray | None = None  # bool [n]: which trials a statistic rests on; None for all
    chance: float | None = None  # the expected value of blind guessing where it is known exactly
    headline: bool = False  # whether it stands in short tables


class Metric(ABC):
    """A family of numbers about a run's faces.

    Class attributes:
        name: its measures are called `name` or `name/part`.
        summary: one line for `v2f-bench list`.
        judge: the kind of judge whose vectors it reads.
        scope: "trial" (values a trial) or "corpus" (one statistic).
        tracks: where it means something.
        floor, ceiling: the roles whose score stands beside the method's as floor and ceiling.
    """

    name: ClassVar[str]
    summary: ClassVar[str] = ""
    judge: ClassVar[str]
    scope: ClassVar[Literal["trial", "corpus"]] = "trial"
    tracks: ClassVar[frozenset[str]] = frozenset({"identity", "emotion"})
    floor: ClassVar[str] = "random-face"
    ceiling: ClassVar[str] = "real-photo"

    @abstractmethod
    def measure(self, evidence: Evidence) -> list[Measure]:
        """The measures, in a fixed order and under fixed names. Pure: no I/O, no randomness."""
