"""`folder`: anybody's own recordings and pictures, listed in one table.

`clips.csv` in the folder has a heading and a row a clip, with commas, semicolons or TABs between. Columns, in any
order: `speaker`; `voice`, a recording, and `face`, a picture or a video, as paths from the folder (a row may leave
one of the two empty); where they are known `clip` (a name; else made of speaker and row), `sex`, `age` (years),
`ethnicity`, `emotion`, `intensity`, `sentence`, `group` (clips of one recording session) and `split` (train, validation
or test). Sex, ethnicity and split are the speaker's: one row is enough, and no two may differ. How names, paths and
missing values may be written stands in docs/files.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any, ClassVar

from v2f_bench.data.splits import SPLITS, hashed_split
from v2f_bench.datasets.layout import index_table, numbered_rows, require
from v2f_bench.interfaces import Card, DataError, Part
from v2f_bench.interfaces.labels import EMOTIONS, SEXES, standard_label
from v2f_bench.interfaces.options import closest
from v2f_bench.media.file_dataset import FileDataset, MediaOptions
from v2f_bench.media.text import FilesBelow
from v2f_bench.plugins import hookimpl

if TYPE_CHECKING:
    import pandas as pd

TABLE = "clips.csv"
NEEDED = ("speaker", "voice", "face")
OF_SPEAKERS = ("sex", "ethnicity", "split")  # one for all clips of a speaker
TEXTS = ("ethnicity", "intensity", "sentence", "group")
COLUMNS = (*NEEDED, "clip", "sex", "age", "emotion", "split", *TEXTS)
OLDEST = 130  # years
MISTAKES_SHOWN = 10


@dataclass(frozen=True)
class FolderOptions(MediaOptions):
    cropped: bool = False  # whether the pictures are crops of faces already; otherwise the face is found in each


class Folder(FileDataset):
    """Your own recordings and pictures, listed in clips.csv: one row a clip, `speaker`, `voice`, `face` and labels.

    Further columns where they are known: `clip`, `sex`, `age`, `ethnicity`, `emotion`, `intensity`, `sentence`, `group`
    and `split`. Without `split`, three in ten speakers are for test and one for validation, by a hash of their names.
    """

    name = "folder"
    summary = "your own recordings and pictures or videos, listed in clips.csv"
    tracks = frozenset({"identity", "emotion"})
    options = FolderOptions
    people = None
    root_variable = "V2F_BENCH_FOLDER"
    card: ClassVar[Card] = Card(
        title="A folder of your own",
        licence="What you agreed on with the people in it",
        consent="What you agreed on with the people in it: see that it covers generated faces.",
        origin="Yours.",
        obtain=f"Write {TABLE} into the folder: a heading with the columns speaker, voice, face and any of "
        f"{', '.join(COLUMNS[3:])}; then a row a clip, with paths from the folder. Name the folder by --data-root or "
        "V2F_BENCH_FOLDER.",
        defects="Whether judges met its people in their training is not known to v2f-bench.",
    )

    one_recording = False

    opt: FolderOptions
    root: Path

    def __init__(self, options: FolderOptions, root: Path | None) -> None:
        super().__init__(options, root)
        self.faces_cropped = options.cropped

    def parts(self) -> list[Part]:
        table = self.root / TABLE
        rows = len(numbered_rows(table, NEEDED, COLUMNS)) if table.is_file() else 0
        return [Part(TABLE, table.is_file(), f"{rows} rows" if rows else "")]

    def index(self) -> pd.DataFrame:
        require(self)
        rows, folder = self._rows(), FilesBelow(self.root)
        for row in rows:
            row |= {part: folder.spelled(row[part]) for part in ("voice", "face")}
        return index_table(rows)

    def split(self, speakers: list[str]) -> dict[str, str]:
        given = {row["speaker"]: row["split"] for row in self._rows() if row.get("split")}
        return hashed_split(speakers, self.name, validation=0.1, test=0.3) | given

    def _rows(self) -> list[dict[str, Any]]:
        table = self.root / TABLE
        return clips_of(numbered_rows(table, NEEDED, COLUMNS), str(table))


def clips_of(table: Sequence[tuple[int, dict[str, str]]], called: str) -> list[dict[str, Any]]:
    """The index rows of a table's numbered rows, checked.

    Raises:
        DataError: a column that is not known, a row without a speaker or without media, a path that leaves the folder,
            a label that is none, a name twice, a speaker of two sexes, ethnicities or splits; names the table and each
            such row, up to ten.
    """
    if not table:
        raise DataError(f"{called}: it has a heading and no rows")
    mistakes: list[str] = []
    if unknown := [column for column in table[0][1] if column not in COLUMNS]:
        asked = ", ".join(f"{name} (is it {near!r}?)" if (near := closest(name, COLUMNS)) else name for name in unknown)
        mistakes.append(f"row 1: no column is called {asked}; there is {', '.join(COLUMNS)}")
    rows: list[dict[str, Any]] = []
    row_of_clip: dict[str, int] = {}
    label_of: dict[tuple[str, str], tuple[str, int]] = {}  # by speaker and kind of label: the label, and its row
    for number, cells in table:
        try:
            row = _clip_of(cells, number)
            first = row_of_clip.setdefault(row["clip"], number)
            if first != number:
                raise ValueError(f"the clip {row['clip']} stands in row {first} already")
            for label in OF_SPEAKERS:
                if not row.get(label):
                    continue
                before, since = label_of.setdefault((row["speaker"], label), (row[label], number))
                if before != row[label]:
                    verb = "is in" if label == "split" else "has"
                    both = f"{row[label]}, there {before}"
                    raise ValueError(
                        f"the speaker {row['speaker']} {verb} another {label} than in row {since} ({both})"
                    )
        except ValueError as error:
            mistakes.append(f"row {number}: {error}")
        else:
            rows.append(row)
    if len(mistakes) == 1:
        raise DataError(f"{called}, {mistakes[0]}")
    if mistakes:
        more = [f"and {len(mistakes) - MISTAKES_SHOWN} more"] if len(mistakes) > MISTAKES_SHOWN else []
        raise DataError("\n  ".join([f"{called}: {len(mistakes)} mistakes", *mistakes[:MISTAKES_SHOWN], *more]))
    for row in rows:
        known = {label: label_of.get((row["speaker"], label)) for label in OF_SPEAKERS}
        row |= {label: given[0] for label, given in known.items() if given}
    return rows


def _clip_of(cells: dict[str, str], number: int) -> dict[str, Any]:
    """One row; ValueError, in words, where it cannot be used."""
    if not cells["speaker"]:
        raise ValueError("no speaker")
    row: dict[str, Any] = {
        "clip": cells.get("clip") or f"{cells['speaker']}/{number}",
        "speaker": cells["speaker"],
        "voice": _inside(cells.get("voice", "")),
        "face": _inside(cells.get("face", "")),
    }
    if not (row["voice"] or row["face"]):
        raise ValueError("neither voice nor face")
    for column, known in (("sex", SEXES), ("emotion", EMOTIONS), ("split", SPLITS)):
        if column in cells:
            row[column] = standard_label(cells[column])
            if row[column] not in ("", *known):
                raise ValueError(f"{column} is one of {', '.join(known)}, or empty, not {cells[column]!r}")
    if "age" in cells:
        row["age"] = _years(cells["age"])
    return row | {column: cells[column] for column in TEXTS if column in cells}


def _inside(entry: str) -> str:
    """A path that stays below the folder, with "/" between; ValueError for any other."""
    if not entry:
        return ""
    windows = PureWindowsPath(entry)  # both kinds of separators
    if windows.is_absolute() or windows.drive or windows.root or ".." in windows.parts or "\0" in entry:
        raise ValueError(f"{entry!r} leads out of the folder; paths are relative to it")
    return windows.as_posix()


def _years(text: str) -> float:
    if not text:
        return float("nan")
    try:
        years = float(text.replace(",", "."))  # as half of the world writes it
    except ValueError:
        years = -1.0
    if not 0 <= years <= OLDEST:
        raise ValueError(f"age is a number of years, or empty, not {text!r}")
    return years


@hookimpl
def v2f_bench_datasets() -> list[type[Folder]]:
    return [Folder]
