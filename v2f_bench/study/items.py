"""Items: the protocol's trials that a study asks about, and the other person that each could be confused with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from v2f_bench.interfaces import DataError

FORBIDDEN = 1e6  # cost of a pairing that must not be
GROUPS = ("sex", "age", "ethnicity")  # labels of speakers by which results are reported too


@dataclass(frozen=True)
class Item:
    """One trial of the protocol. Clips are named by clip, "" for none; `other` is the trial of `other_speaker`."""

    trial: str
    speaker: str
    voice: str
    target: str
    real_photo: str
    proposal: str
    random_face: str
    emotion: str
    labels: Mapping[str, str]  # of the speaker, by GROUPS; "" where not known
    other: str = ""


def choose_items(trials: pd.DataFrame, count: int, rng: np.random.Generator) -> list[Item]:
    """`count` of the trials (all, where there are fewer), as evenly over speakers as can be, and then over emotions.

    Each has another one of the chosen as its `other`: of another speaker, of the same sex where the sex is known, and
    every item is the other of exactly one. Items for which that cannot be are left out.

    Args:
        trials: the protocol's, with the labels of their speakers (see `Bench.trials`).
    """
    columns = ["trial", "speaker", "voice", "target", "real_photo", "proposal", "random_face"]
    rows = trials.iloc[rng.permutation(len(trials))].to_dict("records")
    turns: dict[str, int] = {}
    emotions: dict[str, int] = {}
    chosen: list[Item] = []
    left = dict(enumerate(rows))
    while left and len(chosen) < count:
        number = min(
            left, key=lambda n: (turns.get(left[n]["speaker"], 0), emotions.get(left[n].get("emotion", ""), 0), n)
        )
        row = left.pop(number)
        emotion = str(row.get("emotion", "") or "")
        turns[row["speaker"]] = turns.get(row["speaker"], 0) + 1
        emotions[emotion] = emotions.get(emotion, 0) + 1
        labels = {label: _label(row.get(label)) for label in GROUPS}
        chosen.append(Item(**{name: str(row[name]) for name in columns}, emotion=emotion, labels=labels))
    return _with_others(chosen, trials, rng)


def _with_others(items: list[Item], trials: pd.DataFrame, rng: np.random.Generator) -> list[Item]:
    """The items with an `other` each; those that can have none are left out."""
    speaker_of_clip = _speakers_of_clips(trials)
    while items:
        cost = np.array([[_cost(one, other, speaker_of_clip) for other in items] for one in items])
        rows, columns = linear_sum_assignment(cost + rng.random(cost.shape))
        possible = cost[rows, columns] < FORBIDDEN
        if possible.all():
            others = dict(zip(rows, columns, strict=True))
            return [Item(**{**vars(item), "other": items[others[place]].trial}) for place, item in enumerate(items)]
        items = [item for item, fits in zip(items, possible, strict=True) if fits]
    raise DataError("no two trials are of different speakers of one sex: there is nothing to confuse a face with")


def _cost(one: Item, other: Item, speaker_of_clip: Mapping[str, str]) -> float:
    """What it costs to confuse `one` with `other`: the other's proposal must not show the speaker of `one`."""
    if one.speaker == other.speaker or one.labels["sex"] != other.labels["sex"]:
        return FORBIDDEN
    return 10.0 if speaker_of_clip.get(other.proposal) == one.speaker else 0.0


def _speakers_of_clips(trials: pd.DataFrame) -> dict[str, str]:
    """The speaker of each clip that some trial names as its own target or real photo."""
    return {
        clip: speaker
        for column in ("target", "real_photo")
        for clip, speaker in zip(trials[column], trials["speaker"], strict=True)
        if clip
    }


def _label(value: object) -> str:
    """A label as text; "" for none. Ages are whole years."""
    if value is None or value != value:
        return ""
    return str(round(value)) if isinstance(value, int | float) else str(value)


def by_trial(items: Sequence[Item]) -> dict[str, Item]:
    return {item.trial: item for item in items}
