"""`voxceleb`: VoxCeleb1 and VoxCeleb2, with faces from their own videos or frames.

Layout, as people have it on disk; every part may lie in folders of its own below the root (`dev/aac/`, `vox1/wav/`):

* voices `…/<VoxCeleb id>/<video>/<segment>.wav` or `.m4a`;
* faces `…/<VoxCeleb id>/<video>/<segment>.mp4` (a frame of each is taken; it has a sound track in some copies, which
  is used where there is no other), or frames, cropped: `unzippedFaces/<name or id>/1.6/<video>/<frame>.jpg`;
* `vox1_meta.csv`, `vox2_meta.csv` (sex, names and the official parts), `iden_split.txt`;
* tables of any name with the columns `VoxCeleb_ID`, `video_id` and `speaker_age`.

VGGFace2's numbers look like VoxCeleb2's but are others: only the tables join the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Literal

import pandas as pd

from v2f_bench.data.splits import SPLITS, hashed_split
from v2f_bench.datasets.layout import PICTURES, files_below, index_table, read_table, require
from v2f_bench.interfaces import Card, DataError, Dataset, MediaOptions, Part
from v2f_bench.interfaces.labels import standard_label
from v2f_bench.plugins import hookimpl

METAS = {"vox1_meta.csv": ("VoxCeleb1 ID", "VGGFace1 ID"), "vox2_meta.csv": ("VoxCeleb2 ID", "VGGFace2 ID")}
_AGE_COLUMNS = ("VoxCeleb_ID", "video_id", "speaker_age")
IDENTIFICATION = "iden_split.txt"
_ID = re.compile(r"id\d{5}")
_VOICES = (".wav", ".m4a")
_VIDEO = ".mp4"
_FRAMES = "unzippedFaces"


@dataclass(frozen=True)
class VoxcelebOptions(MediaOptions):
    # official: the `Set` of the metadata. identification: iden_split.txt, in which all speakers are in all parts.
    split: Literal["speakers", "official", "identification"] = "speakers"


class Voxceleb(Dataset):
    """Celebrities in interviews, cut from YouTube. Voice and picture of a segment are of one moment.

    By default a tenth of the speakers are for test and a twentieth for validation, by a hash of their ids.
    """

    name = "voxceleb"
    summary = "VoxCeleb1 and VoxCeleb2 with faces from their own videos or frames; 7,363 people when complete"
    options = VoxcelebOptions
    people = frozenset({"voxceleb1", "voxceleb2", "vggface", "vggface2", "casia-webface", "ms-celeb-1m", "imdb-wiki"})
    root_variable = "V2F_BENCH_VOXCELEB"
    card: ClassVar[Card] = Card(
        title="VoxCeleb1 and VoxCeleb2",
        licence="CC BY 4.0 for the lists; the media are those of YouTube's uploaders",
        consent="The people did not consent: public figures in videos found on the web. They are identifiable; do not "
        "publish their faces or faces generated from their voices beyond what research needs.",
        origin="Nagrani et al., VoxCeleb, Interspeech 2017; Chung et al., VoxCeleb2, Interspeech 2018.",
        obtain="Request it from its authors (https://www.robots.ox.ac.uk/~vgg/data/voxceleb/); unpack voices, videos "
        "or frames, vox1_meta.csv and vox2_meta.csv into one folder and name it by --data-root or V2F_BENCH_VOXCELEB.",
        defects="95.7 % of VoxCeleb2's people are in VGGFace2's training part: judges trained on that met them. Sex "
        "comes from the metadata; age only where a table of ages has been added. vox2_meta.csv goes round in three "
        "forms (commas and blanks, TABs and blanks, commas): all are read.",
        counts={"people of VoxCeleb1": 1251, "people of VoxCeleb2": 6112},
    )

    opt: VoxcelebOptions
    root: Path

    def parts(self) -> list[Part]:
        metas = [meta for meta in METAS if (self.root / meta).is_file()]
        voice = next(self._segments((*_VOICES, _VIDEO)), None)
        video = next(self._segments((_VIDEO,)), None)
        frames = next(files_below(self.root, _FRAMES, PICTURES), None)
        parts = [
            Part("vox1_meta.csv or vox2_meta.csv", bool(metas), f"{len(self._people)} people" if metas else ""),
            Part("…/<VoxCeleb id>/<video>/<segment>.wav, .m4a or .mp4", voice is not None),
            Part(
                "…/<VoxCeleb id>/<video>/<segment>.mp4, or unzippedFaces/<name or id>/1.6/<video>/<frame>.jpg",
                bool(video or frames),
            ),
        ]
        if self.opt.split == "identification":
            parts.append(Part(IDENTIFICATION, (self.root / IDENTIFICATION).is_file(), "for split=identification"))
        ages = len({identity for identity, _ in self._ages})
        return [
            *parts,
            Part("a table of speakers' ages", ages > 0, f"{ages} people" if ages else "no age", needed=False),
        ]

    def complete(self) -> dict[str, int]:
        return {"speakers": len(self._people)}

    def index(self) -> pd.DataFrame:
        require(self)
        segments: dict[str, dict[str, str]] = {}
        for path in self._segments((*_VOICES, _VIDEO)):
            place = PurePosixPath(path)
            files = segments.setdefault("/".join([*place.parts[-3:-1], place.stem]), {})
            files.setdefault(place.suffix.lower(), path)
        rows = [self._segment_row(clip, files) for clip, files in sorted(segments.items())]
        return index_table([*rows, *self._frame_rows()])

    @property
    def split_name(self) -> str:
        return "" if self.opt.split == "speakers" else self.opt.split

    def split(self, speakers: list[str]) -> dict[str, str]:
        split_of = hashed_split(speakers, self.name, validation=0.05, test=0.1)
        if self.opt.split == "official":
            of_train = hashed_split(speakers, "voxceleb-official", validation=0.05, test=0.0)
            return {s: "test" if self._people[s]["set"] == "test" else of_train[s] for s in speakers}
        return split_of

    def split_clips(self, clips: pd.DataFrame) -> dict[str, str] | None:
        """For `identification`, by segment; a frame goes with its video where all of that is in one part."""
        if self.opt.split != "identification":
            return None
        listed = read_identification(self.root / IDENTIFICATION)
        of_video: dict[str, set[str]] = {}
        for clip, split in listed.items():
            of_video.setdefault(clip.rpartition("/")[0], set()).add(split)
        split_of = {}
        for clip, speaker, video in zip(clips["clip"], clips["speaker"], clips["group"], strict=True):
            splits = {listed[clip]} if clip in listed else of_video.get(f"{speaker}/{video}", set())
            if len(splits) == 1:
                split_of[clip] = next(iter(splits))
        return split_of

    @cached_property
    def _people(self) -> dict[str, dict[str, str]]:
        """Of each VoxCeleb id: `name`, `sex`, `nationality` and `set`, as far as the metadata tell."""
        found: dict[str, dict[str, str]] = {}
        for meta, (identity, name) in METAS.items():
            if (self.root / meta).is_file():
                for row in read_table(self.root / meta, (identity, "Gender")):
                    found[row[identity]] = {
                        "name": row.get(name, ""),
                        "sex": standard_label(row["Gender"]),
                        "nationality": row.get("Nationality", ""),
                        "set": row.get("Set", ""),
                    }
        return found

    @cached_property
    def _ages(self) -> dict[tuple[str, str], float]:
        """Years, by VoxCeleb id and video, of the tables that tell them."""
        ages = {}
        for path in sorted(self.root.glob("*.csv")):
            with path.open(errors="replace") as stream:
                heading = stream.readline()
            if not all(column in heading for column in _AGE_COLUMNS):
                continue
            for row in read_table(path, _AGE_COLUMNS):
                if re.fullmatch(r"\d+(\.\d+)?", row["speaker_age"]):
                    ages[row["VoxCeleb_ID"], row["video_id"]] = float(row["speaker_age"])
        return ages

    def _segments(self, suffixes: tuple[str, ...]) -> Iterator[str]:
        """The files that lie in a folder of a video in a folder of a VoxCeleb id."""
        for path in files_below(self.root, ".", suffixes):
            parts = PurePosixPath(path).parts
            if len(parts) >= 3 and _ID.fullmatch(parts[-3]):
                yield path

    def _segment_row(self, clip: str, files: dict[str, str]) -> dict[str, Any]:
        identity, video, _ = clip.split("/")
        voice = next((files[suffix] for suffix in (*_VOICES, _VIDEO) if suffix in files), "")
        return {"clip": clip, "voice": voice, "face": files.get(_VIDEO, "")} | self._labels(identity, identity, video)

    def _frame_rows(self) -> Iterator[dict[str, Any]]:
        ids = {person["name"]: identity for identity, person in self._people.items() if person["name"]}
        for path in files_below(self.root, _FRAMES, PICTURES):
            folder, video, frame = PurePosixPath(path).parts[1], PurePosixPath(path).parts[-2], PurePosixPath(path).stem
            labels = self._labels(ids.get(folder, folder), folder, video)
            yield {"clip": f"{folder}/{video}/{frame}", "voice": "", "face": path} | labels

    def _labels(self, identity: str, called: str, video: str) -> dict[str, Any]:
        person = self._people.get(identity)
        return {
            "speaker": identity,
            "sex": person["sex"] if person else "",
            "nationality": person["nationality"] if person else "",
            **({"age": self._ages.get((identity, video), float("nan"))} if self._ages else {}),
            "group": video,
            "fault": "" if person else f"{called} is not in {' or '.join(METAS)}",
        }


def read_identification(path: Path) -> dict[str, str]:
    """The split of each clip in VoxCeleb1's `iden_split.txt`: lines of `<1, 2 or 3> id10003/<video>/00003.wav`.

    Raises:
        DataError: it cannot be read, or a line is not of that form; names the line.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not readable ({error})") from None
    split_of = {}
    for number, line in enumerate(lines, start=1):
        part, _, clip = line.strip().partition(" ")
        if part in ("1", "2", "3") and clip.count("/") == 2:
            split_of[str(PurePosixPath(clip.strip()).with_suffix(""))] = SPLITS[int(part) - 1]
        elif line.strip():
            raise DataError(f"{path}, line {number}: not 1, 2 or 3, a blank, and id/video/segment.wav")
    return split_of


@hookimpl
def v2f_bench_datasets() -> list[type[Voxceleb]]:
    return [Voxceleb]
