"""The contract of a data set: where it comes from, how it lies on disk, and how one clip is read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from v2f_bench.interfaces.errors import DataError
from v2f_bench.interfaces.options import NoOptions

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class Card:
    """What a user must know before using a data set."""

    title: str
    licence: str
    consent: str  # what the people in it agreed to, and what that asks of the user
    origin: str  # who made it, and where it is described
    obtain: str  # how to get it, and where to put it
    defects: str = ""  # known ones, and what is done about each
    counts: Mapping[str, int] = field(default_factory=dict)  # of what, when the data set is complete
    balance: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # label: value: clips or people
    # How often people recognise the label: what they were shown ("voice", "face", "both"): emotion or "all": share.
    human: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    human_source: str = ""  # who measured it, and how
    # Whether licence and consent let its voices and faces, and faces made from them, be shown to raters of a study.
    may_be_shown: Literal["yes", "no", "not stated"] = "not stated"


@dataclass(frozen=True)
class Part:
    """One thing that a data set's folder should hold, and whether it does."""

    what: str  # a path below the root, with placeholders in <>
    found: bool
    note: str = ""  # what was found, or what its absence costs
    needed: bool = True  # nothing can be run without it

    def in_words(self) -> str:
        """As in `found    wav/<id>/<video>/<segment>.wav (a note)`."""
        mark = "found  " if self.found else "MISSING" if self.needed else "without"
        return f"{mark}  {self.what}{f' ({self.note})' if self.note else ''}"


class Dataset(ABC):
    """A collection of clips of speakers.

    Class attributes:
        name: as typed after `--dataset`.
        summary: one line for `v2f-bench list`.
        card: origin, licence and consent terms.
        tracks: the tracks whose protocols it can serve.
        options: a frozen dataclass of typed options, set by `--dataset-set name=value`. One called `split` only chooses
            among splits: data prepared under one are used under all.
        people: the collections of people that its speakers are among ("vggface2", ...), as judges name what they met;
            None where that is not known, so that no judge is taken for independent of them.
        version: changes when clips or labels change, so that protocols before and after differ.
        root_variable: the environment variable that names its folder; "" for a data set that needs no folder.
        faces_cropped: whether its pictures show a face and little else; otherwise, and in videos, the face is found,
            aligned and cropped. May be set by `__init__`.
        labels: the data set's own words for each label and the shared ones: {"emotion": {"ANG": "angry"}, ...}. Part of
            its protocols and records.
        judges: a folder of in-domain judges that were trained on its training split already, as `harness/judges.py`
            names their files, so that rows of two machines are judged by the same; None where each trains its own.

    A data set whose media lie in files inherits `v2f_bench.FileDataset`, and its options `v2f_bench.MediaOptions`.
    """

    name: ClassVar[str]
    summary: ClassVar[str] = ""
    card: ClassVar[Card]
    tracks: ClassVar[frozenset[str]] = frozenset({"identity"})
    options: ClassVar[type] = NoOptions
    root_variable: ClassVar[str] = ""
    people: ClassVar[frozenset[str] | None] = frozenset()
    version: ClassVar[str] = "1"
    faces_cropped: bool = True
    labels: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    judges: ClassVar[Path | None] = None

    def __init__(self, options: Any, root: Path | None) -> None:
        self.opt = options
        self.root = root

    @abstractmethod
    def index(self) -> pd.DataFrame:
        """One row a clip, in a stable order, from the folder as it is now.

        Columns: `clip` (unique text), `speaker`, `voice` and `face` (text from which `read_voice` and `read_face` find
        the media, usually a path below the root; "" for none; a `face` that is a video means one of its frames, see
        `MediaOptions`); optionally `sex`, `age`, `ethnicity`, `nationality`, `emotion`,
        `intensity`, `sentence`, `heard` (the emotion that listeners heard in the voice; "" where they do not agree),
        `group` (clips of one recording session, such as a video; "" for unknown), and `fault`
        (why a row cannot be used; "" where it can).

        Raises:
            DataError: the folder is missing or incomplete; lists what is expected and what was found.
        """

    @property
    def media_options(self) -> dict[str, Any]:
        """The options that media and labels depend on: all but `split`, by which some data sets let a split be chosen.

        Stores are kept under these. A protocol has them too, beside the name of its split and the splits themselves.
        """
        return {name: value for name, value in vars(self.opt).items() if name != "split"}

    def parts(self) -> list[Part]:
        """What its folder should hold, and what of that is there; [] for a data set that needs no folder."""
        return []

    def complete(self) -> dict[str, int]:
        """How many "speakers" with a voice and a face, and how many "clips", a complete copy has under these options.

        Protocols over less are named for what is there. A count that is not known is left out.
        """
        return {}

    @property
    def split_name(self) -> str:
        """Stands in the protocol's name where the split is another than the data set's default; "" for the default."""
        return ""

    def split_clips(self, clips: pd.DataFrame) -> dict[str, str] | None:
        """The split of each clip, where the source's own split has its speakers on both sides; None where not.

        Args:
            clips: the clips that can be used: `clip`, `speaker`, labels and `group`. A clip that is in no split is left
                out of the answer. A data set that answers must have a `split_name`.
        """
        return None

    @abstractmethod
    def split(self, speakers: list[str]) -> dict[str, str]:
        """The split ("train", "validation", "test") of each speaker. It must depend on the speaker's name alone."""

    @abstractmethod
    def read_voice(self, entry: str) -> tuple[np.ndarray, int]:
        """The recording of an index entry: float32 [T] or [T, channels], and its rate in Hz.

        Whoever calls it makes that one channel in [-1, 1]. DataError where it cannot be read.
        """

    @abstractmethod
    def read_face(self, entry: str, side: int) -> np.ndarray:
        """The picture of an index entry: uint8 [H, W, 3] RGB. DataError where it cannot be read.

        `side` is the number of pixels to which its shorter side is brought afterwards. A data set that draws its
        pictures draws them at this size; one that reads files can ignore it.
        """

    def read_frames(self, entry: str, count: int, side: int) -> list[tuple[float, np.ndarray]]:
        """`count` frames of the video of an index entry, evenly spread: time in seconds, and uint8 [H, W, 3] RGB.

        The shorter side of a frame is at most `side` pixels. DataError where the video cannot be read. Called only
        where the index names videos.
        """
        raise DataError(f"{entry}: {self.name} reads no videos")

    def oracle_faces(self, speakers: list[str], resolution: int) -> np.ndarray | None:
        """Where the causes are known, the face that a voice leaves to expect: uint8 [N, resolution, resolution, 3]."""
        return None
