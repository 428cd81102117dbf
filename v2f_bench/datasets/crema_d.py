"""`crema-d`: 91 actors who say twelve sentences in six emotions.

Layout, as its repository has it: `AudioWAV/1001_DFA_ANG_XX.wav`, `AudioMP3/….mp3`, `VideoFlash/….flv`, named
actor_sentence_emotion_level; `VideoDemographics.csv` (age, sex, race and ethnicity of each actor) and
`processedResults/summaryTable.csv` (what most listeners heard). Any of the folders of sound will do; a clip that is in
none of them has the sound of its video.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from v2f_bench.data.splits import clip_split, roster_split
from v2f_bench.datasets.layout import SOUNDS, VIDEOS, files_below, index_table, labels_of, read_table, require
from v2f_bench.interfaces import Card, Part
from v2f_bench.interfaces.labels import DATASET_LABELS, standard_label
from v2f_bench.media.file_dataset import FileDataset, MediaOptions
from v2f_bench.plugins import hookimpl

if TYPE_CHECKING:
    import pandas as pd

ACTORS = range(1001, 1092)
CLIPS = 7442
DEFECTIVE = {
    "1064_IEO_DIS_MD": "known to be a minute of all emotions, not this one",
    "1064_TIE_SAD_XX": "known to be cut to nothing",
    "1076_MTI_NEU_XX": "known to be all but empty",
    "1076_MTI_SAD_XX": "known to be silent",
}
DEMOGRAPHICS, VOTES = "VideoDemographics.csv", "processedResults/summaryTable.csv"
_SOUND = {"AudioWAV": SOUNDS, "AudioMP3": SOUNDS, "VideoFlash": VIDEOS}  # the first that has a clip gives its voice
_VIDEO = "VideoFlash"
_NAME = re.compile(r"(1\d{3})_([A-Z]{3})_([A-Z]{3})_(LO|MD|HI|XX?)")
_SENTENCES = frozenset(["IEO", "TIE", "IOM", "IWW", "TAI", "MTI", "IWL", "ITH", "DFA", "ITS", "TSI", "WSI"])
_EMOTIONS, _LEVELS = DATASET_LABELS["crema-d"]["emotion"], DATASET_LABELS["crema-d"]["intensity"]


@dataclass(frozen=True)
class CremaOptions(MediaOptions):
    split: Literal["speakers", "clip-8-2"] = "speakers"  # clip-8-2: of each speaker's clips one in five, as some papers


class CremaD(FileDataset):
    """Actors of many ages and origins, filmed in front of green; each clip was judged by sight, by ear, and by both.

    There is no official split: 27 actors are for test and 9 for validation, the first in the order of a hash of their
    numbers. `split=clip-8-2` is what papers without a split of people use: a fifth of the *clips* is for test, and the
    speakers are the same on both sides.
    """

    name = "crema-d"
    summary = "91 actors, 6 emotions, with the emotions that people heard and saw; 7,442 clips when complete"
    tracks = frozenset({"identity", "emotion"})
    options = CremaOptions
    people = frozenset({"crema-d"})
    root_variable = "V2F_BENCH_CREMA_D"
    faces_cropped = False
    labels = DATASET_LABELS["crema-d"]
    card: ClassVar[Card] = Card(
        title="Crowd-sourced Emotional Multimodal Actors Dataset (CREMA-D)",
        licence="Open Database License (ODbL) 1.0; individual contents under the Database Contents License",
        consent="Actors who agreed to the release of their recordings for research.",
        may_be_shown="yes",
        origin="Cao et al., CREMA-D, IEEE Transactions on Affective Computing 5(4), 2014; "
        "https://github.com/CheyneyComputerScience/CREMA-D.",
        obtain="Clone its repository with Git LFS installed (git lfs pull fetches the media; without "
        "it the files are pointers of 130 bytes), and name the folder by --data-root or V2F_BENCH_CREMA_D.",
        defects="1076_MTI_NEU_XX and 1076_MTI_SAD_XX are all but empty, 1064_TIE_SAD_XX has no length, 1064_IEO_DIS_MD "
        "is a minute of all emotions: left out. Old copies call 1040_ITH_SAD_XX 1040_ITH_SAD_X: read. Levels but XX "
        "(not specified) exist for the sentence IEO alone. Listeners agree with the label in two clips of five.",
        counts={"actors": len(ACTORS), "clips": CLIPS, "clips without known defects": CLIPS - len(DEFECTIVE)},
        balance={
            "sex": {"female": 43, "male": 48},
            "emotion": {
                shared: 1087 if shared == "neutral" else 1271
                for shared in DATASET_LABELS["crema-d"]["emotion"].values()
            },
        },
        human={
            "voice": {
                **{"all": 0.416, "neutral": 0.957, "angry": 0.606, "fearful": 0.320},
                **{"disgust": 0.270, "happy": 0.260, "sad": 0.164},
            },
            "face": {
                **{"all": 0.663, "neutral": 0.918, "happy": 0.957, "angry": 0.654},
                **{"disgust": 0.634, "fearful": 0.516, "sad": 0.334},
            },
            "both": {
                **{"all": 0.722, "neutral": 0.957, "happy": 0.948, "angry": 0.747},
                **{"disgust": 0.744, "fearful": 0.648, "sad": 0.323},
            },
        },
        human_source="share of clips whose majority vote is the intended emotion, from summaryTable.csv",
    )

    opt: CremaOptions
    root: Path

    def parts(self) -> list[Part]:
        counts = {folder: len(set(self._files(folder)[0])) for folder in _SOUND}
        sounds = " or ".join(f"{folder}/…" for folder in _SOUND)
        present = ", ".join(f"{folder}: {count}" for folder, count in counts.items() if count)
        tables = {
            DEMOGRAPHICS: "no sex, age and ethnicity",
            VOTES: "no comparison with the emotion that people heard",
        }
        return [
            Part(f"{sounds}, such as 1001_DFA_ANG_XX", any(counts.values()), present),
            Part(
                f"{_VIDEO}/….flv",
                counts[_VIDEO] > 0,
                "" if counts[_VIDEO] else "no faces: neither track can be run",
                needed=False,
            ),
            *(
                Part(table, (self.root / table).is_file(), "" if (self.root / table).is_file() else cost, needed=False)
                for table, cost in tables.items()
            ),
        ]

    def complete(self) -> dict[str, int]:
        return {"speakers": len(ACTORS), "clips": CLIPS - len(DEFECTIVE)}

    def index(self) -> pd.DataFrame:
        require(self)
        files_of: dict[str, dict[str, str]] = {}
        odd: list[tuple[str, str]] = []
        for folder in _SOUND:
            files, misnamed = self._files(folder)
            odd += misnamed
            for clip, path in files.items():
                files_of.setdefault(clip, {})[folder] = path
        people, heard = self._people(), self._heard()
        rows = [_row(clip, files, people, heard) for clip, files in sorted(files_of.items())]
        return index_table(rows, odd)

    @property
    def split_name(self) -> str:
        return "" if self.opt.split == "speakers" else self.opt.split

    def split(self, speakers: list[str]) -> dict[str, str]:
        of_actor = roster_split(map(str, ACTORS), self.name, validation=9, test=27)
        return {speaker: of_actor[speaker] for speaker in speakers}

    def split_clips(self, clips: pd.DataFrame) -> dict[str, str] | None:
        return clip_split(clips["clip"]) if self.opt.split == "clip-8-2" else None

    def _files(self, folder: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
        """The files of a folder by clip, and those that are called like none, with the reason."""
        files: dict[str, str] = {}
        odd = []
        for path in files_below(self.root, folder, _SOUND[folder]):
            stem = PurePosixPath(path).stem
            if fault := _fault(stem):
                odd.append((path, fault))
            else:
                # Old copies have a level X for XX: where both are there, the right name counts.
                clip = stem + "X" if stem.endswith("_X") else stem
                if clip not in files or stem == clip:
                    files[clip] = path
        return files, odd

    def _people(self) -> dict[str, dict[str, Any]]:
        """The labels of each actor; {} without the table."""
        path = self.root / DEMOGRAPHICS
        if not path.is_file():
            return {}
        rows = read_table(path, ("ActorID", "Age", "Sex", "Race", "Ethnicity"))
        return {
            actor: {
                "sex": standard_label(row["Sex"]),
                "age": float(row["Age"]) if row["Age"].isdecimal() else float("nan"),
                "ethnicity": ", ".join(part for part in (row["Race"], row["Ethnicity"]) if part),
            }
            for actor, row in labels_of(rows, "ActorID", ("Age", "Sex", "Race", "Ethnicity"), path).items()
        }

    def _heard(self) -> dict[str, str]:
        """The emotion that most listeners heard in each clip, "" for a tie ("A:D"); {} without the table."""
        path = self.root / VOTES
        if not path.is_file():
            return {}
        words = DATASET_LABELS["crema-d"]["heard"]
        return {row["FileName"]: words.get(row["VoiceVote"], "") for row in read_table(path, ("FileName", "VoiceVote"))}


def _fault(name: str) -> str:
    """Why a file of this name is none of the data set's; "" where it is."""
    parts = _NAME.fullmatch(name)
    if not parts or parts[2] not in _SENTENCES or parts[3] not in _EMOTIONS:
        return "its name is not actor_sentence_emotion_level"
    if int(parts[1]) not in ACTORS:
        return f"there is no actor {parts[1]}"
    return ""


def _row(clip: str, files: dict[str, str], people: dict[str, dict[str, Any]], heard: dict[str, str]) -> dict[str, Any]:
    actor, sentence, emotion, level = clip.split("_")
    voice = next(files[folder] for folder in _SOUND if folder in files)
    unknown = {"sex": "", "age": float("nan"), "ethnicity": ""}
    return {
        "clip": clip,
        "speaker": actor,
        "voice": voice,
        "face": files.get(_VIDEO, ""),
        **({} if not people else people.get(actor, unknown)),
        "emotion": _EMOTIONS[emotion],
        "intensity": _LEVELS[level],
        "sentence": sentence,
        **({} if not heard else {"heard": heard.get(clip, "")}),
        "fault": f"{voice}: {DEFECTIVE[clip]}" if clip in DEFECTIVE else "",
    }


@hookimpl
def v2f_bench_datasets() -> list[type[CremaD]]:
    return [CremaD]
