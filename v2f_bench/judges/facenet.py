"""FaceNet by facenet-pytorch: two identity judges, trained on different people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from v2f_bench.interfaces import Judge, NotAvailable, WeightsFile
from v2f_bench.judges.weights import fill, read_tensors
from v2f_bench.media.mtcnn_networks import HOW_TO_INSTALL

if TYPE_CHECKING:
    import torch

RELEASE = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/"
SIDE = 160  # pixels, as in training
BATCH = 32  # faces at once: more take more memory, and are no faster


class _FaceNet(Judge):
    """InceptionResnetV1 (Szegedy et al. 2016) trained to tell people apart: a unit vector of 512 numbers."""

    kind = "identity"
    licence = "MIT"

    def __init__(self) -> None:
        self._network: Any = None
        self._device = "cpu"

    def load(self, file: Path, device: str) -> None:
        import torch

        try:
            from facenet_pytorch import InceptionResnetV1
        except ImportError:
            raise NotAvailable(f"{self.name} needs facenet-pytorch: {HOW_TO_INSTALL}") from None
        network = InceptionResnetV1(pretrained=None)  # a name here would make the package download by itself
        tensors = read_tensors(file, self.name)
        without_classifier = {key: tensor for key, tensor in tensors.items() if not key.startswith("logits.")}
        fill(network, without_classifier, file, self.name)
        # On a CPU a face takes a third less time with the channels last.
        self._network = network.eval().to(device, memory_format=torch.channels_last)
        self._device = device

    def predict(self, faces: torch.Tensor) -> torch.Tensor:
        """Unit embeddings: float32 [N, 512]."""
        import torch

        from v2f_bench.media.picture import resize

        assert self._network is not None, "load first"
        with torch.inference_mode():
            rows = []
            for some in faces.split(BATCH):
                pixels = resize(some.to(self._device), SIDE) * 255
                pixels = ((pixels - 127.5) / 128).contiguous(memory_format=torch.channels_last)
                rows.append(self._network(pixels).float().cpu())
            return torch.cat(rows)


class FaceNetVggFace2(_FaceNet):
    """FaceNet trained on VGGFace2's 8,631 training people; LFW accuracy .9965 by its publisher."""

    name = "facenet-vggface2"
    version = "20180402-114759"
    summary = "FaceNet of facenet-pytorch, trained on VGGFace2"
    people = "VGGFace2, the 8,631 people of its training part (Cao et al. 2018)"
    met = frozenset({"vggface2"})
    weights = WeightsFile(
        file="20180402-114759-vggface2.pt",
        url=RELEASE + "20180402-114759-vggface2.pt",
        sha256="",
        megabytes=111.9,
        licence="MIT",
    )


class FaceNetCasia(_FaceNet):
    """FaceNet trained on CASIA-WebFace's 10,575 people; LFW accuracy .9905 by its publisher."""

    name = "facenet-casia"
    version = "20180408-102900"
    summary = "FaceNet of facenet-pytorch, trained on CASIA-WebFace"
    people = "CASIA-WebFace, 10,575 people (Yi et al. 2014)"
    met = frozenset({"casia-webface"})
    weights = WeightsFile(
        file="20180408-102900-casia-webface.pt",
        url=RELEASE + "20180408-102900-casia-webface.pt",
        sha256="",
        megabytes=115.9,
        licence="MIT",
    )
