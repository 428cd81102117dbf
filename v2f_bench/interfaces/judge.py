"""The contract of a judge: a frozen network that embeds or classifies faces for metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from v2f_bench.interfaces.labels import EMOTIONS, SEXES

if TYPE_CHECKING:
    import numpy as np
    import torch

    from v2f_bench.interfaces.context import Context
    from v2f_bench.interfaces.film import FilmFile
    from v2f_bench.interfaces.values import Clips


@dataclass(frozen=True)
class JudgeKind:
    """What is true of every judge of one kind. A new kind is one more entry of `JUDGE_KINDS`.

    Attributes:
        gives: what a row of `Judge.predict` holds, in words.
        needs_face: whether the row means nothing for a picture without a face. Such a picture then counts as failed,
            where the protocol has a face check.
        quality: how the judge itself is measured on real faces (see `harness/quality.py`); None: it is not.
        labels: of a classifier, the labels that its columns may stand for; () for other judges.
        all_labels: whether a classifier must have a column for each of these.
        columns: D of `Judge.predict`, where every judge of the kind has the same; None where not.
        least_columns: the smallest D that makes sense.
        of_films: whether its judges are shown films (`FilmJudge`) rather than stills.
        on_card: the kind that a judge card states for it (see `judges/card.py`); "" where no card can describe it.
    """

    gives: str
    needs_face: bool = False
    quality: Literal["verification", "accuracy", "mean error", "detection rate"] | None = None
    labels: tuple[str, ...] = ()
    all_labels: bool = False
    columns: int | None = None
    least_columns: int = 1
    of_films: bool = False
    on_card: str = ""


JUDGE_KINDS = {
    "identity": JudgeKind(
        "an embedding; two are compared by cosine",
        needs_face=True,
        quality="verification",
        least_columns=2,
        on_card="identity",
    ),
    "emotion": JudgeKind(
        "the probability of each emotion in `labels`",
        needs_face=True,
        quality="accuracy",
        labels=EMOTIONS,
        on_card="emotion",
    ),
    "sex": JudgeKind(
        "the probability of each of `labels`, which are female and male",
        needs_face=True,
        quality="accuracy",
        labels=SEXES,
        all_labels=True,
        on_card="attribute",
    ),
    "age": JudgeKind(
        "one number: years",
        needs_face=True,
        quality="mean error",
        columns=1,
        on_card="attribute",
    ),
    "detection": JudgeKind(
        "one number: the probability that the picture shows a face; 0 where no face is detected",
        quality="detection rate",
        columns=1,
    ),
    "inception": JudgeKind("the 2,048 features that FID is defined on", columns=2048),
    "features": JudgeKind("features of any picture network, for distances between distributions", on_card="features"),
    "pixels": JudgeKind("the picture itself, reduced to a few pixels"),
    "grid": JudgeKind(
        "four energies: of patterns of two pixels, and beside them; of patterns of four, and beside them", columns=4
    ),
    "motion": JudgeKind(
        "three numbers of a film and a voice: the highest correlation of the opening of the mouth with the voice's "
        "envelope, the lag at which it is (seconds, above 0 where the mouth comes later), and flicker in grey levels",
        columns=3,
        of_films=True,
    ),
}

TRAINING_SPEAKERS = "the training split"  # in `met`: the training speakers of the data set at hand


@dataclass(frozen=True)
class WeightsFile:
    """A file of pretrained weights.

    Attributes:
        file: path below the weights folder, or an absolute path.
        url: where it can be downloaded; "" where it can only be put into place by hand.
        sha256: of the file; only its first digits, or "", where the publisher states no more. Then the hash of the file
            that is used first is remembered, and a file with another hash is refused later.
        megabytes: its size.
        licence: of the weights.
    """

    file: str
    url: str
    sha256: str
    megabytes: float
    licence: str


class Judge(ABC):
    """A network that maps faces to vectors, in the same way for every method.

    Attributes (of the class, or set by its `__init__`):
        name, version: shown beside every number of the judge. A change of architecture or training is a new version.
        kind: one of JUDGE_KINDS.
        summary: one line for `v2f-bench list`.
        weights: the pretrained file that it loads, or None for a judge without one.
        trained_here: whether the harness trains it on the training split (`fit`, `state`, `restore`).
        labels: what the columns of a classifier mean (kinds emotion and sex).
        people: the people that it was trained on, in words.
        met: the same as names of collections of people ("vggface2", "casia-webface", ...). The judge is not
            independent on a data set that has one of them in its `people`. None where they are not known.
        licence: of the weights.
    """

    name: str
    version: str = "1"
    kind: str
    summary: str = ""
    weights: WeightsFile | None = None
    trained_here: bool = False
    labels: tuple[str, ...] = ()
    people: str = "not known"
    met: frozenset[str] | None = None
    licence: str = ""

    @abstractmethod
    def predict(self, faces: torch.Tensor) -> torch.Tensor:
        """What the judge says of faces, float32 [N, 3, H, W], RGB in [0, 1].

        Returns:
            float32 [N, D] on the CPU (see JUDGE_KINDS), NaN for a face about which it can say nothing. A row must not
            depend on the other faces of the batch.
        """

    def load(self, file: Path, device: str) -> None:
        """Open the pretrained `weights`. Their hash has been checked. NotAvailable where a package is missing."""
        raise NotImplementedError

    def start(self, device: str) -> None:
        """Get ready, for a judge with neither `weights` nor `trained_here`."""
        return

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        """Learn from the training split, for a judge `trained_here`. NotAvailable where it lacks the labels."""
        raise NotImplementedError

    def state(self) -> dict[str, torch.Tensor]:
        raise NotImplementedError

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        raise NotImplementedError


class FilmJudge(Judge):
    """A judge of a kind `of_films`. It is shown each film once, and then hears one voice or another with it."""

    def predict(self, faces: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError(f"{self.name} is shown films, not stills")

    @abstractmethod
    def watch(self, film: FilmFile) -> np.ndarray:
        """What is seen in a film, whatever the voice: float64 [T, D], a row a frame; T may be 0.

        DataError where the film cannot be read.
        """

    @abstractmethod
    def compare(self, seen: np.ndarray, voice: np.ndarray, rate: int) -> np.ndarray:
        """How what was seen goes with a voice that begins with the film: float32 [C] (see `JUDGE_KINDS`).

        NaN throughout for a film about which it can say nothing.

        Args:
            seen: what `watch` gave.
            voice: float32 [S], mono in [-1, 1] at `rate` Hz.
        """
