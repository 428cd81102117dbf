"""What data sets in folders share: finding files, reading tables in any dialect, saying what is missing."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from v2f_bench.interfaces import DataError, Dataset
from v2f_bench.interfaces.options import closest

if TYPE_CHECKING:
    import pandas as pd

PICTURES = (".jpg", ".jpeg", ".png")
SOUNDS = (".wav", ".flac", ".mp3", ".m4a")
_SEPARATORS = "\t,;"


def files_below(root: Path, folder: str, suffixes: tuple[str, ...]) -> Iterator[str]:
    """The files below `root/folder` with one of the suffixes: paths from `root` with "/", sorted within each folder.

    Hidden files and folders are none; a suffix in capitals is the same suffix. Links are followed, and a folder to
    which several lead is looked into once.
    """
    seen: set[tuple[int, int]] = set()
    for place, inner, names in os.walk(root / folder, followlinks=True):
        status = Path(place).stat()
        if (status.st_dev, status.st_ino) in seen:
            inner.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        below = Path(place).relative_to(root)
        for name in sorted(names):
            if name.lower().endswith(suffixes) and not name.startswith("."):
                yield (below / name).as_posix()


def any_below(root: Path, folder: str, suffixes: tuple[str, ...]) -> bool:
    """Whether there is one such file."""
    return next(files_below(root, folder, suffixes), None) is not None


def folders_in(folder: Path) -> list[str]:
    """The names of the folders in a folder, sorted; [] where it is none."""
    if not folder.is_dir():
        return []
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def read_table(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a table with a heading; see `numbered_rows`."""
    return [row for _, row in numbered_rows(path, columns)]


def numbered_rows(path: Path, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table with a heading, each with its number as a spreadsheet shows it (the heading is row 1).

    TABs, commas or semicolons between, blanks around cells taken away, "" for a cell that is missing, empty rows left
    out.

    Args:
        columns: those that it must have.

    Raises:
        DataError: it cannot be read as such a table, a column is missing, or a row has cells beyond the last column;
            names the file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        if not text.strip() or "\0" in text:
            raise ValueError("it is empty or no text")
        separator = max(_SEPARATORS, key=text.split("\n", 1)[0].count)
        # A blank after the separator stands outside of quotes: `"a", "b"`.
        heading, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{path}: not readable as a table ({error})") from None
    names = [cell.strip() for cell in heading]
    if missing := [column for column in columns if column not in names]:
        asked = ", ".join(f"{name} (is it {near!r}?)" if (near := closest(name, names)) else name for name in missing)
        raise DataError(f"{path}: no column {asked}; it has {', '.join(names)}")
    found = []
    for number, row in enumerate(rows, start=2):
        cells = [cell.strip() for cell in row] + [""] * (len(names) - len(row))
        if any(cells[len(names) :]):
            raise DataError(
                f"{path}, row {number}: {len(row)} cells under {len(names)} columns; a cell with {separator!r} in it "
                'stands between quotes: "a, b"'
            )
        if any(cells):
            found.append((number, {name: cell for name, cell in zip(names, cells, strict=False) if name}))
    return found


def index_table(rows: Sequence[dict[str, Any]], odd: Iterable[tuple[str, str]] = ()) -> pd.DataFrame:
    """An index of clips, and of files that are none: each with the reason, as a row that cannot be used."""
    import pandas as pd

    others = [{"clip": path, "voice": path, "face": "", "fault": f"{path}: {fault}"} for path, fault in odd]
    table = pd.DataFrame([*rows, *others])
    texts = [column for column in table if column != "age"]
    table[texts] = table[texts].fillna("")
    return table


def missing_folder(root: Path) -> str:
    """Why `root`, which is no folder, is none."""
    return "is not a folder" if root.exists() else "does not exist"


def require(dataset: Dataset) -> None:
    """Raise DataError, with the list of what is there and what is not, unless all that is needed is found."""
    parts = dataset.parts()
    if all(part.found or not part.needed for part in parts):
        return
    root = dataset.root
    assert root is not None, f"{dataset.name} has files but no root"
    inside = ", ".join(sorted(entry.name for entry in root.iterdir())[:12]) if root.is_dir() else ""
    raise DataError(
        f"{dataset.name}: {root} "
        + (f"is incomplete; it holds {inside or 'nothing'}\n" if root.is_dir() else f"{missing_folder(root)}\n")
        + "\n".join(f"  {part.in_words()}" for part in parts)
        + f"\nName the folder that holds these by --data-root or {dataset.root_variable}; "
        f"`v2f-bench info {dataset.name}` tells how to get them."
    )
