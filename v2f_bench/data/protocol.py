"""Protocols: the versioned, hashed whole of splits, trials, gallery, sample rate and resolution."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from v2f_bench.hashing import canonical_json, key_of
from v2f_bench.interfaces import DataError

SAMPLE_RATE = 16_000  # Hz
RESOLUTION = 64  # pixels: what every face, generated or real, is seen at
TRIAL_COLUMNS = ("trial", "speaker", "voice", "target", "proposal", "other", "random_face", "real_photo")


@dataclass(frozen=True)
class Protocol:
    """What a run is measured by. Clips, faces and voices are named by clip; "" stands for none."""

    name: str
    track: str
    dataset: dict[str, Any]  # name, version, options
    sample_rate: int
    resolution: int
    splits: dict[str, list[str]]  # clips of each split
    gallery: list[str]  # clips, one a test speaker
    reference: list[str]  # clips whose faces stand for the real distribution
    trials: list[dict[str, str]]  # keys: TRIAL_COLUMNS
    lists: list[dict[str, Any]] = field(default_factory=list)  # see `QuestionList.description`

    @cached_property
    def hash(self) -> str:
        """Equal hashes mean the same trials over the same clips: only then are results ranked together.

        Pixels and samples are not in it, since two machines may decode one file a little differently; a record keeps
        the hash of these too, and a table says where they differ.
        """
        return key_of(self)

    @property
    def trial_table(self) -> pd.DataFrame:
        return pd.DataFrame(self.trials, columns=list(TRIAL_COLUMNS))

    def to_json(self) -> str:
        return canonical_json({"hash": self.hash, "protocol": self})

    @classmethod
    def read(cls, path: Path) -> Protocol:
        try:
            found = json.loads(path.read_text())
            protocol = cls(**found["protocol"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}: not readable as a protocol ({error})") from None
        if protocol.hash != found["hash"]:
            raise DataError(f"{path}: its content does not match its hash; it was changed by hand")
        return protocol
