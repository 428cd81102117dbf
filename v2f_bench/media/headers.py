"""What the headers of media files promise, as far as the decoders do not tell it.

libsndfile quietly shortens a file that is cut; FFmpeg takes the length of an MP3 without a header, and of a cut AVI or
WMV file, from the file's size. Sources: the WAVE, AVI, AIFF, CAF and Sony Wave64 specifications; EBU Tech 3306 (RF64);
RFC 3533 (Ogg); Microsoft's Advanced Systems Format; the Xing, Info and VBRI headers of MP3 files as LAME's and
Fraunhofer's encoders write them.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, NamedTuple

MORE = 4096  # bytes after the samples that a header tells of: more are samples too, unless they are something else
_UNKNOWN_SIZE = 0x7FFFF000  # and above, in 32 bits: a writer that did not know the length in advance
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_W64_GUID = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"


class Samples(NamedTuple):
    """Where the samples lie in a file of chunks."""

    start: int  # bytes from the file's beginning
    promised: int | None  # bytes, by the header; None where it does not tell
    size_at: int  # where the header tells it, in 4 bytes, little-endian; 0 in other forms

    def share_there(self, path: Path) -> float:
        """The part of the promised bytes that is there, above 0 and up to 1."""
        there = max(path.stat().st_size - self.start, 1)
        return min(1.0, there / self.promised) if self.promised else 1.0


def find_samples(path: Path) -> Samples | None:
    """Where the samples lie in a WAV, RF64, AIFF, CAF, W64 or AU file; None for any other, or one without samples."""
    with path.open("rb") as stream:
        head = stream.read(40)
        if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
            return _in_chunks(stream, 12, b"data", "big" if head[:4] == b"RIFX" else "little")
        if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
            return _in_chunks(stream, 12, b"SSND", "big")
        if head[:4] == b"caff":
            return _in_chunks(stream, 8, b"data", "big", size_bytes=8, step=1)
        if head[:4] == b"riff" and head[24:28] == b"wave":
            return _in_chunks(stream, 40, _W64_GUID, "little", size_bytes=8, step=8, with_head=True)
        if head[:4] == b".snd":
            start, size = (int.from_bytes(head[place : place + 4]) for place in (4, 8))
            return Samples(start, None if size == 0xFFFFFFFF else size, 0)
    return None


def _in_chunks(
    stream: BinaryIO,
    place: int,
    wanted: bytes,
    order: str,
    size_bytes: int = 4,
    step: int = 2,
    with_head: bool = False,
) -> Samples | None:
    """The chunk `wanted` of a file of chunks: name, size, content, padded to a multiple of `step`.

    Args:
        place: of the first chunk.
        with_head: whether a chunk's size counts its name and size too.
    """
    head_bytes, long_size = len(wanted) + size_bytes, None
    end = stream.seek(0, 2)
    while place < end:
        stream.seek(place)
        head = stream.read(head_bytes)
        if len(head) < head_bytes:
            return None
        name, size = head[: len(wanted)], int.from_bytes(head[len(wanted) :], order)  # type: ignore[arg-type]
        content = size - (head_bytes if with_head else 0)
        if name == b"ds64":  # of RF64: the sizes that do not fit into 32 bits
            long_size = int.from_bytes(stream.read(16)[8:], "little")
        if name == wanted:
            unknown = content >= (_UNKNOWN_SIZE if size_bytes == 4 else 1 << 62)
            promised = long_size if unknown else content
            size_at = place + len(wanted) if (wanted, order) == (b"data", "little") else 0
            return Samples(place + head_bytes, promised, size_at)
        if content < 0 or not any(name):
            return None
        place += head_bytes + content + -content % step
    return None


def samples_go_on(path: Path, samples: Samples) -> bool:
    """Whether the samples of a WAV file go on where its header says that they end.

    So it is where a recorder was killed before it could write the length, or wrote it once at the beginning.
    """
    if samples.promised is None or not samples.size_at:
        return False
    end = samples.start + samples.promised + samples.promised % 2
    rest = path.stat().st_size - end
    if rest < MORE:
        return False
    with path.open("rb") as stream:
        stream.seek(end)
        after = stream.read(MORE)
    another_chunk = all(32 <= letter < 127 for letter in after[:4]) and int.from_bytes(after[4:8], "little") <= rest - 8
    return not (another_chunk or after[:3] in (b"ID3", b"TAG") or not any(after))


def ogg_ending(path: Path) -> str:
    """How an Ogg file ends: "whole" by the page that ends a stream, "cut" within a page, "open" after another page."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - (1 << 17)))  # a page has 65,307 bytes at most
        tail = stream.read()
    place = len(tail)
    while (place := tail.rfind(b"OggS", 0, place)) >= 0:
        page = tail[place:]
        segments = page[26] if len(page) > 26 else 0
        if len(page) < 27 + segments or len(page) < 27 + segments + sum(page[27 : 27 + segments]):
            return "cut"
        if page[4] == 0:  # else the letters stand by chance within a page
            return "whole" if page[5] & 4 else "open"
    return "cut"


def ogg_links(data: bytes) -> list[int]:
    """Where each begins of the files that stand one after another in an Ogg file; libsndfile reads the first alone."""
    links: list[int] = []
    place, in_beginnings = 0, False
    while (place := data.find(b"OggS\0", place)) >= 0:
        begins_a_stream = len(data) > place + 5 and bool(data[place + 5] & 2)
        if begins_a_stream and not in_beginnings:
            links.append(place)
        in_beginnings = begins_a_stream
        place += 27
    return links


def mp3_samples(path: Path) -> int:
    """How many samples the first frame of an MP3 file promises; 0 where it tells nothing."""
    with path.open("rb") as stream:
        head = stream.read(10)
        if head[:3] == b"ID3":  # a tag of pictures and names comes first; 7 bits a byte
            size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
            stream.seek(10 + size)
        else:
            stream.seek(0)
        data = stream.read(4096)
    start = next((i for i in range(len(data) - 4) if data[i] == 0xFF and data[i + 1] & 0xE0 == 0xE0), -1)
    if start < 0:
        return 0
    first_version, mono = data[start + 1] >> 3 & 3 == 3, data[start + 3] >> 6 == 3
    side = (17 if mono else 32) if first_version else (9 if mono else 17)
    a_frame = 1152 if first_version else 576
    xing, vbri = data[start + 4 + side :], data[start + 36 :]
    if xing[:4] in (b"Xing", b"Info") and xing[7:8] and xing[7] & 1:
        return int.from_bytes(xing[8:12]) * a_frame
    if vbri[:4] == b"VBRI":
        return int.from_bytes(vbri[14:18]) * a_frame
    return 0


def stated_size(head: bytes) -> int:
    """How many bytes an AVI, WMV or WMA file has by its header, of which `head` is a kilobyte; 0 for any other.

    Of a large AVI file, it is the size of the first part.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        size = int.from_bytes(head[4:8], "little")
        return size + 8 if size < _UNKNOWN_SIZE else 0
    place = head.find(_ASF_FILE_PROPERTIES)
    return int.from_bytes(head[place + 40 : place + 48], "little") if place >= 0 else 0
