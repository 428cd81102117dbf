"""What the harness gives a plugin for one call: seeds, a device, and a way to show progress."""

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
    """A progress bar."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """`steps` more of the total are done. `note`, for example a loss, is shown beside the bar."""


class Progress(Protocol):
    """Shows long work with the time left. The command line has one for terminals and one for log files."""

    @contextmanager
    def bar(self, title: str, total: int) -> Iterator[Bar]:
        """A bar of `total` steps, shown during a `with` block."""

    def line(self, text: str) -> None:
        """Print one line of plain text."""


class Silent:
    """Shows nothing."""

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

    A plugin takes its random numbers from `numpy_rng(...)` or `torch_rng(...)`, named by their use, so that a new draw
    does not change the others. The harness also seeds torch's global generator, for the initial weights of networks.

    In `fit`, `folder` is that of the checkpoint: files that a method writes there are kept beside its weights, and are
    still there when a killed `fit` is called again. `precision` is that of training: "float32" or "bfloat16".
    """

    seed: int = 0
    device: str = "cpu"
    progress: Progress = field(default_factory=Silent)
    folder: Path | None = None
    precision: str = "float32"

    def seed_of(self, *names: object) -> int:
        """A 63-bit seed for the use that `names` describe."""
        text = "/".join(map(str, (self.seed, *names)))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1

    def numpy_rng(self, *names: object) -> np.random.Generator:
        import numpy as np

        return np.random.default_rng(self.seed_of(*names))

    def torch_rng(self, *names: object) -> torch.Generator:
        """A generator on the CPU, so that draws do not depend on the device."""
        import torch

        return torch.Generator().manual_seed(self.seed_of(*names))
