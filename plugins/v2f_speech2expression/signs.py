"""The signs that tell the picture network which emotion to draw (the source's `draw_sign_image`)."""

from __future__ import annotations

import torch

SIZE = 0.2  # of the picture's side: the diameter of a disc, the side of a square; silent
RING = 0.5  # of the radius: where a ring's hole begins
WHITE, RED, BLUE, GREEN = (1.0, 1.0, 1.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.8, 0.0)
# The source's five, and four in their kind for emotions that it leaves out.
SIGNS = {
    "angry": ("disc", WHITE),
    "neutral": ("ring", WHITE),
    "fearful": ("square", WHITE),
    "happy": ("square", RED),
    "sad": ("disc", RED),
    "calm": ("disc", BLUE),
    "disgust": ("disc", GREEN),
    "surprised": ("square", BLUE),
    "contempt": ("square", GREEN),
}


def signed(faces: torch.Tensor, emotions: list[str]) -> torch.Tensor:
    """Faces [N, 3, H, W] with the sign of each one's emotion in the middle of the frame; the faces stay as they are."""
    faces = faces.clone()
    for row, emotion in zip(faces, emotions, strict=True):
        shape, colour = SIGNS[emotion]
        row[:, _covered(shape, row.shape[-1]).to(row.device)] = torch.tensor(colour, device=row.device)[:, None]
    return faces


def _covered(shape: str, side: int) -> torch.Tensor:
    """The pixels of a sign: bool [side, side]."""
    place = (torch.arange(side) + 0.5) / side - 0.5
    x, y = place.abs(), place.abs()[:, None]
    radius = (x.square() + y.square()).sqrt() * 2 / SIZE
    if shape == "square":
        return (x * 2 <= SIZE) & (y * 2 <= SIZE)
    return (radius <= 1) & (radius > (RING if shape == "ring" else -1))
