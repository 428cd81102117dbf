"""Memory that was freed, given back."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any


def trim_heap() -> None:
    """Give the heap's free pages back to the system, where the C library can (glibc, by `malloc_trim`).

    Activations of many sizes leave holes between what is kept; by these the heap grows with the number of faces, half
    a gigabyte in some thousands. Costs a fraction of a second.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
