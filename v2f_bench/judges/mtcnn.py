"""MTCNN as a judge: whether a picture shows a face."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from v2f_bench.interfaces import Judge
from v2f_bench.media.mtcnn import candidates
from v2f_bench.media.mtcnn_networks import load_networks

if TYPE_CHECKING:
    import torch

SIDE = 64  # pixels to which a picture is resized: larger faces are not detected better
BORDER = 16  # pixels on each side: MTCNN was trained on faces with surroundings
SMALLEST_FACE = 32.0  # of the 96 pixels; smaller ones would be parts of a face, or noise
# Thresholds of non-maximum suppression. The authors use .7, which takes three times as long and hardly ever changes the
# answer; so it is used only for pictures in which no face is detected with .5.
OVERLAPS = (0.5, 0.7)


class Mtcnn(Judge):
    """The probability of a face, by the three networks of Zhang et al. 2016 (facenet-pytorch's copy and weights).

    MTCNN often misses a face that fills the picture. So the picture is resized to 64 pixels, and its border is repeated
    16 pixels outwards. Then it detects all of 1,517 real faces (VoxCeleb1, LFW, VGGFace), and none in 200 pictures of
    noise. It detects the same faces as facenet-pytorch's own `MTCNN(min_face_size=32).detect`, but processes the
    candidates of a whole batch together instead of one at a time.
    """

    name = "mtcnn"
    version = "1"
    kind = "detection"
    summary = "MTCNN of facenet-pytorch: whether a face is detected; its weights come with the package"
    people = "WIDER FACE and CelebA (Zhang et al. 2016, section III)"
    met = frozenset({"wider-face", "celeba"})
    licence = "MIT"

    def __init__(self) -> None:
        self._networks: list[Any] = []
        self._device = "cpu"

    def start(self, device: str) -> None:
        self._networks = load_networks(device, self.name)
        self._device = device

    def predict(self, faces: torch.Tensor) -> torch.Tensor:
        """The highest probability of a face in each picture, 0 where none is detected: float32 [N, 1]."""
        import torch
        import torch.nn.functional as F

        from v2f_bench.media.picture import resize

        assert self._networks, "start first"
        with torch.inference_mode():
            framed = F.pad(resize(faces.to(self._device), SIDE), (BORDER,) * 4, mode="replicate") * 255
            detected = torch.zeros(len(faces), device=self._device)
            for overlap in OVERLAPS:
                missing = detected == 0
                detected[missing] = surest_faces(framed[missing], self._networks, overlap)
            return detected[:, None].float().cpu()


def surest_faces(framed: torch.Tensor, networks: list[Any], overlap: float) -> torch.Tensor:
    """The highest probability of a face in each picture, 0 where none is detected: float32 [N].

    Args:
        framed: float32 [N, 3, H, H] in [0, 255].
        networks: proposal, refinement and output network.
        overlap: of two candidates with more overlap (intersection over union) the more probable one is kept.
    """
    import torch

    detected = candidates(framed, networks, SMALLEST_FACE, overlap)
    surest = torch.zeros(len(framed), device=framed.device)
    return surest.scatter_reduce_(0, detected.images, detected.scores, "amax")
