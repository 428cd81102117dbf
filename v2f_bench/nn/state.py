"""Several networks as one state for `Method.state`, and back."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn


def joined_state(networks: Mapping[str, nn.Module]) -> dict[str, torch.Tensor]:
    """The tensors of all networks, each under `<network>.<tensor>`."""
    return {f"{part}.{name}": x for part, network in networks.items() for name, x in network.state_dict().items()}


def load_joined(networks: Mapping[str, nn.Module], state: Mapping[str, torch.Tensor], device: str) -> None:
    """Give each network its tensors back, for use on `device`, no longer for training."""
    for part, network in networks.items():
        prefix = part + "."
        network.load_state_dict({name.removeprefix(prefix): x for name, x in state.items() if name.startswith(prefix)})
        network.to(device).eval()
