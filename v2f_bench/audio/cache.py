"""The features of a split's recordings, kept for training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from v2f_bench.audio.mel import log_mel
from v2f_bench.interfaces import Clips

FrontEnd = Callable[..., tuple[torch.Tensor, torch.Tensor]]  # voices, options -> [N, ..., T] and frames, int64 [N]


class Features:
    """What a front end makes of a split's recordings, for training: computed once and kept where memory allows.

    Normalisation is over the whole recording, as at test time; crops are cut afterwards. Splits whose features would
    take more than `memory_gib` (of 64-band log mels, about 11 hours of voice a GiB) are computed anew at each call.
    """

    def __init__(
        self, clips: Clips, front_end: FrontEnd, device: str = "cpu", memory_gib: float = 1.0, **options: Any
    ) -> None:
        self._clips, self._front_end, self._device, self._options = clips, front_end, device, options
        self.rows = np.flatnonzero(clips.table["voice"])
        self._kept: dict[int, torch.Tensor] | None = {}
        total = 0
        batches = np.array_split(self.rows, max(1, len(self.rows) // 64)) if len(self.rows) else []
        for batch in batches:
            for row, features in zip(batch, self._compute(batch), strict=True):
                self._kept[int(row)] = features
                total += features.numel() * 4
            if total > memory_gib * 2**30:
                self._kept = None
                break

    def whole(self, rows: Sequence[int] | np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """As the front end's of the recordings of clip rows `rows`: [N, ..., T] and frames [N], on the device."""
        kept = list(self._get(rows))
        frames = torch.tensor([features.shape[-1] for features in kept])
        padded = torch.zeros(len(kept), *kept[0].shape[:-1], int(frames.max()))
        for row, features in zip(padded, kept, strict=True):
            row[..., : features.shape[-1]] = features
        return padded.to(self._device), frames.to(self._device)

    def crops(
        self, rows: Sequence[int] | np.ndarray, frames: int, rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """A random stretch of `frames` frames of each recording, repeated where it is shorter: [N, ..., frames]."""
        pieces = []
        for features in self._get(rows):
            start = int(rng.integers(max(1, features.shape[-1] - frames + 1)))
            repeats = -(-frames // features.shape[-1])
            repeated = torch.cat([features] * repeats, dim=-1) if repeats > 1 else features
            pieces.append(repeated[..., start : start + frames])
        return torch.stack(pieces).to(self._device), torch.full((len(pieces),), frames, device=self._device)

    def _get(self, rows: Sequence[int] | np.ndarray) -> Iterator[torch.Tensor]:
        return (self._kept[int(row)] for row in rows) if self._kept is not None else self._compute(rows)

    def _compute(self, rows: Sequence[int] | np.ndarray) -> Iterator[torch.Tensor]:
        features, frames = self._front_end(self._clips.voices(rows).to(self._device), **self._options)
        kept = zip(features.cpu(), frames.tolist(), strict=True)
        return (each[..., :count].clone(memory_format=torch.contiguous_format) for each, count in kept)


class LogMels(Features):
    """`Features` of `log_mel`."""

    def __init__(self, clips: Clips, device: str = "cpu", memory_gib: float = 1.0, **options: Any) -> None:
        super().__init__(clips, log_mel, device, memory_gib, **options)
