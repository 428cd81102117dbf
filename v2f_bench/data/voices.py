"""The forms in which voices of trials are given to methods: whole, cut to a length, or with other background noise."""

from __future__ import annotations

import re

from v2f_bench.interfaces import UsageError

WHOLE = "whole"
NOISE_SWAPPED = "noise-swapped"
NOISE_REDRAWN = "noise-redrawn"  # the control: processed alike, with the recording's own noise
SHORTEST = 0.1  # seconds
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)s")


def check_voices(voices: str) -> str:
    """`voices` as protocols write it: "whole", "noise-swapped", "noise-redrawn", or a length such as "3s".

    Raises:
        UsageError: it is none of these.
    """
    if voices in (WHOLE, NOISE_SWAPPED, NOISE_REDRAWN):
        return voices
    match = _LENGTH.fullmatch(voices)
    if match is None or float(match[1]) < SHORTEST:
        kinds = f"{WHOLE}, {NOISE_SWAPPED}, {NOISE_REDRAWN}"
        raise UsageError(f"voices are {kinds}, or of a length of {SHORTEST} s or more such as 3s, not {voices!r}")
    return f"{float(match[1]):g}s"


def length_of(voices: str) -> float | None:
    """The seconds to which voices are cut; None where they are not cut."""
    match = _LENGTH.fullmatch(voices)
    return float(match[1]) if match else None
