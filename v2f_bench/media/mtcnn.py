"""MTCNN (Zhang et al. 2016), the face detector that the field crops its pictures with, over whole batches at once.

The weights are facenet-pytorch's, and so are the faces that are found; but where its own `detect` cuts
out, resizes and thins one candidate at a time, here all candidates of all pictures of a batch go together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from v2f_bench.media.mtcnn_networks import Network

if TYPE_CHECKING:
    import numpy as np
    import torch

PYRAMID_STEP = 0.709
SURE_ENOUGH = (0.6, 0.7, 0.7)  # of the proposal, refinement and output network: the authors' own values
SAME_FACE = 0.7  # of two boxes, the part of the smaller that the other covers, above which they are one face
BLOCK = 256  # boxes of a picture that are compared with each other at once: bounds the memory where there are many


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


def find_faces(pictures: torch.Tensor, networks: list[Network], smallest: float, overlap: float = 0.7) -> Faces:
    """Every face in each picture, once: as `facenet_pytorch.MTCNN(min_face_size=smallest).detect` finds them.

    Args:
        pictures: uint8 or float32 [N, 3, H, W] in [0, 255].
        networks: of `mtcnn_networks.load_networks`.
        smallest: side of the smallest face that is looked for, in pixels.
        overlap: of two candidates with more overlap (intersection over union) the surer remains.
    """
    import torch

    with torch.inference_mode():
        detected = candidates(pictures, networks, smallest, overlap)
        kept = _once(detected)
        return Faces(detected.images[kept], detected.boxes[kept], detected.scores[kept], detected.points[kept])


def candidates(pictures: torch.Tensor, networks: list[Network], smallest: float, overlap: float) -> Faces:
    """What the output network is sure to be a face; one face may be there more than once. Arguments of `find_faces`."""
    import torch

    proposal, refinement, output = networks
    sums = _sums(pictures)
    images, boxes = _proposals(sums, proposal, smallest, overlap)
    if len(boxes):
        scores, shifts = refinement(_cut_out(sums, images, boxes, 24))
        sure = scores[:, 1] > SURE_ENOUGH[1]
        images, boxes, shifts, scores = images[sure], boxes[sure], shifts[sure], scores[sure, 1]
        kept = _thinned(boxes, scores, images, overlap)
        images, boxes = images[kept], _squared(_shifted(boxes[kept], shifts[kept], 1))
    if not len(boxes):
        nothing = torch.zeros(0, device=pictures.device)
        return Faces(images, boxes, nothing, nothing.double().reshape(0, 5, 2))
    scores, shifts, points = output(_cut_out(sums, images, boxes, 48))
    sure = scores[:, 1] > SURE_ENOUGH[2]
    images, boxes, shifts, points, scores = images[sure], boxes[sure], shifts[sure], points[sure], scores[sure, 1]
    sizes = boxes[:, 2:] - boxes[:, :2] + 1
    within = points.double().reshape(-1, 2, 5).transpose(1, 2)  # of the box, in units of its sides
    return Faces(images, _shifted(boxes, shifts, 1), scores, boxes[:, None, :2] + within * sizes[:, None] - 1)


def _once(detected: Faces) -> torch.Tensor:
    """Places of the candidates that remain when each face is kept once, by picture, the surest first."""
    import numpy as np
    import torch

    images, boxes = detected.images.cpu().numpy(), detected.boxes.cpu().numpy()
    order = np.lexsort((-detected.scores.cpu().numpy(), images))
    kept: list[int] = []
    for place in order:
        box = boxes[place]
        rivals = [other for other in kept if images[other] == images[place]]
        if not any(_covered(box, boxes[other]) > SAME_FACE for other in rivals):
            kept.append(int(place))
    return torch.tensor(kept, dtype=torch.long, device=detected.images.device)


def _covered(first: np.ndarray, second: np.ndarray) -> float:
    """How much of the smaller of two boxes the other covers, from 0 to 1; both ends of a box belong to it."""
    import numpy as np

    shared = np.clip(np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2]) + 1, 0, None).prod()
    return float(shared / min((first[2:] - first[:2] + 1).prod(), (second[2:] - second[:2] + 1).prod()))


def _proposals(
    sums: torch.Tensor, network: Network, smallest: float, overlap: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Candidates by the proposal network over a pyramid of sizes: image int64 [K], box float64 [K, 4] (x, y, x, y)."""
    import torch

    height, width = sums.shape[1] - 1, sums.shape[2] - 1
    scale = 12 / smallest
    nothing = torch.zeros(0, device=sums.device)
    levels = [[nothing.long(), nothing.double().reshape(0, 4), nothing, nothing.reshape(0, 4)]]
    while min(height, width) * scale >= 12:
        scores, shifts = network(_made_small(sums, int(height * scale + 1), int(width * scale + 1)))
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
    """Places of the boxes that remain, the surest first, when the surer of two that overlap in one picture stays.

    The answer of going from the surest to the least sure, but for all pictures at once, a block of boxes at a time.
    """
    import torch

    order = scores.argsort(descending=True, stable=True)
    if not len(order):
        return order
    ranked = _ranked(order, images)
    kept = ranked[:, :0]
    for block in ranked.split(BLOCK, dim=1):
        there = (block >= 0) & ~_rivals(boxes, kept, block, overlap).any(dim=1)
        rivals = _rivals(boxes, block, block, overlap).triu(diagonal=1)  # of each, the surer ones
        remain, before = there, None
        while before is None or not torch.equal(remain, before):  # the surest is right at once, then the next, ...
            remain, before = there & ~(rivals & remain[:, :, None]).any(dim=1), remain
        kept = torch.cat([kept, torch.where(remain, block, -1)], dim=1)
        kept = kept[:, (kept >= 0).any(dim=0)]
    remaining = torch.zeros_like(order, dtype=torch.bool)
    remaining[kept[kept >= 0]] = True
    return order[remaining[order]]


