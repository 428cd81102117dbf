"""The source face, moved by what the mean face of the heard emotion has over the mean neutral face."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from v2f_baselines.hearing import MOST_VOICES, statistics, statistics_of
from v2f_baselines.linear import softmax_regression
from v2f_bench import Clips, Context, Method, NoOptions, Offer, Trials, Voices
from v2f_bench.interfaces.labels import EMOTIONS

if TYPE_CHECKING:
    import pandas as pd
    import torch

NEUTRAL = "neutral"


class EmotionMeanShift(Method):
    """Hears the emotion (softmax regression on mean and deviation of 64 log-mel bands), and adds to the source face the
    mean training face of that emotion minus the mean neutral training face.

    What every method that changes an expression must beat: it knows no person, and its change is the same for all.
    """

    name = "emotion-mean-shift"
    summary = "rival: the source face plus the mean change of the emotion that is heard"
    tracks = frozenset({"emotion"})
    needs = frozenset({"voice", "proposal"})
    baseline = True
    uses_device = False

    @classmethod
    def unsuited(cls, options: NoOptions, offer: Offer) -> str:
        lacking = super().unsuited(options, offer)
        if lacking or len(_emotions_in(offer.train)) > 1:
            return lacking
        return f"{offer.dataset} has no training voices and faces of two emotions, one of them {NEUTRAL}"

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        import torch

        table = train.table
        self._emotions = _emotions_in(table)
        labels = table["emotion"].to_numpy()
        heard = np.flatnonzero(table["voice"] & table["emotion"].isin(self._emotions))
        heard = context.numpy_rng("voices").permutation(heard)[:MOST_VOICES]
        features = statistics_of(train, heard)
        self._mean, self._scale = features.mean(dim=0), features.std(dim=0).clamp(min=1e-4)
        classes = torch.tensor([self._emotions.index(label) for label in labels[heard]])
        self._weights, self._bias = softmax_regression(
            (features - self._mean) / self._scale, classes, len(self._emotions)
        )
        faces = [_mean_of(train, np.flatnonzero(table["face"] & (labels == each))) for each in self._emotions]
        self._shifts = torch.stack(faces) - faces[self._emotions.index(NEUTRAL)]

    def generate(self, trials: Trials, context: Context) -> torch.Tensor:
        return (trials.proposals + self._shifts[self.hear(trials.voices)]).clamp(0, 1)

    def hear(self, voices: Voices) -> torch.Tensor:
        """The place of the emotion of each voice among those that were trained: int64 [N]."""
        return ((statistics(voices) - self._mean) / self._scale @ self._weights + self._bias).argmax(dim=1)

    def state(self) -> dict[str, torch.Tensor]:
        import torch

        places = torch.tensor([EMOTIONS.index(emotion) for emotion in self._emotions])
        names = ("mean", "scale", "weights", "bias", "shifts")
        return {"emotions": places, **{name: getattr(self, f"_{name}") for name in names}}

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        self._emotions = tuple(EMOTIONS[place] for place in state["emotions"].tolist())
        for name in ("mean", "scale", "weights", "bias", "shifts"):
            setattr(self, f"_{name}", state[name])


def _emotions_in(table: pd.DataFrame) -> tuple[str, ...]:
    """The emotions that training voices and training faces have, neutral among them; else none."""
    if "emotion" not in table:
        return ()
    heard, seen = (set(table["emotion"][table[part]]) for part in ("voice", "face"))
    emotions = tuple(emotion for emotion in EMOTIONS if emotion in heard & seen)
    return emotions if NEUTRAL in emotions else ()


def _mean_of(clips: Clips, rows: np.ndarray) -> torch.Tensor:
    """The mean face of clip rows: float32 [3, R, R]."""
    import torch

    total = torch.zeros(3, clips.resolution, clips.resolution, dtype=torch.float64)
    for start in range(0, len(rows), 256):
        total += clips.faces(rows[start : start + 256]).double().sum(dim=0)
    return (total / len(rows)).float()
