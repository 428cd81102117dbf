"""A study on disk: what is given out, and the key, which is not.

DIR/site/           the page, its sounds and pictures: give this out, or let `study serve` do it
DIR/key.json        what every question shows, and which answer is right: keep it to yourself
DIR/raters.csv      a code and a link for each rater
DIR/recruit/        tables in the forms of Prolific and Mechanical Turk, where --url was given
DIR/answers.sqlite  what `study serve` has received
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from v2f_bench.hashing import canonical_json, key_of
from v2f_bench.interfaces import DataError, NotNegative, Share
from v2f_bench.interfaces.options import Range
from v2f_bench.study.designs import Modality

SITE, KEY, PUBLIC, PAGE = "site", "key.json", "study.json", "index.html"
RATERS, RECRUIT, DATABASE, RESULTS = "raters.csv", "recruit", "answers.sqlite", "study-results.json"
FORMAT, VERSION = "v2f-bench study", 1
Side = Literal["left", "right", ""]


@dataclass(frozen=True)
class Rules:
    """Which raters are left out; fixed when the study is exported. A rater is left out who ...

    max_failed_checks: failed more attention checks than this;
    min_median_seconds: answered in less than this, in the median;
    max_same_answer: gave one and the same answer to more than this share of 20 questions or more;
    min_answered: answered less than this share of the questions.
    """

    max_failed_checks: Annotated[int, Range(least=0)] = 1
    min_median_seconds: NotNegative = 0.6
    max_same_answer: Share = 0.95
    min_answered: Share = 0.5


@dataclass(frozen=True)
class Question:
    """One question of one list, as the key has it."""

    trial: str  # its neutral name
    kind: Literal["method", "real", "floor", "check"]
    method: str  # a run's label, or what stands in its place (see designs.py)
    against: str  # the other method of a pair, or ""
    variant: str  # of one condition that is asked in two ways
    item: str  # the protocol's trial
    first: Side  # where the picture asked about is; "" where there is one picture or none
    right: str  # the right answer, or "" where there is none


@dataclass(frozen=True)
class StudiedMethod:
    """A run whose faces are shown."""

    name: str
    run: str
    seed: int
    folder: str  # its whole path
    faces: str  # sha256 of its pictures (`artefacts.Faces.content`)
    expected: int  # trials that it should have a face for
    missing: tuple[str, ...]  # ... and has not


@dataclass(frozen=True)
class Key:
    """All that a study hides from its raters, and all that scoring needs."""

    study: str  # its id, which stands in every answer file too
    design: str
    measure: str
    modality: Modality
    track: str
    seed: int
    dataset: str
    licence: str
    may_be_shown: str
    responsible: str  # who took responsibility for showing the data set's people; "" where its card allows it
    protocol: Mapping[str, str]  # name and hash
    methods: Mapping[str, StudiedMethod]  # by label
    items: Mapping[str, Mapping[str, str]]  # of each trial: speaker, and the speaker's labels
    answers: tuple[str, ...]
    chance: float
    failed: float  # what a trial without a face counts as
    rules: Rules
    completion_code: str
    lists: tuple[tuple[Question, ...], ...]

    @cached_property
    def questions(self) -> dict[str, tuple[int, Question]]:
        """The list (from 1) and the question of each trial."""
        return {q.trial: (number, q) for number, each in enumerate(self.lists, 1) for q in each}

    def to_json(self) -> str:
        return canonical_json({"format": f"{FORMAT} key", "version": VERSION, **_as_dict(self)})


def _as_dict(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def study_id(public: Mapping[str, Any]) -> str:
    """The id of a study whose page shows this."""
    return key_of(FORMAT, VERSION, public)


def read_key(study: Path) -> Key:
    """The key of the study in a folder.

    Raises:
        DataError: there is none, it cannot be read, or it is not the one that the page was made with.
    """
    path, public = study / KEY, study / SITE / PUBLIC
    if not path.is_file():
        raise DataError(f"{study}: no study here (no {KEY}); `v2f-bench study export` makes one")
    try:
        content = json.loads(path.read_bytes())
        promised = json.loads(public.read_bytes())["key"]
        if (content.pop("format"), content.pop("version")) != (f"{FORMAT} key", VERSION):
            raise ValueError("of another version")
        content["methods"] = {
            label: StudiedMethod(**{**method, "missing": tuple(method["missing"])})
            for label, method in content["methods"].items()
        }
        content["rules"] = Rules(**content["rules"])
        content["lists"] = tuple(tuple(Question(**each) for each in questions) for questions in content["lists"])
        content["answers"] = tuple(content["answers"])
        key = Key(**content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: not readable as the key of a study ({error})") from None
    if hashlib.sha256(path.read_bytes()).hexdigest() != promised:
        raise DataError(f"{path}: not the key that {public} was made with: it was changed after the export")
    return key
