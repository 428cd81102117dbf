"""Training draws: a speaker at random, and a voice and a face of that speaker, which need not be of one clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from v2f_bench.interfaces import Clips, DataError


@dataclass(frozen=True)
class Draw:
    """Some speakers: their numbers, int64 [N], and of each the rows of a voice and of a face, int [N] both."""

    speaker: torch.Tensor
    voice: np.ndarray
    face: np.ndarray


class SpeakerDraws:
    """Draws among the speakers who have a voice and a face, each speaker as likely as any other.

    Args:
        faces: which clips' faces may be drawn, bool [clips]; None: all that there are.

    Raises:
        DataError: there are fewer than two such speakers.
    """

    def __init__(self, clips: Clips, faces: np.ndarray | None = None) -> None:
        table = clips.table if faces is None else clips.table.assign(face=clips.table["face"] & faces)
        voices_of, faces_of = by_speaker(table, "voice"), by_speaker(table, "face")
        self.speakers = sorted(set(voices_of) & set(faces_of))
        if len(self.speakers) < 2:
            raise DataError("training needs two speakers with a voice and a face")
        self._voices = [voices_of[speaker] for speaker in self.speakers]
        self._faces = [faces_of[speaker] for speaker in self.speakers]

    def one(self, batch: int, rng: np.random.Generator) -> Draw:
        return self._draw(rng.integers(len(self.speakers), size=batch), rng)

    def two(self, batch: int, rng: np.random.Generator) -> tuple[Draw, Draw]:
        """Two draws that in no place are of the same speaker."""
        first = rng.integers(len(self.speakers), size=batch)
        second = (first + rng.integers(1, len(self.speakers), size=batch)) % len(self.speakers)
        return self._draw(first, rng), self._draw(second, rng)

    def _draw(self, speakers: np.ndarray, rng: np.random.Generator) -> Draw:
        voice = np.array([rng.choice(self._voices[speaker]) for speaker in speakers])
        face = np.array([rng.choice(self._faces[speaker]) for speaker in speakers])
        return Draw(torch.from_numpy(speakers), voice, face)


def by_speaker(table: pd.DataFrame, part: str) -> dict[str, list[int]]:
    """The rows that have a "voice" or a "face", by speaker."""
    rows = np.flatnonzero(table[part])
    return pd.Series(rows).groupby(table["speaker"].to_numpy()[rows]).agg(list).to_dict()
