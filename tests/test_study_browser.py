"""The page in a real browser: played, answered by mouse and keys, reloaded, killed, finished; from disk and served.

Needs Chromium (`apt install chromium`); skipped where there is none. $STUDY_SCREENSHOTS names a folder that keeps the
pictures of each design.
"""

import json
import os
import time
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from chromium import DESKTOP, PHONE, Browser, find_chromium
from small_study import Served, open_small, small_material

from v2f_bench.interfaces import Silent
from v2f_bench.study.answers import read_answers
from v2f_bench.study.export import ExportRequest, export_study
from v2f_bench.study.folder import SITE, Rules, read_key
from v2f_bench.study.questions import Size
from v2f_bench.study.scoring import score_study
from v2f_bench.study.sessions import Answer, Session, completion_code

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_chromium() is None, reason="no Chromium here: apt install chromium"),
]

SIZE = Size(lists=3, trials=4, anchors=1, checks=1)
DESIGNS = {
    "match-2afc": ("identity", "face"),
    "which-method": ("identity", "face"),
    "same-person": ("identity", "face"),
    "realism": ("identity", "face"),
    "name-emotion": ("emotion", "face"),
    "name-emotion-voice": ("emotion", "voice"),
    "name-emotion-film": ("emotion", "film"),
}


@pytest.fixture(scope="module")
def studies(cache, tmp_path_factory):
    """A small study of each design, with short voices."""
    folder = tmp_path_factory.mktemp("studies")
    materials = {}
    for name, (track, show) in DESIGNS.items():
        if track not in materials:
            materials[track] = small_material(open_small(track, cache), folder / f"runs-{track}")
        design = name.removesuffix(f"-{show}") if track == "emotion" else name
        request = ExportRequest(design, show, size=SIZE, seed=5, voice_seconds=0.2, contact="A. Lab, lab@example.org")
        export_study(materials[track], request, folder / name, Silent())
    return folder


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    started = Browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.kill()


@pytest.fixture
def browser(chromium, tmp_path):
    """A tab that shares nothing with those of other tests."""
    (tmp_path / "downloads").mkdir()
    return chromium.tab(tmp_path / "downloads", private=True)


def from_disk(study, query=""):
    return f"{(study / SITE / 'index.html').as_uri()}{query}"


def screen(browser, name):
    browser.wait(f"!document.getElementById('{name}').hidden")


def begin(browser):
    """From the consent to the first question."""
    screen(browser, "consent")
    assert browser.evaluate("document.getElementById('begin').disabled"), "nobody begins without consent"
    browser.click("#agree")
    browser.click("#begin")
    start(browser)


def start(browser):
    screen(browser, "instructions")
    if not browser.evaluate("document.getElementById('tone-check').hidden"):
        browser.click("#tone")
        browser.wait("!document.getElementById('start').disabled")
    browser.click("#start")
    screen(browser, "trial")


def question(browser):
    """The number of the question on the screen, and its trial's place in the list; waits until it can be answered."""
    if not browser.evaluate("document.getElementById('sound').hidden"):
        browser.wait("document.querySelector('#answers button:not(:disabled)') || play.textContent.startsWith('Play ')")
        if browser.evaluate("document.querySelector('#answers button').disabled"):
            browser.click("#play")
    browser.wait("document.querySelector('#answers button:not(:disabled)') && !trial.hidden")
    time.sleep(0.26)  # sooner, an answer is taken for a second tap
    return int(browser.evaluate("count.textContent.match(/\\d+/)[0]"))


def answered(browser, number, of):
    """Wait until question `number` is behind us."""
    if number == of:
        screen(browser, "done")
    else:
        browser.wait(f"count.textContent.startsWith('Question {number + 1} ')")


def from_outside(browser, allowed):
    return [address for address in browser.requests if not address.startswith((*allowed, "data:", "blob:"))]


def saved_file(browser):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        files = list(browser.downloads.glob("answers-*.json"))
        if files:
            return files[0]
        time.sleep(0.05)
    raise AssertionError("nothing was downloaded")


# ------------------------------------------------------------------- from disk


