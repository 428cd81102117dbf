"""Whether a JPEG file is whole. libjpeg paints what is missing grey, and Pillow does not pass its warnings on.

Source of the markers: ITU-T T.81, annexes B (B.1.1.3, B.2.2, B.2.3) and G (progressive pictures).
"""

from __future__ import annotations

from collections.abc import Iterator

JPEG, END = b"\xff\xd8", b"\xff\xd9"  # the markers at the beginning and at the end of a picture
_PROGRESSIVE, _SCAN = 0xC2, 0xDA  # the second bytes of the markers of a progressive picture and of a scan
_FRAMES = (0xC0, 0xC1, _PROGRESSIVE)


def is_damaged(data: bytes) -> bool:
    """Whether scans are missing, or FFmpeg's decoder gives a picture, but not when it must stop at damage.

    That is so where the data end early, break off in the middle or make no sense. A JPEG of a kind that FFmpeg does not
    know is not called damaged. It takes half the time that Pillow needs for the picture.
    """
    import av

    def decodes(options: dict[str, str]) -> bool:
        decoder = av.CodecContext.create("mjpeg", "r")
        decoder.thread_count, decoder.options = 1, options
        try:
            return bool(decoder.decode(av.Packet(data)))
        except av.FFmpegError:
            return False

    return _lacks_scans(data) or (not decodes({"err_detect": "explode"}) and decodes({}))


def _lacks_scans(data: bytes) -> bool:
    """Whether the picture ends before the scan that completes it: of a progressive one, a coarse form is there.

    Each component needs its mean values, and what was begun in steps must have come to its last bit. A damaged header
    is left to the decoders.
    """
    components: list[int] = []
    progressive = False
    bits_missing: dict[tuple[int, bool], int] = {}  # by component, of its mean values (True) and of the rest (False)
    for marker, body in _segments(data):
        if marker in _FRAMES and len(body) >= 6 and len(body) >= 6 + 3 * body[5]:
            components, progressive = list(body[6 : 6 + 3 * body[5] : 3]), marker == _PROGRESSIVE
        elif marker == _SCAN and body and len(body) >= 4 + 2 * body[0]:
            first, _, bits = body[1 + 2 * body[0] : 4 + 2 * body[0]]
            bits_missing |= {(component, first == 0): bits & 15 for component in body[1 : 1 + 2 * body[0] : 2]}
    if not (components and bits_missing):
        return False
    if progressive and (any(bits_missing.values()) or (components[0], False) not in bits_missing):
        return True
    return any((component, True) not in bits_missing for component in components)


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The marker and the content of each segment, up to the picture's end; between them lie coded samples."""
    place = len(JPEG)
    while (place := data.find(b"\xff", place)) >= 0 and place + 4 <= len(data):
        marker, size = data[place + 1], int.from_bytes(data[place + 2 : place + 4])
        if marker == END[1]:
            return
        if marker == 0xFF:  # filling
            place += 1
        elif marker == 0 or 0xD0 <= marker <= 0xD7:  # within coded samples
            place += 2
        else:
            yield marker, data[place + 4 : place + 2 + size]
            place += 2 + size
