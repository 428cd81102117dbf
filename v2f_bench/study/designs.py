"""The designs: what each kind of question shows, which answers it takes, and what number the answers make.

A *condition* is what a question is about: a method's face, the real photograph (the calibration row), or a floor that
must score at chance or worse. Questions about each condition are spread evenly over items, raters and sides.

* `match-2afc`: a voice and two faces of one sex: which belongs to it? A method's face for this voice stands against the
  same method's face for another speaker's voice (Liang et al. 2020, section 4.3: 72 % for the CAE); calibration are two
  photographs (there 89 %); the floor two faces of training speakers.
* `which-method`: one voice and the faces that two methods made for it.
* `name-emotion`: a face, a voice or a film: which emotion? The floor is the unchanged source face.
* `same-person`: a face and a photograph of the speaker, or of another one of the same sex: the same person?
* `realism`: a photograph or computer-made? Half of the questions show photographs. The number is that of HYPE-infinity
  (Zhou et al. 2019): the mean of the shares of made faces taken for real and of photographs taken for made; .50 is
  indistinguishable. There, at 64 px: StyleGAN .507, ProGAN .403, BEGAN .100. The floor is the mean of eight faces.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from v2f_bench.interfaces import UsageError
from v2f_bench.interfaces.labels import EMOTIONS
from v2f_bench.interfaces.options import did_you_mean
from v2f_bench.study.items import Item

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["method", "real", "floor"]
Modality = Literal["face", "voice", "film"]
REAL, FLOOR, VOICE = "real photo", "floor", "real voice"  # what stands in the place of a method


@dataclass(frozen=True)
class Picture:
    """Where a picture comes from: `source` is a run's label, "clip" or "blend"; `name` its trial, clip or number."""

    source: str
    name: str


@dataclass(frozen=True)
class Condition:
    """What a question is about. `weight`: how often it is asked compared with the other conditions."""

    kind: Kind
    method: str  # a run's label, or one of REAL, FLOOR and VOICE
    against: str = ""  # the other method of a pair
    variant: str = ""  # of one condition that is asked in two ways
    weight: float = 1.0


@dataclass(frozen=True)
class Part:
    """One of the means that make a method's number, which is their sum by `weight`.

    method, name: whose faces it is about, and which of its means it is.
    scores: of each answer, float [n]; NaN for an answer that is not in this mean.
    """

    method: str
    name: str
    scores: np.ndarray
    weight: float = 1.0


class Design(ABC):
    """One kind of question.

    Attributes (of the class, or set by its `__init__`):
        measure: the name of its number; more is better.
        tracks: on which it means something.
        sides: whether the answers are sides of the screen: "left" and "right", perhaps "equal".
        failed: what a trial without a face counts as, in the measure; None: chance.
        modalities: what it can show.
        question: as the rater reads it.
        answers: value and label of each possible answer.
        chance: what guessing scores.
        hears: whether a voice is played.
    """

    name: ClassVar[str]
    measure: ClassVar[str]
    summary: ClassVar[str]
    tracks: ClassVar[frozenset[str]] = frozenset({"identity", "emotion"})
    sides: ClassVar[bool] = False
    failed: ClassVar[float | None] = None
    modalities: ClassVar[tuple[Modality, ...]] = ("face",)
    question: str
    answers: Mapping[str, str]
    chance: float = 0.5
    hears: bool = False

    def __init__(self, track: str, emotions: Collection[str] = (), modality: Modality = "face") -> None:
        """`emotions`: those that the protocol's trials have. UsageError where the design does not fit the track."""
        if track not in self.tracks:
            fitting = [design.name for design in DESIGNS.values() if track in design.tracks]
            raise UsageError(f"{self.name} is not for the {track} track; there is: {', '.join(fitting)}")
        if modality not in self.modalities:
            raise UsageError(f"{self.name} shows a {' or '.join(self.modalities)}, not a {modality}")
        self.track = track
        self.modality = modality

    def conditions(self, methods: Sequence[str]) -> list[Condition]:
        return [Condition("method", method) for method in methods]

    def anchors(self, methods: Sequence[str]) -> list[Condition]:
        """The conditions of the questions that every session has beside those about methods."""
        return [Condition("real", REAL), Condition("floor", FLOOR)]

    def fits(self, condition: Condition, item: Item) -> bool:
        """Whether there is such a question about the item."""
        return True

    @abstractmethod
    def shows(self, condition: Condition, item: Item, other: Item) -> tuple[Picture, ...]:
        """The pictures; of two, the first is the one asked about. `other` is the item's other."""

    def right(self, condition: Condition, item: Item) -> str:
        """The right answer, where it is not a side; "" where there is none."""
        return ""

    @classmethod
    def parts(cls, answers: pd.DataFrame, method: str, rivals: Sequence[str]) -> list[Part]:
        """What makes a method's number, from the answers to all questions: here the share of right ones.

        Args:
            answers: see `scoring.answer_table`.
            rivals: the other methods that it was compared with, in a design of pairs.
        """
        right = (answers["answer"] == answers["right"]).to_numpy(float)
        return [Part(method, "right", np.where(answers["method"] == method, right, np.nan))]

    @classmethod
    def calibration(cls, answers: pd.DataFrame) -> list[Part]:
        """The number of real photographs."""
        return cls.parts(answers, REAL, [])

    @classmethod
    def floor(cls, answers: pd.DataFrame, methods: Sequence[str]) -> list[Part]:
        """The number of the floor."""
        return cls.parts(answers, FLOOR, methods)

    def face(self, method: str, item: Item) -> Picture:
        """A method's face for an item, or what stands in its place."""
        if method == REAL:
            return Picture("clip", item.real_photo or item.target)
        if method == FLOOR:
            return Picture("clip", item.proposal if self.track == "emotion" else item.random_face)
        return Picture(method, item.trial)


