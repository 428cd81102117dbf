"""`mead`: actors filmed from several sides in eight emotions at three levels.

Layout, as the archives of each actor unpack: `M003/video/<view>/<emotion>/level_<n>/001.mp4` and
`M003/audio/<emotion>/level_<n>/001.m4a`; the actor's first letter tells the sex. Which views there are is read from the
folders. Voice and face of one number are one recording. Sentence numbers of two actors do not mean one sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from v2f_bench.data.splits import hashed_split
from v2f_bench.datasets.layout import SOUNDS, VIDEOS, files_below, folders_in, index_table, require
from v2f_bench.interfaces import Card, Part
from v2f_bench.interfaces.labels import DATASET_LABELS
from v2f_bench.media.file_dataset import FileDataset, MediaOptions
from v2f_bench.plugins import hookimpl

if TYPE_CHECKING:
    import pandas as pd

RELEASED = 48  # of 60 actors
ONE_VIEW = {"W017": "down"}  # who was released from one side only
TEST4 = ("M003", "M030", "W009", "W015")
_ACTOR = re.compile(r"[MW]\d{3}")
_EMOTIONS, _LEVELS = DATASET_LABELS["mead"]["emotion"], DATASET_LABELS["mead"]["intensity"]
_VIDEO, _AUDIO = "<actor>/video/<view>/<emotion>/level_<n>/<number>.mp4", "<actor>/audio/<emotion>/level_<n>/….m4a"


@dataclass(frozen=True)
class MeadOptions(MediaOptions):
    view: str = "front"  # a folder below video/
    split: Literal["speakers", "test4"] = "speakers"  # test4: the four test speakers of most papers


class Mead(FileDataset):
    """Actors who speak in eight emotions, filmed from up to seven sides at once.

    By default about three in ten actors are for test, by a hash of their names: on the four test speakers
    of most papers (`split=test4`: M003, M030, W009, W015) a gallery has four faces, and an interval over speakers says
    little.
    """

    name = "mead"
    summary = "48 actors, 8 emotions at three levels, filmed from several sides"
    tracks = frozenset({"identity", "emotion"})
    options = MeadOptions
    people = frozenset({"mead"})
    root_variable = "V2F_BENCH_MEAD"
    faces_cropped = False
    labels = DATASET_LABELS["mead"]
    card: ClassVar[Card] = Card(
        title="Multi-view Emotional Audio-visual Dataset (MEAD)",
        licence="Research only, by request; what is allowed stands in the agreement of its authors",
        consent="Actors who agreed to the use of their recordings for research.",
        origin="Wang et al., MEAD: A Large-scale Audio-visual Dataset for Emotional Talking-face Generation, "
        "ECCV 2020.",
        obtain="Request it from its authors (https://wywu.github.io/projects/MEAD/MEAD.html). Of each actor, unpack "
        "video.tar and audio.tar in the actor's own folder, and name the folder of the actors by --data-root or "
        "V2F_BENCH_MEAD.",
        defects="48 of 60 actors are released. W017 has the view `down` alone; M011 and M019 lack emotions and views. "
        "Sentence numbers are not aligned between actors, so no sentence labels are given.",
        counts={"actors": RELEASED, "clips of an emotion at a level": 30, "neutral clips": 40},
        balance={"emotion and level, of an actor": {"neutral, low": 40, "each other, each level": 30}},
    )

    opt: MeadOptions
    root: Path

    def parts(self) -> list[Part]:
        actors = self._actors()
        unpacked = {
            kind: [actor for actor in actors if (self.root / actor / kind).is_dir()] for kind in ("video", "audio")
        }
        views = self._views()
        lacking = [actor for actor in unpacked["video"] if self.opt.view not in views.get(actor, ())]
        known = sorted({view for each in views.values() for view in each})
        parts = [
            Part("<actor>/, such as M003 or W009", bool(actors), f"{len(actors)} actors" if actors else ""),
            Part(_AUDIO, bool(unpacked["audio"]), self._archives("audio", actors, unpacked["audio"])),
            Part(_VIDEO, bool(unpacked["video"]), self._archives("video", actors, unpacked["video"])),
        ]
        if unpacked["video"]:
            there = len(lacking) < len(unpacked["video"])
            note = f"there is: {', '.join(known) or 'none'}" + (f"; not of {', '.join(lacking)}" if lacking else "")
            parts.append(Part(f"the view {self.opt.view}", there, note))
        return parts

    def complete(self) -> dict[str, int]:
        return {"speakers": RELEASED - sum(view != self.opt.view for view in ONE_VIEW.values())}

    def index(self) -> pd.DataFrame:
        require(self)
        rows: list[dict[str, Any]] = []
        odd: list[tuple[str, str]] = []
        for actor in self._actors():
            files_of: dict[tuple[str, str, str], dict[str, str]] = {}
            for part, folder, suffixes in (
                ("voice", f"{actor}/audio", SOUNDS),
                ("face", f"{actor}/video/{self.opt.view}", VIDEOS),
            ):
                for path in files_below(self.root, folder, suffixes):
                    place = PurePosixPath(path).relative_to(folder).with_suffix("").parts
                    if len(place) == 3 and place[0] in _EMOTIONS and place[1] in _LEVELS:
                        files_of.setdefault(place, {})[part] = path
                    else:
                        odd.append((path, "it does not lie in <emotion>/level_<n>/"))
            rows += [_row(actor, place, files) for place, files in sorted(files_of.items())]
        return index_table(rows, odd)

    @property
    def split_name(self) -> str:
        return "" if self.opt.split == "speakers" else f"{self.name}-{self.opt.split}"

    def split(self, speakers: list[str]) -> dict[str, str]:
        if self.opt.split == "test4":
            others = hashed_split((s for s in speakers if s not in TEST4), "mead-test4", validation=0.1, test=0.0)
            return others | {speaker: "test" for speaker in speakers if speaker in TEST4}
        return hashed_split(speakers, self.name, validation=0.1, test=0.3)

    def _actors(self) -> list[str]:
        return [name for name in folders_in(self.root) if _ACTOR.fullmatch(name)]

    def _views(self) -> dict[str, list[str]]:
        return {actor: folders_in(self.root / actor / "video") for actor in self._actors()}

    def _archives(self, kind: str, actors: list[str], unpacked: list[str]) -> str:
        """How many actors have it, and whose archive is there but not unpacked."""
        packed = [a for a in actors if a not in unpacked and (self.root / a / f"{kind}.tar").is_file()]
        notes = [f"{len(unpacked)} of {len(actors)} actors"] if unpacked else []
        if packed:
            more = f" and {len(packed) - 3} more" if len(packed) > 3 else ""
            notes.append(f"{kind}.tar is there but not unpacked: {', '.join(packed[:3])}{more}")
        return "; ".join(notes)


def _row(actor: str, place: tuple[str, str, str], files: dict[str, str]) -> dict[str, Any]:
    emotion, level, number = place
    return {
        "clip": f"{actor}/{emotion}/{level}/{number}",
        "speaker": actor,
        "voice": files.get("voice", ""),
        "face": files.get("face", ""),
        "sex": {"M": "male", "W": "female"}[actor[0]],
        "emotion": _EMOTIONS[emotion],
        "intensity": _LEVELS[level],
        "fault": "",
    }


@hookimpl
def v2f_bench_datasets() -> list[type[Mead]]:
    return [Mead]
