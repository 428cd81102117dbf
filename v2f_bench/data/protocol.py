"""Protocols: the versioned, hashed whole of splits, trials, gallery, sample rate and resolution."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from v2f_bench.data.voices import WHOLE
from v2f_bench.hashing import canonical_json, key_of
from v2f_bench.interfaces import DataError

SAMPLE_RATE = 16_000  # Hz
RESOLUTION = 64  # pixels a side, where no other is asked for: what every face, generated or real, is judged at
RESOLUTIONS = (32, 256)  # the least and the most
NO_FACE_CHECK = "none"
TRIAL_COLUMNS = ("trial", "speaker", "voice", "target", "proposal", "other", "random_face", "real_photo", "noise")


def trial_name(dataset: dict[str, Any], track: str, voice: str, proposal: str) -> str:
    """The name of a trial: the same in every protocol that asks the same of the same data."""
    return "t" + hashlib.sha256(canonical_json([dataset, track, voice, proposal]).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Protocol:
    """What a run is measured by. Clips, faces and voices are named by clip; "" stands for none.

    Trials stand in the order of their names, which are hashes of what is asked (see `trial_name`): neither a name nor
    the order tells which trials are of one speaker.
    """

    name: str
    track: str
    dataset: dict[str, Any]  # name, version, options
    sample_rate: int
    resolution: int
    face_check: str  # name and version of the detector that says which pictures show a face; NO_FACE_CHECK for none
    splits: dict[str, list[str]]  # clips of each split
    gallery: list[str]  # clips, one a test speaker
    reference: list[str]  # clips whose faces stand for the real distribution
    trials: list[dict[str, str]]  # keys: TRIAL_COLUMNS
    lists: list[dict[str, Any]] = field(default_factory=list)  # see `QuestionList.description`
    voices: str = WHOLE  # how they are handed over (see `voices.py`)

    @cached_property
    def hash(self) -> str:
        """Equal hashes mean the same trials over the same clips: only then are results ranked together.

        Pixels and samples are not in it, since two machines may decode one file a little differently; a record keeps
        the hash of these too, and a table says where they differ.
        """
        return key_of(self)

    @cached_property
    def questions_hash(self) -> str:
        """A hash of what a method learns from and is asked: the splits; of each trial its voice, proposal and noise.

        Faces that were made for one protocol may be scored under another with the same questions: at another
        resolution, say.
        """
        asked = [[trial[column] for column in ("trial", "voice", "proposal", "noise")] for trial in self.trials]
        return key_of(self.track, self.dataset, self.sample_rate, self.splits, asked, self.voices)

    @property
    def trial_table(self) -> pd.DataFrame:
        return pd.DataFrame(self.trials, columns=list(TRIAL_COLUMNS)).fillna("")

    def to_json(self) -> str:
        return canonical_json({"hash": self.hash, "protocol": self})

    @classmethod
    def read(cls, path: Path) -> Protocol:
        try:
            content = json.loads(path.read_text())
            protocol = cls(**content["protocol"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}: not readable as a protocol ({error})") from None
        if protocol.hash != content["hash"]:
            raise DataError(f"{path}: its content does not match its hash; it was changed by hand")
        return protocol
