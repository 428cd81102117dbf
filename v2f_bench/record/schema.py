"""The record of a run, typed: each value is explained where it is defined. `Record`, at the end, is the whole.

A number that is not defined is None (null in JSON): no file holds NaN.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from v2f_bench.interfaces import Fact

SCHEMA = 2  # 1: results without their judge's facts apart; numbers over trials that did not apply to a method


@dataclass(frozen=True)
class MethodFacts:
    """What made the faces."""

    name: str
    distribution: str  # the installed package that brought it; "pictures made elsewhere" for a scored folder
    version: str  # of that package
    source_hash: str  # of its code, and of the packages that this imports (see `sources.py`)
    summary: str
    source: str  # the publication it follows
    needs: list[str]  # what it was given of each trial
    baseline: bool  # whether it is one of the floors, ceilings and simple rivals of every table
    trained_with: list[str]  # pretrained networks that its training used, as judges name them


@dataclass(frozen=True)
class CoreFacts:
    """The version of v2f-bench that made the record."""

    version: str
    learning: str  # hash of the code that any training may depend on (see `keys.py`)
    scoring: str  # hash of the code that scored, with that of the judges and metrics


@dataclass(frozen=True)
class DatasetFacts:
    """The data as they were used."""

    name: str
    version: str
    options: dict[str, Any]
    licence: str
    consent: str  # the terms under which the people in it gave their pictures and voices
    clips: int  # used
    left_out: int  # could not be used
    content: str  # sha256 of labels, voices and faces as they were read
    labels: dict[str, dict[str, str]] = field(default_factory=dict)  # its own words for each label: the shared ones
    human: dict[str, dict[str, float]] = field(default_factory=dict)  # how often people recognise its emotions
    human_source: str = ""  # who measured that, and how
    origin: str = ""  # who made it, and where it is described
    may_be_shown: Literal["yes", "no", "not stated"] = "not stated"  # its people's faces and voices, by its card


@dataclass(frozen=True)
class SplitFacts:
    clips: int
    speakers: int


@dataclass(frozen=True)
class ProtocolFacts:
    """What the run was measured by. Only runs of one `hash` are ranked together."""

    name: str
    track: str
    hash: str
    sample_rate: int  # Hz
    resolution: int  # pixels a side
    face_check: str  # the detector that decides whether a picture shows a face; "none" where there was none
    gallery: int  # faces
    trials: int
    speakers: int  # whose voices the trials are
    splits: dict[str, SplitFacts]


@dataclass(frozen=True)
class JudgeFacts:
    """A judge that scored."""

    name: str
    version: str
    kind: str
    sha256: str  # of its weights; "" for a judge without a file of its own
    people: str  # whom its training met, in words
    licence: str
    quality: dict[str, Any]  # its own, on real faces of test speakers
    independent: bool | None  # of the method's training and of the test speakers; None: not known
    not_independent_because: str  # where `independent` is not True


@dataclass(frozen=True)
class MissingJudge:
    """A judge that could not be had, and why."""

    name: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Slice:
    """A measure in one group of trials."""

    by: str  # sex, age, ethnicity, emotion, intensity, duration, session
    group: str
    value: float | None
    low: float | None  # ends of the 95 % interval
    high: float | None
    n: int  # trials
    speakers: int
    small: bool  # fewer than ten speakers


@dataclass(frozen=True)
class Result:
    """One number, by one judge, with its context."""

    metric: str  # the plugin
    measure: str  # the number's name
    judge: str
    value: float | None
    low: float | None  # ends of the 95 % interval over speakers
    high: float | None
    n: int  # trials that the number rests on, with failed faces that count by the metric's policy
    expected: int  # trials that it should rest on: those that applied to the method
    failed: int  # of these, trials whose face is missing or could not be judged
    speakers: int  # of the n trials
    floor: float | None  # what the answer in `floor_is` scores on the trials that applied
    floor_is: str  # "chance" where blind guessing is known exactly, else the blind answer that was scored
    ceiling: float | None  # what the answer in `ceiling_is` scores, on those of the trials that have such a picture
    ceiling_is: str
    ceiling_n: int  # the number of these trials
    aggregate: Literal["mean", "median"] | None  # what makes one number of per-trial values; None: a statistic
    better: Literal["higher", "lower", "neither"]
    unit: str
    failure_policy: str  # what a failed face costs
    headline: bool  # whether it stands in short tables
    slices: list[Slice]
    details: dict[str, Any] | None  # more than a number, by measure: a confusion matrix, say


@dataclass(frozen=True)
class HumanEstimate:
    """What people answered about one thing."""

    value: float | None
    low: float | None  # ends of the 95 % interval over raters and items together
    high: float | None
    n: int  # answers
    raters: int
    items: int  # speakers


@dataclass(frozen=True)
class HumanNumber:
    """What one study says of the run's faces. Its source are people, no judge."""

    measure: str  # "human-..."
    means: str  # what is counted, in words
    study: str  # its id: only numbers of one study are compared
    estimate: HumanEstimate
    chance: float
    p_chance: float | None  # that it is no better or worse than guessing, corrected for the number of methods
    expected: int  # trials that the run should have a face for
    missing: int  # ... and has not: they count as the study says
    calibration: HumanEstimate | None  # of real photographs; None where the design shows none
    floor: HumanEstimate | None  # of an answer that must be bad
    responsible: str  # who answered for showing the data set's people to raters; "" where its card allows it
    faces: str  # sha256 of the pictures that were shown (`artefacts.Faces.content`)


