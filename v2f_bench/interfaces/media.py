"""Options of data sets that lie in files: what `prepare` does to recordings, and which frame of a video it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from v2f_bench.interfaces.errors import UsageError
from v2f_bench.interfaces.options import NotNegative

VIDEO_SUFFIXES = frozenset({".mp4", ".flv", ".avi", ".mkv", ".mov", ".webm"})


def is_video(entry: str) -> bool:
    """Whether an entry of an index is a video by its suffix: then one of its frames becomes the picture."""
    return PurePosixPath(entry).suffix.lower() in VIDEO_SUFFIXES


@dataclass(frozen=True)
class MediaOptions:
    """The base of the options of a data set whose media lie in files; a data set's own options inherit it."""

    silence: NotNegative = 0.0  # seconds; pauses of this length or longer are taken out of recordings, 0: none
    frame: Literal["sharpest", "emotion"] = "sharpest"  # of a video: the sharpest frontal one, or by `frame_judge`
    frame_judge: str = "none"  # for frame=emotion: the name of an emotion judge, or the path of its card

    def __post_init__(self) -> None:
        if (self.frame == "emotion") != (self.frame_judge != "none"):
            raise UsageError(
                "frame=emotion needs frame_judge=NAME, an emotion judge or its card, and nothing else takes it"
            )
