"""The emotion code (section 3.4 of the source): two bits an emotion, both set for the one that is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd
import torch

from v2f_bench.interfaces.labels import EMOTIONS

BITS = 2  # an emotion; the source tried fewer in all, which did too little, and found these enough


def emotions_in(table: pd.DataFrame) -> tuple[str, ...]:
    """The emotions that a table of clips labels, in the shared order of labels; none where it labels none.

    That order gives the source's four their codes: neutral 11000000, happy 00110000, sad 00001100, angry 00000011.
    """
    return tuple(emotion for emotion in EMOTIONS if "emotion" in table and (table["emotion"] == emotion).any())


def classes_of(labels: Iterable[str], emotions: Sequence[str]) -> torch.Tensor:
    """The place of each label among `emotions`, int64 [N]; -1 for any other label."""
    place = {emotion: number for number, emotion in enumerate(emotions)}
    return torch.tensor([place.get(label, -1) for label in labels], dtype=torch.int64)


def codes_of(classes: torch.Tensor, emotions: int) -> torch.Tensor:
    """Classes int64 [N] among `emotions` as codes: float32 [N, 2 * emotions]; all bits 0 for class -1."""
    numbers = torch.arange(emotions, device=classes.device).repeat_interleave(BITS)
    return (classes[:, None] == numbers).float()