@dataclass(frozen=True)
class Unavailable:
    """A measure, or a whole metric, that has no number."""

    metric: str
    measure: str  # the metric's name where none of its measures could be had
    judge: str | None  # None where it is not about one judge
    reason: str


@dataclass(frozen=True)
class StageFacts:
    """Where and how one stage of the run was done."""

    python: str = ""
    packages: dict[str, str] = field(default_factory=dict)  # version by name
    commit: str | None = None  # of the checkout of v2f-bench; None where it is installed, not checked out
    dirty: bool | None = None  # whether that checkout had changes
    platform: str = ""
    processor: str = ""
    threads: int = 0
    device: str = ""  # its name
    devices: int = 1  # that trained together
    precision: str = "float32"  # of training
    seconds: float = 0.0
    resumed: bool = False  # whether it went on from what a killed attempt left
    peak_memory_mib: int = 0
    finished: str = ""  # time, ISO 8601

    @property
    def device_kind(self) -> str:
        """ "cpu", "mps", or "cuda" for any graphics card of that kind."""
        return self.device if self.device in ("", "cpu", "mps") else "cuda"


@dataclass(frozen=True)
class Record:
    """A run: one method with one set of options, on one protocol, with one seed."""

    schema: int  # version of this layout
    run: str  # run id: the seed, and the first digits of a key of all that the run depends on
    method: MethodFacts
    core: CoreFacts
    answers: list[str]  # needs of the method that only the true answer could meet: its results are no achievement
    options: dict[str, Any]  # of the method, as run
    preset: str  # that the options started from
    dataset: DatasetFacts
    protocol: ProtocolFacts
    applicable: int  # trials that bring all that the method needs; the others are not part of any number
    seed: int
    judges: list[JudgeFacts]
    judges_missing: list[MissingJudge]
    failures: dict[str, int]  # how many applicable trials have no face that can be judged, by reason
    results: list[Result]
    unavailable: list[Unavailable]
    circumstances: dict[str, StageFacts]  # by stage: checkpoint, faces, scores; record: when it was last written
    human: list[HumanNumber] = field(default_factory=list)  # by measure and study; each once
    facts: list[Fact] = field(default_factory=list)  # what the method found out about its parts while it learned

    def judge(self, name: str) -> JudgeFacts:
        """The facts of a judge that scored. KeyError for another."""
        for judge in self.judges:
            if judge.name == name:
                return judge
        raise KeyError(name)

    def result(self, measure: str, judge: str) -> Result | None:
        """The number of a measure by a judge; None where there is none."""
        return self._by_name.get((measure, judge))

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], Result]:
        return {(one.measure, one.judge): one for one in reversed(self.results)}

    @property
    def training(self) -> StageFacts:
        """Where it was trained; empty facts for pictures made elsewhere."""
        return self.circumstances.get("checkpoint", StageFacts())
