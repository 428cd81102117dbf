"""`voxceleb`: VoxCeleb1 and VoxCeleb2, with faces from their own videos or frames, or HQ-VoxCeleb's.

Layout, as people have it on disk; voices and videos may lie in any folders below the root (`dev/aac/`, `vox1/wav/`):

* voices `…/<VoxCeleb id>/<video>/<segment>.wav` or `.m4a`;
* faces `…/<VoxCeleb id>/<video>/<segment>.mp4` (a frame of each is taken; it has a sound track in some copies, which
  is used where there is no other), or pictures: `unzippedFaces/<name or id>/1.6/<video>/<frame>.jpg`, or HQ-VoxCeleb's
  `vox1/masked_faces/<name>/*.jpg`, `vox1/origin_faces/…` and the same in `vox2/`;
* `vox1_meta.csv`, `vox2_meta.csv`, `full_vox2_meta.csv` (sex, names, official parts), in the root, `vox1/` or `vox2/`;
* for splits of that name `iden_split.txt` or `split.json`;
* tables of any name with the columns `VoxCeleb_ID`, `video_id` and `speaker_age`.

VGGFace2's numbers look like VoxCeleb2's but are others: only the tables join the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from v2f_bench.data.splits import hashed_split
from v2f_bench.datasets.layout import PICTURES, SOUNDS, VIDEOS, files_below, index_table, require
from v2f_bench.datasets.voxceleb_tables import METAS, read_ages, read_hq_split, read_identification, read_people
from v2f_bench.interfaces import Card, Part
from v2f_bench.media.file_dataset import FileDataset, MediaOptions
from v2f_bench.media.text import normal
from v2f_bench.plugins import hookimpl

if TYPE_CHECKING:
    import pandas as pd

SPLIT_FILES = {"identification": "iden_split.txt", "hq": "split.json"}
PEOPLE = {"id1": 1251, "id0": 6112}  # of VoxCeleb1 and VoxCeleb2, by how their ids begin
_ID = re.compile(r"id\d{5}")
_VOICES = (".wav", ".m4a", *(suffix for suffix in SOUNDS if suffix not in (".wav", ".m4a")))  # the first that is there
_VIDEOS = (".mp4", *(suffix for suffix in VIDEOS if suffix != ".mp4"))
_OF_NO_VIDEO = ("masked_faces", "origin_faces")


@dataclass(frozen=True)
class VoxcelebOptions(MediaOptions):
    # official: the `Set` of the metadata. identification: iden_split.txt, in which all speakers are in all parts.
    # hq: HQ-VoxCeleb's split.json (SF2F).
    split: Literal["speakers", "official", "identification", "hq"] = "speakers"
    pictures: Literal["unzippedFaces", "masked_faces", "origin_faces"] = "unzippedFaces"  # beside the videos


class Voxceleb(FileDataset):
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
        may_be_shown="no",
        origin="Nagrani et al., VoxCeleb, Interspeech 2017; Chung et al., VoxCeleb2, Interspeech 2018.",
        obtain="Request it from its authors (https://www.robots.ox.ac.uk/~vgg/data/voxceleb/); unpack voices, videos "
        "or frames, vox1_meta.csv and vox2_meta.csv into one folder and name it by --data-root or V2F_BENCH_VOXCELEB.",
        defects="95.7 % of VoxCeleb2's people are in VGGFace2's training part: judges trained on that met them. Sex "
        "comes from the metadata; age only where a table of ages has been added. vox2_meta.csv goes round in three "
        "forms (commas and blanks, TABs and blanks, commas): all are read.",
        counts={"people of VoxCeleb1": PEOPLE["id1"], "people of VoxCeleb2": PEOPLE["id0"]},
    )

    opt: VoxcelebOptions
    root: Path

    def parts(self) -> list[Part]:
        voice = next(self._segments((*_VOICES, *_VIDEOS)), None)
        face = next(self._segments(_VIDEOS), None) or next(self._pictures(), None)
        pictures = "<name>/*.jpg" if self.opt.pictures in _OF_NO_VIDEO else "<name or id>/1.6/<video>/<frame>.jpg"
        parts = [
            Part(" or ".join(METAS), bool(self._people), f"{len(self._people)} people" if self._people else ""),
            Part("…/<VoxCeleb id>/<video>/<segment>.wav, .m4a or .mp4", voice is not None),
            Part(f"…/<VoxCeleb id>/<video>/<segment>.mp4, or {self.opt.pictures}/{pictures}", face is not None),
        ]
        if self.opt.split in SPLIT_FILES:
            file = SPLIT_FILES[self.opt.split]
            parts.append(Part(file, (self.root / file).is_file(), f"for split={self.opt.split}"))
        ages = len({identity for identity, _ in self._ages})
        return [
            *parts,
            Part("a table of speakers' ages", ages > 0, f"{ages} people" if ages else "no age", needed=False),
        ]

    def complete(self) -> dict[str, int]:
        """The published number of the collections whose metadata is there; of `split=hq`, who is in its list."""
        if self.opt.split == "hq":
            return {"speakers": len(read_hq_split(self.root / SPLIT_FILES["hq"]))}
        collections = ("id1", "id0") if self.opt.split != "identification" else ("id1",)
        return {"speakers": sum(PEOPLE[ids] for ids in collections if any(i.startswith(ids) for i in self._people))}

    def index(self) -> pd.DataFrame:
        require(self)
        segments: dict[str, dict[str, str]] = {}
        for path in self._segments((*_VOICES, *_VIDEOS)):
            place = PurePosixPath(path)
            files = segments.setdefault("/".join([*place.parts[-3:-1], place.stem]), {})
            files.setdefault(place.suffix.lower(), path)
        rows = [self._segment_row(clip, files) for clip, files in sorted(segments.items())]
        return index_table([*rows, *self._picture_rows()])

    @property
    def split_name(self) -> str:
        return "" if self.opt.split == "speakers" else self.opt.split

    def split(self, speakers: list[str]) -> dict[str, str]:
        if self.opt.split == "official":
            of_train = hashed_split(speakers, "voxceleb-official", validation=0.05, test=0.0)
            return {s: "test" if self._people[s]["set"] == "test" else of_train[s] for s in speakers}
        if self.opt.split == "hq":  # who is not in it is in no split
            of_name = read_hq_split(self.root / SPLIT_FILES["hq"])
            names = {
                s: next((name for name in self._people[s]["names"].split() if name in of_name), "") for s in speakers
            }
            return {speaker: of_name[name] for speaker, name in names.items() if name}
        return hashed_split(speakers, self.name, validation=0.05, test=0.1)

    def split_clips(self, clips: pd.DataFrame) -> dict[str, str] | None:
        """For `identification`, by segment; a frame goes with its video where all of that is in one part."""
        if self.opt.split != "identification":
            return None
        listed = read_identification(self.root / SPLIT_FILES["identification"])
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
        return read_people(self.root)

    @cached_property
    def _ages(self) -> dict[tuple[str, str], float]:
        return read_ages(self.root)

    def _segments(self, suffixes: tuple[str, ...]) -> Iterator[str]:
        """The files that lie in a folder of a video in a folder of a VoxCeleb id."""
        for path in files_below(self.root, ".", suffixes):
            parts = PurePosixPath(path).parts
            if len(parts) >= 3 and _ID.fullmatch(parts[-3]):
                yield path

    def _segment_row(self, clip: str, files: dict[str, str]) -> dict[str, Any]:
        identity, video, _ = clip.split("/")
        voice, face = (
            next((files[suffix] for suffix in suffixes if suffix in files), "")
            for suffixes in ((*_VOICES, *_VIDEOS), _VIDEOS)
        )
        return {"clip": clip, "voice": voice, "face": face} | self._labels(identity, identity, video)

    def _pictures(self) -> Iterator[str]:
        """The pictures, by path; the name or id is the folder below the one that the option names."""
        for place in ("", "vox1", "vox2"):
            yield from files_below(self.root, str(PurePosixPath(place, self.opt.pictures)), PICTURES)

    def _picture_rows(self) -> Iterator[dict[str, Any]]:
        ids = {name: identity for identity, person in self._people.items() for name in person["names"].split()}
        for path in self._pictures():
            parts = PurePosixPath(path).parts
            name = normal(parts[parts.index(self.opt.pictures) + 1])
            video = "" if self.opt.pictures in _OF_NO_VIDEO else parts[-2]
            clip = "/".join(part for part in (name, video, PurePosixPath(path).stem) if part)
            yield {"clip": clip, "voice": "", "face": path} | self._labels(ids.get(name, name), name, video)

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


@hookimpl
def v2f_bench_datasets() -> list[type[Voxceleb]]:
    return [Voxceleb]
