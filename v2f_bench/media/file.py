"""Whether a media file can be what it should be, and is all there."""

from __future__ import annotations

from pathlib import Path

from v2f_bench.interfaces import DataError

MISSING, SLACK = 0.1, 0.25  # of the promised length, and seconds: headers are that inexact
_POINTER = b"version https://git-lfs"


def check_file(path: Path, kind: str) -> None:
    """DataError where `path` cannot be a `kind` ("sound", ...): it is missing, empty, or a pointer to what it was."""
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    size = path.stat().st_size
    if not size:
        raise DataError(f"{path}: not readable as {kind} (the file is empty)")
    if size < 200 and path.read_bytes().startswith(_POINTER):
        raise DataError(f"{path}: a Git-LFS pointer, not {kind} itself; run `git lfs pull` where it came from")


def check_length(path: Path, there: float, promised: float) -> None:
    """DataError where less is `there` than the header `promised`, both in seconds."""
    if there < promised * (1 - MISSING) - SLACK:
        raise DataError(f"{path}: truncated: {there:.2f} of {promised:.2f} s are there")
