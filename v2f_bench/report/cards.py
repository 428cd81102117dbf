"""A trial as a page shows it: what was given, whose face it should be, what came out, and the voice to play."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from v2f_bench.artefacts import Faces
from v2f_bench.report.people import People, face

LABELS = ("sex", "age", "ethnicity", "emotion", "intensity")


@dataclass(frozen=True)
class Picture:
    caption: str
    uri: str  # "" for none
    instead: str = ""  # what stands where there is none


@dataclass(frozen=True)
class Card:
    trial: str
    pictures: list[Picture]
    voice: str  # "" for none
    lines: list[str]  # labels, and what was measured


@dataclass(frozen=True)
class Sheet:
    title: str
    how: str  # the trials were chosen
    cards: list[Card]


def card(
    trial: str,
    row: pd.Series[Any],
    track: str,
    people: People,
    made: Mapping[str, Faces],
    lines: Sequence[str],
    shown: bool = True,
) -> Card:
    """The card of a trial.

    Args:
        row: of the table of trials: `voice`, `target`, `proposal`, labels, `failure`.
        made: the faces of each method, by its name.
        shown: whether faces that methods made may stand in the page.
    """
    columns = {"source": "proposal", "target": "target"} if track == "emotion" else {"speaker": "target"}
    pictures = [Picture(name, people.photograph(row.get(column, "")), "not here") for name, column in columns.items()]
    for name, faces in made.items():
        uri = face(faces, trial) if shown else ""
        pictures.append(Picture(name, uri, "not here" if not shown or not faces.pictures else "none"))
    labels = [_label(name, row[name]) for name in LABELS if name in row and pd.notna(row[name]) and row[name] != ""]
    failure = [f"failed: {row['failure']}"] if row.get("failure") else []
    voice = people.voice(pd.Series({**row, "trial": trial}))
    return Card(trial, pictures, voice, [", ".join(labels), *failure, *lines])


def _label(name: str, value: Any) -> str:
    return f"{value:.0f} years" if name == "age" and isinstance(value, float) else str(value)
