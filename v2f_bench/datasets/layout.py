"""What data sets in folders share: finding files, reading tables in any dialect, saying what is missing."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from v2f_bench.interfaces import DataError, Dataset
from v2f_bench.interfaces.options import closest
from v2f_bench.media.changes import note
from v2f_bench.media.suffixes import PICTURE_SUFFIXES, SOUND_SUFFIXES, VIDEO_SUFFIXES
from v2f_bench.media.text import cell, normal, read_text

if TYPE_CHECKING:
    import pandas as pd

PICTURES, SOUNDS, VIDEOS = (tuple(sorted(each)) for each in (PICTURE_SUFFIXES, SOUND_SUFFIXES, VIDEO_SUFFIXES))
_SEPARATORS = "\t,;"
_UNNAMED = re.compile(r"(unnamed: ?\d+(_level_\d+)?(\.\d+)*)?", re.IGNORECASE)  # as pandas calls what has no name


def files_below(root: Path, folder: str, suffixes: tuple[str, ...]) -> Iterator[str]:
    """The files below `root/folder` with one of the suffixes: paths from `root` with "/", sorted within each folder.

    Hidden files and folders are none; a suffix in capitals is the same suffix. Links are followed, and a folder to
    which several lead is looked into once. Names that are not in UTF-8 are passed over: no table could hold them.
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
                path = (below / name).as_posix()
                if (shown := path.encode(errors="backslashreplace").decode()) == path:
                    yield path
                else:
                    note("a file was passed over whose name is not in UTF-8 (convmv renames whole folders)", shown)


def any_below(root: Path, folder: str, suffixes: tuple[str, ...]) -> bool:
    """Whether there is one such file."""
    return next(files_below(root, folder, suffixes), None) is not None


def folders_in(folder: Path) -> list[str]:
    """The names of the folders in a folder, sorted; [] where it is none."""
    if not folder.is_dir():
        return []
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def read_table(path: Path, columns: Sequence[str], more: Sequence[str] = ()) -> list[dict[str, str]]:
    """The rows of a table with a heading; see `numbered_rows`."""
    return [row for _, row in numbered_rows(path, columns, more)]


def numbered_rows(path: Path, columns: Sequence[str], more: Sequence[str] = ()) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table with a heading, each with its number as a spreadsheet shows it (the heading is row 1).

    TABs, commas or semicolons between; cells in one form (see `cell`), "" for one that is missing; empty rows left out,
    and columns without a name, which pandas writes for the row numbers. Capitals and blanks in headings do not count.

    Args:
        columns: those that it must have.
        more: others that are known; the rows have both under these names, and further columns as the heading has them.

    Raises:
        DataError: it cannot be read as such a table, a column is missing or there twice, or a row has cells beyond the
            last column; names the file.
    """
    text = read_text(path, "a table")
    separator, text = _separator(text)
    try:
        # A blank after the separator stands outside of quotes: `"a", "b"`.
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True))
    except csv.Error as error:
        raise DataError(f"{path}: not readable as a table ({error})") from None
    if not text.strip():
        raise DataError(f"{path}: not readable as a table (it is empty)")
    names = _headings(path, lines[0], [*columns, *more])
    if missing := [column for column in columns if column not in names]:
        asked = ", ".join(f"{name} (is it {near!r}?)" if (near := closest(name, names)) else name for name in missing)
        raise DataError(f"{path}: no column {asked}; it has {', '.join(filter(None, names))}")
    rows, unnamed = [], False
    for number, line in enumerate(lines[1:], start=2):
        cells = [cell(content) for content in line] + [""] * (len(names) - len(line))
        if any(cells[len(names) :]):
            raise DataError(
                f"{path}, row {number}: {len(line)} cells under {len(names)} columns; a cell with {separator!r} in it "
                'stands between quotes: "a, b"'
            )
        if any(cells):
            rows.append((number, {name: content for name, content in zip(names, cells, strict=False) if name}))
            unnamed |= any(content for name, content in zip(names, cells, strict=False) if not name)
    if unnamed:
        note("a column without a name was passed over", path.name)
    return rows


def labels_of(
    rows: Iterable[dict[str, str]], name: str, labels: Sequence[str], path: Path
) -> dict[str, dict[str, str]]:
    """The rows by what stands in the column `name`, each once.

    Raises:
        DataError: two rows of one name contradict each other in one of `labels`; names the file.
    """
    by_name: dict[str, dict[str, str]] = {}
    for row in rows:
        first = by_name.setdefault(row[name], row)
        for label in labels:
            if first.get(label) and row.get(label) and first[label] != row[label]:
                raise DataError(
                    f"{path}: {row[name]} has {label} {first[label]} in one row and {row[label]} in another"
                )
            first[label] = first.get(label) or row.get(label, "")
    return by_name


def _separator(text: str) -> tuple[str, str]:
    """What stands between the cells, and the text without the line that tells Excel of it."""
    first, _, rest = text.partition("\n")
    if declared := re.fullmatch(r'"?sep=(.)"?', first.strip(), re.IGNORECASE):
        return declared[1], rest
    return max(_SEPARATORS, key=first.count), text


def _headings(path: Path, line: Sequence[str], known: Sequence[str]) -> list[str]:
    """The names of the columns, "" for none; as in `known` where they differ in capitals and blanks alone."""

    def plain(name: str) -> str:
        return "".join(name.split()).casefold()

    spelled = {plain(name): name for name in known}
    names = [spelled.get(plain(name), normal(name).strip()) for name in line]
    names = ["" if _UNNAMED.fullmatch(name) else name for name in names]
    for name in filter(None, names):
        if names.count(name) > 1:
            raise DataError(f"{path}: two columns are called {name}; leave one")
    return names


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
