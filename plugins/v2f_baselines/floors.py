"""Methods that do not listen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from v2f_bench import Clips, Context, Method, Trials

if TYPE_CHECKING:
    import torch

KEPT_FACES = 1000  # training faces that a random choice is made from


class RandomFace(Method):
    """A random face of the training split for each trial: blind guessing with a real face."""

    name = "random-face"
    summary = "floor: a random training face"
    tracks = frozenset({"identity", "emotion"})
    baseline = True
    uses_device = False

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        self._faces = some_faces(train, context)

    def generate(self, trials: Trials, context: Context) -> torch.Tensor:
        rng = context.numpy_rng("choice")
        return self._faces[rng.integers(len(self._faces), size=len(trials))].float() / 255

    def state(self) -> dict[str, torch.Tensor]:
        return {"faces": self._faces}

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        self._faces = state["faces"]


class MeanFace(Method):
    """The mean of the training faces for every trial: near to all, like nobody."""

    name = "mean-face"
    summary = "floor: the mean training face"
    tracks = frozenset({"identity", "emotion"})
    baseline = True
    uses_device = False

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        import torch

        rows = np.flatnonzero(train.table["face"])
        total = torch.zeros(3, train.resolution, train.resolution, dtype=torch.float64)
        for start in range(0, len(rows), 256):
            total += train.faces(rows[start : start + 256]).double().sum(dim=0)
        self._face = (total / len(rows)).float()

    def generate(self, trials: Trials, context: Context) -> torch.Tensor:
        return self._face.expand(len(trials), -1, -1, -1)

    def state(self) -> dict[str, torch.Tensor]:
        return {"face": self._face}

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        self._face = state["face"]


class CopyProposal(Method):
    """The proposal face, unchanged: what a morphing method must improve on."""

    name = "copy-proposal"
    summary = "floor: the proposal face, unchanged"
    tracks = frozenset({"identity", "emotion"})
    needs = frozenset({"proposal"})
    baseline = True
    learns = False
    uses_device = False

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        pass

    def generate(self, trials: Trials, context: Context) -> torch.Tensor:
        return trials.proposals


def some_faces(train: Clips, context: Context) -> torch.Tensor:
    """Up to `KEPT_FACES` random faces of the training split: uint8 [N, 3, R, R]."""
    rows = np.flatnonzero(train.table["face"])
    kept = context.numpy_rng("kept faces").permutation(rows)[:KEPT_FACES]
    return (train.faces(kept) * 255).round().byte()
