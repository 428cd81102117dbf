"""What the harness hands a plugin for the time of one call: seeds, a device, and a way to show progress."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import torch


class Bar(Protocol):
    """One long piece of work under way."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """`steps` more of the total are done; `note` is shown beside them (a loss, say)."""


class Progress(Protocol):
    """Shows long work with the time left. The command line brings one for terminals and one for log files."""

    @contextmanager
    def bar(self, title: str, total: int) -> Iterator[Bar]:
        """A bar of `total` steps for the length of a `with` block."""

    def line(self, text: str) -> None:
        """One line of plain text that stays."""


class Silent:
    """Progress for those who want none."""

    @contextmanager
    def bar(self, title: str, total: int) -> Iterator[Bar]:
        yield self

    def line(self, text: str) -> None:
        pass

    def advance(self, steps: int = 1, note: str = "") -> None:
        pass


@dataclass(frozen=True)
class Context:
    """Seeds, device and progress of one call.

    Whatever is random in a plugin comes from `numpy_rng(...)` or `torch_rng(...)`, named for its use, so that adding
    one draw somewhere changes no other. The harness also seeds torch's global generator, for weight initialisation.

    In `fit`, `folder` is the checkpoint's: what a method writes there stays beside its weights, and is there again
    when a killed `fit` is called once more. `precision` is that of training: "float32" or "bfloat16".
    """

    seed: int = 0
    device: str = "cpu"
    progress: Progress = field(default_factory=Silent)
    folder: Path | None = None
    precision: str = "float32"

    def seed_of(self, *names: object) -> int:
        """A 63-bit seed for the use that `names` spell out."""
        text = "/".join(map(str, (self.seed, *names)))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1

    def numpy_rng(self, *names: object) -> np.random.Generator:
        import numpy as np

        return np.random.default_rng(self.seed_of(*names))

    def torch_rng(self, *names: object) -> torch.Generator:
        """A generator on the CPU, so that draws do not depend on the device."""
        import torch

        return torch.Generator().manual_seed(self.seed_of(*names))