class Match(Design):
    name = "match-2afc"
    measure = "human-match"
    summary = "a voice and two faces of one sex: which one belongs to it?"
    tracks = frozenset({"identity"})
    sides = True
    hears = True
    question = "Which of these two faces belongs to the voice?"
    answers: Mapping[str, str] = {"left": "Left", "right": "Right"}

    def shows(self, condition: Condition, item: Item, other: Item) -> tuple[Picture, ...]:
        return self.face(condition.method, item), self.face(condition.method, other)


class WhichMethod(Design):
    name = "which-method"
    measure = "human-preference"
    summary = "a voice and the faces that two methods made for it: which one fits better?"
    sides = True
    failed = 0.0
    hears = True
    answers: Mapping[str, str] = {"left": "Left", "equal": "Both the same", "right": "Right"}

    def __init__(self, track: str, emotions: Collection[str] = (), modality: Modality = "face") -> None:
        super().__init__(track, emotions, modality)
        what = "the feeling in the voice" if track == "emotion" else "the voice"
        self.question = f"Which of these two faces fits {what} better?"

    def conditions(self, methods: Sequence[str]) -> list[Condition]:
        if len(methods) < 2:
            raise UsageError("which-method compares methods: give two or more runs")
        return [Condition("method", first, second) for first, second in combinations(methods, 2)]

    def anchors(self, methods: Sequence[str]) -> list[Condition]:
        real = [Condition("real", REAL, method) for method in methods]
        return [Condition("real", REAL, FLOOR, weight=len(methods)), *real] + [
            Condition("floor", FLOOR, method) for method in methods
        ]

    def shows(self, condition: Condition, item: Item, other: Item) -> tuple[Picture, ...]:
        return self.face(condition.method, item), self.face(condition.against, item)

    @classmethod
    def parts(cls, answers: pd.DataFrame, method: str, rivals: Sequence[str]) -> list[Part]:
        """How often it is preferred to each rival, a tie counting half; every rival has the same weight."""
        score = np.where(answers["answer"] == "equal", 0.5, (answers["answer"] == answers["first"]).to_numpy(float))
        parts = []
        for rival in rivals:
            ahead = ((answers["method"] == method) & (answers["against"] == rival)).to_numpy()
            behind = ((answers["method"] == rival) & (answers["against"] == method)).to_numpy()
            scores = np.where(ahead, score, np.where(behind, 1 - score, np.nan))
            parts.append(Part(method, rival, scores, 1 / len(rivals)))
        return parts

    @classmethod
    def calibration(cls, answers: pd.DataFrame) -> list[Part]:
        """How often a real photograph is preferred to the floor."""
        return cls.parts(answers, REAL, [FLOOR])


