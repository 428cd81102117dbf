"""Protocols: the versioned, hashed whole of splits, trials, gallery, sample rate and resolution.

`identity-v1`, the identity track: speakers are disjoint between the splits. Every test speaker with a voice and a face
is in the gallery with one picture (a neutral one where emotions are labelled). Up to three voices of each are trials.
Each trial has a proposal (a picture of another test speaker), an `other` (the gallery face of a random other test
speaker), a random training face (what blind guessing returns) and, where the speaker has a second picture, a real
photo, from another recording session where there is one. Proposals and real photos come from up to three pictures a
speaker that are not the gallery's; the test pictures that are neither make the `reference` set of distribution metrics.
Any voice may be paired with any face of the same speaker: there need be no link in time between them. All choices come
from hashes of names; nothing depends on the order of files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from v2f_bench.data.splits import SPLITS, hash_first, hash_order
from v2f_bench.hashing import canonical_json, key_of
from v2f_bench.interfaces import DataError

SAMPLE_RATE = 16_000  # Hz
RESOLUTION = 64  # pixels: what every face, generated or real, is seen at
VOICES_A_SPEAKER = 3
PHOTOS_A_SPEAKER = 3
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

    @cached_property
    def hash(self) -> str:
        """Equal hashes mean the same trials on the same data: only then are results ranked together."""
        return key_of(self)

    @property
    def trial_table(self) -> pd.DataFrame:
        return pd.DataFrame(self.trials, columns=list(TRIAL_COLUMNS))

    def to_json(self) -> str:
        return canonical_json({"hash": self.hash, "protocol": self})

    @classmethod
    def read(cls, path: Path) -> Protocol:
        found = json.loads(path.read_text())
        protocol = cls(**found["protocol"])
        if protocol.hash != found["hash"]:
            raise DataError(f"{path}: its content does not match its hash; it was changed by hand")
        return protocol


def identity_protocol(dataset: dict[str, Any], clips: pd.DataFrame, split_of: Mapping[str, str]) -> Protocol:
    """The `identity-v1` protocol over a store's table of clips.

    Raises:
        DataError: a split is too small to be used; says what there is.
    """
    split_of_clip = clips["speaker"].map(split_of)
    splits = {split: sorted(clips["clip"][split_of_clip == split]) for split in SPLITS}
    table = {split: clips.loc[names] for split, names in splits.items()}
    people = {split: _complete_speakers(part) for split, part in table.items()}
    counts = ", ".join(f"{split} {len(names)}" for split, names in people.items())
    if len(people["train"]) < 2 or len(people["test"]) < 3:
        raise DataError(f"{dataset['name']}: too few speakers with a voice and a face ({counts}); 2 and 3 are needed")

    test = table["test"]
    test = test[test["speaker"].isin(people["test"])]
    faces = {speaker: _faces_in_order(part) for speaker, part in test[test["face"]].groupby("speaker")}
    gallery = {speaker: order[0] for speaker, order in faces.items()}
    photos = {speaker: order[1 : 1 + PHOTOS_A_SPEAKER] for speaker, order in faces.items()}
    train_faces = table["train"][table["train"]["face"]].groupby("speaker")["clip"].agg(list).to_dict()

    trials: list[dict[str, str]] = []
    for speaker, part in test[test["voice"]].groupby("speaker"):
        # A voice that was not recorded with the gallery's picture where there is one.
        voices = sorted(hash_order(part["clip"], "voice"), key=lambda clip: clip == gallery[speaker])
        for number, voice in enumerate(voices[:VOICES_A_SPEAKER]):
            strangers = [name for name in people["test"] if name != speaker]
            proposer = hash_first(strangers, "proposal", voice)
            stand_in = hash_first(train_faces, "random-face", voice)
            trials.append(
                {
                    "trial": f"t{len(trials):05d}",
                    "speaker": speaker,
                    "voice": voice,
                    "target": gallery[speaker],
                    "proposal": hash_first(photos[proposer] or faces[proposer], "proposal", voice),
                    "other": gallery[hash_first(strangers, "other", voice)],
                    "random_face": hash_first(train_faces[stand_in], "random-face", voice),
                    "real_photo": photos[speaker][number % len(photos[speaker])] if photos[speaker] else "",
                }
            )
    return Protocol(
        name="identity-v1",
        track="identity",
        dataset=dataset,
        sample_rate=SAMPLE_RATE,
        resolution=RESOLUTION,
        splits=splits,
        gallery=list(gallery.values()),
        reference=[clip for order in faces.values() for clip in order[:1] + order[1 + PHOTOS_A_SPEAKER :]],
        trials=trials,
    )


def _complete_speakers(clips: pd.DataFrame) -> list[str]:
    """The speakers who have at least one voice and one face, sorted."""
    return sorted(set(clips.loc[clips["voice"], "speaker"]) & set(clips.loc[clips["face"], "speaker"]))


def _faces_in_order(part: pd.DataFrame) -> list[str]:
    """The face clips of one speaker: the gallery's first, which is neutral where emotions are labelled, and after it
    those of other recording sessions before those of the same one."""
    order = hash_order(part["clip"], "gallery")
    if "emotion" in part:
        order.sort(key=lambda clip: part.at[clip, "emotion"] != "neutral")
    if "group" in part:
        order[1:] = sorted(order[1:], key=lambda clip: part.at[clip, "group"] == part.at[order[0], "group"])
    return order
