"""Answers read back: what the page did not write is refused by name with a reason, and the rest is scored."""

import json
from dataclasses import replace

import numpy as np
import pytest
from small_study import (
    answer_content,
    attentive,
    session_of,
    small_key,
    write_answers,
    write_study,
)

from v2f_bench.interfaces import UsageError
from v2f_bench.study.answers import MOST_BYTES, read_answers
from v2f_bench.study.database import Database
from v2f_bench.study.exclusions import reasons_to_exclude
from v2f_bench.study.recruit import as_csv, participants, write_reviews
from v2f_bench.study.sessions import Answer, Session, checksum, completion_code


@pytest.fixture(scope="module")
def key():
    return small_key("match-2afc")


def right(question):
    return question.right


def written(folder, key, change):
    """An answer file of list 1 after `change` to its content."""
    content = answer_content(key, session_of(key, 1, right))
    path = folder / "changed.json"
    path.write_text(json.dumps(change(content)))
    return path


def edited(**more):
    return lambda content: {**content, **more}


def other_answer(content):
    content["answers"][3]["answer"] = "left" if content["answers"][3]["answer"] == "right" else "right"
    return content


def swapped(content):
    answers = content["answers"]
    answers[0], answers[1] = answers[1], answers[0]
    return content


def reseal(key, content):
    """The content with the checksum that fits it: a forgery, where the edit is not seen by that."""
    answers = tuple(Answer(**each) for each in content["answers"])
    session = Session("", content["session"], content["rater"], content["list"], answers, content["platform"])
    return {**content, "checksum": checksum(key.study, session)}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (edited(study="0000000000000000"), "of another study: 0000000000000000"),
        (edited(format="something else"), "not an answer file"),
        (edited(version=2), "version 2"),
        (edited(remark="hello"), "keys too many or too few .remark.: cut off, or edited by hand"),
        (lambda content: {name: value for name, value in content.items() if name != "list"}, "too few .list."),
        (other_answer, "does not match its own checksum: damaged, or edited by hand"),
        (edited(list=2), "does not match its own checksum"),
        (edited(rater="somebody"), "does not match its own checksum"),
        (edited(rater="<script>"), "another form"),
        (edited(answers="all"), "another form"),
        (edited(answers=[1, 2]), "an answer in it has another form"),
        (edited(platform={"address": "here"}), "not known"),
        (lambda content: [content], "not an answer file"),
    ],
)
def test_files_that_the_page_did_not_write_are_refused_with_the_reason(tmp_path, key, change, reason):
    bad = written(tmp_path, key, change)
    good = write_answers(tmp_path / "good.json", key, session_of(key, 2, right))
    sessions, refused = read_answers([bad, good], key)
    assert [session.source for session in sessions] == [str(good)], "the rest is scored"
    assert [each.source for each in refused] == [str(bad)]
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(refused[0].reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (swapped, "not those of list 1 in their order"),
        (edited(list=99), "of list 99, but there are only lists 1 to 6"),
        (edited(list=2), "not those of list 2"),
        (edited(answers=[]), "holds no answer"),
        (lambda c: {**c, "answers": c["answers"] + c["answers"][:1]}, "a question twice"),
        (lambda c: {**c, "answers": [{**c["answers"][0], "answer": "both"}]}, "'both', which is not among left, right"),
        (lambda c: {**c, "answers": [{**c["answers"][0], "ms": -5}]}, "took -5 ms"),
        (lambda c: {**c, "answers": [{**c["answers"][0], "ms": 1.5}]}, "took 1.5 ms"),
        (lambda c: {**c, "answers": [{**c["answers"][0], "plays": True}]}, "played True times"),
    ],
)
def test_what_the_page_cannot_have_asked_is_refused_even_with_a_fitting_checksum(tmp_path, key, change, reason):
    bad = written(tmp_path, key, lambda content: reseal(key, change(content)))
    sessions, refused = read_answers([bad], key)
    assert sessions == []
    assert reason in refused[0].reason


def test_damaged_and_oversized_files_are_refused(tmp_path, key):
    whole = json.dumps(answer_content(key, session_of(key, 1, right)))
    cases = {
        "cut.json": whole[: len(whole) // 2].encode(),
        "empty.json": b"",
        "binary.json": bytes(range(256)),
        "deep.json": b"[" * 100_000,
        "number.json": whole.replace('"ms": 2000', '"ms": NaN', 1).encode(),
        "large.json": b" " * (MOST_BYTES + 1),
    }
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "good.json").write_text("\ufeff" + whole, encoding="utf-8")  # as some editors save
    sessions, refused = read_answers([tmp_path], key)
    assert [session.rater for session in sessions] == ["rater001"]
    reasons = {each.source.rpartition("/")[2]: each.reason for each in refused}
    assert set(reasons) == set(cases)
    assert reasons["large.json"].startswith("too large")
    assert all("not readable as JSON" in reasons[name] for name in set(cases) - {"large.json"})
    assert "NaN is no number" in reasons["number.json"]


def test_copies_count_once_and_contradictions_not_at_all(tmp_path, key):
    whole = session_of(key, 1, right)
    part = session_of(key, 1, right, length=5)
    write_answers(tmp_path / "a-part.json", key, part)
    write_answers(tmp_path / "b-whole.json", key, whole)
    write_answers(tmp_path / "c-again.json", key, whole)
    wrong = session_of(key, 1, lambda question: "left" if question.right == "right" else "right")
    write_answers(tmp_path / "d-second.json", key, session_of(key, 2, right))
    write_answers(tmp_path / "e-second-other.json", key, replace(wrong, rater="x", list=1, session="0" * 16))
    same_rater = replace(session_of(key, 3, right), rater="rater002")
    write_answers(tmp_path / "f-twice.json", key, same_rater)
    sessions, refused = read_answers([tmp_path], key)
    assert {session.source.rpartition("/")[2] for session in sessions} == {
        *("b-whole.json", "d-second.json", "e-second-other.json")
    }
    reasons = {each.source.rpartition("/")[2]: each.reason for each in refused}
    assert "an earlier copy of" in reasons["a-part.json"]
    assert "a copy of" in reasons["c-again.json"]
    assert "rater rater002 has taken part before, in" in reasons["f-twice.json"]
    write_answers(tmp_path / "g-contradiction.json", key, replace(wrong, session=whole.session))
    sessions, refused = read_answers([tmp_path], key)
    assert whole.session not in {session.session for session in sessions}, "nobody knows which of the two is true"
    assert "two versions" in " ".join(each.reason for each in refused)