def _ranked(order: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Places in `order`, a row for each picture: int64 [pictures, most of one], filled up with -1."""
    import torch

    places = order[images[order].argsort(stable=True)]
    _, row, counts = images[places].unique_consecutive(return_inverse=True, return_counts=True)
    column = torch.arange(len(places), device=order.device) - (counts.cumsum(0) - counts)[row]
    ranked = torch.full((len(counts), int(counts.max())), -1, device=order.device)
    ranked[row, column] = places
    return ranked


def _rivals(boxes: torch.Tensor, first: torch.Tensor, second: torch.Tensor, overlap: float) -> torch.Tensor:
    """Which boxes at places [P, m] and [P, n] overlap more (intersection over union): bool [P, m, n]."""
    import torch

    one, other = boxes[first][:, :, None], boxes[second][:, None]
    shared = (torch.minimum(one[..., 2:], other[..., 2:]) - torch.maximum(one[..., :2], other[..., :2])).clamp(min=0)
    both = shared[..., 0] * shared[..., 1]
    areas = [(box[..., 2] - box[..., 0]) * (box[..., 3] - box[..., 1]) for box in (one, other)]
    return (both / (areas[0] + areas[1] - both) > overlap) & (first >= 0)[:, :, None]


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
    rows = sums.index_select(1, bottom) - sums.index_select(1, top)
    total = rows.index_select(2, right) - rows.index_select(2, left)
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
    (left, top), (right, bottom) = near.unbind(1), far.unbind(1)
    pixel_sums = sums.view(-1, 3)

    def corner(rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """[K, side, side, 3]; several times as fast as by three indices."""
        lines = images[:, None] * sums.shape[1] + rows
        places = lines[:, :, None] * sums.shape[2] + columns[:, None, :]
        return pixel_sums.index_select(0, places.flatten()).view(*places.shape, 3)

    total = corner(bottom, right) - corner(top, right) - corner(bottom, left) + corner(top, left)
    pixels = (bottom - top)[:, :, None] * (right - left)[:, None, :]
    return _centred((total / pixels[..., None]).float().permute(0, 3, 1, 2))


def _centred(pixels: torch.Tensor) -> torch.Tensor:
    return (pixels - 127.5) / 128
