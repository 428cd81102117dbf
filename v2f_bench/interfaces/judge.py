"""The contract of a judge: a frozen network that looks at faces for a metric."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import torch

    from v2f_bench.interfaces.context import Context
    from v2f_bench.interfaces.values import Clips


@dataclass(frozen=True)
class WeightsFile:
    """A file of pretrained weights. `sha256` may be a prefix, where the publisher states only that."""

    file: str
    url: str
    sha256: str
    megabytes: float
    licence: str


class Judge(ABC):
    """A network that turns faces into vectors, the same for every method.

    Class attributes:
        name, version: stand beside every number it gives; a change of architecture or training is a new version.
        kind: "identity" (embeddings to compare by cosine) or "inception" (features for Fréchet distances).
        summary: one line for `v2f-bench list`.
        weights: the pretrained file that it loads, or None for a judge that the harness trains on the training split.
        people: which people its training met, in words.
        licence: of the weights.
    """

    name: ClassVar[str]
    version: ClassVar[str] = "1"
    kind: ClassVar[str]
    summary: ClassVar[str] = ""
    weights: ClassVar[WeightsFile | None] = None
    people: ClassVar[str] = ""
    licence: ClassVar[str] = ""

    @abstractmethod
    def embed(self, faces: torch.Tensor) -> torch.Tensor:
        """float32 [N, D] on the CPU for faces float32 [N, 3, H, W], RGB in [0, 1]. Must not depend on N."""

    def load(self, file: Path, device: str) -> None:
        """Open the pretrained `weights`, whose hash the harness has checked."""
        raise NotImplementedError

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        """Learn from the training split (judges without pretrained weights)."""
        raise NotImplementedError

    def state(self) -> dict[str, torch.Tensor]:
        raise NotImplementedError

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        raise NotImplementedError
