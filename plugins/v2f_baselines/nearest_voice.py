"""The face of the training speaker who sounds most like the voice: matching instead of drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from v2f_baselines.hearing import MOST_VOICES, statistics, statistics_of
from v2f_bench import Clips, Context, Method, NoOptions, Offer, Trials

if TYPE_CHECKING:
    import pandas as pd
    import torch

DIMENSIONS = 16  # in which voices are compared
SHRINKAGE = 0.1  # of the within-speaker covariance towards a multiple of the identity


class NearestVoice(Method):
    """Linear discriminant analysis of the training speakers' voices (mean and deviation of 64 log-mel bands; Fisher
    1936, Rao 1948), in which the speaker with the nearest mean is found; one of the faces of that speaker is shown.
    """

    name = "nearest-voice"
    summary = "rival: a face of the training speaker whose voice is nearest"
    tracks = frozenset({"identity"})
    baseline = True
    uses_device = False

    @classmethod
    def unsuited(cls, options: NoOptions, offer: Offer) -> str:
        heard = offer.train["speaker"].iloc[_voices_with_a_face(offer.train)]
        lacking = f"{offer.dataset} has no training speaker with two voices and a face"
        return super().unsuited(options, offer) or ("" if heard.duplicated().any() else lacking)

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        import torch

        table, rng = train.table, context.numpy_rng("clips")
        rows = rng.permutation(_voices_with_a_face(table))[:MOST_VOICES]
        names, speakers = np.unique(table["speaker"].to_numpy()[rows].astype(str), return_inverse=True)
        features = statistics_of(train, rows).double().numpy()
        self._projection = torch.from_numpy(discriminants(features, speakers)).float()
        means = np.stack([features[speakers == number].mean(axis=0) for number in range(len(names))])
        self._voices = torch.from_numpy(means).float() @ self._projection
        of_speaker = table[table["face"]].groupby("speaker").indices
        places = np.flatnonzero(table["face"])
        shown = [int(places[rng.choice(of_speaker[name])]) for name in names]
        self._faces = (train.faces(shown) * 255).round().byte()

    def generate(self, trials: Trials, context: Context) -> torch.Tensor:
        import torch

        heard = statistics(trials.voices) @ self._projection
        return self._faces[torch.cdist(heard, self._voices).argmin(dim=1)].float() / 255

    def state(self) -> dict[str, torch.Tensor]:
        return {"projection": self._projection, "voices": self._voices, "faces": self._faces}

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        self._projection, self._voices, self._faces = state["projection"], state["voices"], state["faces"]


def _voices_with_a_face(table: pd.DataFrame) -> np.ndarray:
    """The rows of the voices whose speakers have a face: int64 [N]."""
    with_face = set(table["speaker"][table["face"]])
    return np.flatnonzero(table["voice"] & table["speaker"].isin(with_face))


def discriminants(features: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The directions in which classes differ most against their spread: float64 [D, min(`DIMENSIONS`, D)].

    Args:
        features: float64 [N, D].
        classes: int [N], numbered from 0.
    """
    from scipy.linalg import eigh

    means = np.stack([features[classes == number].mean(axis=0) for number in range(classes.max() + 1)])
    inside = features - means[classes]
    within = inside.T @ inside / len(features)
    scale = np.trace(within) / len(within)
    within = (1 - SHRINKAGE) * within + SHRINKAGE * max(scale, 1e-12) * np.eye(len(within))
    return eigh(np.cov(means.T), within)[1][:, ::-1][:, :DIMENSIONS].copy()
