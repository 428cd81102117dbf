"""`voxceleb-vggface`: VoxCeleb1's voices with VGGFace's (or VoxCeleb1's own) pictures of the same people.

Layout, as people have it on disk: `vox1_meta.csv`, which joins the two by name; voices in
`wav/<VoxCeleb1 id>/<video>/<segment>.wav`; faces in `VGG_ALL_FRONTAL/<VGGFace name>/*.jpg` (aligned, 128×128, what the
field trains on) or `unzippedFaces/<VGGFace name>/1.6/<video>/<frame>.jpg` (VoxCeleb1's frames).
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Literal

import pandas as pd

from v2f_bench.interfaces import Card, DataError, Dataset
from v2f_bench.plugins import hookimpl

META_COLUMNS = ("VoxCeleb1 ID", "VGGFace1 ID", "Gender", "Nationality")
PICTURES = (".jpg", ".jpeg", ".png")
_SPLIT_OF_LETTER = dict.fromkeys("AB", "validation") | dict.fromkeys("CDE", "test")


@dataclass(frozen=True)
class VoxcelebOptions:
    faces: Literal["auto", "VGG_ALL_FRONTAL", "unzippedFaces"] = "auto"  # auto: the first of the two that is there


class VoxcelebVggface(Dataset):
    """Celebrities in interviews. Voice and picture of a speaker need not be of one day, so their ages may differ."""

    name = "voxceleb-vggface"
    summary = "VoxCeleb1 voices with VGGFace or VoxCeleb1 pictures of the same people; 1,225 people when complete"
    options = VoxcelebOptions
    # VoxCeleb1's speakers were chosen from VGGFace's names; film stars of the two are in the other collections too.
    people = frozenset({"voxceleb1", "vggface", "vggface2", "casia-webface", "ms-celeb-1m", "imdb-wiki"})
    root_variable = "V2F_BENCH_VOXCELEB_VGGFACE"
    card: ClassVar[Card] = Card(
        title="VoxCeleb1 ∩ VGGFace",
        licence="VoxCeleb1: CC BY 4.0 for the lists, media of YouTube's uploaders. VGGFace: research, non-commercial.",
        consent="The people did not consent: public figures in videos and pictures found on the web. They are "
        "identifiable; do not publish their faces or faces generated from their voices beyond what research needs.",
        origin="Nagrani et al., VoxCeleb, Interspeech 2017; Parkhi et al., Deep Face Recognition, BMVC 2015; the "
        "intersection and its A-B, C-E, F-Z split: Nagrani et al., CVPR 2018, Wen et al., ICLR 2019.",
        obtain="Request VoxCeleb1 from its authors and the aligned VGGFace pictures from those of the reference voice-"
        "to-face GAN; put vox1_meta.csv, wav/ and VGG_ALL_FRONTAL/ or unzippedFaces/ into one folder and name it by "
        "--data-root or V2F_BENCH_VOXCELEB_VGGFACE.",
        defects="26 of the 1,251 listed names have no faces.",
    )

    opt: VoxcelebOptions
    root: Path

    def index(self) -> pd.DataFrame:
        meta, faces_folder = self._checked_folder()
        people = {row["VoxCeleb1 ID"]: row for row in meta.to_dict("records") if row["VGGFace1 ID"]}
        names = {row["VGGFace1 ID"]: row for row in people.values()}
        rows = []
        for path in _files(self.root, "wav", (".wav",)):
            parts = PurePosixPath(path).parts  # wav / id / video / segment
            rows.append(
                {"clip": str(PurePosixPath(*parts[1:]).with_suffix("")), "voice": path, "face": "", "group": parts[-2]}
                | _person(people.get(parts[1]), parts[1])
            )
        for path in _files(self.root, faces_folder, PICTURES):
            parts = PurePosixPath(path).parts  # folder / name / ... / picture
            video = parts[-2] if faces_folder == "unzippedFaces" else ""
            clip = f"{parts[1]}/{'/'.join(part for part in (video, PurePosixPath(path).stem) if part)}"
            rows.append(
                {"clip": clip, "voice": "", "face": path, "group": video} | _person(names.get(parts[1]), parts[1])
            )
        return pd.DataFrame(rows)

    def split(self, speakers: list[str]) -> dict[str, str]:
        """By the first letter of the name: A-B validation, C-E test, F-Z train (Wen et al. 2019, section 4)."""
        return {name: _SPLIT_OF_LETTER.get(name[0].upper(), "train") for name in speakers}

    def _checked_folder(self) -> tuple[pd.DataFrame, str]:
        """The metadata table and the folder of faces to use; DataError with the list of what is missing."""
        lines, problem = [], False

        def note(found: bool, text: str) -> None:
            nonlocal problem
            problem |= not found
            lines.append(f"  {'found  ' if found else 'MISSING'}  {text}")

        meta_file = self.root / "vox1_meta.csv"
        meta = read_meta(meta_file) if meta_file.is_file() else None
        note(meta is not None, "vox1_meta.csv" + (f" ({len(meta)} people)" if meta is not None else ""))
        wavs = next(_files(self.root, "wav", (".wav",)), None)
        note(wavs is not None, "wav/<VoxCeleb1 id>/<video>/<segment>.wav")
        wanted = ("VGG_ALL_FRONTAL", "unzippedFaces") if self.opt.faces == "auto" else (self.opt.faces,)
        there = [folder for folder in wanted if next(_files(self.root, folder, PICTURES), None)]
        forms = {
            "VGG_ALL_FRONTAL": "VGG_ALL_FRONTAL/<VGGFace name>/*.jpg",
            "unzippedFaces": "unzippedFaces/<VGGFace name>/1.6/<video>/<frame>.jpg",
        }
        note(bool(there), forms[there[0]] if there else " or ".join(forms[folder] for folder in wanted))
        if meta is None or problem:
            inside = ", ".join(sorted(entry.name for entry in self.root.iterdir())[:12]) if self.root.is_dir() else ""
            raise DataError(
                f"{self.name}: {self.root} "
                + (f"is incomplete; it holds {inside or 'nothing'}\n" if self.root.is_dir() else "is not a folder\n")
                + "\n".join(lines)
                + f"\nName the folder that holds these by --data-root or {self.root_variable}; "
                f"`v2f-bench info {self.name}` tells how to get them."
            )
        return meta, there[0]


def read_meta(path: Path) -> pd.DataFrame:
    """`vox1_meta.csv`, TABs or commas, every cell stripped. DataError where it is no table or lacks a column."""
    form: dict[str, Any] = {"sep": None, "engine": "python", "skipinitialspace": True, "encoding": "utf-8-sig"}
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, **form)
    except (ValueError, csv.Error) as error:
        raise DataError(f"{path}: not readable as a table ({error})") from None
    table.columns = [str(column).strip() for column in table.columns]
    missing = [column for column in META_COLUMNS if column not in table.columns]
    if missing:
        raise DataError(f"{path}: no column {', '.join(missing)}; it has {', '.join(table.columns)}")
    return table.fillna("").apply(lambda column: column.str.strip())


def _person(row: dict[str, Any] | None, folder: str) -> dict[str, Any]:
    if row is None:
        return {"speaker": folder, "sex": "", "nationality": "", "fault": f"{folder} is not in vox1_meta.csv"}
    sex = {"m": "male", "f": "female"}.get(row["Gender"].lower(), "")
    return {"speaker": row["VGGFace1 ID"], "sex": sex, "nationality": row["Nationality"], "fault": ""}


def _files(root: Path, folder: str, suffixes: tuple[str, ...]) -> Iterator[str]:
    """The files below `root/folder` with one of the suffixes: paths from `root` with "/", sorted within each folder."""
    for place, inner, names in os.walk(root / folder):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(suffixes) and not name.startswith("."):
                yield (Path(place) / name).relative_to(root).as_posix()


@hookimpl
def v2f_bench_datasets() -> list[type[VoxcelebVggface]]:
    return [VoxcelebVggface]
