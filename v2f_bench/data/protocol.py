"""Protocols: splits, trials, gallery, sample rate and resolution, with a version and a hash."""

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
RESOLUTION = 64  # default number of pixels a side at which all faces, generated or real, are judged
RESOLUTIONS = (32, 256)  # the smallest and the largest
NO_FACE_CHECK = "none"
TRIAL_COLUMNS = ("trial", "speaker", "voice", "target", "proposal", "other", "random_face", "real_photo", "noise")


def trial_name(dataset: dict[str, Any], track: str, voice: str, proposal: str) -> str:
    """The name of a trial: the same in every protocol that has a trial of this voice and proposal of the data set."""
    return "t" + hashlib.sha256(canonical_json([dataset, track, voice, proposal]).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Protocol:
    """What a run is measured by. Faces and voices are given by the name of their clip, "" for none.

    Trials are sorted by name, and a name is a hash (see `trial_name`). So neither names nor their order show which
    trials are of the same speaker.
    """

    name: str
    track: str
    dataset: dict[str, Any]  # name, version, options
    sample_rate: int
    resolution: int
    face_check: str  # name and version of the detector that says which pictures show a face; NO_FACE_CHECK for none
    splits: dict[str, list[str]]  # clips of each split
    gallery: list[str]  # clips, one a test speaker
    reference: list[str]  # clips whose faces are the sample of the real distribution
    trials: list[dict[str, str]]  # keys: TRIAL_COLUMNS
    lists: list[dict[str, Any]] = field(default_factory=list)  # see `QuestionList.description`
    voices: str = WHOLE  # the form in which methods get them (see `voices.py`)

    @cached_property
    def hash(self) -> str:
        """Results are ranked together only if their protocols have equal hashes: the same trials over the same clips.

        The decoded pixels and samples are not part of it, since two machines may decode a file slightly differently.
        Their hash is in the record too, and a table notes where it differs.
        """
        return key_of(self)

    @cached_property
    def questions_hash(self) -> str:
        """A hash of what a method is given: the splits, and voice, proposal and noise of each trial.

        Faces that were made for one protocol may be scored under another one with the same hash, for example at another
        resolution.
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
        """The protocol in a file of `to_json`. DataError where it cannot be read or was changed."""
        try:
            content = json.loads(path.read_text())
            protocol = cls(**content["protocol"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}: not readable as a protocol ({error})") from None
        if protocol.hash != content["hash"]:
            raise DataError(f"{path}: its content does not match its hash; it was changed by hand")
        return protocol
