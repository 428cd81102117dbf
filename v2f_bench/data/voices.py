"""How the voices of trials are handed over: whole, cut to a length, or with each other's background noise."""

from __future__ import annotations

import re

from v2f_bench.interfaces import UsageError

WHOLE = "whole"
NOISE_SWAPPED = "noise-swapped"
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)s")


def check_voices(voices: str) -> str:
    """`voices` as protocols write it: "whole", "noise-swapped", or a length such as "3s".

    Raises:
        UsageError: it is none of these.
    """
    if voices in (WHOLE, NOISE_SWAPPED):
        return voices
    match = _LENGTH.fullmatch(voices)
    if match is None or float(match[1]) <= 0:
        raise UsageError(f"--voices takes {WHOLE}, {NOISE_SWAPPED}, or a length such as 3s, not {voices!r}")
    return f"{float(match[1]):g}s"


def length_of(voices: str) -> float | None:
    """The seconds to which voices are cut; None where they are not."""
    match = _LENGTH.fullmatch(voices)
    return float(match[1]) if match else None
