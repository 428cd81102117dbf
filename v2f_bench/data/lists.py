"""Published lists of voice–face questions, as DIMNet and its followers distribute them.

There are two formats. A *matching* list is separated by blanks: `id10270/5r0dWxy17C8/00019.wav Name/00000558.jpg
Other/00000233.jpg ...`. The first face is the speaker's. With more than ten faces, each line is also a gallery for
retrieval. A *verification* list is separated by commas: `id, voice speaker, face speaker, label, voice path, face
path`. The label is 1 if both are one person, else 0. A first line that names these columns is a heading. A path without
its suffix is the name of a clip of the data set.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import pandas as pd

from v2f_bench.interfaces import DataError
from v2f_bench.media.text import read_text

VERIFICATION_FIELDS = 6


@dataclass(frozen=True)
class Question:
    """A voice, faces (both by the name of their clip), whether each face is the speaker's, and the line in the list."""

    voice: str
    faces: tuple[str, ...]
    same: tuple[bool, ...]
    line: int


@dataclass(frozen=True, eq=False)
class QuestionList:
    """A list, read from a file. `questions` are in its order."""

    path: Path
    task: Literal["matching", "verification"]
    questions: list[Question]
    sha256: str  # of the text, with any line ends: the same on every machine

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def repeated(self) -> int:
        """The number of questions that repeat an earlier one. They count as often as they are in the list."""
        asked = {(question.voice, question.faces, question.same) for question in self.questions}
        return len(self.questions) - len(asked)

    def by_originals(self, copies: Mapping[tuple[str, str], str]) -> QuestionList:
        """The list with each voice and face that was left out as a copy replaced by its original.

        Args:
            copies: by part ("voice", "face") and clip, the clip of the original (see `Store.copies`).
        """
        questions = [
            replace(
                question,
                voice=copies.get(("voice", question.voice), question.voice),
                faces=tuple(copies.get(("face", face), face) for face in question.faces),
            )
            for question in self.questions
        ]
        return replace(self, questions=questions)

    def over(self, clips: pd.DataFrame, test: Sequence[str]) -> tuple[list[Question], dict[str, int]]:
        """The questions that can be asked of a data set, and how many cannot, by reason.

        Args:
            clips: the data set's table of clips, by name.
            test: the clips of the test split.

        Raises:
            DataError: list and data set disagree whether a voice and a face are of one person; or no question can be
                asked.
        """
        speaker = clips["speaker"].to_dict()
        voices, faces, tested = set(clips.index[clips["voice"]]), set(clips.index[clips["face"]]), set(test)
        usable: list[Question] = []
        left_out: Counter[str] = Counter()
        for question in self.questions:
            if question.voice not in voices:
                left_out["its voice is not in the data set"] += 1
            elif not faces.issuperset(question.faces):
                left_out["a face is not in the data set"] += 1
            elif not tested.issuperset((question.voice, *question.faces)):
                left_out["it is about people outside the test split"] += 1
            else:
                same = tuple(speaker[face] == speaker[question.voice] for face in question.faces)
                if same != question.same:
                    raise DataError(
                        f"{self.path}, line {question.line}: list and data set disagree whether these are one person"
                    )
                usable.append(question)
        if not usable:
            reasons = "; ".join(f"{reason} ({count})" for reason, count in left_out.items()) or "it is empty"
            raise DataError(f"{self.path}: no question can be asked of this data set: {reasons}")
        return usable, dict(left_out)

    def description(self, usable: list[Question], left_out: dict[str, int], trial_of: dict[str, str]) -> dict[str, Any]:
        """The list as a protocol keeps it, given the trial of each voice."""
        return {
            "name": self.name,
            "task": self.task,
            "sha256": self.sha256,
            "left_out": left_out,
            "questions": [
                {"trial": trial_of[question.voice], "faces": list(question.faces), "same": list(question.same)}
                for question in usable
            ],
        }


def read_list(path: Path) -> QuestionList:
    """Read a list file. A comma in its first line shows that it is a verification list.

    Raises:
        DataError: the file cannot be read, or a line is in neither format; names the line.
    """
    text = read_text(path, "a list")
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), start=1)]
    lines = [(number, line) for number, line in lines if line]
    if not lines:
        raise DataError(f"{path}: the list is empty")
    sha256 = hashlib.sha256("".join(f"{line}\n" for _, line in lines).encode()).hexdigest()
    if "," in lines[0][1]:
        return QuestionList(path, "verification", list(_verification(path, lines)), sha256)
    return QuestionList(path, "matching", list(_matching(path, lines)), sha256)


def _matching(path: Path, lines: list[tuple[int, str]]) -> Iterator[Question]:
    choices = len(lines[0][1].split()) - 1
    for number, line in lines:
        voice, *faces = (_clip(part, path, number) for part in line.split())
        if len(faces) != choices or choices < 2:
            raise DataError(f"{path}, line {number}: not a voice and {max(choices, 2)} faces with blanks between")
        yield Question(voice, tuple(faces), (True,) + (False,) * (choices - 1), number)


def _verification(path: Path, lines: list[tuple[int, str]]) -> Iterator[Question]:
    for place, (number, line) in enumerate(lines):
        try:
            cells = [cell.strip() for cell in next(csv.reader([line], skipinitialspace=True), [])]
        except csv.Error as error:
            raise DataError(f"{path}, line {number}: {error}") from None
        if len(cells) == VERIFICATION_FIELDS and cells[3] in ("0", "1"):
            voice, face = (_clip(part, path, number) for part in cells[4:])
            yield Question(voice, (face,), (cells[3] == "1",), number)
        elif place > 0 or not _is_heading(cells):
            raise DataError(f"{path}, line {number}: not `id, voice speaker, face speaker, 0 or 1, voice, face`")


def _is_heading(cells: Sequence[str]) -> bool:
    """Whether cells name the columns. Numbers or paths belong to a question."""
    return not any(re.search(r"[/\\]|\.\w+$|^[\d.]+$", cell) for cell in cells)


def _clip(path: str, list_file: Path, line: int) -> str:
    clip = PurePosixPath(path.replace("\\", "/"))
    if not clip.name or ".." in clip.parts:
        raise DataError(f"{list_file}, line {line}: {path!r} is no path of a clip")
    return str(clip.with_suffix(""))
