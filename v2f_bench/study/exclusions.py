"""Who is left out, by the rules that were fixed in the export."""

from __future__ import annotations

from collections import Counter

import numpy as np

from v2f_bench.study.folder import Key
from v2f_bench.study.sessions import Session

ENOUGH = 20  # answers, below which one and the same answer throughout says nothing


def failed_checks(key: Key, session: Session) -> tuple[int, int]:
    """How many attention checks a rater answered otherwise than the check demanded, and how many were answered."""
    checks = [
        (answer.answer, question.right)
        for answer in session.answers
        for question in [key.questions[answer.trial][1]]
        if question.kind == "check"
    ]
    return sum(given != wanted for given, wanted in checks), len(checks)


def reasons_to_exclude(key: Key, session: Session) -> list[str]:
    """Why a rater is left out, in words; [] for one who is not."""
    rules, answers = key.rules, session.answers
    reasons = []
    failed, checks = failed_checks(key, session)
    if failed > rules.max_failed_checks:
        reasons.append(f"failed {failed} of {checks} attention checks")
    share = len(answers) / len(key.lists[session.list - 1])
    if share < rules.min_answered:
        reasons.append(f"answered {share:.0%} of the questions")
    if answers:
        seconds = float(np.median([each.ms for each in answers])) / 1000
        if seconds < rules.min_median_seconds:
            reasons.append(f"took {seconds:.2f} s an answer")
        answer, count = Counter(each.answer for each in answers).most_common(1)[0]
        if len(answers) >= ENOUGH and count > rules.max_same_answer * len(answers):
            reasons.append(f"answered “{answer}” {count} of {len(answers)} times")
    return reasons
