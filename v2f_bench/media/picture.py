"""Pictures in and out of files, and between their forms: uint8 arrays on disk, float tensors between parts."""

from __future__ import annotations

import io
from collections.abc import Sequence, Set
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

from v2f_bench.interfaces import DataError, UsageError
from v2f_bench.media.file import check_file
from v2f_bench.media.jpeg import END, JPEG, is_damaged
from v2f_bench.media.rgb import upright_rgb
from v2f_bench.media.suffixes import PICTURE_SUFFIXES
from v2f_bench.media.text import normal

if TYPE_CHECKING:
    import torch

_KNOWN = (
    *("JPEG", "PNG", "WEBP", "TIFF", "BMP", "DIB", "GIF", "AVIF", "JPEG2000", "PPM", "MPO", "ICO", "PCX", "PSD", "SGI"),
)
_HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
CAPTION = 18  # pixels of the line above a column


def read_picture(path: Path) -> np.ndarray:
    """The picture in `path`: uint8 [H, W, 3], upright, in sRGB, what is transparent white (see `upright_rgb`).

    What a file holds shows in its content, not in its name.

    Raises:
        DataError: the file is missing, cut, damaged, or no picture, or its brightness is not known; names the file.
    """
    check_file(path, "a picture")
    data = path.read_bytes()
    if data.startswith(JPEG):
        if is_damaged(data):
            raise DataError(f"{path}: not readable as a picture (damaged: a part of it is not there)")
        data += END  # some are written without
    try:
        # Of a file by its path, Pillow maps some TIFFs into memory before it turns them, and gets their sides mixed up.
        with Image.open(io.BytesIO(data), formats=_formats(path.suffix.lower())) as picture:
            return np.array(upright_rgb(picture, data))
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    except UnidentifiedImageError:
        heic = data[4:8] == b"ftyp" and data[8:12] in _HEIC
        reason = "HEIC; convert it to JPEG or PNG" if heic else "its content is that of no known format"
        raise DataError(f"{path}: not readable as a picture ({reason})") from None
    except Exception as error:  # Pillow's readers of damaged files raise whatever they stumble over
        raise DataError(f"{path}: not readable as a picture ({error or type(error).__name__})") from None


@cache
def _formats(suffix: str) -> tuple[str, ...]:
    """The formats of pictures that the installed Pillow reads and knows by their content; TGA, which says nothing of
    itself, by its name."""
    Image.init()
    return tuple(name for name in (*_KNOWN, *(["TGA"] if suffix == ".tga" else [])) if name in Image.OPEN)


def holds_picture(path: Path) -> bool:
    """Whether a file is a picture by its first bytes, whatever its name says."""
    try:
        with Image.open(path, formats=_formats(path.suffix.lower())):
            return True
    except Exception:  # as above
        return False


def pictures_by_stem(folder: Path, suffixes: Set[str] = PICTURE_SUFFIXES) -> dict[str, Path]:
    """The picture files of a folder by name without the ending, in the order of names.

    Any ending of `suffixes` is one, in capitals too. Hidden files and what lies in inner folders are left out.

    Raises:
        DataError: two of them have one name; names the first few.
    """
    by_stem: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in suffixes and not path.name.startswith(".") and path.is_file():
            by_stem.setdefault(normal(path.stem), []).append(path)
    twice = [" and ".join(path.name for path in paths) for paths in by_stem.values() if len(paths) > 1]
    if twice:
        more = f", and {len(twice) - 3} more" if len(twice) > 3 else ""
        raise DataError(f"{folder}: two pictures of one name: {', '.join(twice[:3])}{more}; remove one of each")
    return {stem: paths[0] for stem, paths in by_stem.items()}


def write_picture(path: Path, pixels: np.ndarray, form: Literal["PNG", "JPEG"] = "PNG") -> None:
    """uint8 [H, W, 3] RGB to a file; a JPEG as good as they are."""
    Image.fromarray(pixels).save(path, format=form, quality=95, subsampling=0)  # which PNG does not have