def test_a_session_from_disk_by_mouse_and_keys_with_a_reload(studies, browser):
    study = studies / "match-2afc"
    key = read_key(study)
    browser.screen(DESKTOP)
    browser.open(from_disk(study, "?list=2"))
    begin(browser)
    questions = key.lists[1]
    wanted = ["left" if place % 3 else "right" for place in range(len(questions))]
    for number, answer in enumerate(wanted, 1):
        if number == 4:  # a reload in the middle: the page goes on where it was
            browser.open(from_disk(study, "?list=2"))
            screen(browser, "back")
            assert f"You have answered 3 of {len(questions)} questions" in browser.text()
            browser.click("#go-on")
            start(browser)
        assert browser.evaluate("document.querySelector('#answers button').disabled"), "not before the voice is heard"
        if number == 5:
            browser.press("ArrowLeft")
            time.sleep(0.2)
            assert "Question 5 " in browser.text(), "no key answers before the voice is heard either"
            browser.press(" ")  # plays
        assert question(browser) == number
        if number % 2:
            browser.press({"left": "ArrowLeft", "right": "ArrowRight"}[answer])
        else:
            browser.click(f"button[data-value={answer}]")
        answered(browser, number, len(questions))
    code = browser.evaluate("code.textContent")
    browser.click("#download")
    file = saved_file(browser)
    ((session,), refused) = read_answers([file], key)
    assert refused == []
    assert [each.answer for each in session.answers] == wanted
    assert [each.trial for each in session.answers] == [each.trial for each in questions]
    assert all(300 < each.ms < 60_000 and each.plays >= 1 for each in session.answers)
    assert code == completion_code(key.study, session)
    assert set(json.loads(file.read_text())) == {
        *("format", "version", "study", "session", "rater", "platform", "list", "answers", "checksum")
    }
    assert from_outside(browser, ["file://"]) == []
    assert browser.messages == []
    browser.open(from_disk(study, "?list=2"))
    screen(browser, "done")
    assert browser.evaluate("code.textContent") == code, "the code is there again after a reload"
    browser.click("#forget")
    screen(browser, "consent")


def test_a_killed_browser_loses_the_answer_in_hand_at_most(studies, tmp_path):
    study = studies / "same-person"
    killed = Browser(tmp_path / "profile")
    browser = killed.tab(tmp_path)
    browser.open(from_disk(study, "?rater=01-abcdef"))
    begin(browser)
    for number in (1, 2, 3):
        assert question(browser) == number
        browser.press("1")
        answered(browser, number, 99)
    killed.kill()  # right after the fourth question has appeared
    again = Browser(tmp_path / "profile")
    try:
        browser = again.tab(tmp_path)
        browser.open(from_disk(study, "?rater=01-abcdef"))
        screen(browser, "back")
        assert "You have answered 3 of 7 questions" in browser.text()
        assert browser.evaluate("document.getElementById('anew').hidden"), "a code belongs to one rater"
    finally:
        again.kill()


def test_another_rater_at_the_same_device_begins_anew(studies, browser):
    study = studies / "realism"
    browser.open(from_disk(study))
    begin(browser)
    question(browser)
    browser.press("1")
    answered(browser, 1, 99)
    browser.open(from_disk(study))
    screen(browser, "back")
    browser.click("#anew")
    begin(browser)
    assert question(browser) == 1
    browser.click("#stop")
    screen(browser, "withdraw")
    browser.click("#stay")
    screen(browser, "trial")
    browser.click("#stop")
    browser.click("#delete")
    screen(browser, "withdrawn")
    browser.open(from_disk(study))
    screen(browser, "consent")


