"""MTCNN (Zhang et al. 2016), the face detector that the field crops its pictures with, over whole batches at once.

The networks and weights are facenet-pytorch's, and so are the faces that are found; but where its own `detect` cuts
out, resizes and thins one candidate at a time, here all candidates of all pictures of a batch go together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from v2f_bench.interfaces import NotAvailable

if TYPE_CHECKING:
    import numpy as np
    import torch

HOW_TO_INSTALL = "pip install --no-deps facenet-pytorch"
PYRAMID_STEP = 0.709
SURE_ENOUGH = (0.6, 0.7, 0.7)  # of the proposal, refinement and output network: the authors' own values
SAME_FACE = 0.7  # of two boxes, the part of the smaller that the other covers, above which they are one face


@dataclass(frozen=True)
class Faces:
    """The faces found in a batch of pictures, the surest first in each picture.

    images: int64 [K], the picture that each is in;
    boxes: float64 [K, 4], left, top, right, bottom, in pixels;
    scores: float32 [K], the output network's probability;
    points: float64 [K, 5, 2], x and y of left eye, right eye, nose, left and right corner of the mouth, as seen in the
    picture; a pixel's centre has whole coordinates.
    """

    images: torch.Tensor
    boxes: torch.Tensor
    scores: torch.Tensor
    points: torch.Tensor


def load_networks(device: str, owner: str) -> list[Any]:
    """Proposal, refinement and output network. NotAvailable where facenet-pytorch is missing; says how to get it."""
    try:
        from facenet_pytorch import ONet, PNet, RNet
    except ImportError:
        raise NotAvailable(f"{owner} needs facenet-pytorch: {HOW_TO_INSTALL}") from None
    return [network().eval().to(device) for network in (PNet, RNet, ONet)]


def find_faces(pictures: torch.Tensor, networks: list[Any], smallest: float, overlap: float = 0.7) -> Faces:
    """Every face in each picture, once: as `facenet_pytorch.MTCNN(min_face_size=smallest).detect` finds them.

    Args:
        pictures: uint8 or float32 [N, 3, H, W] in [0, 255].
        networks: of `load_networks`.
        smallest: side of the smallest face that is looked for, in pixels.
        overlap: of two candidates with more overlap (intersection over union) the surer remains.
    """
    import torch

    with torch.inference_mode():
        found = candidates(pictures, networks, smallest, overlap)
        kept = _once(found)
        return Faces(found.images[kept], found.boxes[kept], found.scores[kept], found.points[kept])


def candidates(pictures: torch.Tensor, networks: list[Any], smallest: float, overlap: float) -> Faces:
    """What the output network is sure to be a face; one face may be there more than once. Arguments of `find_faces`."""
    import torch

    proposal, refinement, output = networks
    sums = _sums(pictures)
    images, boxes = _proposals(sums, proposal, smallest, overlap)
    if len(boxes):
        shifts, scores = refinement(_cut_out(sums, images, boxes, 24))
        sure = scores[:, 1] > SURE_ENOUGH[1]
        images, boxes, shifts, scores = images[sure], boxes[sure], shifts[sure], scores[sure, 1]
        kept = _thinned(boxes, scores, images, overlap)
        images, boxes = images[kept], _squared(_shifted(boxes[kept], shifts[kept], 1))
    if not len(boxes):
        nothing = torch.zeros(0, device=pictures.device)
        return Faces(images, boxes, nothing, nothing.double().reshape(0, 5, 2))
    shifts, points, scores = output(_cut_out(sums, images, boxes, 48))
    sure = scores[:, 1] > SURE_ENOUGH[2]
    images, boxes, shifts, points, scores = images[sure], boxes[sure], shifts[sure], points[sure], scores[sure, 1]
    sizes = boxes[:, 2:] - boxes[:, :2] + 1
    within = points.double().reshape(-1, 2, 5).transpose(1, 2)  # of the box, in units of its sides
    return Faces(images, _shifted(boxes, shifts, 1), scores, boxes[:, None, :2] + within * sizes[:, None] - 1)


def _once(found: Faces) -> torch.Tensor:
    """Places of the candidates that remain when each face is kept once, by picture, the surest first."""
    import numpy as np
    import torch

    images, boxes = found.images.cpu().numpy(), found.boxes.cpu().numpy()
    order = np.lexsort((-found.scores.cpu().numpy(), images))
    kept: list[int] = []
    for place in order:
        box = boxes[place]
        rivals = [other for other in kept if images[other] == images[place]]
        if not any(_covered(box, boxes[other]) > SAME_FACE for other in rivals):
            kept.append(int(place))
    return torch.tensor(kept, dtype=torch.long, device=found.images.device)


def _covered(first: np.ndarray, second: np.ndarray) -> float:
    """How much of the smaller of two boxes the other covers, from 0 to 1; both ends of a box belong to it."""
    import numpy as np

    shared = np.clip(np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2]) + 1, 0, None).prod()
    return float(shared / min((first[2:] - first[:2] + 1).prod(), (second[2:] - second[:2] + 1).prod()))


def _proposals(sums: torch.Tensor, network: Any, smallest: float, overlap: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Candidates by the proposal network over a pyramid of sizes: image int64 [K], box float64 [K, 4] (x, y, x, y)."""
    import torch

    height, width = sums.shape[1] - 1, sums.shape[2] - 1
    scale = 12 / smallest
    nothing = torch.zeros(0, device=sums.device)
    levels = [[nothing.long(), nothing.double().reshape(0, 4), nothing, nothing.reshape(0, 4)]]
    while min(height, width) * scale >= 12:
        shifts, scores = network(_made_small(sums, int(height * scale + 1), int(width * scale + 1)))
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


def _sums(pictures: torch.Tensor) -> torch.Tensor:
    """Sums over all pixels above and left of each corner, so that any box has its mean: [N, H+1, W+1, 3].

    Exact for whole numbers: int32 for uint8 pictures (of up to 8 million pixels), float64 for others.
    """
    import torch
    import torch.nn.functional as F

    kind = torch.int32 if pictures.dtype == torch.uint8 else torch.float64
    return F.pad(pictures.cumsum(2, dtype=kind).cumsum(3, dtype=kind), (1, 0, 1, 0)).permute(0, 2, 3, 1).contiguous()


def _made_small(sums: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """The whole pictures resized by area: float32 [N, 3, height, width], as the networks take them."""
    import torch

    def edges(length: int, parts: int) -> tuple[torch.Tensor, torch.Tensor]:
        steps = torch.arange(parts, device=sums.device)
        return steps * length // parts, ((steps + 1) * length + parts - 1) // parts

    (top, bottom), (left, right) = edges(sums.shape[1] - 1, height), edges(sums.shape[2] - 1, width)
    rows = sums[:, bottom] - sums[:, top]
    total = rows[:, :, right] - rows[:, :, left]
    pixels = (bottom - top)[:, None] * (right - left)
    return _centred((total / pixels[..., None]).float().permute(0, 3, 1, 2))


def _cut_out(sums: torch.Tensor, images: torch.Tensor, boxes: torch.Tensor, side: int) -> torch.Tensor:
    """Each box, cut at the picture's edge and resized by area: float32 [K, 3, side, side], as the networks take it."""
    import torch

    whole = boxes.trunc().long()
    last = torch.tensor([sums.shape[2] - 1, sums.shape[1] - 1], device=boxes.device)  # width and height
    start = torch.minimum((whole[:, :2] - 1).clamp(min=0), last - 1)
    length = torch.maximum(torch.minimum(whole[:, 2:], last) - start, torch.ones_like(start))
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
