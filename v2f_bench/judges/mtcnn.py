"""MTCNN as a judge: whether a picture shows a face."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from v2f_bench.interfaces import Judge
from v2f_bench.media.mtcnn import candidates
from v2f_bench.media.mtcnn_networks import load_networks

if TYPE_CHECKING:
    import torch

SIDE = 64  # pixels, to which a face is brought: bigger ones are found no better
BORDER = 16  # pixels on each side: MTCNN learned on faces with something around them
SMALLEST_FACE = 32.0  # of the 96 pixels; smaller ones would be parts of a face, or noise
# Thresholds of non-maximum suppression. The authors' own is .7: three times the work and hardly ever another answer, so
# it is used only for pictures in which .5 finds nothing.
OVERLAPS = (0.5, 0.7)


class Mtcnn(Judge):
    """How surely a face is there, by the three networks of Zhang et al. 2016 (facenet-pytorch's copy and weights).

    A face that fills the frame is hard for it, so the picture is brought to 64 pixels and its border repeated 16 pixels
    outwards: of 1,517 real faces (VoxCeleb1, LFW, VGGFace) it then finds all, of 200 pictures of noise none. It finds
    what facenet-pytorch's own `MTCNN(min_face_size=32).detect` finds, which cuts out one candidate at a time; here all
    candidates of a batch are cut out, scored and thinned together.
    """

    name = "mtcnn"
    version = "1"
    kind = "detection"
    summary = "MTCNN of facenet-pytorch: whether a face is found; its weights come with the package"
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
        """The probability of the surest face found, 0 where none is: float32 [N, 1]."""
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
    """The probability of the surest face in each picture, 0 where none is: float32 [N].

    Args:
        framed: float32 [N, 3, H, H] in [0, 255].
        networks: proposal, refinement and output network.
        overlap: of two candidates with more overlap (intersection over union) the surer remains.
    """
    import torch

    detected = candidates(framed, networks, SMALLEST_FACE, overlap)
    surest = torch.zeros(len(framed), device=framed.device)
    return surest.scatter_reduce_(0, detected.images, detected.scores, "amax")