def picture_format(path: Path) -> Literal["PNG", "JPEG"]:
    """What a file's ending says that it is. UsageError for any other ending than .png, .jpg and .jpeg."""
    if path.suffix.lower() == ".png":
        return "PNG"
    if path.suffix.lower() in (".jpg", ".jpeg"):
        return "JPEG"
    raise UsageError(f"{path}: the name of a picture ends in .png or .jpg")


def square(pixels: np.ndarray, size: int) -> np.ndarray:
    """The middle square of uint8 [H, W, 3], resized to uint8 [size, size, 3] (area averaging down, bicubic up)."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = pixels[top : top + side, left : left + side]
    if side == size:
        return middle
    method = Image.Resampling.BOX if side > size and side % size == 0 else Image.Resampling.BICUBIC
    return np.array(Image.fromarray(middle).resize((size, size), method))


def to_tensor(pixels: np.ndarray, resolution: int) -> torch.Tensor:
    """uint8 [N, H, H, 3] to float32 [N, 3, resolution, resolution] in [0, 1], area-averaged (antialiased)."""
    import torch

    times, rest = divmod(pixels.shape[1], resolution)
    if pixels.shape[1] == pixels.shape[2] and not rest and 1 < times <= 16:
        small = _sums(pixels, times).astype(np.float32)
        small /= np.float32(times**2)
        small /= np.float32(255)
        return torch.from_numpy(small).permute(0, 3, 1, 2)
    faces = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)
    return resize(faces.float(), resolution, highest=255.0) / 255


def _sums(pixels: np.ndarray, times: int) -> np.ndarray:
    """The sums of all squares of `times` pixels a side, in whole numbers: what `resize` gives, in half the time."""
    rows = sum((pixels[:, row::times] for row in range(1, times)), start=pixels[:, ::times].astype(np.uint16))
    count, height, width, channels = rows.shape
    parts = rows.reshape(count, height, width // times, times, channels)
    sums = np.empty((count, height, width // times, channels), np.uint16)
    for channel in range(channels):  # each by itself: numpy is slow at adding three numbers at a time
        columns = (parts[..., column, channel] for column in range(1, times))
        sums[..., channel] = sum(columns, start=parts[..., 0, channel])
    return sums


def resize(faces: torch.Tensor, resolution: int, highest: float = 1.0) -> torch.Tensor:
    """float32 [N, 3, H, W] to float32 [N, 3, resolution, resolution], antialiased; values stay in [0, highest]."""
    import torch.nn.functional as F

    side = faces.shape[-1]
    if faces.shape[-2:] == (resolution, resolution):
        return faces
    if side == faces.shape[-2] and side % resolution == 0:
        return F.avg_pool2d(faces, side // resolution)
    return F.interpolate(faces, (resolution, resolution), mode="bilinear", antialias=True).clamp(0, highest)


def to_pixels(faces: torch.Tensor) -> np.ndarray:
    """float32 [N, 3, H, W] in [0, 1] to uint8 [N, H, W, 3]."""
    return (faces.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def tile(pixels: np.ndarray, columns: int = 8) -> np.ndarray:
    """Pictures uint8 [N, H, W, 3] side by side in rows of `columns`, black where the last row ends early."""
    count, height, width, _ = pixels.shape
    rows = -(-count // columns)
    sheet = np.zeros((rows * columns, height, width, 3), np.uint8)
    sheet[:count] = pixels
    return sheet.reshape(rows, columns, height, width, 3).swapaxes(1, 2).reshape(rows * height, columns * width, 3)


def captioned(pixels: np.ndarray, columns: Sequence[str]) -> np.ndarray:
    """Pictures uint8 [N, K, H, W, 3] as N rows of K columns, with a caption above each column."""
    rows, steps, height, width, _ = pixels.shape
    sheet = Image.new("RGB", (steps * width, CAPTION + rows * height), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(CAPTION - 7)
    for column, text in enumerate(columns):
        pen.text(((column + 0.5) * width, CAPTION / 2), text, fill="black", font=font, anchor="mm")
    sheet.paste(Image.fromarray(tile(pixels.reshape(-1, height, width, 3), steps)), (0, CAPTION))
    return np.array(sheet)
