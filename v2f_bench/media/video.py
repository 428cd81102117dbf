"""Frames of films: a few, evenly spread over the time of the voice. The rules stand in docs/files.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from v2f_bench.interfaces import DataError
from v2f_bench.media.changes import note
from v2f_bench.media.container import Ends, Span, opened, own_span, packets, promised_end, read_spans, tracks
from v2f_bench.media.file import check_file, check_length
from v2f_bench.media.rgb import on_white

SEEK_BEYOND = 10.0  # seconds to the next wanted frame, above which a jump costs less than decoding what lies between
SHORTEST = 0.5  # seconds that a sound track shares with the pictures, below which frames are taken from all of them
STANDS = 0.5  # seconds by which a frame comes too late to be the one that is wanted
WIDEST = 4.0  # times: a pixel that is wider or narrower than that is a mistake in the header


def holds_film(path: Path) -> bool:
    """Whether FFmpeg finds moving pictures in a file, whatever its name says."""
    try:
        with opened(path, "video") as container:
            return bool(tracks(container, "video"))
    except DataError:
        return False


def read_frames(path: Path, count: int, side: int) -> list[tuple[float, np.ndarray]]:
    """`count` frames of the film in `path`, in the middle of `count` equal stretches of its time.

    Where the film has a sound track, they are of the time that has both.

    Args:
        side: pixels; frames whose shorter side is longer are made smaller while they are decoded, to that side.

    Returns:
        Time in seconds from the beginning of the pictures, and uint8 [H, W, 3] RGB, upright, with square pixels, in the
        order of time; fewer frames where the film has fewer than `count`.

    Raises:
        DataError: the file is missing, empty, truncated, or has no pictures; names the file.
    """
    from av.video.reformatter import VideoReformatter

    check_file(path, "video")
    with opened(path, "video") as container:
        stream = pictures_of(container, path)
        stream.codec_context.thread_count = 1  # the processes share the CPUs already
        stream.codec_context.skip_frame = "NONREF"  # what no other frame rests on need not be decoded
        span, voice = spans(container, stream, path)
        begin, end = max(span.begin, voice.begin), min(span.end, voice.end)
        if end - begin < SHORTEST:
            begin, end = span
        wanted = begin + (np.arange(count) + 0.5) / count * (end - begin)
        to_rgb = VideoReformatter()  # one for all: to set it up takes longer than to use it
        shape = float(stream.sample_aspect_ratio or 1)
        frames = []
        for time, frame in _shown(container, stream, wanted, span, path):
            frames.append((time - span.begin, upright_pixels(frame, side, shape, to_rgb)))
    if not frames:
        raise DataError(f"{path}: holds no picture")
    return frames


def pictures_of(container: Any, path: Path) -> Any:
    """The video track that is used of an open film. DataError where it has none; names the file."""
    streams = tracks(container, "video")
    if not streams:
        raise DataError(f"{path}: has no video track{' but a cover picture' if container.streams.video else ''}")
    if len(streams) > 1:
        number = sorted(each.index for each in streams).index(streams[0].index) + 1
        note(f"of {len(streams)} video tracks number {number} was used")
    return streams[0]


def spans(container: Any, stream: Any, path: Path) -> tuple[Span, Span]:
    """When the pictures begin and end, and when the sound does (or the pictures, where there is none)."""
    sounds = tracks(container, "audio")
    own = own_span(container, stream)
    heard = own_span(container, sounds[0]) if sounds else own
    if own and heard:
        return own, heard
    ends = read_spans(path, "video")  # the header does not tell; nothing is decoded for it
    there = ends.of(stream.index)
    if there is None:
        raise DataError(f"{path}: holds no picture")
    if promised := promised_end(container):
        check_length(path, ends.latest, promised)
    return own or there, heard or (ends.of(sounds[0].index) if sounds else None) or there


def _shown(container: Any, stream: Any, wanted: np.ndarray, span: Span, path: Path) -> Iterator[tuple[float, Any]]:
    """The frame that is on the screen at each wanted time, once, with the time at which it comes."""
    place, time, step = 0, span.begin, 1 / float(stream.average_rate or 25)
    ends, shown, before = Ends(), -np.inf, None  # `before`: the last frame, and when it came
    while place < len(wanted):
        if wanted[place] - time > SEEK_BEYOND:
            container.seek(int(wanted[place] / stream.time_base), stream=stream)
            before = None
        for frame in decoded(container, stream, ends):
            time = time + step if frame.time is None else float(frame.time)
            late = int(np.searchsorted(wanted, time - STANDS))
            if before and late > place:  # long before this one: then the one before stood still
                if before[0] > shown:
                    yield before
                    shown = before[0]
                place = late
            reached = int(np.searchsorted(wanted, time + step))
            if reached > place:
                if time > shown:
                    yield time, frame
                    shown = time
                place = reached
                if place < len(wanted) and wanted[place] - time > SEEK_BEYOND:
                    break
            before = time, frame
            if place == len(wanted):
                return
        else:  # the end of the file: the last frame stands until the end of the track
            there = ends.of(stream.index) or span
            check_length(path, there.end - span.begin, span.end - span.begin)
            if before and before[0] > shown:
                yield before
            return


def decoded(container: Any, stream: Any, ends: Ends) -> Iterator[Any]:
    """The frames from where the container is to its end; packets that are damaged give none."""
    import av

    for packet in packets(container, stream):
        ends.add(packet)
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            note("damaged places were passed over")
            continue
        yield from frames


def upright_pixels(frame: Any, side: int, shape: float, to_rgb: Any) -> np.ndarray:
    """uint8 [H, W, 3] RGB, upright, the shorter side at most `side`; `shape`: a stored pixel's width by its height."""
    if shape != 1 and 1 / WIDEST <= shape <= WIDEST:
        note("pixels that are not square were made so")
    else:
        shape = 1.0
    width, height = frame.width * max(shape, 1.0), frame.height / min(shape, 1.0)
    smaller = min(1.0, side / min(width, height))
    clear = any(part.is_alpha for part in frame.format.components)
    form, size = "rgba" if clear else "rgb24", (round(width * smaller), round(height * smaller))
    pixels = to_rgb.reformat(frame, *size, form, interpolation="AREA", threads=1).to_ndarray()
    if clear:
        pixels = np.asarray(on_white(Image.fromarray(pixels)))
    return _upright(pixels, frame)


def _upright(pixels: np.ndarray, frame: Any) -> np.ndarray:
    """Turned and mirrored as the display matrix of a frame says, to the nearest quarter."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return pixels
    # A stored column p and row q are shown at (a·p + c·q, b·p + d·q).
    a, b, _, c, d = np.frombuffer(bytes(matrix), "=i4")[:5].tolist()
    if abs(a) + abs(d) < abs(b) + abs(c):
        pixels, across, down = pixels.swapaxes(0, 1), c, b
    else:
        across, down = a, d
    if pixels.strides[0] < pixels.strides[1] or across < 0 or down < 0:
        note("turned or mirrored as its camera was held")
    return np.ascontiguousarray(pixels[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1])
