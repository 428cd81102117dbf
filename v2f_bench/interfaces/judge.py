"""The contract of a judge: a frozen network that looks at faces for a metric."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from v2f_bench.interfaces.context import Context
    from v2f_bench.interfaces.values import Clips

# What a judge of each kind gives for a face.
JUDGE_KINDS = {
    "identity": "an embedding; two are compared by cosine",
    "emotion": "the probability of each emotion in `labels`",
    "sex": "the probability of each of `labels`, which are female and male",
    "age": "one number: years",
    "detection": "one number: how surely a face is there, from 0 (none found) to 1",
    "inception": "the 2,048 features that FID is defined on",
    "features": "features of any picture network, for distances between distributions",
    "pixels": "the picture itself, made small",
    "grid": "two energies: of a pattern of two pixels, and of patterns a little coarser",
}

TRAINING_SPEAKERS = "the training split"  # in `met`: the people of whatever data set the judge is trained on


@dataclass(frozen=True)
class WeightsFile:
    """A file of pretrained weights, at `file` below the weights folder.

    `sha256` may be a prefix where the publisher states only that, and "" where none is stated: then the hash of the
    file that is used first is written down, and another file is refused later. `url` "" means that it can only be put
    there by hand.
    """

    file: str
    url: str
    sha256: str
    megabytes: float
    licence: str


class Judge(ABC):
    """A network that turns faces into vectors, the same for every method.

    Attributes (of the class, or set by its `__init__`):
        name, version: stand beside every number it gives; a change of architecture or training is a new version.
        kind: one of JUDGE_KINDS.
        summary: one line for `v2f-bench list`.
        weights: the pretrained file that it loads, or None for a judge without one.
        trained_here: whether the harness trains it on the training split (`fit`, `state`, `restore`).
        labels: what the columns of a classifier mean (kinds emotion and sex).
        people: which people its training met, in words.
        met: the same as names of collections of people ("vggface2", "casia-webface", ...), which are compared with a
            data set's `people`; None where it is not known.
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
        """float32 [N, D] on the CPU (see JUDGE_KINDS) for faces float32 [N, 3, H, W], RGB in [0, 1].

        A row must not depend on the other faces of the batch. A face that it can say nothing about gives NaN.
        """

    def load(self, file: Path, device: str) -> None:
        """Open the pretrained `weights`, whose hash is checked already. NotAvailable where a package is missing."""
        raise NotImplementedError

    def start(self, device: str) -> None:
        """Get ready without a weights file (judges with neither `weights` nor `trained_here`)."""
        return

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        """Learn from the training split (judges `trained_here`). NotAvailable where it has not the labels."""
        raise NotImplementedError

    def state(self) -> dict[str, torch.Tensor]:
        raise NotImplementedError

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        raise NotImplementedError
