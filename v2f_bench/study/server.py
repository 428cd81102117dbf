"""The server: gives the study's page out and keeps the answers.

    GET  /, /<file of the site>   the page; the same files that a static host would give out
    POST /api/session             {study, rater or null, platform, list or null} -> {rater, session, list, answers}
    POST /api/answer              {study, rater, session, trial, answer, ms, plays} -> {saved}, after the commit
    POST /api/withdraw            {study, rater, session} -> {}
    GET  /progress?key=...        for the experimenter: who is how far; no results

Nothing that a request brings is kept but what stands above: no network address, no browser's name, no time of day. A
rater's code is what lets them go on elsewhere. Posts must be JSON of at most 4 KiB, from the study's own pages.
"""

from __future__ import annotations

import csv
import hmac
import json
import logging
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.utils import send_file
from werkzeug.wrappers import Request, Response

from v2f_bench.study.database import Database, Refusal
from v2f_bench.study.folder import DATABASE, PAGE, RATERS, SITE, Question, read_key
from v2f_bench.study.progress import progress_page
from v2f_bench.study.sessions import CODE, MOST_MS, MOST_PLAYS, PARAMETERS, Answer, Session

MOST_BYTES = 4096  # of a post
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SESSIONS_A_LIST = 50  # a list is given out this often at most: a script cannot fill the disk
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self' https://*.mturk.com https://*.mturkcontent.com"
)
PROGRESS_POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # no script at all
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Access:
    """Who may come in.

    hosts: names by which the server may be called, without port; None: by any. A server for this machine alone answers
        to this machine's names alone, so that no web page can reach it by a name of its own.
    public: host and port under which a proxy shows it to the world, or "".
    only_listed: only raters whose code stands in raters.csv.
    """

    hosts: frozenset[str] | None = None
    public: str = ""
    only_listed: bool = False


