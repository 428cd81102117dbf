"""InceptionV3 as torch-fidelity runs it: the features that FID is defined on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from v2f_bench.interfaces import Judge, WeightsFile
from v2f_bench.judges.weights import read_tensors

if TYPE_CHECKING:
    import torch


BATCH = 16  # faces at once: each takes 10 MB at 299 pixels


class Inception(Judge):
    """torch-fidelity's InceptionV3 with the weights of the original FID code: 2,048 features after pooling."""

    name = "inception-v3"
    version = "2015-12-05"
    kind = "inception"
    summary = "InceptionV3 of torch-fidelity, for FID"
    people = "ImageNet's pictures; no face data set"
    met = frozenset[str]()
    licence = "Apache-2.0"
    weights = WeightsFile(
        file="weights-inception-2015-12-05-6726825d.pth",
        url="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
        sha256="6726825d",
        megabytes=91.2,
        licence="Apache-2.0",
    )

    def __init__(self) -> None:
        self._network: Any = None
        self._device = "cpu"

    def load(self, file: Path, device: str) -> None:
        import torch
        from torch import nn
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        read_tensors(file, self.name)  # torch-fidelity itself would unpickle anything
        self._network = FeatureExtractorInceptionV3(self.name, ["2048"], feature_extractor_weights_path=str(file))
        for part in self._network.modules():
            if hasattr(part, "bn") and hasattr(part, "conv"):  # fused, they take a tenth less time
                part.conv, part.bn = torch.nn.utils.fuse_conv_bn_eval(part.conv.eval(), part.bn.eval()), nn.Identity()
        self._network.to(device, memory_format=torch.channels_last).eval()
        self._device = device

    def predict(self, faces: torch.Tensor) -> torch.Tensor:
        """Features of the faces as 8-bit pictures, as torch-fidelity would read them from files: float32 [N, 2048]."""
        import torch

        with torch.inference_mode():
            pixels = (faces.clamp(0, 1) * 255).round().byte().to(self._device)
            return torch.cat([self._network(part)[0].float().cpu() for part in pixels.split(BATCH)])
