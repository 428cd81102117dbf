"""Options of data sets that lie in files: what `prepare` does to recordings, and which frame of a video it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from v2f_bench.interfaces.errors import UsageError
from v2f_bench.interfaces.options import NotNegative

# The usual endings, by which folders are searched. What a file holds is told by its content.
VIDEO_SUFFIXES = frozenset(
    (
        *(".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".mkv", ".webm", ".avi", ".divx", ".flv", ".f4v", ".wmv", ".asf"),
        *(
            ".ts",
            ".mts",
            ".m2ts",
            ".mpg",
            ".mpeg",
            ".mpe",
            ".vob",
            ".ogv",
            ".mxf",
            ".dv",
            ".rm",
            ".rmvb",
            ".qt",
            ".nut",
        ),
    )
)
SOUND_SUFFIXES = frozenset(
    (
        *(".wav", ".wave", ".flac", ".mp3", ".m4a", ".m4b", ".aac", ".ogg", ".oga", ".opus", ".wma", ".aiff", ".aif"),
        *(".aifc", ".caf", ".au", ".snd", ".w64", ".amr", ".mka", ".weba", ".ac3", ".mp2", ".spx"),
    )
)
PICTURE_SUFFIXES = frozenset(
    (
        *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".jp2", ".j2k"),
        *(".ppm", ".pgm", ".pnm", ".tga"),
    )
)


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
