"""The contract of a data set: its origin, its files on disk, and how a clip is read."""

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
    consent: str  # what the people in it agreed to, and what the user must therefore respect
    origin: str  # who made it, and where it is described
    obtain: str  # how to get it, and where to put it
    defects: str = ""  # known ones, and what is done about each
    counts: Mapping[str, int] = field(default_factory=dict)  # of a complete copy, by what is counted
    balance: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # clips or people, by label and value
    # How often people recognise the emotion: a share, by what they were shown ("voice", "face", "both") and by emotion
    # or "all".
    human: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    human_source: str = ""  # who measured it, and how
    # Whether licence and consent let its voices and faces, and faces made from them, be shown to raters of a study.
    may_be_shown: Literal["yes", "no", "not stated"] = "not stated"


@dataclass(frozen=True)
class Part:
    """One thing that a data set's folder should hold, and whether it does."""

    what: str  # a path below the root, with placeholders in <>
    found: bool
    note: str = ""  # what was found, or what cannot be done without it
    needed: bool = True  # whether no run is possible without it

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
        people: the collections of people that its speakers may be from ("vggface2", ...), named as in `Judge.met`;
            None where that is not known: then no pretrained judge counts as independent of them.
        version: must change when clips or labels change, so that protocols before and after differ.
        root_variable: the environment variable that names its folder; "" for a data set that needs no folder.
        one_recording: whether voice and film of a clip are of one recording even where they are two files.
        faces_cropped: whether its pictures show a face and little else; otherwise, and in videos, the face is found,
            aligned and cropped. May be set by `__init__`.
        labels: by label, the data set's own words with the shared ones: {"emotion": {"ANG": "angry"}, ...}. They are
            part of its protocols and records.
        judges: a folder of in-domain judges that were trained on its training split already, as `harness/judges.py`
            names their files, so that rows of two machines are judged by the same; None where each trains its own. Only
            for data that code makes: the content of files is not compared.

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
    one_recording: ClassVar[bool] = True
    faces_cropped: bool = True
    labels: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    judges: ClassVar[Path | None] = None

    def __init__(self, options: Any, root: Path | None) -> None:
        self.opt = options
        self.root = root

    @abstractmethod
    def index(self) -> pd.DataFrame:
        """One row a clip, in a stable order, from the folder as it is now.

        Columns: `clip` (unique text), `speaker`, `voice` and `face` (text by which `read_voice` and `read_face` find
        the media, usually a path below the root; "" for none; a `face` that is a video stands for one of its frames,
        see `MediaOptions`). Optional columns: `sex`, `age`, `ethnicity`, `nationality`, `emotion`, `intensity`,
        `sentence`, `heard` (the emotion that listeners heard in the voice; "" where they disagree), `group` (the
        recording session, such as a video; "" where it is not known), and `fault` (why a row cannot be used; "" where
        it can).

        Raises:
            DataError: the folder is missing or incomplete; lists the files that are expected, and which are missing.
        """

    @property
    def media_options(self) -> dict[str, Any]:
        """The options that media and labels depend on: all but `split`, which chooses a split.

        A store has these in its key, and a protocol keeps them beside its splits.
        """
        return {name: value for name, value in vars(self.opt).items() if name != "split"}

    def parts(self) -> list[Part]:
        """What its folder should hold, and whether each part is there; [] for a data set that needs no folder."""
        return []

    def complete(self) -> dict[str, int]:
        """The numbers of "speakers" with a voice and a face, and of "clips", in a complete copy under these options.

        A protocol over fewer has the number in its name. A count that is not known is left out.
        """
        return {}

    @property
    def split_name(self) -> str:
        """The name of a split other than the data set's default, for the protocol's name; "" for the default."""
        return ""

    def split_clips(self, clips: pd.DataFrame) -> dict[str, str] | None:
        """The split of each clip, for a split in which a speaker may be in several; None where speakers are split.

        A data set that returns such a split must have a `split_name`. A clip that is in no split is left out.

        Args:
            clips: the usable clips: `clip`, `speaker`, labels and `group`.
        """
        return None

    @abstractmethod
    def split(self, speakers: list[str]) -> dict[str, str]:
        """The split ("train", "validation", "test") of each speaker. It must depend on the speaker's name alone."""

    @abstractmethod
    def read_voice(self, entry: str) -> tuple[np.ndarray, int]:
        """The recording of an index entry: float32 [T] or [T, channels], and its rate in Hz.

        The caller makes one channel in [-1, 1] of it. DataError where it cannot be read.
        """

    @abstractmethod
    def read_face(self, entry: str, side: int) -> np.ndarray:
        """The picture of an index entry: uint8 [H, W, 3] RGB. DataError where it cannot be read.

        The caller resizes it so that its shorter side has `side` pixels. A data set that draws its pictures should draw
        them at this size; one that reads files can ignore `side`.
        """

    def read_frames(self, entry: str, count: int, side: int) -> list[tuple[float, np.ndarray]]:
        """`count` frames, evenly spaced, of the video of an index entry: time in seconds, and uint8 [H, W, 3] RGB.

        The shorter side of a frame is at most `side` pixels. DataError where the video cannot be read. Called only
        where the index names videos.
        """
        raise DataError(f"{entry}: {self.name} reads no videos")

    def film(self, entry: str) -> Path | None:
        """The file of a `face` entry of the index that is a video; None where it is a picture.

        A data set that overrides this offers its films to methods that need "source-video", and to judges of films.
        """
        return None

    def oracle_faces(self, speakers: list[str], resolution: int) -> np.ndarray | None:
        """The face that can be expected from each speaker's voice alone: uint8 [N, resolution, resolution, 3].

        None for a data set that does not know the causes of its faces and voices.
        """
        return None
