"""What a method writes so that the loop can train it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

Losses = dict[str, torch.Tensor]


class Learner(ABC):
    """Networks, their optimisers, and the losses of one step.

    Attributes, to be set in `__init__`:
        modules: the networks, by name; all that a checkpoint keeps, on the context's device.
        optimisers: by name; each is stepped whenever `step` yields its name.
        schedules: of the learning rates, by the name of their optimiser; moved on after each step of it.
        clip: the largest norm of an optimiser's gradients; longer ones are shortened. None: as they are.
    """

    modules: dict[str, nn.Module]
    optimisers: dict[str, Optimizer]
    schedules: dict[str, LRScheduler]
    clip: float | None

    def __init__(self) -> None:
        self.modules, self.optimisers, self.schedules, self.clip = {}, {}, {}, None

    @abstractmethod
    def step(self, number: int, rng: np.random.Generator) -> Iterator[tuple[str, Losses]]:
        """The losses of step `number`, counted from 0: (optimiser, losses by name) for each update in turn.

        The loop sums the losses of a pair, goes backward and steps the optimiser before it asks for the next, so what
        follows a `yield` sees the networks updated. Losses are scalars, already weighted.

        Whatever is random comes from `rng` or torch's global generator: both are seeded anew for each step, so that
        training which goes on after a kill draws what it would have drawn.
        """

    def validate(self) -> float | None:
        """A score on validation clips, higher is better; the networks of the best one are kept. None: the last are.

        One that is not finite is never the best; a training with no other fails.
        """
        return None

    def samples(self) -> torch.Tensor | None:
        """A few faces as they are drawn now, float [N, 3, H, W] in [0, 1], to look at; None: nothing to see."""
        return None
