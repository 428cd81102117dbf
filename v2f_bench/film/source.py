"""A film read in a stream: every frame of it, upright, with the time at which it comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from v2f_bench.interfaces import DataError
from v2f_bench.media.changes import note
from v2f_bench.media.container import Ends, opened
from v2f_bench.media.file import check_file, check_length
from v2f_bench.media.video import decoded, pictures_of, spans, upright_pixels

USUAL_RATE = 25  # frames a second, of a film that does not tell
WHOLE = 1 << 20  # pixels of a side: no frame is made smaller
UNSPECIFIED = 2  # of FFmpeg's numbers for primaries, transfer curve and matrix


@dataclass(frozen=True)
class Frame:
    """A frame of a film.

    `begin` and `length` are in the film's ticks; the first frame begins at 0. `pixels` is uint8 [H, W, 3], upright RGB.
    """

    begin: int
    length: int
    pixels: np.ndarray


@dataclass(frozen=True)
class Colours:
    """What a film says of its colours, in FFmpeg's numbers."""

    matrix: int = UNSPECIFIED
    primaries: int = UNSPECIFIED
    curve: int = UNSPECIFIED


@dataclass(frozen=True)
class Film:
    """An open film.

    Attributes:
        height, width: pixels, upright, with square pixels.
        rate: frames a second, the mean.
        tick: seconds.
        expected: how many frames there may be, by the header.
        frames: all frames in the order of time, once; DataError at the end of a film that is truncated.
    """

    height: int
    width: int
    rate: Fraction
    tick: Fraction
    expected: int
    colours: Colours
    frames: Iterator[Frame]


@contextmanager
def open_film(path: Path) -> Iterator[Film]:
    """The film in `path`: its video track, by the rules of docs/files.md; one frame is held at a time.

    Raises:
        DataError: the file is missing, empty, truncated, or has no pictures; names the file.
    """
    check_file(path, "video")
    with opened(path, "video") as container:
        stream = pictures_of(container, path)
        span, _ = spans(container, stream, path)
        pictures = _pictures(container, stream, path, span.end - span.begin)
        first = next(pictures, None)
        if first is None:
            raise DataError(f"{path}: holds no picture")
        rate = Fraction(stream.average_rate or stream.guessed_rate or USUAL_RATE)
        tick = Fraction(stream.time_base)
        height, width = first[2].shape[:2]
        yield Film(
            height,
            width,
            rate,
            tick,
            stream.frames or max(1, round((span.end - span.begin) * rate)),
            _colours(stream.codec_context),
            _timed(chain([first], pictures), max(1, round(1 / rate / tick))),
        )


def _pictures(container: Any, stream: Any, path: Path, promised: float) -> Iterator[tuple[int | None, int, np.ndarray]]:
    """Time stamp, own length (0 where it has none) and pixels of each frame."""
    from av.video.reformatter import VideoReformatter

    to_rgb, ends = VideoReformatter(), Ends()
    shape, size = float(stream.sample_aspect_ratio or 1), None
    for frame in decoded(container, stream, ends):
        pixels = upright_pixels(frame, WHOLE, shape, to_rgb)
        size = size or pixels.shape
        if pixels.shape != size:
            note("the size of the frames changes: all were brought to that of the first")
            pixels = np.array(Image.fromarray(pixels).resize((size[1], size[0]), Image.Resampling.BICUBIC))
        yield frame.pts, int(frame.duration or 0), pixels
    there = ends.of(stream.index)
    if there is not None:
        check_length(path, there.end - there.begin, promised)


def _timed(pictures: Iterator[tuple[int | None, int, np.ndarray]], usual: int) -> Iterator[Frame]:
    """The frames, each with its length: up to the next one; of the last its own, or else the usual one."""
    start, before = None, None
    for stamp, own, pixels in pictures:
        last = before[0] if before else -usual
        stamp = last + usual + (start or 0) if stamp is None else stamp
        start = stamp if start is None else start
        begin = stamp - start
        if before:
            if begin <= last:
                note("frames whose time stamps go back were passed over")
                continue
            yield Frame(last, begin - last, before[2])
        before = begin, own, pixels
    if before:
        yield Frame(before[0], before[1] or usual, before[2])


def _colours(codec: Any) -> Colours:
    return Colours(int(codec.colorspace), int(codec.color_primaries), int(codec.color_trc))
