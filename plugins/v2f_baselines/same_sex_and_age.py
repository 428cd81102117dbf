"""Training faces of a sex and age: as heard in the voice, and, without any voice, as the labels say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from v2f_baselines.floors import KEPT_FACES
from v2f_baselines.hearing import MOST_VOICES, statistics, statistics_of
from v2f_baselines.linear import logistic_regression, ridge_regression
from v2f_bench import Clips, Context, Method, NoOptions, Offer, Trials, Voices

if TYPE_CHECKING:
    import pandas as pd
    import torch

SEXES = ("female", "male")
NEAREST = 0.1  # the share of the kept faces of a sex, nearest in age, among which one is chosen
FEWEST = 5  # faces among which one is chosen, at least


class _FacesOfSexAndAge(Method):
    """Keeps random training faces with their sex and age, and shows one of the right sex that is near in age."""

    tracks = frozenset({"identity"})
    baseline = True
    uses_device = False

    @classmethod
    def unsuited(cls, options: NoOptions, offer: Offer) -> str:
        return super().unsuited(options, offer) or _lacking_of_both_sexes(offer, "face")

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        import torch

        rows = np.flatnonzero(_labelled(train.table, "face"))
        rows = context.numpy_rng("kept faces").permutation(rows)[:KEPT_FACES]
        self._faces = (train.faces(rows) * 255).round().byte()
        self._male = torch.tensor(train.table["sex"].to_numpy()[rows] == "male")
        self._age = torch.tensor(train.table["age"].to_numpy(np.float32)[rows])

    def _shown(self, male: np.ndarray, age: np.ndarray, context: Context) -> torch.Tensor:
        """A random one of the faces of each sex, bool [N], that are nearest to each age, float [N]."""
        rng = context.numpy_rng("choice")
        ages, of_sex = self._age.numpy(), {sex: np.flatnonzero(self._male.numpy() == sex) for sex in (False, True)}
        chosen = []
        for is_male, years in zip(male, age, strict=True):
            rows = of_sex[bool(is_male)]
            nearest = rows[np.argsort(np.abs(ages[rows] - years), kind="stable")]
            chosen.append(rng.choice(nearest[: max(FEWEST, round(NEAREST * len(rows)))]))
        return self._faces[chosen].float() / 255

    def state(self) -> dict[str, torch.Tensor]:
        return {"faces": self._faces, "male": self._male, "age": self._age}

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        self._faces, self._male, self._age = state["faces"], state["male"], state["age"]


class SameSexAndAgeFace(_FacesOfSexAndAge):
    """Hears sex and age (linear models on mean and deviation of 64 log-mel bands); shows a training face of these."""

    name = "same-sex-and-age-face"
    summary = "rival: a random training face of the sex and near the age that are heard"

    @classmethod
    def unsuited(cls, options: NoOptions, offer: Offer) -> str:
        return super().unsuited(options, offer) or _lacking_of_both_sexes(offer, "voice")

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        import torch

        super().fit(train, validation, context)
        rows = context.numpy_rng("voices").permutation(np.flatnonzero(_labelled(train.table, "voice")))[:MOST_VOICES]
        features = statistics_of(train, rows)
        self._mean, self._scale = features.mean(dim=0), features.std(dim=0).clamp(min=1e-4)
        features = (features - self._mean) / self._scale
        male = torch.tensor((train.table["sex"].to_numpy()[rows] == "male").astype(np.float32))
        self._sex_weights, self._sex_bias = logistic_regression(features, male)
        age = torch.tensor(train.table["age"].to_numpy(np.float32)[rows])
        self._age_weights, self._age_bias = ridge_regression(features, age)

    def generate(self, trials: Trials, context: Context) -> torch.Tensor:
        male, age = self.hear(trials.voices)
        return self._shown(male.numpy(), age.numpy(), context)

    def hear(self, voices: Voices) -> tuple[torch.Tensor, torch.Tensor]:
        """Whether each voice sounds male, bool [N], and how old, in years, float [N]."""
        features = (statistics(voices) - self._mean) / self._scale
        return features @ self._sex_weights + self._sex_bias > 0, features @ self._age_weights + self._age_bias

    def state(self) -> dict[str, torch.Tensor]:
        names = ("mean", "scale", "sex_weights", "sex_bias", "age_weights", "age_bias")
        return {**super().state(), **{name: getattr(self, f"_{name}") for name in names}}

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        super().restore(state, device)
        for name in ("mean", "scale", "sex_weights", "sex_bias", "age_weights", "age_bias"):
            setattr(self, f"_{name}", state[name])


class LabelledFace(_FacesOfSexAndAge):
    """Takes sex and age from the labels and hears no voice.

    It shows one random person: what a method must beat that claims to hear more than sex and age. It is no upper bound
    of what these two are worth: the mean of many such faces is nearer to everybody.
    """

    name = "labelled-face"
    summary = "control: a random training face of the true sex and near the true age; hears no voice"
    needs = frozenset({"attributes"})

    def generate(self, trials: Trials, context: Context) -> torch.Tensor:
        labels = trials.attributes
        return self._shown((labels["sex"] == "male").to_numpy(), labels["age"].to_numpy(np.float64), context)


def _lacking_of_both_sexes(offer: Offer, part: str) -> str:
    """Why there is no choice by sex and age, "" where there is. `part`: "voice" or "face"."""
    labelled = _labelled(offer.train, part)
    if set(SEXES) <= (set(offer.train["sex"][labelled]) if labelled.any() else set()):
        return ""
    return f"{offer.dataset} has no training {part}s labelled with sex and age of both sexes"


def _labelled(table: pd.DataFrame, part: str) -> np.ndarray:
    """Which clips have a voice or a face, as `part` says, with sex and age: bool [N]."""
    import pandas as pd

    if not {"sex", "age"} <= set(table):
        return np.zeros(len(table), bool)
    known = table["sex"].isin(SEXES) & pd.to_numeric(table["age"], errors="coerce").notna()
    return (table[part] & known).to_numpy(bool)
