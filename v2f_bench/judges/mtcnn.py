"""MTCNN, the face detector that the field crops its pictures with, over whole batches at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from v2f_bench.interfaces import Judge, NotAvailable
from v2f_bench.judges.facenet import HOW_TO_INSTALL

if TYPE_CHECKING:
    import torch

SIDE = 64  # pixels, to which a face is brought: bigger ones are found no better
BORDER = 16  # pixels on each side: MTCNN learned on faces with something around them
SMALLEST_FACE = 32.0  # of the 96 pixels; smaller ones would be parts of a face, or noise
PYRAMID_STEP = 0.709
SURE_ENOUGH = (0.6, 0.7, 0.7)  # of the proposal, refinement and output network: the authors' own values
# Candidates that overlap by more are one. The authors' own value is the second: three times the work, and hardly ever
# another answer, so only the pictures in which the first finds nothing get it.
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
        try:
            from facenet_pytorch import ONet, PNet, RNet
        except ImportError:
            raise NotAvailable(f"{self.name} needs facenet-pytorch: {HOW_TO_INSTALL}") from None
        self._networks = [network().eval().to(device) for network in (PNet, RNet, ONet)]
        self._device = device

    def look(self, faces: torch.Tensor) -> torch.Tensor:
        """The probability of the surest face found, 0 where none is: float32 [N, 1]."""
        import torch
        import torch.nn.functional as F

        from v2f_bench.media.picture import resize

        assert self._networks, "start first"
        with torch.inference_mode():
            framed = F.pad(resize(faces.to(self._device), SIDE), (BORDER,) * 4, mode="replicate") * 255
            found = torch.zeros(len(faces), device=self._device)
            for overlap in OVERLAPS:
                missing = found == 0
                found[missing] = surest_faces(framed[missing], self._networks, overlap)
            return found[:, None].float().cpu()


def surest_faces(framed: torch.Tensor, networks: list[Any], overlap: float) -> torch.Tensor:
    """The probability of the surest face in each picture, 0 where none is: float32 [N].

    Args:
        framed: float32 [N, 3, H, H] in [0, 255].
        networks: proposal, refinement and output network.
        overlap: of two candidates with more overlap (intersection over union) the surer remains.
    """
    import torch

    proposal, refinement, output = networks
    sums, found = _sums(framed), torch.zeros(len(framed), device=framed.device)
    images, boxes = _proposals(framed, proposal, overlap)
    if len(boxes):
        shifts, scores = refinement(_cut_out(sums, images, boxes, 24))
        sure = scores[:, 1] > SURE_ENOUGH[1]
        images, boxes, shifts, scores = images[sure], boxes[sure], shifts[sure], scores[sure, 1]
        kept = _thinned(boxes, scores, images, overlap)
        images, boxes = images[kept], _squared(_shifted(boxes[kept], shifts[kept], 1))
    if len(boxes):
        scores = output(_cut_out(sums, images, boxes, 48))[2][:, 1]
        sure = scores > SURE_ENOUGH[2]
        found.scatter_reduce_(0, images[sure], scores[sure], "amax")
    return found


def _proposals(framed: torch.Tensor, network: Any, overlap: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Candidates by the proposal network over a pyramid of sizes: image int64 [K], box float64 [K, 4] (x, y, x, y)."""
    import torch
    import torch.nn.functional as F

    side, scale = framed.shape[-1], 12 / SMALLEST_FACE
    levels = []
    while side * scale >= 12:
        small = F.interpolate(framed, (int(side * scale + 1),) * 2, mode="area")
        shifts, scores = network(_centred(small))
        images, rows, columns = (scores[:, 1] >= SURE_ENOUGH[0]).nonzero(as_tuple=True)
        corner = torch.stack([columns, rows], dim=1).double() * 2 + 1
        boxes = torch.cat([corner / scale, (corner + 11) / scale], dim=1).floor()
        score, shift = scores[images, 1, rows, columns], shifts[images, :, rows, columns]
        kept = _thinned(boxes, score, images, 0.5)
        levels.append([part[kept] for part in (images, boxes, score, shift)])
        scale *= PYRAMID_STEP
    images, boxes, score, shift = (torch.cat(parts) for parts in zip(*levels, strict=True))
    kept = _thinned(boxes, score, images, overlap)
    return images[kept], _squared(_shifted(boxes[kept], shift[kept], 0))


def _thinned(boxes: torch.Tensor, scores: torch.Tensor, images: torch.Tensor, overlap: float) -> torch.Tensor:
    """Places of the boxes that remain, of each image by itself; in double precision, so that no image sways another."""
    from torchvision.ops import batched_nms  # type: ignore[import-untyped]

    return batched_nms(boxes, scores.double(), images, overlap)


def _shifted(boxes: torch.Tensor, shifts: torch.Tensor, inclusive: int) -> torch.Tensor:
    """Boxes moved by what a network says, in units of their width and height."""
    sizes = boxes[:, 2:] - boxes[:, :2] + inclusive
    return boxes + shifts.double() * sizes.repeat(1, 2)


def _squared(boxes: torch.Tensor) -> torch.Tensor:
    """The square around each box: same centre, the longer side."""
    import torch

    sizes = boxes[:, 2:] - boxes[:, :2]
    longer = sizes.amax(dim=1, keepdim=True)
    corner = boxes[:, :2] + sizes / 2 - longer / 2
    return torch.cat([corner, corner + longer], dim=1)


def _sums(framed: torch.Tensor) -> torch.Tensor:
    """Sums over all pixels above and left of each corner, so that any box has its mean: float64 [N, H+1, W+1, 3]."""
    import torch.nn.functional as F

    return F.pad(framed.double().cumsum(2).cumsum(3), (1, 0, 1, 0)).permute(0, 2, 3, 1).contiguous()


def _cut_out(sums: torch.Tensor, images: torch.Tensor, boxes: torch.Tensor, side: int) -> torch.Tensor:
    """Each box, cut at the picture's edge and resized by area: float32 [K, 3, side, side], as the networks take it."""
    import torch

    whole = boxes.trunc().long()
    start = (whole[:, :2] - 1).clamp(0, sums.shape[1] - 2)
    length = torch.maximum(whole[:, 2:].clamp(max=sums.shape[1] - 1) - start, torch.ones_like(start))
    steps = torch.arange(side, device=boxes.device)
    near = start[:, :, None] + steps * length[:, :, None] // side  # [K, 2, side]
    far = start[:, :, None] + ((steps + 1) * length[:, :, None] + side - 1) // side
    (left, top), (right, bottom), image = near.unbind(1), far.unbind(1), images[:, None, None]

    def corner(rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        return sums[image, rows[:, :, None], columns[:, None, :]]  # [K, side, side, 3]

    total = corner(bottom, right) - corner(top, right) - corner(bottom, left) + corner(top, left)
    pixels = (bottom - top)[:, :, None] * (right - left)[:, None, :]
    return _centred((total / pixels[..., None]).float().permute(0, 3, 1, 2))


def _centred(pixels: torch.Tensor) -> torch.Tensor:
    return (pixels - 127.5) / 128
