"""Emotion labels as classes."""

from __future__ import annotations

import pandas as pd
import torch

from v2f_bench.interfaces.labels import EMOTIONS

NEUTRAL = "neutral"


def emotions_in(table: pd.DataFrame) -> tuple[str, ...]:
    """The emotions that a table of clips labels, in the shared order of labels; none where it labels none."""
    return tuple(emotion for emotion in EMOTIONS if "emotion" in table and (table["emotion"] == emotion).any())


def classes_of(table: pd.DataFrame, emotions: tuple[str, ...]) -> torch.Tensor:
    """The place of each clip's label among `emotions`, int64 [clips]; -1 for any other label."""
    place = {emotion: number for number, emotion in enumerate(emotions)}
    return torch.tensor([place.get(label, -1) for label in table["emotion"]], dtype=torch.int64)


def lacking_labels(dataset: str, table: pd.DataFrame) -> str:
    """Why a training table cannot serve: "" where it labels neutral and another emotion."""
    emotions = emotions_in(table)
    enough = NEUTRAL in emotions and len(emotions) > 1
    return "" if enough else f"{dataset} labels no neutral training clips and others of another emotion"


def places_of(emotions: tuple[str, ...]) -> torch.Tensor:
    """Emotions as numbers that a checkpoint can keep: int64 [K]."""
    return torch.tensor([EMOTIONS.index(emotion) for emotion in emotions])


def emotions_at(places: torch.Tensor) -> tuple[str, ...]:
    return tuple(EMOTIONS[place] for place in places.tolist())
