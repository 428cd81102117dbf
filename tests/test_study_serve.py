"""The server: what it takes and refuses, and that an acknowledged answer is never lost."""

import http.client
import json
import os
import socket
import sqlite3
import threading
import time

import pytest
from small_study import Served, small_key, write_study
from werkzeug.test import Client

from v2f_bench.interfaces import DataError
from v2f_bench.study.answers import read_answers
from v2f_bench.study.database import Database
from v2f_bench.study.questions import Size
from v2f_bench.study.server import Access, StudyServer, access


@pytest.fixture
def study(tmp_path):
    key = small_key("match-2afc")
    folder = write_study(tmp_path / "study", key)
    (folder / "site" / "media").mkdir()
    (folder / "site" / "media" / "abcd1234.png").write_bytes(b"a picture")
    return folder


@pytest.fixture
def server(study):
    return StudyServer(study, access("127.0.0.1", "", only_listed=False))


@pytest.fixture
def client(server):
    return Client(server)


def post(client, path, content, **more):
    reply = client.post(path, json=content, headers={"Host": "127.0.0.1:8000", **more})
    return reply.status_code, reply.get_json()


def begin(client, key, rater="anna", **more):
    status, found = post(client, "/api/session", {"study": key.study, "rater": rater, "platform": {}, **more})
    assert status == 200, found
    return found


def answer_to(key, session, place, answer="left", **more):
    trial = key.lists[session["list"] - 1][place].trial
    base = {"study": key.study, "rater": session["rater"], "session": session["session"]}
    return {**base, "trial": trial, "answer": answer, "ms": 1200, "plays": 1, **more}


# ------------------------------------------------------------------- what it gives out


def test_the_page_says_that_it_is_served_and_files_are_those_of_the_site(client):
    page = client.get("/")
    assert 'data-answers="server"' in page.text
    assert client.get("/index.html").text == page.text
    assert client.get("/study.js").mimetype in ("text/javascript", "application/javascript")
    assert client.get("/media/abcd1234.png").data == b"a picture"
    part = client.get("/media/abcd1234.png", headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.data) == (206, b"pic"), "players ask for parts"
    for header, value in (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer")):
        assert page.headers[header] == value
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/../key.json",
            "/%2e%2e/key.json",
            "/media/../../key.json",
            "/media/%2e%2e/%2e%2e/key.json",
            "/..%2fkey.json",
        ),
        *(
            "/key.json",
            "/answers.sqlite",
            "/media",
            "/media/",
            "/.%00./key.json",
            "/media\\..\\..\\key.json",
        ),
        *("/raters.csv", "/progress", "/progress?key=", "/progress?key=guess", "/api/session", "/etc/passwd"),
    ],
)
def test_there_is_no_way_out_of_the_site(client, path):
    reply = client.get(path)
    assert reply.status_code in (404, 405)
    assert b"lists" not in reply.data


def test_names_that_are_not_this_machines_are_refused(client, study):
    # A web page elsewhere whose name leads to this machine would otherwise be one of the study's own.
    assert client.get("/", headers={"Host": "evil.example:8000"}).status_code == 421
    assert client.get("/", headers={"Host": "localhost:8000"}).status_code == 200
    behind_proxy = Client(StudyServer(study, access("127.0.0.1", "https://study.lab.org", only_listed=False)))
    assert behind_proxy.get("/", headers={"Host": "study.lab.org"}).status_code == 200
    assert access("0.0.0.0", "", only_listed=False).hosts is None


# ------------------------------------------------------------------- sessions


def test_a_rater_goes_on_where_they_stopped_and_others_have_other_lists(client, server):
    key = server.key
    anna = begin(client, key)
    assert post(client, "/api/answer", answer_to(key, anna, 0)) == (200, {"saved": 1})
    assert post(client, "/api/answer", answer_to(key, anna, 1, "right")) == (200, {"saved": 2})
    again = begin(client, key)
    assert (again["session"], again["list"]) == (anna["session"], anna["list"])
    assert [each["answer"] for each in again["answers"]] == ["left", "right"]
    lists = [begin(client, key, f"rater{number}")["list"] for number in range(11)]
    counts = [([anna["list"], *lists]).count(number) for number in range(1, 7)]
    assert counts == [2] * 6, "the lists are given out evenly"
    anonymous = begin(client, key, None)
    assert len(anonymous["rater"]) == 8
    assert begin(client, key, "wants5", list=5)["list"] == 5


def test_the_list_of_one_who_broke_off_is_given_out_first(client, server):
    key = server.key
    for number in range(1, 7):
        session = begin(client, key, f"rater{number}")
        for place in range(2 if session["list"] == 4 else 9):
            post(client, "/api/answer", answer_to(key, session, place))
    assert begin(client, key, "next")["list"] == 4