class NameEmotion(Design):
    name = "name-emotion"
    measure = "human-emotion"
    summary = "a face, a voice or a film: which emotion does it show?"
    tracks = frozenset({"emotion"})
    modalities = ("face", "voice", "film")

    def __init__(self, track: str, emotions: Collection[str] = (), modality: Modality = "face") -> None:
        super().__init__(track, emotions, modality)
        if len({*emotions} - {""}) < 2:
            raise UsageError(f"{self.name} needs trials of two emotions or more; there is: {', '.join(emotions)}")
        offered = {*emotions, "neutral"} - {""}  # which is what the unchanged source face shows
        names = [name for name in EMOTIONS if name in offered] + sorted(offered - set(EMOTIONS))
        expresses = {"face": "face show", "voice": "voice express", "film": "person express"}[modality]
        self.question = f"Which emotion does this {expresses}?"
        self.answers = {emotion: emotion.capitalize() for emotion in names}
        self.chance = 1 / len(names)
        self.hears = modality != "face"

    def conditions(self, methods: Sequence[str]) -> list[Condition]:
        return [Condition("method", VOICE)] if self.modality == "voice" else super().conditions(methods)

    def anchors(self, methods: Sequence[str]) -> list[Condition]:
        return [] if self.modality == "voice" else super().anchors(methods)

    def fits(self, condition: Condition, item: Item) -> bool:
        return item.emotion != ""

    def shows(self, condition: Condition, item: Item, other: Item) -> tuple[Picture, ...]:
        return () if self.modality == "voice" else (self.face(condition.method, item),)

    def right(self, condition: Condition, item: Item) -> str:
        return item.emotion


class SamePerson(Design):
    name = "same-person"
    measure = "human-same-person"
    summary = "a face and a photograph of the speaker or of another one: the same person?"
    question = "Do these two pictures show the same person?"
    answers: Mapping[str, str] = {"same": "Same person", "different": "Different people"}

    def conditions(self, methods: Sequence[str]) -> list[Condition]:
        return [Condition("method", method, variant=variant) for method in methods for variant in self.answers]

    def anchors(self, methods: Sequence[str]) -> list[Condition]:
        anchors = super().anchors(methods)
        return [Condition(each.kind, each.method, variant=variant) for each in anchors for variant in self.answers]

    def fits(self, condition: Condition, item: Item) -> bool:
        # Of one photograph alone no pair can be made.
        return condition.kind != "real" or self.face(REAL, item) != self._photograph(item)

    def shows(self, condition: Condition, item: Item, other: Item) -> tuple[Picture, ...]:
        face = self.face(condition.method, item)
        if condition.kind == "floor":
            face = Picture("clip", item.random_face)
        return face, self._photograph(item if condition.variant == "same" else other)

    def right(self, condition: Condition, item: Item) -> str:
        return condition.variant

    @classmethod
    def parts(cls, answers: pd.DataFrame, method: str, rivals: Sequence[str]) -> list[Part]:
        """The share of right answers, pairs of one person and of two with the same weight."""
        (everything,) = super().parts(answers, method, rivals)
        return [
            Part(method, variant, np.where(answers["variant"] == variant, everything.scores, np.nan), 0.5)
            for variant in ("same", "different")
        ]

    def _photograph(self, item: Item) -> Picture:
        """The speaker's: in the emotion track the neutral source face, which method and rater both know."""
        return Picture("clip", item.proposal if self.track == "emotion" else item.target)


class Realism(Design):
    name = "realism"
    measure = "human-realism"
    summary = "a photograph or computer-made? (HYPE)"
    failed = 0.0
    question = "Is this a photograph of a real person, or was it made by a computer?"
    answers: Mapping[str, str] = {"real": "Real photograph", "made": "Made by a computer"}

    def conditions(self, methods: Sequence[str]) -> list[Condition]:
        return [*super().conditions(methods), Condition("real", REAL, weight=len(methods))]

    def shows(self, condition: Condition, item: Item, other: Item) -> tuple[Picture, ...]:
        if condition.kind == "floor":
            return (Picture("blend", item.trial),)
        return (self.face(condition.method, item),)

    def right(self, condition: Condition, item: Item) -> str:
        return "real" if condition.kind == "real" else "made"

    @classmethod
    def parts(cls, answers: pd.DataFrame, method: str, rivals: Sequence[str]) -> list[Part]:
        """The share of its faces taken for real, and that of photographs taken for made, with the same weight."""
        wrong = (answers["answer"] != answers["right"]).to_numpy(float)
        return [Part(each, "wrong", np.where(answers["method"] == each, wrong, np.nan), 0.5) for each in (method, REAL)]

    @classmethod
    def calibration(cls, answers: pd.DataFrame) -> list[Part]:
        """The share of photographs taken for real."""
        return super().parts(answers, REAL, [])


DESIGNS: Mapping[str, type[Design]] = {
    design.name: design for design in (Match, WhichMethod, NameEmotion, SamePerson, Realism)
}


def design_named(name: str) -> type[Design]:
    """UsageError for a name that there is not."""
    if name not in DESIGNS:
        raise UsageError(f"there is no design {name!r}{did_you_mean(name, DESIGNS)} There is: {', '.join(DESIGNS)}.")
    return DESIGNS[name]
