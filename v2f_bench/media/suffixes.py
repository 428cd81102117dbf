"""The usual endings of files, by which folders are searched. What a file holds is read from its content."""

from __future__ import annotations

from pathlib import PurePosixPath

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
