"""The experimenter's view while answers come in: who is how far.

It shows no result: whoever watches results and stops when they please has results that please.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from v2f_bench.study.exclusions import failed_checks
from v2f_bench.study.folder import Key
from v2f_bench.study.sessions import Session

STYLE = (
    "body{font:16px/1.45 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#1f2328}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:right;padding:.3rem .6rem;border-bottom:1px solid #ddd}"
    "th:first-child,td:first-child{text-align:left}progress{width:100%;height:1rem}.quiet{color:#5a626b}"
)


def progress_page(key: Key, sessions: Sequence[Session]) -> str:
    """HTML; it loads itself again every ten seconds."""
    begun = [session for session in sessions if session.answers]
    done = [session for session in begun if len(session.answers) == len(key.lists[session.list - 1])]
    answers = sum(len(session.answers) for session in begun)
    finished_lists = len({session.list for session in done})
    rows = "".join(_row(key, session) for session in begun)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="10">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Progress: {escape(key.design)}</title><style>{STYLE}</style>"
        f"<h1>{escape(key.design)}: {len(done)} raters done of {len(key.lists)} planned</h1>"
        f'<p><progress max="{len(key.lists)}" value="{len(done)}"></progress></p>'
        f"<p>{len(begun)} raters have begun, {answers:,} answers are saved; {finished_lists} of {len(key.lists)} lists "
        f"are done by somebody.</p>"
        "<table><thead><tr><th>rater</th><th>list</th><th>answers</th><th>seconds an answer (median)</th>"
        f"<th>attention checks failed</th></tr></thead><tbody>{rows}</tbody></table>"
        f'<p class="quiet">Study {escape(key.study)}. Results are not shown here, so that nobody stops when they are '
        "good: `v2f-bench study score` computes them.</p></html>"
    )


def _row(key: Key, session: Session) -> str:
    failed, checks = failed_checks(key, session)
    seconds = float(np.median([answer.ms for answer in session.answers])) / 1000
    cells = [
        session.rater,
        str(session.list),
        f"{len(session.answers)} of {len(key.lists[session.list - 1])}",
        f"{seconds:.1f}",
        f"{failed} of {checks}",
    ]
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
