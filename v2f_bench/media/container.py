"""Films and sound files opened by FFmpeg: which tracks they have, and how long each should be."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from v2f_bench.interfaces import DataError

# Playlists name other files and addresses, and text or a picture that FFmpeg makes a film of is none.
_NO_MEDIA = re.compile(r"hls|dash|concat\w*|imf|tty|image2\w*|\w*_pipe|gif|apng|lavfi|webvtt|srt|ass|lrc")
_OF_PICTURES = ("mjpeg", "png", "bmp", "gif", "webp", "tiff")  # codecs; also of films, which have no other track
# What tells the length of a stream in its header. Elsewhere FFmpeg estimates one, or reads it off the last packets.
_TELL_OF_STREAMS = {"mov", "aiff", "au", "flac", "w64", "caf", "wav", "mxf", "nut"}
LONGER = 0.5  # seconds by which a stream may be longer than its file, by the headers of both
# Of an AVI track, the header also counts the empty packets before a sound that begins late, which FFmpeg passes over.
_TELL_OF_FILE = {"matroska", "flv", "asf", "rm", "avi"}


class Span(NamedTuple):
    """When a track begins and ends, in seconds."""

    begin: float
    end: float


@contextmanager
def opened(path: Path, kind: str) -> Iterator[Any]:
    """The container in `path`, as PyAV opens it; errors of FFmpeg within become DataErrors that name the file.

    Args:
        kind: what the file should be ("sound", "video"), for the error.
    """
    import av

    try:
        with _opened(str(path)) as container:
            if not _NO_MEDIA.fullmatch(container.format.name):
                yield container
                return
        descriptor = os.open(path, os.O_RDONLY)  # without the name, which may have misled
        with open(descriptor, "rb") as content, _opened(content) as container:  # noqa: PTH123 - a path would bring it
            if _NO_MEDIA.fullmatch(container.format.name):
                raise DataError(f"{path}: not readable as {kind} (it is {container.format.long_name})")
            yield container
    except av.FFmpegError as error:
        raise DataError(f"{path}: not readable as {kind} ({error.strerror})") from None


def _opened(source: Any) -> Any:
    import av

    # No file may lead to another one, or into the network. Titles are in all encodings, and not needed.
    return av.open(source, options={"protocol_whitelist": "file"}, metadata_errors="replace")


def packets(container: Any, *streams: Any) -> Iterator[Any]:
    """The packets of some streams, or of all, and last an empty one of each.

    Other empty ones, by which Theora and AVI say that the frame before goes on, are left out: decoders refuse them.
    """
    demuxed = container.demux(*streams)
    while True:
        try:
            packet = next(demuxed, None)
        except IndexError:  # PyAV stumbles at the end over streams that FFmpeg met on the way
            return
        if packet is None:
            return
        if packet.size or packet.dts is None:
            yield packet


def tracks(container: Any, kind: str) -> list[Any]:
    """The streams of a kind ("video", "audio"), those first that the file marks as default; no cover pictures.

    A cover that is not marked as one has a codec for pictures; such tracks come last.
    """
    from av.stream import Disposition

    streams = [
        stream
        for stream in getattr(container.streams, kind)
        if stream.codec_context is not None and not stream.disposition & Disposition.attached_pic
    ]
    return sorted(streams, key=lambda stream: (stream.codec_context.name in _OF_PICTURES, not is_default(stream)))


def is_default(stream: Any) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.default)


def own_span(container: Any, stream: Any) -> Span | None:
    """When a stream begins and ends as its own header tells; None where it does not."""
    begin = float((stream.start_time or 0) * stream.time_base)
    if _is_one_of(container, _TELL_OF_STREAMS) and stream.duration:
        return Span(begin, begin + float(stream.duration * stream.time_base))
    if _is_one_of(container, {"matroska"}):  # the end, as a tag of the stream, in most files
        ends = [_seconds(text) for name, text in stream.metadata.items() if name.upper().startswith("DURATION")]
        # One that is longer than the file is of another file, from which this one was cut.
        ends = [end for end in ends if 0 < end <= (container.duration or 0) / 1e6 + LONGER]
        return Span(begin, min(ends)) if ends else None
    return None


def _seconds(text: str) -> float:
    """Of "00:01:02.500000000" 62.5; 0.0 of anything else."""
    parts = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", text)
    return int(parts[1]) * 3600 + int(parts[2]) * 60 + float(parts[3]) if parts else 0.0


def promised_end(container: Any) -> float:
    """When the last of all streams ends as the file's header tells; 0.0 where it does not."""
    if not container.duration or not _is_one_of(container, _TELL_OF_FILE):
        return 0.0
    return float((container.start_time or 0) + container.duration) / 1e6


class Ends:
    """When each stream begins and ends, as its packets tell that have been read so far."""

    def __init__(self) -> None:
        self._ticks: dict[int, tuple[int, int, Any]] = {}  # by stream: begin, end, and seconds of a tick

    def add(self, packet: Any) -> None:
        begin = packet.pts
        if begin is None:
            return
        index, end = packet.stream_index, begin + (packet.duration or 0)
        if index not in self._ticks:
            self._ticks[index] = begin, end, packet.time_base
            return
        first, last, tick = self._ticks[index]
        if begin < first or end > last:
            self._ticks[index] = min(first, begin), max(last, end), tick

    def of(self, index: int) -> Span | None:
        """When a stream begins and ends; None where no packet of it has been read."""
        if index not in self._ticks:
            return None
        begin, end, tick = self._ticks[index]
        return Span(float(begin * tick), float(end * tick))

    @property
    def latest(self) -> float:
        return max((float(end * tick) for _, end, tick in self._ticks.values()), default=0.0)


def read_spans(path: Path, kind: str) -> Ends:
    """When each stream in `path` begins and ends, by reading all packets."""
    ends = Ends()
    with opened(path, kind) as container:
        for packet in packets(container):
            ends.add(packet)
    return ends


def _is_one_of(container: Any, names: set[str]) -> bool:
    return not names.isdisjoint(container.format.name.split(","))
