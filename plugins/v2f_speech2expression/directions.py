"""Semantic directions of a latent space (Han et al. 2021, IALS, section 3): instance, attribute, mixed, conditional."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F

Scores = Callable[[torch.Tensor], Sequence[torch.Tensor]]  # latents [N, D] -> scores, each [N]


def instance_directions(scores: Scores, latents: torch.Tensor) -> torch.Tensor:
    """∇_w h(G(w)) of each score at latents [N, D], each brought to length 1: [scores, N, D].

    The score of a row may depend on its own latent alone. Where a gradient is zero, so is the direction.
    """
    with torch.inference_mode(False), torch.enable_grad():
        at = latents.clone().requires_grad_(True)
        values = list(scores(at))
        last = len(values) - 1
        gradients = [
            torch.autograd.grad(score.sum(), at, retain_graph=number < last)[0] for number, score in enumerate(values)
        ]
    return F.normalize(torch.stack(gradients), dim=2)


def attribute_directions(instances: torch.Tensor) -> torch.Tensor:
    """The mean over instances of directions [scores, N, D], brought to length 1: [scores, D]."""
    return F.normalize(instances.mean(dim=1), dim=1)


def mixed(instance: torch.Tensor, attribute: torch.Tensor, share: float) -> torch.Tensor:
    """λ·instance + (1 − λ)·attribute, both [..., D], brought to length 1; `share` is λ."""
    return F.normalize(share * instance + (1 - share) * attribute, dim=-1)


def conditional(direction: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    """Directions [N, D] without what moves the attributes whose directions are `kept` [N, K, D], at length 1.

    IALS takes off the part along one condition; several are orthonormalised first, so that the result is orthogonal to
    each of them. A kept direction that is zero, or lies along those before it, takes nothing off.
    """
    projected = direction
    basis: list[torch.Tensor] = []
    for one in kept.unbind(dim=1):
        rest = one
        for axis in basis:
            rest = rest - (rest * axis).sum(dim=1, keepdim=True) * axis
        length = rest.norm(dim=1, keepdim=True)
        basis.append(torch.where(length > 1e-4, rest / length.clamp(min=1e-4), torch.zeros_like(rest)))
    for axis in basis:
        projected = projected - (projected * axis).sum(dim=1, keepdim=True) * axis
    return F.normalize(projected, dim=1)
