"""A random training face of the sex that is heard: the rival that shows how much of a score is sex alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from v2f_baselines.floors import KEPT_FACES
from v2f_baselines.hearing import MOST_VOICES, statistics, statistics_of
from v2f_baselines.linear import logistic_regression
from v2f_bench import Clips, Context, Method, NoOptions, Offer, Trials, Voices

if TYPE_CHECKING:
    import torch

SEXES = ("female", "male")


class SameSexFace(Method):
    """Hears the sex (logistic regression on mean and deviation of 64 log-mel bands); draws a training face of it."""

    name = "same-sex-face"
    summary = "rival: a random training face of the sex that is heard"
    baseline = True
    uses_device = False

    @classmethod
    def unsuited(cls, options: NoOptions, offer: Offer) -> str:
        table = offer.train
        for what in ("voice", "face"):
            if "sex" not in table or not set(SEXES) <= set(table["sex"][table[what]]):
                return f"{offer.dataset} has no training {what}s labelled female and male"
        return super().unsuited(options, offer)

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        import torch

        table = train.table
        rng = context.numpy_rng("voices")
        rows = rng.permutation(np.flatnonzero(table["voice"] & table["sex"].isin(SEXES)))[:MOST_VOICES]
        male = torch.tensor((table["sex"].to_numpy()[rows] == "male").astype(np.float32))
        features = statistics_of(train, rows)
        self._mean, self._scale = features.mean(dim=0), features.std(dim=0).clamp(min=1e-4)
        self._weights, self._bias = logistic_regression((features - self._mean) / self._scale, male)
        self._faces = torch.cat([_faces_of(train, sex, context) for sex in SEXES])
        self._male = torch.tensor([sex == "male" for sex in SEXES for _ in range(len(self._faces) // 2)])

    def generate(self, trials: Trials, context: Context) -> torch.Tensor:
        rng = context.numpy_rng("choice")
        heard_male = self.hear(trials.voices)
        pools = {sex: np.flatnonzero(self._male.numpy() == sex) for sex in (False, True)}
        chosen = [rng.choice(pools[bool(male)]) for male in heard_male]
        return self._faces[chosen].float() / 255

    def hear(self, voices: Voices) -> torch.Tensor:
        """Whether each voice sounds male: bool [N]."""
        return (statistics(voices) - self._mean) / self._scale @ self._weights + self._bias > 0

    def state(self) -> dict[str, torch.Tensor]:
        names = ("_mean", "_scale", "_weights", "_bias", "_faces", "_male")
        return {name.strip("_"): getattr(self, name) for name in names}

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        for name, tensor in state.items():
            setattr(self, f"_{name}", tensor)


def _faces_of(train: Clips, sex: str, context: Context) -> torch.Tensor:
    """`KEPT_FACES` // 2 random training faces of one sex (repeated if there are fewer): uint8 [N, 3, R, R]."""
    rows = np.flatnonzero(train.table["face"] & (train.table["sex"] == sex))
    kept = np.resize(context.numpy_rng("kept faces", sex).permutation(rows), KEPT_FACES // 2)
    return (train.faces(kept) * 255).round().byte()
