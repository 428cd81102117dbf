"""The plain values that pass between plugins and the harness: voices, clips and trials."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from v2f_bench.interfaces.errors import PluginError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import torch

    from v2f_bench.interfaces.film import FilmFile

# What a method may need of a trial. A method is given what it declares and nothing else.
NEEDS = {
    "voice": "the recording",
    "proposal": "a picture of another test speaker, to be changed into the voice's owner",
    "source-video": "the film of which the proposal is a frame, where the data set has films",
    "attributes": "the true sex and age of the speaker (a label, not heard: the results are marked)",
    "emotion": "the true emotion of the voice (a label, not heard: the results are marked)",
    "real-photo": "a photograph of the true speaker (the answer: for ceilings only)",
    "oracle": "the face that a data set with known causes expects from the voice alone (the answer: for ceilings only)",
}
# Needs that are part of the true answer: the results of such methods are marked.
ANSWERS = ("attributes", "emotion", "real-photo", "oracle")


def random_starts(lengths: Sequence[int], wanted: int, rng: np.random.Generator) -> list[int]:
    """The start of a random stretch of `wanted` samples in each recording; 0 in one that is shorter."""
    return [int(rng.integers(max(1, length - wanted + 1))) for length in lengths]


@dataclass(frozen=True)
class Voices:
    """A batch of recordings.

    `samples` is float32 [N, T], mono in [-1, 1], zero after each recording's end; `lengths` is int64 [N], in samples;
    `rate` is in Hz.
    """

    samples: torch.Tensor
    lengths: torch.Tensor
    rate: int

    def __len__(self) -> int:
        return len(self.samples)

    def crop(self, seconds: float, rng: np.random.Generator) -> Voices:
        """A random stretch of `seconds` of each recording; one that is shorter is repeated to that length."""
        wanted = round(seconds * self.rate)
        return self.stretches(random_starts(self.lengths.tolist(), wanted, rng), wanted)

    def stretches(self, starts: Sequence[int], wanted: int) -> Voices:
        """`wanted` samples of each recording from `starts` on; one that is shorter is repeated to that length."""
        import torch

        samples = self.samples.new_zeros(len(starts), wanted)
        for row, recording, start, length in zip(samples, self.samples, starts, self.lengths.tolist(), strict=True):
            for place in range(0, wanted, (length - start) or wanted):
                stretch = recording[start : min(length, start + wanted - place)]
                row[place : place + len(stretch)] = stretch
        return Voices(samples, torch.full_like(self.lengths, wanted), self.rate)

    def to(self, device: torch.device | str) -> Voices:
        return Voices(self.samples.to(device), self.lengths.to(device), self.rate)


class Clips(ABC):
    """The clips of one split: a table of labels, and voices and faces that are read by row when they are asked for.

    `table` has one row a clip: `clip` and `speaker` always; `voice` and `face` (bool: whether the clip has one);
    and, where the data set knows them, `sex` ("female", "male"), `age` (years), `ethnicity`, `emotion`, `intensity`,
    `sentence`. A clip may have only a voice or only a face; any voice may be paired with any face of one speaker.
    """

    table: pd.DataFrame
    rate: int
    resolution: int

    def __len__(self) -> int:
        return len(self.table)

    @abstractmethod
    def voices(self, rows: Sequence[int] | np.ndarray) -> Voices:
        """The recordings of table rows `rows` (positions), whole."""

    def crops(self, rows: Sequence[int] | np.ndarray, seconds: float, rng: np.random.Generator) -> Voices:
        """`voices(rows).crop(seconds, rng)`, without reading the rest of the recordings."""
        return self.voices(rows).crop(seconds, rng)

    @abstractmethod
    def faces(self, rows: Sequence[int] | np.ndarray) -> torch.Tensor:
        """The faces of table rows `rows`: float32 [N, 3, resolution, resolution], RGB in [0, 1]."""


@dataclass(frozen=True)
class Trials:
    """A batch of test items, with what the method declared in `needs` and nothing else.

    Faces are float32 [N, 3, resolution, resolution], RGB in [0, 1]. PluginError for reading what was not declared.
    """

    ids: tuple[str, ...]
    given: dict[str, object]
    resolution: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def voices(self) -> Voices:
        return self._get("voice")  # type: ignore[return-value]

    @property
    def proposals(self) -> torch.Tensor:
        return self._get("proposal")  # type: ignore[return-value]

    @property
    def source_films(self) -> tuple[FilmFile, ...]:
        """For each trial the film that its proposal is a frame of; nothing of it is read yet."""
        return self._get("source-video")  # type: ignore[return-value]

    @property
    def attributes(self) -> pd.DataFrame:
        """Columns `sex` and `age` of the true speaker."""
        return self._get("attributes")

    @property
    def emotions(self) -> tuple[str, ...]:
        """The label of each voice, as in `v2f_bench.interfaces.labels.EMOTIONS`; "" where it has none."""
        return self._get("emotion")  # type: ignore[return-value]

    @property
    def real_photos(self) -> torch.Tensor:
        return self._get("real-photo")  # type: ignore[return-value]

    @property
    def oracle_faces(self) -> torch.Tensor:
        return self._get("oracle")  # type: ignore[return-value]

    def _get(self, need: str) -> object:
        if need not in self.given:
            raise PluginError(f"the method reads {need!r} of a trial but does not declare it in `needs`")
        return self.given[need]


@dataclass(frozen=True)
class Fact:
    """A number that a method measured of a part of itself, for example the accuracy of its voice network."""

    name: str
    value: float | None  # None: not defined
    n: int  # clips that it is computed from
    over: str  # which clips these are, for example "validation clips"
    chance: float | None = None  # the value of random guessing


@dataclass(frozen=True)
class Variation:
    """What a method draws for each of some trials when one thing is changed in steps and all else stays the same.

    `faces` is float32 [N, K, 3, H, W], RGB in [0, 1]: K pictures a trial; `columns` says what each of the K shows.
    """

    faces: torch.Tensor
    columns: tuple[str, ...]
