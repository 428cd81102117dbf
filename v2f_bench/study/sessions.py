"""A rater's session: what of it is kept, its checksum and its completion code."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")  # of raters, sessions, and recruiting services' numbers
PARAMETERS = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID", "workerId", "assignmentId", "hitId")
MOST_MS, MOST_PLAYS = 10**8, 10**5  # beyond these no answer was given by a person


@dataclass(frozen=True)
class Answer:
    """One answer: to which trial, after how many milliseconds, and how often the sound was played."""

    trial: str
    answer: str
    ms: int
    plays: int


@dataclass(frozen=True)
class Session:
    """One rater's answers to one list, in their order. `source`: the file that they come from."""

    source: str
    session: str
    rater: str
    list: int
    answers: tuple[Answer, ...]
    platform: Mapping[str, str] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return sum(each.ms for each in self.answers) / 1000


def checksum(study: str, session: Session) -> str:
    """CRC-32 of a session, eight hexadecimal digits; assets/checksum.js computes the same."""
    return f"{zlib.crc32(_text(study, session).encode()):08x}"


def completion_code(study: str, session: Session) -> str:
    """What the page shows at the end where the study has no code of its own."""
    return f"{zlib.crc32((_text(study, session) + chr(10) + 'done').encode()):08X}"


def _text(study: str, session: Session) -> str:
    answers = (f"{each.trial} {each.answer} {each.ms} {each.plays}" for each in session.answers)
    platform = " ".join(f"{name}={session.platform[name]}" for name in sorted(session.platform))
    return "\n".join([study, session.session, session.rater, platform, str(session.list), *answers])
