"""Data sets whose media lie in files below a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from v2f_bench.interfaces.dataset import Dataset
from v2f_bench.interfaces.errors import UsageError
from v2f_bench.interfaces.options import NotNegative
from v2f_bench.media.suffixes import is_video

if TYPE_CHECKING:
    import numpy as np


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


class FileDataset(Dataset):
    """A data set whose index names files by their paths below the root, read by the rules of `docs/files.md`."""

    options = MediaOptions

    def read_voice(self, entry: str) -> tuple[np.ndarray, int]:
        from v2f_bench.media.sound import read_sound

        return read_sound(self.path(entry))

    def read_face(self, entry: str, side: int) -> np.ndarray:
        from v2f_bench.media.picture import read_picture

        return read_picture(self.path(entry))

    def read_frames(self, entry: str, count: int, side: int) -> list[tuple[float, np.ndarray]]:
        from v2f_bench.media.video import read_frames

        return read_frames(self.path(entry), count, side)

    def film(self, entry: str) -> Path | None:
        return self.path(entry) if is_video(entry) else None

    def path(self, entry: str) -> Path:
        """Where the file of an index entry lies."""
        assert self.root is not None, f"{self.name} has files but no root"
        return self.root / entry
