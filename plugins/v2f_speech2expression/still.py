"""What the search asks of a generator: three functions of latents and still pictures."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import nn

DRAWN = 4096  # latents that the mean w is taken over


@dataclass(frozen=True)
class Still:
    """A still picture [N, 3, H, W] as a generator takes it, with its features from coarse to fine, and where they are
    used those of its mirror image."""

    faces: torch.Tensor
    features: tuple[torch.Tensor, ...]
    mirrored: tuple[torch.Tensor, ...] = ()


class Generator(nn.Module):
    """Called with latents [N, latent] and still pictures, it gives faces [N, 3, H, W] in [0, 1]."""

    mean: torch.Tensor  # of the latents' own space

    @abstractmethod
    def guess(self, seen: torch.Tensor) -> torch.Tensor:
        """The latents [N, latent] of faces, guessed from the attribute classifier's last feature map of them."""

    @abstractmethod
    def still(self, faces: torch.Tensor) -> Still:
        """The pictures to be changed, ready for many drawings."""


class EncodedGenerator(Generator):
    """A generator that draws a face from its latent alone; an encoder, trained after it, guesses the latents of faces.

    Args:
        seen: numbers in the classifier's last feature map, from which the encoder guesses.
    """

    def __init__(self, seen: int, latent: int) -> None:
        super().__init__()
        self.latent = latent
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(seen, latent), nn.LeakyReLU(0.2), nn.Linear(latent, latent)
        )
        self.register_buffer("mean", torch.zeros(latent))

    @abstractmethod
    def map(self, noise: torch.Tensor) -> torch.Tensor:
        """z [N, latent], normal -> w [N, latent]."""

    def centre(self) -> None:
        """Take the mean w, from which the encoder starts, over many z."""
        noise = torch.randn(DRAWN, self.latent, generator=torch.Generator().manual_seed(0)).to(self.mean)
        with torch.no_grad():
            self.mean.copy_(self.map(noise).mean(dim=0))

    def guess(self, seen: torch.Tensor) -> torch.Tensor:
        w: torch.Tensor = self.mean + self.encoder(seen)
        return w

    def still(self, faces: torch.Tensor) -> Still:
        """Of the still picture nothing is used."""
        return Still(faces, ())