class StudyServer:
    """A WSGI application: the page and the answers of one study. `progress_key` opens the view of progress."""

    def __init__(self, study: Path, access: Access) -> None:
        self.key = read_key(study)
        self.database = Database(study / DATABASE, self.key.study)
        self.progress_key = secrets.token_urlsafe(12)
        self._access = access
        self._listed = _listed(study / RATERS)
        site = (study / SITE).resolve()
        self._files = {path.relative_to(site).as_posix(): path for path in site.rglob("*") if path.is_file()}
        codes = ' data-codes="required"' if access.only_listed else ""
        page = self._files.pop(PAGE).read_text(encoding="utf-8")
        self._page = page.replace('data-answers="download"', f'data-answers="server"{codes}', 1)
        self._posts: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "/api/session": self._open,
            "/api/answer": self._answer,
            "/api/withdraw": self._withdraw,
        }

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        try:
            response = self._respond(request)
        except Refusal as error:
            response = _json({"error": str(error)}, error.status)
        except HTTPException as error:
            response = _json({"error": error.description or error.name}, error.code or 500)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response(environ, start_response)

    def _respond(self, request: Request) -> Response:
        if self._access.hosts is not None and _name(request.host) not in self._access.hosts:
            raise Refusal(421, "this server is not known by that name")
        if request.path in self._posts:
            if request.method != "POST":
                raise Refusal(405, "post here")
            return _json(self._posts[request.path](self._content(request)))
        if request.method not in ("GET", "HEAD"):
            raise Refusal(405, "there is nothing to post here")
        if request.path == "/progress":
            return self._progress(request)
        if request.path in ("/", f"/{PAGE}"):
            return Response(self._page, mimetype="text/html", headers={"Cache-Control": "no-store"})
        # Names are looked up among the site's files as they were at the start: no path leads out of it.
        path = self._files.get(request.path.removeprefix("/"))
        if path is None:
            raise NotFound("there is no such file")
        return send_file(path, request.environ, conditional=True, max_age=3600)

    def _content(self, request: Request) -> dict[str, Any]:
        """What was posted, by one of the study's own pages."""
        own = {request.host, self._access.public} - {""}  # an opaque origin, "null", has no host
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc not in own:
            raise Refusal(403, "posts from other sites are refused")
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise Refusal(403, "posts from other sites are refused")
        if request.mimetype != "application/json":
            raise Refusal(415, "posts are JSON")
        if request.content_length is None or request.content_length > MOST_BYTES:
            raise Refusal(413, f"posts have at most {MOST_BYTES} bytes")
        try:
            content = json.loads(request.get_data())
        except (ValueError, RecursionError):
            raise Refusal(400, "not readable as JSON") from None
        if not isinstance(content, dict):
            raise Refusal(400, "an object is expected")
        if content.get("study") != self.key.study:
            raise Refusal(409, "this page is of another study; load it again")
        return content

    def _open(self, content: dict[str, Any]) -> dict[str, Any]:
        rater = content.get("rater")
        if self._access.only_listed and rater not in self._listed:
            raise Refusal(403, "this code is not known; please check it")
        if rater is None:
            rater = secrets.token_hex(4)
        if not _is_code(rater):
            raise Refusal(400, "this code has another form")
        lists = len(self.key.lists)
        wanted = content.get("list")
        if wanted is not None and not (_is_whole(wanted, lists) and wanted > 0):
            raise Refusal(400, f"lists are numbered from 1 to {lists}")
        platform = _platform(content.get("platform", {}))
        session = self.database.open_session(
            rater, platform, lists, self._listed.get(rater, wanted), SESSIONS_A_LIST * lists
        )
        answers = [asdict(each) for each in session.answers]
        return {"rater": rater, "session": session.session, "list": session.list, "answers": answers}

    def _answer(self, content: dict[str, Any]) -> dict[str, Any]:
        number, _ = self._question(content.get("trial"))
        session = self._session(content)
        if session.list != number:
            raise Refusal(400, "this question is not in the rater's list")
        answer, ms, plays = (content.get(name) for name in ("answer", "ms", "plays"))
        if answer not in self.key.answers:
            raise Refusal(400, "this is not among the answers")
        if not (_is_whole(ms, MOST_MS) and _is_whole(plays, MOST_PLAYS)):
            raise Refusal(400, "times and plays are whole numbers")
        return {"saved": self.database.save(session.session, Answer(content["trial"], answer, ms, plays))}  # type: ignore[arg-type]

    def _withdraw(self, content: dict[str, Any]) -> dict[str, Any]:
        self.database.withdraw(self._session(content).session)
        return {}

    def _session(self, content: dict[str, Any]) -> Session:
        name, rater = content.get("session"), content.get("rater")
        session = self.database.session(str(name)) if _is_code(name) else None
        if session is None or session.rater != rater:
            raise Refusal(404, "there is no such session; load the page again")
        return session

    def _question(self, trial: Any) -> tuple[int, Question]:
        question = self.key.questions.get(trial) if isinstance(trial, str) else None
        if question is None:
            raise Refusal(400, "there is no such question")
        return question

    def _progress(self, request: Request) -> Response:
        given = request.args.get("key", "")
        if not hmac.compare_digest(given.encode(), self.progress_key.encode()):
            raise NotFound("there is no such file")
        page = progress_page(self.key, self.database.sessions())
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": PROGRESS_POLICY}
        return Response(page, mimetype="text/html", headers=headers)


def access(host: str, public_url: str, only_listed: bool) -> Access:
    """The access to a server that listens at `host` and is perhaps shown to the world under another address."""
    public = urlsplit(public_url).netloc
    on_this_machine = host in LOOPBACK
    names = frozenset({*LOOPBACK, _name(public)}) if on_this_machine else None
    return Access(names, public, only_listed)


def listen(server: StudyServer, host: str, port: int) -> Any:
    """A waitress server that listens already. OSError where the port is taken."""
    import waitress

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # else a line for every request that has to wait
    return waitress.create_server(
        server, host=host, port=port, threads=8, ident=None, max_request_body_size=16 * MOST_BYTES
    )


def run(listening: Any) -> None:
    """Answer requests until interrupted."""
    try:
        listening.run()
    finally:
        listening.close()


def _json(content: Mapping[str, Any], status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(json.dumps(content), status=status, mimetype="application/json", headers=headers)


def _listed(path: Path) -> dict[str, int]:
    """The list of each rater's code."""
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["rater"]: int(row["list"]) for row in csv.DictReader(stream)}


def _platform(given: Any) -> dict[str, str]:
    if not isinstance(given, dict) or not all(name in PARAMETERS and _is_code(value) for name, value in given.items()):
        raise Refusal(400, "the recruiting service's numbers have another form")
    return given


def _is_code(value: Any) -> bool:
    return isinstance(value, str) and CODE.fullmatch(value) is not None


def _is_whole(value: Any, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def _name(host: str) -> str:
    """A host without its port."""
    return urlsplit(f"//{host}").hostname or ""
