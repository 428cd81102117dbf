"""Answers as `study serve` keeps them: one SQLite file, a row an answer, on the disk before it is acknowledged."""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from v2f_bench.interfaces import BenchError, DataError
from v2f_bench.study.sessions import Answer, Session

SCHEMA = """
CREATE TABLE IF NOT EXISTS study (id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (
    rater TEXT PRIMARY KEY,
    session TEXT NOT NULL UNIQUE,
    list INTEGER NOT NULL,
    platform TEXT NOT NULL  -- what the recruiting service gave, as JSON
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    session TEXT NOT NULL,
    trial TEXT NOT NULL,
    answer TEXT NOT NULL,
    ms INTEGER NOT NULL,
    plays INTEGER NOT NULL,
    place INTEGER NOT NULL,  -- in the order of the session, from 0
    PRIMARY KEY (session, trial)
) WITHOUT ROWID;
"""


class Refusal(BenchError):
    """An answer that cannot be taken. `status` is HTTP's for it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Database:
    """The answers of one study. Every thread has a connection of its own.

    The journal is a write-ahead log that is synchronised at each commit: an answer whose `save` has returned is there
    after a kill and after a power failure.
    """

    def __init__(self, path: Path, study: str) -> None:
        """DataError where the file is another study's, or none of ours."""
        self.path = path
        self._local = threading.local()
        try:
            connection = self._connection()
            connection.executescript(SCHEMA)
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                stored = connection.execute("SELECT id FROM study").fetchone()
                if stored is None:
                    connection.execute("INSERT INTO study VALUES (?)", (study,))
        except sqlite3.DatabaseError as error:
            raise DataError(f"{path}: not usable as a data base of answers ({error})") from None
        if stored is not None and stored[0] != study:
            raise DataError(f"{path}: holds the answers of another study ({stored[0]}, not {study})")

    def open_session(
        self, rater: str, platform: Mapping[str, str], lists: int, wanted: int | None, most: int
    ) -> Session:
        """The session of a rater: the one that there is, or a new one.

        Args:
            platform: what the recruiting service said of the rater.
            lists: how many lists there are. A new session is given `wanted`, or else the list that fewest raters have.
            most: sessions that are opened at most; more are a Refusal.
        """
        connection = self._connection()
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            session = self._session(connection, "rater", rater)
            if session is not None:
                return session
            given = dict(connection.execute("SELECT list, COUNT(*) FROM sessions GROUP BY list").fetchall())
            if sum(given.values()) >= most:
                raise Refusal(503, "this study takes no more raters")
            joined = "SELECT list, COUNT(*) FROM sessions JOIN answers USING (session) GROUP BY list"
            answers = dict(connection.execute(joined).fetchall())
            # Of lists that were given out equally often the one whose raters broke off earliest.
            number = wanted or min(range(1, lists + 1), key=lambda each: (given.get(each, 0), answers.get(each, 0)))
            session = Session(self.path.name, secrets.token_hex(8), rater, number, (), platform)
            row = (rater, session.session, number, json.dumps(platform))
            connection.execute("INSERT INTO sessions VALUES (?, ?, ?, ?)", row)
        return session

    def session(self, session: str) -> Session | None:
        return self._session(self._connection(), "session", session)

    def save(self, session: str, answer: Answer) -> int:
        """Keep an answer; returns how many the session has. The same answer given again changes nothing.

        Raises:
            Refusal: the trial has another answer already, or there is no such session.
        """
        connection = self._connection()
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            count = connection.execute("SELECT COUNT(*) FROM answers WHERE session = ?", (session,)).fetchone()[0]
            before = connection.execute(
                "SELECT answer, ms, plays FROM answers WHERE session = ? AND trial = ?", (session, answer.trial)
            ).fetchone()
            if before is not None:
                if before != (answer.answer, answer.ms, answer.plays):
                    raise Refusal(409, "this question has been answered already; load the page again to go on")
                return int(count)
            if self._session(connection, "session", session, with_answers=False) is None:
                raise Refusal(404, "there is no such session")
            row = (session, answer.trial, answer.answer, answer.ms, answer.plays, count)
            connection.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?)", row)
        return int(count) + 1

    def withdraw(self, session: str) -> None:
        """Delete a session and its answers."""
        with self._connection() as connection:
            connection.execute("DELETE FROM answers WHERE session = ?", (session,))
            connection.execute("DELETE FROM sessions WHERE session = ?", (session,))

    def sessions(self) -> list[Session]:
        """All sessions with their answers."""
        connection = self._connection()
        names = [row[0] for row in connection.execute("SELECT session FROM sessions ORDER BY list, session")]
        sessions = [self._session(connection, "session", name) for name in names]
        return [each for each in sessions if each is not None]

    def _session(
        self, connection: sqlite3.Connection, column: str, value: str, with_answers: bool = True
    ) -> Session | None:
        row = connection.execute(
            f"SELECT rater, session, list, platform FROM sessions WHERE {column} = ?",
            (value,),
        ).fetchone()
        if row is None:
            return None
        rater, session, number, platform = row
        rows: Sequence[tuple[str, str, int, int]] = ()
        if with_answers:
            query = "SELECT trial, answer, ms, plays FROM answers WHERE session = ? ORDER BY place"
            rows = connection.execute(query, (session,)).fetchall()
        answers = tuple(Answer(*each) for each in rows)
        return Session(self.path.name, session, rater, number, answers, json.loads(platform))

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            for setting in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
                connection.execute(f"PRAGMA {setting}")
            self._local.connection = connection
        return connection