def test_a_code_from_the_list_of_raters_has_its_list(study):
    rows = [row.split(",") for row in (study / "raters.csv").read_text().splitlines()[1:]]
    server = StudyServer(study, access("127.0.0.1", "", only_listed=True))
    client = Client(server)
    assert 'data-codes="required"' in client.get("/").text
    for rater, number, _ in rows[::-1]:
        assert begin(client, server.key, rater)["list"] == int(number)
    status, reply = post(client, "/api/session", {"study": server.key.study, "rater": "stranger", "platform": {}})
    assert (status, reply["error"]) == (403, "this code is not known; please check it")
    assert post(client, "/api/session", {"study": server.key.study, "rater": None, "platform": {}})[0] == 403


def test_an_answer_counts_once(client, server):
    key = server.key
    anna = begin(client, key)
    first = answer_to(key, anna, 0)
    assert post(client, "/api/answer", first) == (200, {"saved": 1})
    assert post(client, "/api/answer", first) == (200, {"saved": 1}), "sent again, since the reply was lost"
    status, reply = post(client, "/api/answer", {**first, "answer": "right"})
    assert status == 409
    assert "answered already" in reply["error"]
    assert [each.answer for each in server.database.session(anna["session"]).answers] == ["left"]


def test_who_withdraws_is_forgotten(client, server, study):
    key = server.key
    anna = begin(client, key, platform={"PROLIFIC_PID": "secretnumber1"})
    post(client, "/api/answer", answer_to(key, anna, 0))
    base = {"study": key.study, "rater": "anna", "session": anna["session"]}
    assert post(client, "/api/withdraw", {**base, "rater": "bert"})[0] == 404
    assert post(client, "/api/withdraw", base) == (200, {})
    assert server.database.sessions() == []
    with sqlite3.connect(study / "answers.sqlite") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for file in study.glob("answers.sqlite*"):
        assert b"secretnumber1" not in file.read_bytes(), "not even in the file's unused pages"


# ------------------------------------------------------------------- what it refuses


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"study": "another"}, 409),
        ({"session": "0" * 16}, 404),
        ({"session": ["x"]}, 404),
        ({"rater": "bert"}, 404),
        ({"trial": "nothing1"}, 400),
        ({"trial": {"a": 1}}, 400),
        ({"answer": "both"}, 400),
        ({"answer": ["left"]}, 400),
        ({"ms": -1}, 400),
        ({"ms": 1.5}, 400),
        ({"ms": "1200"}, 400),
        ({"ms": 10**12}, 400),
        ({"plays": True}, 400),
    ],
)
def test_answers_that_the_page_would_not_send_are_refused(client, server, change, status):
    anna = begin(client, server.key)
    found, reply = post(client, "/api/answer", {**answer_to(server.key, anna, 0), **change})
    assert found == status
    assert reply["error"]
    assert server.database.session(anna["session"]).answers == ()


def test_a_question_of_another_list_is_refused(client, server):
    anna = begin(client, server.key, list=1)
    foreign = server.key.lists[1][0].trial
    status, reply = post(client, "/api/answer", {**answer_to(server.key, anna, 0), "trial": foreign})
    assert (status, reply["error"]) == (400, "this question is not in the rater's list")


@pytest.mark.parametrize(
    "content",
    [
        {"rater": "a b"},
        {"rater": "x" * 65},
        {"rater": 5},
        {"rater": "<b>"},
        {"platform": {"address": "127.0.0.1"}},
        {"platform": {"PROLIFIC_PID": "free text, with blanks"}},
        {"platform": "text"},
        {"list": 0},
        {"list": 7},
        {"list": True},
    ],
)
def test_nothing_but_codes_is_kept_of_a_rater(client, server, content):
    status, _ = post(client, "/api/session", {"study": server.key.study, "rater": "anna", "platform": {}, **content})
    assert status == 400
    assert server.database.sessions() == []


