"""How a picture becomes upright RGB of 8 bits on one ground. The rules stand in docs/files.md."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps

from v2f_bench.interfaces import DataError
from v2f_bench.media.changes import note

GROUND = "white"  # under what is transparent
USED = 0.25  # of the range of more than 8 bits: if nothing is above, then the range is another than the file's
SAME = 2  # grey levels by which a colour profile may move a colour and still be sRGB
_DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
# What Pillow stumbles over where facts about a picture are damaged, which is no fault of the picture.
_OF_DAMAGED_FACTS = (SyntaxError, ValueError, KeyError, TypeError, IndexError, OverflowError, struct.error)
_PNG = b"\x89PNG\r\n\x1a\n"
_BITS, _PHOTOMETRIC, _HIGHEST, _FORMAT, _HIGHEST_OF_ANY = 258, 262, 281, 339, 341  # TIFF's tags


def upright_rgb(picture: Image.Image, head: bytes) -> Image.Image:
    """The first frame of an open picture in mode RGB: upright, in sRGB, transparent parts on white.

    Args:
        head: its file, from the beginning, for what Pillow does not tell.

    Raises:
        DataError: its range of brightness is not known.
    """
    profile = picture.info.get("icc_profile")
    picture = _turned(picture)
    if picture.mode in _DEEP:
        picture = _eight_bits(picture, head)
    elif _has_16_bits(picture, head) and max(high for _, high in _extrema(picture)) <= USED * 255:
        raise DataError("uses less than a quarter of its 16 bits, and the file does not say which value is white")
    if picture.mode in ("P", "PA", "1") or "transparency" in picture.info:
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    return on_white(_in_srgb(picture, profile))


def on_white(picture: Image.Image) -> Image.Image:
    """A picture without transparency; what is transparent shows white."""
    if "A" not in picture.getbands():
        return picture.convert("RGB")
    picture = picture.convert("RGBA")
    if picture.getchannel("A").getextrema()[0] == 255:
        return picture.convert("RGB")
    note(f"transparent parts were laid on {GROUND}")
    return Image.alpha_composite(Image.new("RGBA", picture.size, GROUND), picture).convert("RGB")


def _turned(picture: Image.Image) -> Image.Image:
    """Turned and mirrored as its camera was held."""
    orientation = 1
    with suppress(*_OF_DAMAGED_FACTS):
        orientation = picture.getexif().get(0x0112, 1)
    picture.load()  # only now: newer versions of Pillow turn a TIFF when they load it, and forget how it lay
    with suppress(*_OF_DAMAGED_FACTS):
        ImageOps.exif_transpose(picture, in_place=True)
    if orientation in range(2, 9):
        note("turned or mirrored as its camera was held")
    return picture


def _eight_bits(picture: Image.Image, head: bytes) -> Image.Image:
    """A grey picture of more than 8 bits or of floats, scaled by the brightness of white that its file states."""
    values, tags = np.asarray(picture).astype(np.float64), getattr(picture, "tag_v2", {})
    stated = float(np.max(tags.get(_HIGHEST_OF_ANY) or tags.get(_HIGHEST) or 0))
    if not np.isfinite(values).all():
        raise DataError("holds values that are not finite")
    if values.min() < 0:
        raise DataError("holds values below 0, and the file does not say which is black")
    white = stated or (_white_of_floats(values) if picture.mode == "F" else _white_of_integers(values, tags, head))
    if white != 2**16 - 1:
        note("its brightness was scaled to 8 bits by what the file says of it")
    if tags.get(_PHOTOMETRIC) == 0:  # 0 is white: Pillow turns that around in pictures of 8 bits alone
        values = white - values
    return Image.fromarray((values * (255 / white)).round().clip(0, 255).astype(np.uint8))


def _has_16_bits(picture: Image.Image, head: bytes) -> bool:
    """Whether a picture in colour has 16 bits in its file; Pillow drops the lower half of these."""
    bits = getattr(picture, "tag_v2", {}).get(_BITS, (8,))
    return (head.startswith(_PNG) and head[24] == 16) or int(np.max(bits)) == 16


def _extrema(picture: Image.Image) -> list[tuple[int, int]]:
    """The lowest and highest value of each channel but alpha."""
    bands = [band for band in picture.getbands() if band != "A"]
    return [picture.getchannel(band).getextrema() for band in bands]  # type: ignore[misc]


def _white_of_floats(values: np.ndarray) -> float:
    """1, as is usual; 255 where most are beyond 1, so that they are 8 bits written as floats."""
    if values.max() <= 1:
        return 1.0
    if USED * 255 < values.max() <= 255 and np.median(values) > 1:
        return 255.0
    raise DataError(f"holds floats of up to {values.max():.4g}, and the file does not say which is white")


def _white_of_integers(values: np.ndarray, tags: Any, head: bytes) -> float:
    bits = int(np.max(tags.get(_BITS, 16))) - (tags.get(_FORMAT, (1,))[0] == 2)  # 2: one bit is for the sign
    significant = _significant_bits(head)
    if significant and values.max() < 2**significant:
        return float(2**significant - 1)
    white = 2.0**bits - 1
    if bits >= 16 and values.max() <= USED * white and (values % 257).any():  # 257: of 8 bits, a dark picture
        needed = int(values.max()).bit_length()
        raise DataError(f"uses {needed} of its {bits} bits, and the file does not say which value is white")
    return white


def _significant_bits(head: bytes) -> int:
    """How many bits of a PNG's samples its chunk sBIT says to be used; 0 where there is none."""
    place = head.find(b"sBIT", 0, head.find(b"IDAT")) if head.startswith(_PNG) else -1
    return max(head[place + 4 : place + 4 + int.from_bytes(head[place - 4 : place])], default=0) if place >= 4 else 0


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The colours as sRGB shows them, where the picture brings a profile of other colours."""
    if not profile and picture.mode != "LAB":
        return picture
    alpha = picture.getchannel("A") if "A" in picture.getbands()[1:] and picture.mode != "LAB" else None
    colours = picture.convert({"RGBA": "RGB", "LA": "L"}.get(picture.mode, picture.mode)) if alpha else picture
    try:
        transform = _to_srgb(profile or b"", colours.mode)
    except (ImageCms.PyCMSError, OSError, ValueError, KeyError):
        note("a colour profile that cannot be used: taken as sRGB")
        return picture
    if transform is None:
        return picture
    note("colours were converted to sRGB")
    converted = ImageCms.applyTransform(colours, transform)
    assert converted is not None, "it is applied to a copy"
    if alpha:
        converted.putalpha(alpha)
    return converted


@lru_cache(maxsize=16)
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """What brings colours of a profile to sRGB; None where it would change nothing that can be seen."""
    own = ImageCms.ImageCmsProfile(io.BytesIO(profile)) if profile else ImageCms.createProfile("LAB")
    transform = ImageCms.buildTransform(own, ImageCms.createProfile("sRGB"), mode, "RGB")
    if mode not in ("RGB", "L"):
        return transform
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3) if mode == "RGB" else steps[None]
    sample = Image.fromarray(colours)
    shifts = np.asarray(ImageCms.applyTransform(sample, transform)).astype(int) - np.asarray(sample.convert("RGB"))
    return None if np.abs(shifts).max() <= SAME else transform