def test_the_page_understands_recruiting_services(studies, browser, tmp_path):
    study = studies / "realism"
    browser.open(from_disk(study, "?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE&hitId=H1"))
    screen(browser, "consent")
    assert "This is a preview" in browser.text()
    assert browser.evaluate("document.getElementById('agreement').hidden")
    browser.open(from_disk(study, "?list=3&workerId=A1B2&assignmentId=C3&hitId=D4&junk=<b>"))
    begin(browser)
    for number in range(1, 8):
        question(browser)
        browser.press("1")
        answered(browser, number, 7)
    browser.click("#download")
    ((session,), _) = read_answers([saved_file(browser)], read_key(study))
    assert (session.rater, session.list) == ("A1B2", 3)
    assert session.platform == {"workerId": "A1B2", "assignmentId": "C3", "hitId": "D4"}
    assert browser.evaluate("document.getElementById('redirect-part').hidden")


def test_checksums_are_the_same_in_the_page_and_here(studies, browser):
    browser.open(from_disk(studies / "realism"))
    for text in ("", "123456789", "Größe – 日本語 \U0001f600", "x" * 5000):
        assert browser.evaluate(f"crc32({json.dumps(text)})") == zlib.crc32(text.encode())
    session = Session("", "5e55", "anna", 2, (Answer("a", "left", 12, 1), Answer("b", "right", 7, 0)), {"hitId": "x"})
    mine = {**vars(session), "answers": [vars(each) for each in session.answers]}
    code = f"hex(crc32(sessionText('study', {json.dumps(mine)}) + '\\ndone')).toUpperCase()"
    assert browser.evaluate(code) == completion_code("study", session)


# ------------------------------------------------------------------- served


@pytest.fixture
def serve(tmp_path, environment, studies):
    started = []

    def serve_one(name):
        import shutil

        study = tmp_path / "served"
        shutil.copytree(studies / name, study)
        started.append(Served(study, {**os.environ, **environment}))
        return study, started[-1]

    yield serve_one
    for each in started:
        each.kill()


def test_a_served_session_from_prolific_by_keys_alone(serve, browser):
    study, served = serve("match-2afc")
    key = read_key(study)
    address = f"http://127.0.0.1:{served.port}/"
    browser.screen(PHONE)
    browser.open(f"{address}?PROLIFIC_PID=5f0011&STUDY_ID=s1&SESSION_ID=x9")
    screen(browser, "consent")
    browser.press("Tab")
    browser.press(" ")  # agrees
    browser.press("Tab")
    browser.press("Enter")  # begins
    screen(browser, "instructions")
    browser.press("Tab")
    browser.press("Enter")  # plays the tone
    browser.wait("!document.getElementById('start').disabled")
    browser.press("Tab")
    browser.press("Enter")  # starts
    screen(browser, "trial")
    for number in range(1, 8):
        assert question(browser) == number
        browser.press("2")  # no key of this design
        browser.press("ArrowRight" if number % 2 else "ArrowLeft")
        answered(browser, number, 7)
    assert "All of your answers are saved" in browser.text()
    ((session,), _) = read_answers([study / "answers.sqlite"], key)
    assert session.platform == {"PROLIFIC_PID": "5f0011", "STUDY_ID": "s1", "SESSION_ID": "x9"}
    assert [each.answer for each in session.answers] == ["right", "left"] * 3 + ["right"]
    assert browser.evaluate("code.textContent") == completion_code(key.study, session)
    assert from_outside(browser, [address]) == []
    assert browser.messages == []
    browser.open(f"{address}?PROLIFIC_PID=5f0011&STUDY_ID=s1&SESSION_ID=x9")
    screen(browser, "done")


def test_a_server_that_is_killed_costs_some_seconds_and_no_answer(serve, browser):
    study, served = serve("realism")
    browser.open(f"http://127.0.0.1:{served.port}/")
    begin(browser)
    question(browser)
    browser.press("1")
    answered(browser, 1, 7)
    question(browser)
    served.kill()
    browser.press("1")
    browser.wait("document.getElementById('status').textContent.includes('not saved yet')")
    assert "Question 2 of 7" in browser.text(), "the page waits until the answer is saved"
    served.start()
    answered(browser, 2, 7)
    # An answer that was on its way when the page was reloaded is sent on by the next page.
    question(browser)
    served.kill()
    browser.press("2")
    browser.wait("document.getElementById('status').textContent.includes('not saved yet')")
    served.start()
    browser.open(f"http://127.0.0.1:{served.port}/")
    screen(browser, "back")
    assert "You have answered 3 of 7" in browser.text()
    ((session,), _) = read_answers([study / "answers.sqlite"], read_key(study))
    assert len(session.answers) == 3


