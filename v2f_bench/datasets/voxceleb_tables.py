"""The tables that go round with VoxCeleb1 and VoxCeleb2, in all their dialects, read to one form."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath

from v2f_bench.data.splits import SPLITS
from v2f_bench.datasets.layout import labels_of, read_table
from v2f_bench.interfaces import DataError
from v2f_bench.interfaces.labels import standard_label
from v2f_bench.media.text import read_text

# Where each may lie, and the columns of the id and the name; the last is HQ-VoxCeleb's, with VoxCeleb2's real names.
METAS = {
    "vox1_meta.csv": ("VoxCeleb1 ID", "VGGFace1 ID"),
    "vox2_meta.csv": ("VoxCeleb2 ID", "VGGFace2 ID"),
    "full_vox2_meta.csv": ("VoxCeleb2 ID", "Name"),
}
_PLACES = ("", "vox1", "vox2")
_OF_PEOPLE = ("Gender", "Nationality", "Set")
_AGE_COLUMNS = ("VoxCeleb_ID", "video_id", "speaker_age")
_HQ_SPLITS = {"train": "train", "val": "validation", "test": "test"}


def read_people(root: Path) -> dict[str, dict[str, str]]:
    """Of each VoxCeleb id: `names` (by which other collections call the person, blanks between), `sex`, `nationality`
    and `set` ("dev" or "test"), as far as the metadata below `root` tell; {} where there are none.

    Raises:
        DataError: a table cannot be read, or two of its rows contradict each other; names the file.
    """
    people: dict[str, dict[str, str]] = {}
    for meta, (identity, name) in METAS.items():
        for path in (root / place / meta for place in _PLACES):
            if not path.is_file():
                continue
            rows = read_table(path, (identity,), (name, *_OF_PEOPLE))
            for number, row in labels_of(rows, identity, (name, "Gender", "Nationality"), path).items():
                person = people.setdefault(number, {"names": "", "sex": "", "nationality": "", "set": ""})
                person["names"] = f"{person['names']} {row.get(name, '').replace(' ', '_')}".strip()
                person["sex"] = standard_label(row.get("Gender", "")) or person["sex"]
                person["nationality"] = row.get("Nationality", "") or person["nationality"]
                person["set"] = row.get("Set", "") or person["set"]
    return people


def read_ages(root: Path) -> dict[tuple[str, str], float]:
    """Years, by VoxCeleb id and video, from every table in `root` that tells them."""
    ages = {}
    for path in sorted(root.glob("*.csv")):
        with path.open("rb") as stream:
            heading = stream.readline().replace(b"\0", b"").decode(errors="replace").casefold()
        if path.name.startswith(".") or not all(column.casefold() in heading for column in _AGE_COLUMNS):
            continue
        for row in read_table(path, _AGE_COLUMNS):
            if re.fullmatch(r"\d+([.,]\d+)?", row["speaker_age"]):
                ages[row["VoxCeleb_ID"], row["video_id"]] = float(row["speaker_age"].replace(",", "."))
    return ages


def read_identification(path: Path) -> dict[str, str]:
    """The split of each clip in VoxCeleb1's `iden_split.txt`: lines of `<1, 2 or 3> id10003/<video>/00003.wav`.

    Raises:
        DataError: it cannot be read, or a line is not of that form; names the line.
    """
    split_of = {}
    for number, line in enumerate(read_text(path, "a list of splits").split("\n"), start=1):
        part, _, clip = line.strip().partition(" ")
        clip = clip.strip().replace("\\", "/")
        if part in ("1", "2", "3") and clip.count("/") == 2 and PurePosixPath(clip).name:
            split_of[str(PurePosixPath(clip).with_suffix(""))] = SPLITS[int(part) - 1]
        elif line.strip():
            raise DataError(f"{path}, line {number}: not 1, 2 or 3, a blank, and id/video/segment.wav")
    return split_of


def read_hq_split(path: Path) -> dict[str, str]:
    """The split of each name in HQ-VoxCeleb's `split.json`: `{"vox1": {"train": [names], "val": [], "test": []}, ...}`.

    Raises:
        DataError: it cannot be read, is of another form, or has one name in two splits; names the file.
    """
    text = read_text(path, "HQ-VoxCeleb's split")
    try:
        parts = [part for collection in json.loads(text).values() for part in collection.items()]
        listed = [(str(name), _HQ_SPLITS[split]) for split, names in parts for name in names]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: not readable as HQ-VoxCeleb's split ({error})") from None
    split_of: dict[str, str] = {}
    for name, split in listed:
        if split_of.setdefault(name, split) != split:
            raise DataError(f"{path}: {name} is in two splits")
    return split_of
