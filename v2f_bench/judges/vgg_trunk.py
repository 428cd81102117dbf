"""The convolutions that networks based on VGG-Face share, computed once for faces that several judges are shown.

deepface's networks for age and sex were trained from VGG-Face with frozen convolutions, as its author's notebooks show.
The convolutions should therefore be equal in both files, and they take nine tenths of the time. They are compared by
content, and networks with different convolutions share nothing.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Any
from weakref import WeakValueDictionary

import torch

BLOCKS = (("1_1", "1_2"), ("2_1", "2_2"), *((f"{n}_1", f"{n}_2", f"{n}_3") for n in (3, 4, 5)))
KEPT_BATCHES = 16  # one batch of the harness (views.BATCH, 128) is 16 of deepface.BATCH, 8

_trunks: WeakValueDictionary[str, _Trunk] = WeakValueDictionary()


def share_trunk(backbone: Any) -> None:
    """Let deepface's `VggFaceBaseModel` use the convolutions, and the stored features, of an equal one."""
    digest = _digest(backbone)
    trunk = _trunks.get(digest)
    if trunk is None:
        trunk = _trunks[digest] = _Trunk(backbone)
    else:
        trunk.replace_convolutions_of(backbone)

    def embed(x: torch.Tensor) -> torch.Tensor:
        features = torch.relu(backbone.fc6(trunk(x)))
        return torch.relu(backbone.fc7(features)).flatten(start_dim=1)

    backbone.embed = embed


class _Trunk:
    """From pictures [N, 3, 224, 224] to the last pooling, [N, 512, 7, 7]; stores the features of the last batches."""

    def __init__(self, backbone: Any) -> None:
        self._backbone = backbone
        self._kept: OrderedDict[bytes, torch.Tensor] = OrderedDict()

    def replace_convolutions_of(self, backbone: Any) -> None:
        """Let another network use these convolutions, so that the weights are in memory once."""
        for block in BLOCKS:
            for name in block:
                setattr(backbone, f"conv{name}", getattr(self._backbone, f"conv{name}"))

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        key = hashlib.blake2b(x.contiguous().cpu().numpy().tobytes()).digest()
        if key in self._kept:
            return self._kept[key]
        for block in BLOCKS:
            for name in block:
                x = torch.relu_(getattr(self._backbone, f"conv{name}")(x))  # in place: 100 MB less for eight faces
            x = self._backbone.pool(x)
        self._kept[key] = x
        if len(self._kept) > KEPT_BATCHES:
            self._kept.popitem(last=False)
        return x


def _digest(backbone: Any) -> str:
    digest = hashlib.sha256()
    for block in BLOCKS:
        for name in block:
            for tensor in getattr(backbone, f"conv{name}").state_dict().values():
                digest.update(f"{tensor.device}{tuple(tensor.shape)}".encode())
                digest.update(tensor.detach().contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()
