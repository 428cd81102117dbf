"""What the search asks of a generator: three functions of latents and still pictures."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Still:
    """A still picture [N, 3, H, W] as a generator takes it, with its features from coarse to fine."""

    faces: torch.Tensor
    features: tuple[torch.Tensor, ...]


class Generator(nn.Module):
    """Called with latents [N, latent] and still pictures, it gives faces [N, 3, H, W] in [0, 1]."""

    mean: torch.Tensor  # of the latents' own space

    @abstractmethod
    def guess(self, seen: torch.Tensor) -> torch.Tensor:
        """The latents [N, latent] of faces, guessed from the attribute classifier's last feature map of them."""

    @abstractmethod
    def still(self, faces: torch.Tensor) -> Still:
        """The pictures to be changed, ready for many drawings."""
