"""What a method drew, brought back into the frame it was cut from."""

from __future__ import annotations

import numpy as np

SOFT = 0.25  # of the way from the crop's middle to its edge: where the mask falls from 1 to 0
SEEN = 0.15  # in [0, 1]: a change of this size replaces the fine detail of the frame rather than moving it


def paste(pixels: np.ndarray, source: np.ndarray, change: np.ndarray, turn: complex, shift: complex) -> np.ndarray:
    """The frame with its face changed within a soft mask: uint8 [H, W, 3]. Outside the crop it stays as it is.

    A frame has finer detail than a method's small crop. Where the method changes little, its change is added and the
    detail stays; where it changes much, what it drew takes the place of the detail too, which belongs to the old
    expression. A method that changes nothing gives back the very frame.

    Args:
        pixels: uint8 [H, W, 3].
        source: float32 [3, R, R] in [0, 1], the crop that the method was given.
        change: float32 [3, R, R], what it drew minus the crop.
        turn, shift: from places of the crop, 0 to 1 across and 0 to i down, to those of the frame (see `Shot`).
    """
    height, width = pixels.shape[:2]
    corners = np.array([0, 1, 1j, 1 + 1j]) * turn + shift
    left, top = max(int(np.floor(corners.real.min())), 0), max(int(np.floor(corners.imag.min())), 0)
    right, bottom = min(int(np.ceil(corners.real.max())), width), min(int(np.ceil(corners.imag.max())), height)
    if right <= left or bottom <= top:  # the crop lies outside the picture
        return pixels
    across, down = np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5
    places = (across[None] + 1j * down[:, None] - shift) / turn
    mask = soft_mask(places)[..., None].astype(np.float32)
    both = _sampled(np.concatenate([source, change]), places, abs(turn)).transpose(1, 2, 0)
    smooth, moved = both[..., :3], both[..., 3:]
    region = pixels[top:bottom, left:right].astype(np.float32) / 255
    kept = np.exp(-((np.abs(moved).mean(axis=2, keepdims=True) / SEEN) ** 2))
    region += mask * (moved - (1 - kept) * (region - smooth))
    changed = pixels.copy()
    changed[top:bottom, left:right] = (region.clip(0, 1) * 255).round().astype(np.uint8)
    return changed


def soft_mask(places: np.ndarray) -> np.ndarray:
    """float [h, w] in [0, 1] at places of the crop: a square with round corners, 1 in the middle, 0 at the edge."""
    away = ((2 * places.real - 1) ** 4 + (2 * places.imag - 1) ** 4) ** 0.25
    rise = ((1 - away) / SOFT).clip(0, 1)
    return rise * rise * (3 - 2 * rise)


def _sampled(crop: np.ndarray, places: np.ndarray, side: float) -> np.ndarray:
    """float32 [C, R, R] at places of the crop: float32 [C, h, w]; `side`: how large the frame shows it, in pixels."""
    import torch
    import torch.nn.functional as F

    values = torch.from_numpy(crop)[None]
    if side < crop.shape[-1]:  # first without aliasing to the frame's scale
        smaller = max(round(side), 1)
        values = F.interpolate(values, (smaller, smaller), mode="bilinear", antialias=True)
    grid = torch.from_numpy(np.stack([places.real, places.imag], axis=-1).astype(np.float32))[None] * 2 - 1
    return F.grid_sample(values, grid, mode="bicubic", padding_mode="border", align_corners=False)[0].numpy()
