"""The contract of a metric: one pure function from what a judge saw to values a trial, or one statistic of them all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class ListedQuestions:
    """The questions of a published list: each about one trial's face and the N real faces that it names.

    `trial` is int64 [q], rows of the trials; `faces` int64 [q, N], rows of the role "listed"; `same` bool [q, N],
    whether each face is the speaker's: of matching the first alone, of verification (N = 1) as the list says.
    """

    name: str
    task: Literal["matching", "verification"]
    trial: np.ndarray
    faces: np.ndarray
    same: np.ndarray


# Roles of `Evidence.seen` that have not one row a trial.
BESIDE_TRIALS = ("gallery", "reference", "listed")
# Roles whose faces may stand as a metric's floor or ceiling.
ROLES = ("target", "proposal", "other", "real-photo", "random-face", "mean-face", "mean-face-of-sex")


@dataclass(frozen=True)
class Evidence:
    """What one source says of the faces of one run, on the trials that count: those that apply to the method.

    `source` is the name of a judge, or of whoever else gave the vectors in `seen`; `kind` says what they are
    (`JUDGE_KINDS`).

    `trials` has one row a trial: `trial`, `speaker` and the speaker's labels, and `emotion` (of the voice), `heard`
    (the emotion that listeners heard) and `duration` (of the voice, in seconds) where known; `gallery` one row a
    gallery face: `speaker` and labels, each speaker once, sorted by speaker; `reference` likewise for further real
    faces of test speakers, any number of each. `seen` maps a role to what the source gave, float32
    [n, D], read-only, one row a trial in the order of `trials`; a row that is NaN is a face that is missing or could
    not be judged. Roles: "generated" (the method's), "target" (the speaker's gallery face; on the emotion track the
    speaker with the voice's emotion), "proposal" (the face that was to be changed: another speaker's; on the emotion
    track the speaker's own neutral one), "other" (the gallery face of a random other test speaker), "real-photo"
    (another picture of what the target shows), "random-face" (a training speaker's), "mean-face" (the mean training
    face; absent without training speakers), "mean-face-of-sex" (the same over the trial's sex; absent without labels);
    and beside the trials "gallery" and
    "reference", one row for each of theirs, and "listed", the real faces that `lists` asks about. `labels` names the
    columns of a classifier.
    """

    trials: pd.DataFrame
    gallery: pd.DataFrame
    reference: pd.DataFrame
    seen: dict[str, np.ndarray]
    source: str = ""
    labels: tuple[str, ...] = ()
    lists: tuple[ListedQuestions, ...] = ()
    kind: str = ""

    def __post_init__(self) -> None:
        # All metrics read the same arrays: one that wrote into them would change the others' numbers.
        seen = {role: read_only(rows) for role, rows in self.seen.items()}
        object.__setattr__(self, "seen", seen)

    def instead(self, role: str) -> Evidence:
        """The same trials as if the method had returned the faces of `role`: how floors and ceilings are measured."""
        return replace(self, seen={**self.seen, "generated": self.seen[role]})

    def of(self, trials: np.ndarray) -> Evidence:
        """What is about some trials alone, bool [n]; galleries and further real faces stay whole.

        Questions of published lists about other trials are left out, and a list of which none is left.
        """
        import numpy as np

        seen = {role: rows if role in BESIDE_TRIALS else rows[trials] for role, rows in self.seen.items()}
        place = np.cumsum(trials) - 1
        lists = []
        for each in self.lists:
            kept = trials[each.trial]
            if kept.any():
                now = place[each.trial[kept]]
                lists.append(replace(each, trial=now, faces=each.faces[kept], same=each.same[kept]))
        return replace(self, trials=self.trials[trials].reset_index(drop=True), seen=seen, lists=tuple(lists))

    def with_own_tables(self) -> Evidence:
        """The same with copies of the tables, which cannot be made read-only: one for each reader."""
        return replace(self, trials=self.trials.copy(), gallery=self.gallery.copy(), reference=self.reference.copy())


def read_only(array: np.ndarray) -> np.ndarray:
    """A view of an array that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view


# A number as a function of how often each of c speakers counts: weights, float [b, c], to float [b].
OfWeights = Callable[["np.ndarray"], "np.ndarray"]


@dataclass(frozen=True)
class Measure:
    """One number of a metric. Intervals, floors, ceilings and slices are the harness's job.

    Either `values`, float64 [n], one a trial (NaN: not defined for this trial) with the aggregate that makes one number
    of them, or `statistic`, which maps trial positions (int64, repeats allowed) to the number.

    The interval of a statistic is over speakers, by leaving out one after the other. Where there is something faster or
    better, a measure may bring one of these two:

    by_weights: makes, from the speaker of each trial (int64 [n], numbered from 0; -1 for a trial that it does not
        cover), the statistic as a function of how often each speaker counts. Its interval is bootstrapped.
    influence: gives n times the derivative of the statistic by the weight of each trial, float64 [n], NaN for a trial
        that takes no part. Its interval is Student's.
    """

    name: str
    better: Literal["higher", "lower", "neither"]
    unit: str
    failure: str  # what a missing or unjudgeable face costs, in words
    values: np.ndarray | None = None
    aggregate: Literal["mean", "median"] = "mean"
    statistic: Callable[[np.ndarray], float] | None = None
    covers: np.ndarray | None = None  # bool [n]: which trials a statistic rests on; None for all
    by_weights: Callable[[np.ndarray], OfWeights] | None = None
    influence: Callable[[], np.ndarray] | None = None
    chance: float | None = None  # the expected value of blind guessing where it is known exactly
    floor: str = ""  # the role whose score is the floor, where it is not the metric's
    headline: bool = False  # whether it stands in short tables
    details: dict[str, Any] | None = None  # more than a number, for the record: a confusion matrix, say


class Metric(ABC):
    """A family of numbers about a run's faces.

    Class attributes:
        name: its measures are called `name` or `name/part`.
        summary: one line for `v2f-bench list`.
        judged_by: the kinds of judge whose evidence it reads (see JUDGE_KINDS); every such judge gives its numbers.
        tracks: where it means something.
        floor, ceiling: the roles whose score stands beside the method's as floor and ceiling.
    """

    name: ClassVar[str]
    summary: ClassVar[str] = ""
    judged_by: ClassVar[tuple[str, ...]]
    tracks: ClassVar[frozenset[str]] = frozenset({"identity", "emotion"})
    floor: ClassVar[str] = "random-face"
    ceiling: ClassVar[str] = "real-photo"

    @abstractmethod
    def measure(self, evidence: Evidence) -> list[Measure]:
        """The measures, in a fixed order and under fixed names for one data set. Pure: no I/O, no randomness."""