def test_a_completion_code_of_the_study_leads_back_to_prolific(studies, browser, tmp_path, cache):
    material = small_material(open_small("identity", cache), tmp_path / "runs")
    size = Size(lists=1, trials=2, anchors=0, checks=0)
    export_study(material, ExportRequest("realism", size=size, completion_code="C1A2"), tmp_path / "study", Silent())
    browser.open(from_disk(tmp_path / "study", "?PROLIFIC_PID=5f00"))
    begin(browser)
    for number in (1, 2):
        question(browser)
        browser.press("1")
        answered(browser, number, 2)
    assert browser.evaluate("code.textContent") == "C1A2"
    assert browser.evaluate("redirect.href") == "https://app.prolific.com/submissions/complete?cc=C1A2"
    assert browser.evaluate("redirect.textContent") == "Return to Prolific"
    assert from_outside(browser, ["file://"]) == [], "a link, and no request"


# ------------------------------------------------------------------- how it looks


@pytest.mark.parametrize("name", DESIGNS)
def test_every_design_fits_on_a_desktop_and_a_phone_and_has_names_for_screen_readers(studies, browser, tmp_path, name):
    keep = Path(os.environ.get("STUDY_SCREENSHOTS", tmp_path))
    keep.mkdir(parents=True, exist_ok=True)
    browser.screen(DESKTOP)
    browser.open(from_disk(studies / name, "?list=1"))
    browser.screenshot(keep / f"{name}-consent-desktop.png")
    begin(browser)
    focused = browser.evaluate("document.activeElement.id")
    assert focused == "question", "a screen reader begins with the question"
    question(browser)
    for size, label in ((DESKTOP, "desktop"), (PHONE, "phone")):
        browser.screen(size)
        time.sleep(0.2)
        browser.screenshot(keep / f"{name}-{label}.png")
        assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"too wide for a {label}"
        lowest = browser.evaluate("Math.max(...[...answers.children].map((e) => e.getBoundingClientRect().bottom))")
        assert lowest <= size["height"], f"answers below the screen of a {label}"
        smallest = browser.evaluate("Math.min(...[...answers.children].map((e) => e.getBoundingClientRect().height))")
        assert smallest >= 40, "large enough for a thumb"
        pictures = "[...document.querySelectorAll('#trial img')]"
        assert browser.evaluate(f"{pictures}.every((e) => e.naturalWidth === 64 && e.width === e.height)")
        assert browser.evaluate(f"new Set({pictures}.map((e) => e.width)).size <= 1"), "faces of one size"
    roles = browser.accessible()
    names = [text for role, text in roles if role == "button"]
    assert all(names), "every button has a name"
    assert [text for role, text in roles if role == "heading"] == [browser.evaluate("question.textContent")]
    images = [text for role, text in roles if role == "image"]
    assert all(images)
    assert len(set(images)) == len(images), "pictures are told apart by where they are"
    assert browser.messages == []


def test_answers_given_in_the_page_are_what_is_scored(studies, browser):
    # Who always names the right answer, known from the key that the page has not, scores 1.
    study = studies / "name-emotion"
    key = read_key(study)
    browser.open(from_disk(study, "?list=1"))
    begin(browser)
    for number, asked in enumerate(key.lists[0], 1):
        question(browser)
        if asked.kind == "check":
            assert f"“{asked.right.capitalize()}”" in browser.evaluate("question.textContent")
        browser.click(f"button[data-value={asked.right}]")
        answered(browser, number, len(key.lists[0]))
    browser.click("#download")
    ((session,), _) = read_answers([saved_file(browser)], key)
    again = replace(session, rater="again", session="0" * 16)
    unhurried = replace(key, rules=Rules(min_median_seconds=0.0))  # this rater is faster than people
    for each in score_study(unhurried, [session, again]).kept.methods:
        assert each.estimate.value == 1.0