def test_posts_of_other_sites_and_other_forms_are_refused(client, server, study):
    base = {"study": server.key.study, "rater": "anna", "platform": {}}
    assert post(client, "/api/session", base, Origin="http://evil.example")[0] == 403
    assert post(client, "/api/session", base, Origin="null")[0] == 403
    assert post(client, "/api/session", base, **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert post(client, "/api/session", base, Origin="http://127.0.0.1:8000")[0] == 200
    text = json.dumps(base)
    plain = client.post("/api/session", data=text, content_type="text/plain")  # what a foreign form can send
    assert plain.status_code == 415
    assert client.post("/api/session", data="{", content_type="application/json").status_code == 400
    assert client.post("/api/session", data="[1]", content_type="application/json").status_code == 400
    deep = "[" * 4000
    assert client.post("/api/session", data=deep, content_type="application/json").status_code == 400
    large = json.dumps({**base, "rater": "x" * 5000})
    assert client.post("/api/session", data=large, content_type="application/json").status_code == 413
    assert client.put("/api/session", json=base).status_code == 405
    assert client.post("/study.js", json=base).status_code == 405
    public = Client(StudyServer(study, Access(None, "study.lab.org")))
    assert post(public, "/api/session", base, Origin="https://study.lab.org")[0] == 200


def test_a_study_takes_no_more_raters_than_a_script_could_fill_a_disk_with(client, server):
    key = server.key
    for number in range(50 * len(key.lists)):
        server.database.open_session(f"r{number}", {}, 6, None, 50 * len(key.lists))
    status, reply = post(client, "/api/session", {"study": key.study, "rater": "late", "platform": {}})
    assert (status, reply["error"]) == (503, "this study takes no more raters")


def test_nothing_of_a_request_is_kept_but_the_answer(client, server, study):
    anna = begin(client, server.key)
    headers = {"Host": "127.0.0.1:8000", "User-Agent": "SecretBrowser/1", "X-Forwarded-For": "203.0.113.77"}
    reply = client.post("/api/answer", json=answer_to(server.key, anna, 0), headers=headers)
    assert reply.status_code == 200
    content = b"".join(file.read_bytes() for file in study.glob("answers.sqlite*"))
    assert b"anna" in content
    for secret in (b"SecretBrowser", b"203.0.113.77", b"127.0.0.1"):
        assert secret not in content


def test_progress_shows_who_is_how_far_and_no_result(client, server):
    key = server.key
    anna = begin(client, key)
    for place in range(4):
        post(client, "/api/answer", answer_to(key, anna, place))
    page = client.get(f"/progress?key={server.progress_key}")
    assert page.status_code == 200
    assert "1 raters have begun, 4 answers are saved" in page.text
    assert f"4 of {len(key.lists[0])}" in page.text
    for method in key.methods:
        assert f">{method}<" not in page.text
    assert "style-src 'unsafe-inline'" in page.headers["Content-Security-Policy"]
    assert "script" not in page.text


def test_the_answers_of_another_study_are_not_mixed_in(tmp_path, study):
    Database(study / "answers.sqlite", "another-study")
    with pytest.raises(DataError, match="holds the answers of another study"):
        StudyServer(study, Access())


# ------------------------------------------------------------------- many raters, and kills


class Rater(threading.Thread):
    """Answers one list, each answer again until it is acknowledged, as the page does."""

    def __init__(self, key, port, number, acknowledged, stop):
        super().__init__(daemon=True)
        self.key, self.port, self.number = key, port, number
        self.acknowledged, self.stop, self.done = acknowledged, stop, False

    def run(self):
        session = self.send("/api/session", {"study": self.key.study, "rater": f"r{self.number}", "platform": {}})
        for place, question in enumerate(self.key.lists[session["list"] - 1]):
            answer = ("left", "right")[(self.number + place) % 2]
            self.send("/api/answer", answer_to(self.key, session, place, answer, ms=1000 + place))
            self.acknowledged[session["session"], question.trial] = answer
        self.done = True

    def send(self, path, content):
        while not self.stop.is_set():
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                connection.request("POST", path, json.dumps(content), {"Content-Type": "application/json"})
                reply = connection.getresponse()
                body = reply.read()
                assert reply.status == 200, body
                return json.loads(body)
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
            finally:
                connection.close()
        raise SystemExit


@pytest.mark.slow
def test_no_acknowledged_answer_is_lost_or_doubled_when_the_server_is_killed(tmp_path, environment):
    raters, kills = 50, 3
    key = small_key("match-2afc", size=Size(lists=10, trials=24, anchors=4, checks=2), items=40, speakers=40)
    study = write_study(tmp_path / "study", key)
    served = Served(study, {**os.environ, **environment})
    acknowledged, stop = {}, threading.Event()
    people = [Rater(key, served.port, number, acknowledged, stop) for number in range(raters)]
    total = raters * len(key.lists[0])
    try:
        for each in people:
            each.start()
        for kill in range(1, kills + 1):
            end = time.monotonic() + 120
            while len(acknowledged) < kill * total // (kills + 1):
                assert time.monotonic() < end, f"{len(acknowledged)} of {total} answers"
                time.sleep(0.01)
            served.kill()
            served.start()
        for each in people:
            each.join(120)
        assert all(each.done for each in people)
    finally:
        stop.set()
        served.kill()
    assert len(acknowledged) == total
    found = Database(study / "answers.sqlite", key.study).sessions()
    kept = [(session.session, each.trial, each.answer) for session in found for each in session.answers]
    assert len(kept) == len(set(kept)) == total, "none twice"
    assert {(session, trial): answer for session, trial, answer in kept} == acknowledged
    sessions, refused = read_answers([study / "answers.sqlite"], key)
    assert (len(sessions), refused) == (raters, [])


def test_a_port_that_is_taken_and_a_folder_without_a_study_are_said(tmp_path, study, cli):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = cli("study", "serve", study, "--port", taken.getsockname()[1], ok=False)
    assert done.returncode == 1
    assert "in use" in done.stderr
    assert "Traceback" not in done.stderr
    nothing = cli("study", "serve", tmp_path, ok=False)
    assert "no study here (no key.json)" in nothing.stderr
