"""Return freed memory to the operating system."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any


def trim_heap() -> None:
    """Return the heap's free pages to the operating system, where the C library can (glibc's `malloc_trim`).

    Activations of many sizes leave holes in the heap, so that it grows with the number of faces: by half a gigabyte for
    some thousands. The call takes a fraction of a second.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
