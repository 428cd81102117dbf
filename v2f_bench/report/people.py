"""Pictures and voices inside a page: those of a run's data set, and the faces that methods made."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from v2f_bench.artefacts import FACES, Faces, read_still
from v2f_bench.interfaces import BenchError, DataError, Progress
from v2f_bench.record import Record
from v2f_bench.render.page import data_uri

if TYPE_CHECKING:
    import pandas as pd

    from v2f_bench.harness.bench import Bench

SIDE = 128  # pixels of a picture in a page, at most
SECONDS = 6.0  # of a voice in a page, at most


@dataclass(frozen=True)
class People:
    """Voices and photographs of a data set as addresses that hold them; `why_not` where there are none."""

    bench: Bench | None
    why_not: str = ""
    _known: dict[tuple[str, str], str] = field(default_factory=dict, compare=False, repr=False)

    def voice(self, trial: pd.Series[Any]) -> str:
        """The beginning of what a trial lets a method hear, as MP3; "" where there is none.

        Args:
            trial: its row in the table of trials.
        """
        from v2f_bench.harness.trial_voices import trial_voice

        if self.bench is None or trial.get("voice", "") not in self.bench.store.clips.index:
            return ""
        key = "voice", trial["trial"]
        if key not in self._known:
            recording = trial_voice(self.bench.store, self.bench.protocol, trial)
            self._known[key] = voice_uri(recording, self.bench.store.rate) if len(recording) else ""
        return self._known[key]

    def photograph(self, clip: str) -> str:
        """A real face as methods and judges see it; "" where there is none."""
        from v2f_bench.media.picture import to_pixels

        if self.bench is None or clip not in self.bench.store.clips.index or not self.bench.store.clips["face"][clip]:
            return ""
        key = "photograph", clip
        if key not in self._known:
            self._known[key] = picture_uri(np.asarray(to_pixels(self.bench.faces([clip]))[0]))
        return self._known[key]


def open_people(
    runs: Mapping[Path, Record], data_root: Path | None, progress: Progress, wanted: bool = True
) -> dict[Path, People]:
    """The people of the data set behind each run; a page can do without them, and then says why.

    Args:
        data_root: folder of the data set; None: see `harness.reopen`.
        wanted: False opens nothing.
    """
    opened: dict[tuple[str, str], People] = {}
    for folder, record in runs.items():
        key = record.protocol.hash, record.dataset.content
        if key not in opened:
            opened[key] = (
                _opened(folder, record, data_root, progress) if wanted else People(None, "left out on request")
            )
    return {folder: opened[record.protocol.hash, record.dataset.content] for folder, record in runs.items()}


def _opened(folder: Path, record: Record, data_root: Path | None, progress: Progress) -> People:
    from v2f_bench.harness.reopen import reopen

    try:
        return People(reopen(folder, record, data_root, progress))
    except BenchError as error:
        progress.line(f"no voices and photographs in the page: {error}")
        return People(None, str(error))


def faces_of(folder: Path, pictures: Path | None = None) -> Faces:
    """The faces that a run made; none where they are not there.

    Args:
        pictures: where they lie, of pictures made elsewhere.
    """
    where = pictures or folder / FACES
    return Faces.of(where) if where.is_dir() else Faces(where, {}, {})


def face(faces: Faces, trial: str) -> str:
    """The face of a trial; "" where it is missing or no picture."""
    if trial not in faces.pictures:
        return ""
    try:
        return picture_uri(read_still(faces.pictures[trial]))
    except DataError:
        return ""


def picture_uri(pixels: np.ndarray) -> str:
    """uint8 [H, W, 3] as WebP, a large one made smaller."""
    from PIL import Image

    picture = Image.fromarray(pixels)
    picture.thumbnail((SIDE, SIDE))
    stream = io.BytesIO()
    picture.save(stream, format="WEBP", quality=90, method=4)
    return data_uri(stream.getvalue(), "image/webp")


def voice_uri(recording: np.ndarray, rate: int) -> str:
    """The first seconds of a recording, int16 [T]."""
    import soundfile

    stream = io.BytesIO()
    beginning = recording[: round(SECONDS * rate)]
    soundfile.write(stream, beginning, rate, format="MP3", subtype="MPEG_LAYER_III", compression_level=0.9)
    return data_uri(stream.getvalue(), "audio/mpeg")


def thumbnail(faces: Faces, trials: Sequence[str], side: int = 48) -> bytes | None:
    """Some faces in a row as WebP, under 2 KB, for a table; None where there is no picture of any of the trials."""
    from PIL import Image

    from v2f_bench.media.picture import square

    pixels = [square(read_still(faces.pictures[trial]), side) for trial in trials if trial in faces.pictures]
    if not pixels:
        return None
    stream = io.BytesIO()
    Image.fromarray(np.concatenate(pixels, axis=1)).save(stream, format="WEBP", quality=70, method=6)
    return stream.getvalue()
