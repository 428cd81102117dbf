"""The contract of a metric: a pure function from a judge's outputs to one value a trial, or one statistic of all."""

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
    """The questions of a published list. Each compares the face of one trial with N real faces.

    Attributes:
        trial: int64 [q], rows of the trials.
        faces: int64 [q, N], rows of the role "listed".
        same: bool [q, N], whether each face is the speaker's. In matching it is the first one only; in verification
            (N = 1) the list says it.
    """

    name: str
    task: Literal["matching", "verification"]
    trial: np.ndarray
    faces: np.ndarray
    same: np.ndarray


# Roles of `Evidence.seen` that do not have one row for each trial.
BESIDE_TRIALS = ("gallery", "reference", "listed")
# Roles whose faces may be a metric's floor or ceiling.
ROLES = ("target", "proposal", "other", "real-photo", "random-face", "mean-face", "mean-face-of-sex")
# The same of a judge of films.
FILM_ROLES = ("real-film", "other-voice")


@dataclass(frozen=True)
class Evidence:
    """What one source, usually a judge, gives for the faces of one run, on the trials that apply to the method.

    Attributes:
        trials: one row a trial: `trial`, `speaker` and the speaker's labels; where known, `emotion` (of the voice),
            `heard` (the emotion that listeners heard) and `duration` (of the voice, in seconds).
        gallery: one row a gallery face: `speaker` and labels; each speaker once, sorted by speaker.
        reference: the same for further real faces of test speakers, any number of each.
        seen: by role, what the source gave: float32 [n, D], read-only. A row of NaN is a face that is missing or could
            not be judged.
        source: name of the judge, or of another source of the rows in `seen`.
        labels: what the columns of a classifier mean.
        lists: the questions of published lists.
        kind: the meaning of the rows in `seen`, one of `JUDGE_KINDS`; "" for a source that is no judge.

    Roles with one row a trial, in the order of `trials`:

    * "generated": the method's face;
    * "target": the speaker's gallery face; on the emotion track the speaker with the voice's emotion;
    * "proposal": the face to be changed: another speaker's; on the emotion track the speaker's own neutral face;
    * "other": the gallery face of a random other test speaker;
    * "real-photo": another picture of what the target shows;
    * "random-face": a training speaker's face;
    * "mean-face": the mean training face; absent without training speakers;
    * "mean-face-of-sex": the mean training face of the trial's sex; absent without such labels.

    Of a judge of films there are these three alone:

    * "generated": the method's film with the trial's voice; NaN for a still;
    * "other-voice": the method's film with the voices of other trials, the mean over a few;
    * "real-film": the film of the target with the voice of its own clip.

    Other roles: "gallery" and "reference", with the rows of these tables, and "listed", the real faces of `lists`.
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
        # All metrics read the same arrays. If one could write to them, it would change the numbers of the others.
        seen = {role: read_only(rows) for role, rows in self.seen.items()}
        object.__setattr__(self, "seen", seen)

    def instead(self, role: str) -> Evidence:
        """The evidence as if the method had returned the faces of `role`, for floors and ceilings."""
        return replace(self, seen={**self.seen, "generated": self.seen[role]})

    def of(self, trials: np.ndarray) -> Evidence:
        """The evidence on some of the trials, bool [n]; roles without one row a trial keep all their rows.

        Questions of published lists about other trials are left out, and so are lists without questions then.
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
        """The same with copies of the tables, since tables cannot be made read-only: one for each metric."""
        return replace(self, trials=self.trials.copy(), gallery=self.gallery.copy(), reference=self.reference.copy())


def read_only(array: np.ndarray) -> np.ndarray:
    """A view of an array that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view


# A number as a function of the weight of each of c speakers: float [b, c] to float [b].
OfWeights = Callable[["np.ndarray"], "np.ndarray"]


@dataclass(frozen=True)
class Measure:
    """One number of a metric. The harness adds interval, floor, ceiling and slices.

    A measure has either `values`, float64 [n], one a trial (NaN: not defined for this trial), with the `aggregate` that
    makes one number of them; or a `statistic`, which maps trial positions (int64, repeats allowed) to the number.

    The interval of a statistic is over speakers, by the jackknife: each speaker is left out in turn. Where a faster or
    better way exists, the measure may have one of these two:

    by_weights: takes the speaker of each trial (int64 [n], numbered from 0; -1 for a trial that is not covered) and
        returns the statistic as a function of the speakers' weights. Its interval is by the bootstrap.
    influence: returns n times the derivative of the statistic by the weight of each trial, float64 [n], NaN for a trial
        that is not covered. Its interval is Student's.
    """

    name: str
    better: Literal["higher", "lower", "neither"]
    unit: str
    failure: str  # what a missing or unjudgeable face costs, in words
    values: np.ndarray | None = None
    aggregate: Literal["mean", "median"] = "mean"
    statistic: Callable[[np.ndarray], float] | None = None
    covers: np.ndarray | None = None  # bool [n]: the trials that a statistic is computed from; None for all
    by_weights: Callable[[np.ndarray], OfWeights] | None = None
    influence: Callable[[], np.ndarray] | None = None
    chance: float | None = None  # the expected value of random guessing, where it is known exactly
    floor: str = ""  # the role that is the floor; "" for the metric's
    headline: bool = False  # whether it is shown in short tables
    details: dict[str, Any] | None = None  # more than a number, for the record, for example a confusion matrix


class Metric(ABC):
    """A family of numbers about a run's faces.

    Class attributes:
        name: its measures are called `name` or `name/part`.
        summary: one line for `v2f-bench list`.
        judged_by: the kinds of judge whose evidence it reads (see JUDGE_KINDS). It is computed by each such judge.
        tracks: the tracks on which it is meaningful.
        floor, ceiling: the roles whose values are shown beside the method's; "" for no floor.
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
