"""What a data set offers a method, known before training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Offer:
    """A data set under the protocol of a track, for `Method.unsuited`.

    Attributes:
        train, validation: the tables of these splits (see `Clips`).
        lacking: the needs (of `v2f_bench.NEEDS`) that no trial can meet, each with the reason.
    """

    dataset: str
    track: str
    train: pd.DataFrame
    validation: pd.DataFrame
    lacking: Mapping[str, str]
