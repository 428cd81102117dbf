"""Whether a media file can be what it should be, and is all there."""

from __future__ import annotations

import re
from pathlib import Path

from v2f_bench.interfaces import DataError
from v2f_bench.media.changes import note
from v2f_bench.media.headers import ogg_ending, stated_size

MISSING, SLACK = 0.1, 0.25  # of the promised length, and seconds: headers that tell a length are that inexact
EXACT_SLACK = 0.05  # seconds: of headers that count samples; recorders round to blocks
HEAD = 1024  # bytes
POINTER = b"version https://git-lfs"  # how a file begins that Git LFS left in place of another
_WEB_PAGE = re.compile(
    rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|title|meta|script|center|h1|div)\b",
    re.IGNORECASE | re.DOTALL,
)


def check_file(path: Path, kind: str) -> bytes:
    """The file's first kilobyte. DataError where `path` cannot be a `kind` ("sound", ...): it is missing, empty, a
    pointer to what it was, a web page, or clearly shorter than its header says in bytes."""
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    if not head:
        raise DataError(f"{path}: not readable as {kind} (the file is empty)")
    check_head(path, head, kind)
    size, stated = path.stat().st_size, stated_size(head)
    if size < stated * (1 - MISSING):
        raise DataError(f"{path}: truncated: {size} of {stated} bytes are there")
    if head.startswith(b"OggS"):
        _check_end_of_ogg(path)
    return head


def check_head(path: Path, head: bytes, kind: str) -> None:
    """DataError where a file that begins with `head` is a pointer to a `kind`, or a web page."""
    if head.startswith(POINTER):
        raise DataError(f"{path}: a Git-LFS pointer, not {kind} itself; run `git lfs pull` where it came from")
    if is_web_page(head):
        raise DataError(f"{path}: a web page, not {kind}; what was downloaded is an answer in words")


def _check_end_of_ogg(path: Path) -> None:
    """Ogg tells no length, but its last page is marked."""
    ending = ogg_ending(path)
    if ending == "cut":
        raise DataError(f"{path}: truncated: it ends within a page")
    if ending == "open":
        note("an Ogg file's end is not marked: it may have been longer")


def is_web_page(head: bytes) -> bool:
    """Whether a file that begins so is HTML, as a server answers that has not what was asked for."""
    return _WEB_PAGE.match(head.removeprefix(b"\xef\xbb\xbf").lstrip()) is not None


def check_length(path: Path, there: float, promised: float, fault: str = "truncated") -> None:
    """DataError where clearly less is `there` than was `promised`, both in seconds: headers round and estimate."""
    if there < promised * (1 - MISSING) - SLACK:
        raise DataError(f"{path}: {fault}: {there:.2f} of {promised:.2f} s are there")
