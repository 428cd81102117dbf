"""Training by several processes, one a device: each takes the gradients of a batch of its own, all take their mean.

Every function does nothing in a training by one process.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import nn

T = TypeVar("T")


def rank() -> int:
    """The number of this process among those that train together; 0 leads, and alone writes files."""
    return dist.get_rank() if _together() else 0


def from_leader(value: T) -> T:
    """What process 0 passes here, in all processes."""
    if not _together():
        return value
    box: list[T] = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def follow_leader(modules: Iterable[nn.Module]) -> None:
    """Set the networks' parameters and buffers to those of process 0."""
    if _together():
        with torch.no_grad():
            for module in modules:
                for tensor in module.state_dict().values():
                    dist.broadcast(tensor, src=0)


def anywhere(flag: bool, device: str) -> bool:
    """Whether `flag` is set in any of the processes."""
    if not _together():
        return flag
    count = torch.tensor(float(flag), device=device)
    dist.all_reduce(count)
    return bool(count)


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Set each gradient to the mean of all processes'; one that a process has not counts as zero there."""
    if not _together():
        return
    learning = [parameter for parameter in parameters if parameter.requires_grad]
    owners = torch.tensor([float(parameter.grad is not None) for parameter in learning], device=learning[0].device)
    dist.all_reduce(owners)  # a loss may be missing where a batch has no labels: messages must be of one length
    used = [parameter for parameter, count in zip(learning, owners.tolist(), strict=True) if count]
    for parameter in used:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    gradients = [parameter.grad for parameter in used if parameter.grad is not None]
    together = torch.cat([gradient.flatten() for gradient in gradients])  # one message instead of hundreds
    dist.all_reduce(together)
    together /= dist.get_world_size()
    pieces = together.split([gradient.numel() for gradient in gradients])
    for gradient, piece in zip(gradients, pieces, strict=True):
        gradient.copy_(piece.view_as(gradient))


def _together() -> bool:
    return dist.is_available() and dist.is_initialized()
