"""Answers read back: from downloaded files, folders of them, and the data base of `study serve`.

A file is taken whole or refused whole, with its name and the reason; the others are scored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from v2f_bench.interfaces import DataError, UsageError
from v2f_bench.study.database import Database
from v2f_bench.study.folder import Key
from v2f_bench.study.sessions import CODE, MOST_MS, MOST_PLAYS, PARAMETERS, Answer, Session, checksum

FORMAT, VERSION = "v2f-bench study answers", 1
MOST_BYTES = 2**20  # of an answer file; a thousand answers take a tenth of it
DATABASES = {".sqlite", ".sqlite3", ".db"}
KEYS = {"format", "version", "study", "session", "rater", "platform", "list", "answers", "checksum"}
ANSWER_KEYS = {"trial", "answer", "ms", "plays"}


@dataclass(frozen=True)
class Refused:
    """A file (or a session of a data base) that is not scored, and why."""

    source: str
    reason: str


def read_answers(paths: Sequence[Path], key: Key) -> tuple[list[Session], list[Refused]]:
    """The sessions in files, folders and data bases, and what was refused.

    Of two copies of one session, the one with more answers counts; sessions of one rater that are not copies of each
    other are refused but for the first by name.

    Raises:
        UsageError: a path is not there, or there is no answer file.
    """
    sessions: list[Session] = []
    refused: list[Refused] = []
    files = _files(paths)
    for path in files:
        try:
            in_order = path.suffix not in DATABASES
            sessions_of_file = [_read_file(path, key)] if in_order else _read_database(path, key)
        except DataError as error:
            refused.append(Refused(str(path), str(error)))
            continue
        for session in sessions_of_file:
            try:
                _check(session, key, in_order)
                sessions.append(session)
            except DataError as error:
                refused.append(Refused(f"{path}: session {session.session}", str(error)))
    kept, repeated = _without_repeats(sessions)
    return kept, refused + repeated


def _files(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(
                p for p in path.iterdir() if p.suffix in DATABASES | {".json"} and not p.name.startswith(".")
            )
        elif path.exists():
            files.append(path)
        else:
            raise UsageError(f"{path}: no such file")
    if not files:
        raise UsageError(f"no answers in {', '.join(map(str, paths))}: .json files, or the data base of `study serve`")
    return list(dict.fromkeys(files))


def _read_database(path: Path, key: Key) -> list[Session]:
    return [session for session in Database(path, key.study).sessions() if session.answers]


def _read_file(path: Path, key: Key) -> Session:
    """The session in a file. DataError, without the file's name, where it is not one that the page wrote."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise DataError(f"too large: {size:,} bytes, where a session has some thousand")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not readable as JSON ({error})") from None
    except OSError as error:
        raise DataError(f"not readable ({error.strerror})") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError("not an answer file of a study")
    if content.get("version") != VERSION:
        raise DataError(
            f"an answer file of version {content.get('version')}; this version of v2f-bench reads {VERSION}"
        )
    if content.get("study") != key.study:
        raise DataError(f"of another study: {content.get('study')}, not {key.study}")
    if set(content) != KEYS:
        odd = ", ".join(sorted(map(str, set(content) ^ KEYS)))
        raise DataError(f"has keys too many or too few ({odd}): cut off, or edited by hand")
    session = _session(path, content)
    if content["checksum"] != checksum(key.study, session):
        raise DataError("does not match its own checksum: damaged, or edited by hand")
    return session


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _session(path: Path, content: dict[str, Any]) -> Session:
    platform, answers = content["platform"], content["answers"]
    if not isinstance(platform, dict) or not all(
        map(_is_code, (content["session"], content["rater"], *platform.values()))
    ):
        raise DataError("its rater's or session's name has another form: edited by hand")
    if set(platform) - set(PARAMETERS):
        raise DataError("its recruiting service is not known: edited by hand")
    if type(content["list"]) is not int or not isinstance(answers, list):
        raise DataError("its list or answers have another form: edited by hand")
    if not all(isinstance(each, dict) and set(each) == ANSWER_KEYS for each in answers):
        raise DataError("an answer in it has another form: edited by hand")
    given = tuple(Answer(**each) for each in answers)
    return Session(str(path), content["session"], content["rater"], content["list"], given, platform)


def _check(session: Session, key: Key, in_order: bool) -> None:
    """DataError where a session cannot have come from the study's page, which asks `in_order`."""
    if not 1 <= session.list <= len(key.lists):
        raise DataError(f"of list {session.list}, but there are only lists 1 to {len(key.lists)}")
    expected = [question.trial for question in key.lists[session.list - 1]]
    given = [answer.trial for answer in session.answers]
    if not given:
        raise DataError("holds no answer")
    if len(set(map(str, given))) < len(given):
        raise DataError("answers a question twice: edited by hand")
    if set(given) - set(expected) or (in_order and given != expected[: len(given)]):
        raise DataError(f"its questions are not those of list {session.list} in their order: edited by hand")
    for answer in session.answers:
        if answer.answer not in key.answers:
            raise DataError(f"answers {str(answer.answer)[:40]!r}, which is not among {', '.join(key.answers)}")
        if not (type(answer.ms) is int and 0 <= answer.ms <= MOST_MS):
            raise DataError(f"an answer took {str(answer.ms)[:40]} ms, which cannot be")
        if not (type(answer.plays) is int and 0 <= answer.plays <= MOST_PLAYS):
            raise DataError(f"a sound was played {str(answer.plays)[:40]} times, which cannot be")


def _without_repeats(sessions: Sequence[Session]) -> tuple[list[Session], list[Refused]]:
    by_session: dict[str, Session] = {}
    refused: list[Refused] = []
    clashing: set[str] = set()
    for session in sessions:
        other = by_session.get(session.session)
        if other is None:
            by_session[session.session] = session
            continue
        longer, shorter = sorted((session, other), key=lambda each: -len(each.answers))
        if longer.answers[: len(shorter.answers)] != shorter.answers or longer.list != shorter.list:
            clashing.add(session.session)
            refused.append(Refused(session.source, f"has another version of the session in {other.source}"))
        elif longer is session and len(longer.answers) > len(shorter.answers):
            by_session[session.session] = session
            refused.append(Refused(other.source, f"an earlier copy of {session.source}"))
        else:
            same = len(longer.answers) == len(shorter.answers)
            refused.append(Refused(session.source, f"{'a' if same else 'an earlier'} copy of {other.source}"))
    for name in sorted(clashing):
        refused.append(Refused(by_session[name].source, "there are two versions of its session: which one is true?"))
        del by_session[name]
    by_rater: dict[str, Session] = {}
    for session in by_session.values():
        first = by_rater.setdefault(session.rater, session)
        if first is not session:
            refused.append(Refused(session.source, f"rater {session.rater} has taken part before, in {first.source}"))
    return list(by_rater.values()), refused


def _is_code(value: Any) -> bool:
    return isinstance(value, str) and CODE.fullmatch(value) is not None
