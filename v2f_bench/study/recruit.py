"""Raters: a code for each, and the tables by which Prolific and Mechanical Turk send them and pay them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from v2f_bench.files import write_text_whole
from v2f_bench.study.folder import RATERS, RECRUIT, Key
from v2f_bench.study.sessions import Session, completion_code

PLAIN = "23456789abcdefghjkmnpqrstuvwxyz"  # no letters and digits that look alike
PROLIFIC_PARAMETERS = "PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"


def rater_codes(lists: int, rng: np.random.Generator) -> list[str]:
    """A code for each list, which begins with the list's number: "07-k3qx9m"."""
    return [f"{number:02d}-" + "".join(rng.choice(list(PLAIN), size=6)) for number in range(1, lists + 1)]


def write_recruiting(folder: Path, codes: Sequence[str], url: str) -> None:
    """`raters.csv`, and where it is known where the site will stand, the tables for Prolific and Mechanical Turk.

    * `recruit/prolific.csv`: a row a list, with the study's URL in Prolific's form and the places of its task. Prolific
      puts each participant's own numbers in place of the words in braces.
    * `recruit/mturk.csv`: the input of a batch of the project type "Survey Link": a row a HIT.
    """
    base = url.rstrip("/") + "/" if url else ""
    page = base if base else "index.html"
    rows = [{"rater": code, "list": place, "link": f"{page}?rater={code}"} for place, code in enumerate(codes, 1)]
    write_text_whole(folder / RATERS, as_csv(rows))
    if not base:
        return
    (folder / RECRUIT).mkdir()
    prolific = [
        {"external_study_url": f"{base}?list={place}&{PROLIFIC_PARAMETERS}", "total_available_places": 1}
        for place in range(1, len(codes) + 1)
    ]
    write_text_whole(folder / RECRUIT / "prolific.csv", as_csv(prolific))
    mturk = [{"link": f"{base}?list={place}"} for place in range(1, len(codes) + 1)]
    write_text_whole(folder / RECRUIT / "mturk.csv", as_csv(mturk))


@dataclass(frozen=True)
class Participant:
    """Who took part, for payment: `code` is "" for one who did not finish."""

    platform: Mapping[str, str]  # the recruiting service's parameters
    seconds: float
    code: str


def participants(key: Key, sessions: Iterable[Session]) -> list[Participant]:
    """The raters with the codes that their pages showed."""
    participants = []
    for session in sessions:
        is_done = len(session.answers) == len(key.lists[session.list - 1])
        code = key.completion_code or completion_code(key.study, session)
        participants.append(Participant(session.platform, session.seconds, code if is_done else ""))
    return participants


def write_reviews(folder: Path, raters: Iterable[Participant]) -> list[Path]:
    """Who took part, in the forms of the two services; returns the files, of those that sent anybody.

    * `recruit/prolific-submissions.csv`: submission, participant, status, time taken and completion code, under the
      names of Prolific's own export; the column of participants is what its bulk actions take.
    * `recruit/mturk-review.csv`: the columns by which an uploaded file of results approves or rejects: an X in
      `Approve`, or a reason in `Reject`. Whoever did not finish is left to you. To fail a rule of exclusion is no
      reason not to be paid.
    """
    raters = list(raters)
    prolific = [
        {
            "Submission id": each.platform.get("SESSION_ID", ""),
            "Participant id": each.platform["PROLIFIC_PID"],
            "Status": "AWAITING REVIEW" if each.code else "ACTIVE",
            "Time taken": round(each.seconds),
            "Completion code": each.code,
        }
        for each in raters
        if "PROLIFIC_PID" in each.platform
    ]
    mturk = [
        {
            "HITId": each.platform.get("hitId", ""),
            "AssignmentId": each.platform.get("assignmentId", ""),
            "WorkerId": each.platform["workerId"],
            "WorkTimeInSeconds": round(each.seconds),
            "Answer.surveycode": each.code,
            "Approve": "X" if each.code else "",
            "Reject": "",
        }
        for each in raters
        if "workerId" in each.platform
    ]
    written = []
    for name, rows in (("prolific-submissions.csv", prolific), ("mturk-review.csv", mturk)):
        if rows:
            (folder / RECRUIT).mkdir(exist_ok=True)
            write_text_whole(folder / RECRUIT / name, as_csv(rows))
            written.append(folder / RECRUIT / name)
    return written


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of one set of columns as CSV; a cell that a spreadsheet would take for a formula is quoted against it."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows([{name: _cell(value) for name, value in row.items()} for row in rows])
    return stream.getvalue()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
