"""What a data set has for a method, known before anything is learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Offer:
    """A data set under the protocol of a track, as a method may ask about it before `fit`.

    `train` and `validation` are the tables of these splits (see `Clips`). `lacking` names the needs (of
    `v2f_bench.NEEDS`) that no trial brings, each with the reason.
    """

    dataset: str
    track: str
    train: pd.DataFrame
    validation: pd.DataFrame
    lacking: Mapping[str, str]
