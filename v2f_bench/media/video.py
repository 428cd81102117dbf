"""Frames of videos: a few, evenly spread over the time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from v2f_bench.interfaces import DataError
from v2f_bench.media.file import check_file, check_length

SEEK_BEYOND = 10.0  # seconds to the next wanted frame, above which a jump costs less than decoding what lies between


def read_frames(path: Path, count: int, side: int) -> list[tuple[float, np.ndarray]]:
    """`count` frames of the video in `path`, in the middle of `count` equal stretches of its time.

    Args:
        side: pixels; frames whose shorter side is longer are made smaller while they are decoded, to that side.

    Returns:
        Time in seconds from the beginning, and uint8 [H, W, 3] RGB, upright, in the order of time; fewer frames where
        the video has fewer than `count`.

    Raises:
        DataError: the file is missing, empty, truncated, or has no pictures; names the file.
    """
    import av
    from av.video.reformatter import VideoReformatter

    check_file(path, "video")
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DataError(f"{path}: has no video track")
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1  # the processes share the CPUs already
            stream.codec_context.skip_frame = "NONREF"  # what no other frame rests on need not be decoded
            begin, end = _span(container, stream, path)
            wanted = begin + (np.arange(count) + 0.5) / count * (end - begin)
            to_rgb = VideoReformatter()  # one for all: to set it up takes longer than to use it
            frames, last = [], begin
            for time, frame in _near(container, stream, wanted, begin):
                last = time
                if frame is not None:
                    frames.append((time - begin, _pixels(frame, side, to_rgb)))
    except av.FFmpegError as error:
        raise DataError(f"{path}: not readable as video ({error.strerror})") from None
    if not frames:
        raise DataError(f"{path}: holds no picture")
    if last < wanted[-1]:
        check_length(path, last - begin, end - begin)
    return frames


def _near(container: Any, stream: Any, wanted: np.ndarray, begin: float) -> Iterator[tuple[float, Any]]:
    """Each decoded frame's time, with the frame where it is the first that shows a wanted time, else with None."""
    place, time, step = 0, begin, 1 / float(stream.average_rate or 25)
    while place < len(wanted):
        if wanted[place] - time > SEEK_BEYOND:
            container.seek(int(wanted[place] / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            time = time + step if frame.time is None else float(frame.time)
            reached = int(np.searchsorted(wanted, time + step))
            yield time, frame if reached > place else None
            if reached > place:
                place = reached
                if place == len(wanted) or wanted[place] - time > SEEK_BEYOND:
                    break
        else:
            return  # the end of the file


def _span(container: Any, stream: Any, path: Path) -> tuple[float, float]:
    """When the pictures begin and end, in seconds; found by reading the packets where the header does not tell."""
    if stream.duration:
        begin = float((stream.start_time or 0) * stream.time_base)
        return begin, begin + float(stream.duration * stream.time_base)
    if container.duration:
        begin = (container.start_time or 0) / 1e6
        return begin, begin + container.duration / 1e6
    times = [packet.pts for packet in container.demux(stream) if packet.pts is not None]
    if not times:
        raise DataError(f"{path}: holds no picture")
    container.seek(0)
    return float(min(times) * stream.time_base), float(max(times) * stream.time_base)


def _pixels(frame: Any, side: int, to_rgb: Any) -> np.ndarray:
    """uint8 [H, W, 3] RGB, upright, the shorter side at most `side`."""
    smaller = min(1.0, side / min(frame.width, frame.height))
    width, height = round(frame.width * smaller), round(frame.height * smaller)
    pixels = to_rgb.reformat(frame, width, height, "rgb24", interpolation="AREA", threads=1).to_ndarray()
    quarters = round(frame.rotation / 90) % 4  # as the camera was held
    return np.ascontiguousarray(np.rot90(pixels, quarters)) if quarters else pixels
