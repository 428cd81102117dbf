"""How a protocol may differ from its track's default: another split, incomplete data, other faces or voices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from v2f_bench.data.protocol import NO_FACE_CHECK, RESOLUTION, RESOLUTIONS
from v2f_bench.data.voices import WHOLE, check_voices
from v2f_bench.interfaces import PluginError, UsageError

VERSION = "v2"


@dataclass(frozen=True)
class Form:
    """The form of faces and voices in a protocol, which the user may choose."""

    resolution: int = RESOLUTION
    voices: str = WHOLE

    def __post_init__(self) -> None:
        least, most = RESOLUTIONS
        if not least <= self.resolution <= most:
            raise UsageError(f"the resolution is {least} to {most} pixels, not {self.resolution}")
        object.__setattr__(self, "voices", check_voices(self.voices))


DEFAULT_FORM = Form()


@dataclass(frozen=True)
class Variant:
    """How a protocol differs from the one over the default split of a complete copy with a face check."""

    split: str = ""  # the name of a split other than the default
    shares_speakers: bool = False  # whether clips are split, so that a speaker may be in several splits
    subset: str = ""  # how much of the data is here, such as "12-of-24-speakers"; "" where it is complete
    face_check: str = NO_FACE_CHECK  # name and version of the detector, if it is installed
    form: Form = DEFAULT_FORM

    def __post_init__(self) -> None:
        if self.shares_speakers and not self.split:
            raise PluginError("a split by clips, with speakers in several splits, must have a name")


DEFAULT = Variant()


def subset_of(complete: Mapping[str, int], clips: pd.DataFrame) -> str:
    """How much of a data set is here: "12-of-24-speakers", "700-of-7438-clips", or "" where nothing is missing.

    Args:
        complete: the numbers of a complete copy (see `Dataset.complete`).
        clips: the table of clips.
    """
    there = {"speakers": len(complete_speakers(clips)), "clips": int((clips["voice"] & clips["face"]).sum())}
    for what, count in there.items():
        if count < complete.get(what, 0):
            return f"{count}-of-{complete[what]}-{what}"
    return ""


def version_of(track: str, variant: Variant, evaluation_only: bool) -> str:
    """The name of a protocol without its lists and subset, such as "identity-v2-128px"."""
    form = variant.form
    parts = {
        track: True,
        variant.split: bool(variant.split),
        VERSION: True,
        f"{form.resolution}px": form.resolution != RESOLUTION,
        form.voices: form.voices != WHOLE,
        "no-face-check": variant.face_check == NO_FACE_CHECK,
        "evaluation-only": evaluation_only,
    }
    return "-".join(part for part, stands in parts.items() if stands)


def complete_speakers(clips: pd.DataFrame) -> list[str]:
    """The speakers who have at least one voice and one face, sorted."""
    return sorted(set(clips.loc[clips["voice"], "speaker"]) & set(clips.loc[clips["face"], "speaker"]))