def test_the_data_base_is_read_and_another_ones_is_refused(tmp_path, key):
    study = write_study(tmp_path / "study", key)
    base = Database(study / "answers.sqlite", key.study)
    for number in (1, 2):
        session = base.open_session(f"rater{number}", {}, 6, number, 100)
        for question in reversed(key.lists[number - 1]):  # the server takes any order
            base.save(session.session, Answer(question.trial, question.right, 1500, 1))
    base.open_session("looker", {}, 6, 3, 100)  # who opened the page and answered nothing
    Database(tmp_path / "other.sqlite", "another")
    (tmp_path / "text.sqlite").write_text("no data base")
    sessions, refused = read_answers(
        [study / "answers.sqlite", tmp_path / "other.sqlite", tmp_path / "text.sqlite"], key
    )
    assert {session.rater for session in sessions} == {"rater1", "rater2"}
    assert [len(session.answers) for session in sessions] == [len(key.lists[0])] * 2
    assert "another study" in refused[0].reason
    assert "not usable as a data base" in refused[1].reason


def test_no_file_at_all_is_wrong_usage(tmp_path, key):
    with pytest.raises(UsageError, match="no such file"):
        read_answers([tmp_path / "nothing.json"], key)
    with pytest.raises(UsageError, match="no answers in"):
        read_answers([tmp_path], key)


# ------------------------------------------------------------------- who is left out


def test_rules_leave_out_whom_they_say(key):
    honest = session_of(key, 1, attentive(lambda q: "left" if q.trial < "i" else "right"))
    assert reasons_to_exclude(key, honest) == []
    asleep = session_of(key, 1, lambda q: ("right" if q.right == "left" else "left") if q.kind == "check" else q.right)
    assert reasons_to_exclude(key, asleep) == ["failed 2 of 2 attention checks"]
    once = iter([True, False])
    distracted = session_of(
        key, 1, lambda q: q.right if q.kind != "check" or next(once) else "left" if q.right == "right" else "right"
    )
    assert reasons_to_exclude(key, distracted) == [], "one failed check is forgiven"
    hasty = session_of(key, 1, right, ms=300)
    assert reasons_to_exclude(key, hasty) == ["took 0.30 s an answer"]
    brief = session_of(key, 1, right, length=6)
    assert reasons_to_exclude(key, brief) == [f"answered {6 / len(key.lists[0]):.0%} of the questions"]
    stubborn = session_of(key, 1, attentive(lambda q: "left"))
    checks = sum(question.kind == "check" and question.right == "right" for question in key.lists[0])
    count = len(key.lists[0]) - checks
    expected = [f"answered “left” {count} of {len(key.lists[0])} times"] if checks <= 1 else []
    assert reasons_to_exclude(key, stubborn) == expected


# ------------------------------------------------------------------- codes and payment


def test_completion_codes_stand_in_the_forms_of_the_services(tmp_path, key):
    whole, part = session_of(key, 1, right), session_of(key, 2, right, length=4)
    platform = {"PROLIFIC_PID": "5f00", "STUDY_ID": "s1", "SESSION_ID": "sub1"}
    raters = [
        replace(whole, platform=platform),
        replace(part, platform={"workerId": "A1", "assignmentId": "B2", "hitId": "H3"}),
        session_of(key, 3, right),
    ]
    found = participants(key, raters)
    assert found[0].code == completion_code(key.study, raters[0])
    assert found[1].code == ""
    files = write_reviews(tmp_path, found)
    assert [path.name for path in files] == ["prolific-submissions.csv", "mturk-review.csv"]
    seconds = len(key.lists[0]) * 2
    assert files[0].read_text().splitlines() == [
        "Submission id,Participant id,Status,Time taken,Completion code",
        f"sub1,5f00,AWAITING REVIEW,{seconds},{found[0].code}",
    ]
    assert files[1].read_text().splitlines() == [
        "HITId,AssignmentId,WorkerId,WorkTimeInSeconds,Answer.surveycode,Approve,Reject",
        "H3,B2,A1,8,,,",
    ]
    with_code = replace(key, completion_code="C0DE")
    assert participants(with_code, raters)[0].code == "C0DE"


def test_a_table_holds_no_formula():
    assert as_csv([{"a": "=1+1", "b": "-x", "c": 3, "d": "plain"}]) == "a,b,c,d\n'=1+1,'-x,3,plain\n"


def test_rater_codes_name_their_list(tmp_path, key):
    study = write_study(tmp_path / "study", key)
    rows = (study / "raters.csv").read_text().splitlines()
    assert rows[0] == "rater,list,link"
    assert [row.split(",")[1] for row in rows[1:]] == [str(n) for n in range(1, 7)]
    assert all(row.split(",")[0].startswith(f"{int(row.split(',')[1]):02d}-") for row in rows[1:])
    assert len({row.split(",")[0] for row in rows[1:]}) == 6
    assert np.all([f"index.html?rater={row.split(',')[0]}" == row.split(",")[2] for row in rows[1:]])
