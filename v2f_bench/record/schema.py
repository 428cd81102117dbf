"""The record of a run, typed. Each field is explained where it is defined; `Record`, at the end, holds all others.

A number that is not defined is None (null in JSON): no file holds NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from v2f_bench.interfaces import Fact

SCHEMA = 2  # see `upgrade.py` for what was different in schema 1
ELSEWHERE = "pictures made elsewhere"  # `MethodFacts.distribution` where no installed package made the faces


def number_or_none(number: float) -> float | None:
    """A number as a record keeps it: None where it is NaN or infinite."""
    return float(number) if math.isfinite(number) else None


@dataclass(frozen=True)
class MethodFacts:
    """What made the faces."""

    name: str
    distribution: str  # the installed package that the method is from, or `ELSEWHERE`
    version: str  # of that package
    source_hash: str  # of its code, and of the packages that this imports (see `sources.py`)
    summary: str
    source: str  # the publication it follows
    needs: list[str]  # what it was given for each trial
    baseline: bool  # whether it is in every table, as a floor, a ceiling or a simple method
    trained_with: list[str]  # pretrained networks that its training used, as judges name them


@dataclass(frozen=True)
class CoreFacts:
    """The version of v2f-bench that made the record."""

    version: str
    learning: str  # hash of the code that every training depends on (see `keys.py`)
    scoring: str  # hash of the code that scored, judges and metrics included


@dataclass(frozen=True)
class DatasetFacts:
    """The data that were used."""

    name: str
    version: str
    options: dict[str, Any]
    licence: str
    consent: str  # what the people in it agreed to
    clips: int  # used
    left_out: int  # could not be used
    content: str  # sha256 of labels, voices and faces, as decoded
    labels: dict[str, dict[str, str]] = field(default_factory=dict)  # label: the data set's own word: the shared one
    human: dict[str, dict[str, float]] = field(default_factory=dict)  # how often people recognise its emotions
    human_source: str = ""  # who measured that, and how
    origin: str = ""  # who made it, and where it is described
    # Whether faces and voices of its people may be shown to raters of a study, by its card.
    may_be_shown: Literal["yes", "no", "not stated"] = "not stated"


@dataclass(frozen=True)
class SplitFacts:
    clips: int
    speakers: int


@dataclass(frozen=True)
class ProtocolFacts:
    """The protocol of the run. Only runs with the same `hash` are ranked together."""

    name: str
    track: str
    hash: str
    sample_rate: int  # Hz
    resolution: int  # pixels a side
    face_check: str  # the detector that decides whether a picture shows a face; "none" without a face check
    gallery: int  # faces
    trials: int
    speakers: int  # of the trials' voices
    splits: dict[str, SplitFacts]


@dataclass(frozen=True)
class JudgeFacts:
    """A judge that scored."""

    name: str
    version: str
    kind: str
    sha256: str  # of its weights; "" for a judge without a file of its own
    people: str  # the people that it was trained on, in words
    licence: str
    quality: dict[str, Any]  # how good it is itself, on real faces of test speakers
    independent: bool | None  # of the method's training and of the test speakers; None: not known
    not_independent_because: str  # the reason, unless `independent` is True


@dataclass(frozen=True)
class MissingJudge:
    """A judge that was not available, or that crashed, and why."""

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

    metric: str  # name of the plugin
    measure: str  # name of the number
    judge: str
    value: float | None
    low: float | None  # ends of the 95 % interval over speakers
    high: float | None
    n: int  # trials that it is computed from, including failed faces that count by the metric's policy
    expected: int  # trials that apply to the method
    failed: int  # trials of `expected` whose face is missing or could not be judged
    speakers: int  # of the n trials
    floor: float | None  # the same measure for the faces that `floor_is` names, on the trials that apply
    floor_is: str  # a role (see `interfaces.metric.ROLES`); "chance" where the value of guessing is known exactly
    ceiling: float | None  # the same measure for the faces that `ceiling_is` names, on the trials that have such a face
    ceiling_is: str  # a role
    ceiling_n: int  # trials that the ceiling is computed from
    aggregate: Literal["mean", "median"] | None  # of the per-trial values; None for a statistic of all trials
    better: Literal["higher", "lower", "neither"]
    unit: str
    failure_policy: str  # what a failed face costs
    headline: bool  # whether it is shown in short tables
    slices: list[Slice]
    details: dict[str, Any] | None  # more than a number, for example a confusion matrix


@dataclass(frozen=True)
class HumanEstimate:
    """A number computed from people's answers."""

    value: float | None
    low: float | None  # ends of the 95 % interval over raters and items together
    high: float | None
    n: int  # answers
    raters: int
    items: int  # speakers


@dataclass(frozen=True)
class HumanNumber:
    """What the raters of one study answered about the run's faces."""

    measure: str  # "human-..."
    means: str  # what it measures, in words
    study: str  # id of the study: only numbers of one study are compared
    estimate: HumanEstimate
    chance: float
    p_chance: float | None  # p-value of the value being `chance`, corrected for the number of methods
    expected: int  # trials that should have a face
    missing: int  # trials of `expected` without a face: they count as the study says
    calibration: HumanEstimate | None  # the same for real photographs; None where the design shows none
    floor: HumanEstimate | None  # the same for pictures that should score badly; None where the design shows none
    responsible: str  # who took responsibility for showing the data set's people; "" where its card allows it
    faces: str  # sha256 of the pictures that were shown (`artefacts.Faces.content`)


@dataclass(frozen=True)
class Unavailable:
    """A measure, or a whole metric, without a number."""

    metric: str
    measure: str  # the metric's name where all its measures are missing
    judge: str | None  # None where all judges are concerned
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
    resumed: bool = False  # whether it continued what a killed attempt had begun
    peak_memory_mib: int = 0
    finished: str = ""  # time, ISO 8601

    @property
    def device_kind(self) -> str:
        """ "cpu", "mps", or "cuda" for any graphics card of that kind."""
        return self.device if self.device in ("", "cpu", "mps") else "cuda"


@dataclass(frozen=True)
class Record:
    """A run: one method with one set of options, on one protocol, with one seed."""

    schema: int  # version of these fields
    run: str  # run id: the seed, and the first digits of the run's key (see `keys.py`)
    method: MethodFacts
    core: CoreFacts
    answers: list[str]  # of the method's needs, those that are part of the true answer; such a run is marked
    options: dict[str, Any]  # of the method, as run
    preset: str  # the one that the options are based on
    dataset: DatasetFacts
    protocol: ProtocolFacts
    applicable: int  # trials that have all that the method needs; the others are not part of any number
    seed: int
    judges: list[JudgeFacts]
    judges_missing: list[MissingJudge]
    failures: dict[str, int]  # how many applicable trials have no face that can be judged, by reason
    results: list[Result]
    unavailable: list[Unavailable]
    circumstances: dict[str, StageFacts]  # by stage: checkpoint, faces, scores; "record": when it was last written
    human: list[HumanNumber] = field(default_factory=list)  # one for each measure and study, sorted by these
    facts: list[Fact] = field(default_factory=list)  # what the method measured of its own parts in `fit`

    def judge(self, name: str) -> JudgeFacts:
        """The facts of a judge that scored. KeyError for any other name."""
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
        """The facts of the training; empty for pictures made elsewhere."""
        return self.circumstances.get("checkpoint", StageFacts())
