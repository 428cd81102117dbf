"""Text from outside, read in one form: tables, lists, cards, names of files. The rules stand in docs/files.md."""

from __future__ import annotations

import codecs
import unicodedata
from pathlib import Path

from v2f_bench.interfaces import DataError
from v2f_bench.media.changes import note
from v2f_bench.media.file import HEAD, check_head

# Cells that stand for a missing value: those that pandas reads as one, and in small letters.
MISSING = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A"),
        *("NA", "NULL", "NaN", "None", "n/a", "nan", "null", "na", "none"),
    )
)
_MARKS = (  # byte-order marks; that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SPACES = (0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)  # Unicode's category Zs but for the blank
# Soft hyphen, zero width, marks of direction, and the byte-order mark; not the joiners, which some scripts spell with.
_UNSEEN = (0xAD, 0x61C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0xFEFF)
_PLAIN = dict.fromkeys(_SPACES, " ") | dict.fromkeys(_UNSEEN)
_SHOWN = 40  # characters of a line that an error quotes


def read_text(path: Path, kind: str) -> str:
    """The text in a file: one Unicode form (see `normal`), a plain line feed at the end of each line.

    UTF-8; or UTF-16 or UTF-32 where a byte-order mark, or every second byte, says so.

    Args:
        kind: what the file should be ("a table"), for the error.

    Raises:
        DataError: the file cannot be read, is in a code page, or is no text; names the file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: not readable as {kind} ({error.strerror or error})") from None
    check_head(path, data[:HEAD], kind)
    text = _decoded(data, path, kind)
    if "\0" in text:
        raise DataError(f"{path}: not readable as {kind} (it is no text)")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if (plain := normal(text)) != text:
        note("letters and blanks were brought to one form", path.name)
    return plain


def normal(text: str) -> str:
    """Text in the form in which names are compared: composed (NFC), any space a blank, without what cannot be seen."""
    return text if text.isascii() else unicodedata.normalize("NFC", text.translate(_PLAIN))


def cell(text: str) -> str:
    """A table's cell: `normal`, without blanks around it; "" where it stands for a missing value."""
    text = normal(text).strip()
    return "" if text in MISSING else text


class FilesBelow:
    """A folder in which files are looked up by paths from a table, which may spell them in another way."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._names: dict[Path, list[str]] = {}

    def spelled(self, entry: str) -> str:
        """The path `entry` (with "/" between) as the disk spells it.

        Where there is no such file, each part is the one name that differs in its Unicode form alone, or else in
        capitals alone. What is not there in any spelling, or in two, stays as it is.
        """
        if not entry or (self._root / entry).exists():
            return entry
        place, parts = self._root, []
        for part in entry.split("/"):
            alike = [name for name in self._listed(place) if normal(name).casefold() == normal(part).casefold()]
            same = [name for name in alike if normal(name) == normal(part)]
            if part not in alike and len(same or alike) != 1:
                return entry
            parts.append(part if part in alike else (same or alike)[0])
            place /= parts[-1]
        note("a file is there under another spelling of its name", entry)
        return "/".join(parts)

    def _listed(self, folder: Path) -> list[str]:
        if folder not in self._names:
            self._names[folder] = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
        return self._names[folder]


def _decoded(data: bytes, path: Path, kind: str) -> str:
    mark, encoding = next((each for each in _MARKS if data.startswith(each[0])), (b"", _unmarked(data)))
    data = data[len(mark) :]
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise DataError(f"{path}: not readable as {kind} (damaged: it is no {encoding})") from None
        reason = "it is no text" if b"\0" in data else _code_page(data, error.start, path)
        raise DataError(f"{path}: not readable as {kind} ({reason})") from None


def _unmarked(data: bytes) -> str:
    """The encoding of text without a mark: of plain letters, UTF-16 has a zero in every second byte."""
    head = data[:1000]
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, others = head[first::2], head[1 - first :: 2]
        if zeros and zeros.count(0) > 0.9 * len(zeros) and others.count(0) < 0.1 * len(others):
            return encoding
    return "utf-8"


def _code_page(data: bytes, place: int, path: Path) -> str:
    line = data.count(b"\n", 0, place) + 1
    shown = data[data.rfind(b"\n", 0, place) + 1 :].splitlines()[0][:_SHOWN].decode("cp1252", "replace")
    return (
        f"line {line} is not UTF-8 but in a code page; in Windows-1252 it begins {shown!r}). Save it as UTF-8; or, "
        f"if that reads right, convert it (iconv -f WINDOWS-1252 -t UTF-8 '{path.name}' > utf8.csv"
    )
