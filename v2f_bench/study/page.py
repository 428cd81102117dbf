"""The page of a study: all that it knows, as JSON, and its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from v2f_bench.hashing import canonical_json
from v2f_bench.study.designs import Design
from v2f_bench.study.folder import FORMAT, PAGE, PUBLIC, VERSION
from v2f_bench.study.media import Media
from v2f_bench.study.questions import Asked
from v2f_bench.study.texts import AGREE, check_question, consent_text, instructions, picture_names

SECONDS_TO_ANSWER = 3.5  # of a question, beside its sound; for the time that is announced
DATA = '<script type="application/json" id="study">{}</script>'  # where the page has its data


def announced_minutes(questions: int, seconds: float) -> int:
    """How long a session takes, of which each question's sound lasts `seconds`: whole minutes."""
    return max(2, round((60 + questions * (seconds + SECONDS_TO_ANSWER)) / 60))


def public_data(
    design: Design,
    lists: Sequence[Sequence[Asked]],
    media: Media,
    *,
    consent: Sequence[str],
    contact: str,
    credit: str,
    completion_code: str,
    redirect: str,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """All that the page knows: nothing in it depends on which method made what.

    Keys: texts (`title`, `consent`, `agree`, `instructions`, `contact`, `question`, `pictureNames`, `credit`),
    `minutes`, `sides`, `completion`, and `lists`. A list has its `answers` in order and its `trials`: an `id`, its
    `pictures`, `voice` or `film`, and a `question` of its own where it is a check of attention.
    """
    minutes = announced_minutes(len(lists[0]), media.seconds)
    return {
        "format": FORMAT,
        "version": VERSION,
        "title": "Faces and voices" if design.hears else "Faces",
        "consent": list(consent) or consent_text(design, minutes, len(lists[0]), contact),
        "agree": AGREE,
        "instructions": instructions(design),
        "contact": contact,
        "minutes": minutes,
        "question": design.question,
        "sides": design.sides,
        "pictureNames": picture_names(design.sides, len(lists[0][0].pictures)),
        "completion": {"code": completion_code, "redirect": redirect},
        "credit": credit,
        "lists": [
            {
                "answers": [{"value": value, "label": label} for value, label in _answers_in_order(design, rng)],
                "trials": [_shown(each, design, media) for each in questions],
            }
            for questions in lists
        ],
    }


def write_page(site: Path, public: Mapping[str, Any]) -> None:
    """Write the page and its data: in a file of their own, and in the page, since a page that is opened from disk may
    not read files."""
    text = canonical_json(public)
    (site / PUBLIC).write_text(text, encoding="utf-8")
    # Nothing in the data can end the element that it stands in.
    data = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    for file in resources.files("v2f_bench.study").joinpath("assets").iterdir():
        content = file.read_text(encoding="utf-8")
        if file.name == PAGE:
            content = content.replace("<title></title>", f"<title>{escape(public['title'])}</title>")
            content = content.replace(DATA.format(""), DATA.format(data))
        (site / file.name).write_text(content, encoding="utf-8", newline="\n")


def _answers_in_order(design: Design, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Sides stay where they are; other answers stand in another order for each list."""
    answers = list(design.answers.items())
    return answers if design.sides else [answers[place] for place in rng.permutation(len(answers))]


def _shown(asked: Asked, design: Design, media: Media) -> dict[str, Any]:
    trial: dict[str, Any] = {"id": asked.question.trial}
    if media.films:
        trial["film"] = media.films[asked.pictures[0], asked.item.trial]
    else:
        trial["pictures"] = [media.pictures[picture] for picture in asked.pictures]
        if design.hears:
            trial["voice"] = media.voices[asked.item.trial]
    if asked.demanded:
        trial["question"] = check_question(design.question, design.answers[asked.demanded])
    return trial
