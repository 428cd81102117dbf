"""MTCNN's three networks (Zhang et al. 2016, figure 2) under the weights that facenet-pytorch brings.

The package itself stays closed: with it would come torchvision and what that imports, some seconds and 150 MiB in
every process that looks for faces.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from v2f_bench.interfaces import NotAvailable

if TYPE_CHECKING:
    import torch

HOW_TO_INSTALL = "pip install --no-deps facenet-pytorch"
# Side and step of the pooling after each convolution; no pooling where there is none.
_POOLING = {"pnet": {1: (2, 2)}, "rnet": {1: (3, 2), 2: (3, 2)}, "onet": {1: (3, 2), 2: (3, 2), 3: (2, 2)}}

Network = Callable[["torch.Tensor"], list["torch.Tensor"]]


def is_installed() -> bool:
    """Whether facenet-pytorch is here, whose networks these are."""
    return find_spec("facenet_pytorch") is not None


def load_networks(device: str, owner: str) -> list[Network]:
    """Proposal, refinement and output network. NotAvailable where facenet-pytorch is missing; says how to get it.

    Each takes float32 [N, 3, H, W] and answers with the probability of a face, [N, 2, ...]; how its box must move,
    [N, 4, ...]; and the last one with x and y of five points, [N, 10].
    """
    import torch

    package = find_spec("facenet_pytorch")
    if package is None or not package.origin:
        raise NotAvailable(f"{owner} needs facenet-pytorch: {HOW_TO_INSTALL}")
    folder = Path(package.origin).parent / "data"
    return [
        _network(torch.load(folder / f"{name}.pt", map_location=device, weights_only=True), pooling)
        for name, pooling in _POOLING.items()
    ]


def _network(weights: dict[str, torch.Tensor], pooling: dict[int, tuple[int, int]]) -> Network:
    """The weights are named by layer: conv1, prelu1, ..., dense4, prelu4, and the heads dense5_1, dense5_2."""
    import torch.nn.functional as F

    layers = [name.removesuffix(".weight") for name in weights if name.endswith(".weight") and "prelu" not in name]
    trunk = [name for name in layers if "_" not in name]
    heads = sorted(name for name in layers if "_" in name)

    def layer(name: str, x: torch.Tensor) -> torch.Tensor:
        apply = F.conv2d if name.startswith("conv") else F.linear
        return apply(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def run(x: torch.Tensor) -> list[torch.Tensor]:
        for number, name in enumerate(trunk, start=1):
            if name.startswith("dense") and x.dim() == 4:
                x = x.transpose(1, 3).flatten(1)  # the weights were learned on pictures with width first
            x = F.prelu(layer(name, x), weights[f"prelu{number}.weight"])
            if number in pooling:
                x = F.max_pool2d(x, *pooling[number], ceil_mode=True)
        surely, *others = (layer(name, x) for name in heads)
        return [surely.softmax(dim=1), *others]

    return run
