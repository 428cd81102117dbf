"""`ravdess`: 24 actors who speak and sing two statements in eight emotions.

A file's name says all: modality-channel-emotion-intensity-statement-repetition-actor, such as
`02-01-06-01-02-01-12.mp4`. The files may lie in any folders below the root: in `Actor_12/`, or as the archives unpack,
`Video_Speech_Actor_12/Actor_12/`, `Audio_Speech_Actors_01-24/Actor_12/`.

Modalities 01 (video with sound), 02 (video alone) and 03 (sound alone) of one name are *one recording*: one clip, with
its voice from the 03 file where there is one (48 kHz wav; AAC otherwise) and its face from the 01 file, or else the 02.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from v2f_bench.data.splits import clip_split, roster_split
from v2f_bench.datasets.layout import SOUNDS, VIDEOS, files_below, index_table, require
from v2f_bench.interfaces import Card, Part
from v2f_bench.interfaces.labels import DATASET_LABELS
from v2f_bench.media.file_dataset import FileDataset, MediaOptions
from v2f_bench.plugins import hookimpl

if TYPE_CHECKING:
    import pandas as pd

ACTORS = 24
_NAME = re.compile(r"(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)")
_ACTOR_FOLDER = re.compile(r"Actor_(\d\d)", re.IGNORECASE)
_CHANNELS = {"01": "speech", "02": "song"}
_STATEMENTS = {"01": "kids", "02": "dogs"}  # are talking, or sitting, by the door
_MODALITIES = {"01": VIDEOS, "02": VIDEOS, "03": SOUNDS}
_VOICE_FROM, _FACE_FROM = ("03", "01"), ("01", "02")
_COMPLETE = {"speech": (24, 60), "song": (23, 44)}  # actors, and clips of each; actor 18 does not sing


@dataclass(frozen=True)
class RavdessOptions(MediaOptions):
    channel: Literal["speech", "song", "both"] = "speech"
    split: Literal["speakers", "clip-8-2"] = "speakers"  # clip-8-2: a fifth of the clips for test, as some papers


class Ravdess(FileDataset):
    """Professional actors of North America, filmed in front of white; each clip was rated by ten people.

    Test and validation have four and two actors of each sex, in the order of a hash of their numbers. `split=clip-8-2`
    is what papers without a split of people use: the speakers are the same on both sides.
    """

    name = "ravdess"
    summary = "24 actors, 8 emotions in two intensities, speech and song; 1,440 spoken clips when complete"
    tracks = frozenset({"identity", "emotion"})
    options = RavdessOptions
    people = frozenset({"ravdess"})
    root_variable = "V2F_BENCH_RAVDESS"
    faces_cropped = False
    labels = DATASET_LABELS["ravdess"]
    card: ClassVar[Card] = Card(
        title="Ryerson Audio-Visual Database of Emotional Speech and Song (RAVDESS)",
        licence="CC BY-NC-SA 4.0: not for commercial use; what is made of it is shared under the same terms",
        consent="Paid professional actors, who agreed to the release of their recordings for research.",
        may_be_shown="yes",
        origin="Livingstone and Russo, The Ryerson Audio-Visual Database of Emotional Speech and Song, PLOS ONE 13(5), "
        "2018; doi 10.1371/journal.pone.0196391.",
        obtain="From Zenodo, record 1188976: Audio_Speech_Actors_01-24.zip (200 MB) and Video_Speech_Actor_01.zip to "
        "_24.zip (about 500 MB each), and the same of Song. Unpack them into one folder, in any way, and name it by "
        "--data-root or V2F_BENCH_RAVDESS.",
        defects="The sound-only and the video files carry the same recording: counted once. Actor 18 has no songs. "
        "Neutral has one intensity only, so half as many clips.",
        counts={"actors": 24, "spoken clips": 1440, "sung clips": 1012, "files": 7356},
        balance={
            "sex": {"female": 12, "male": 12},
            "emotion": {"neutral": 96} | dict.fromkeys(list(labels["emotion"].values())[1:], 192),
        },
        human={"voice": {"all": 0.60}, "face": {"all": 0.75}, "both": {"all": 0.80}},
        human_source="Livingstone and Russo 2018, as cited: share of raters who chose the intended emotion",
    )

    opt: RavdessOptions
    root: Path

    def parts(self) -> list[Part]:
        files_of, _ = self._files()
        there = {modality for files in files_of.values() for modality in files}
        actors = len({name[-2:] for name in files_of})
        return [
            Part(
                f"{'Actor_<01-24>/'}03-{self._channel_in_words()}-….wav or 01-….mp4, below any folders",
                bool(there & set(_VOICE_FROM)),
                f"{actors} actors, {len(files_of)} clips" if files_of else "",
            ),
            Part(
                "Actor_<01-24>/01-….mp4 or 02-….mp4",
                bool(there & set(_FACE_FROM)),
                "" if there & set(_FACE_FROM) else "no faces: neither track can be run",
                needed=False,
            ),
        ]

    def complete(self) -> dict[str, int]:
        parts = [_COMPLETE[channel] for channel in _CHANNELS.values() if self.opt.channel in (channel, "both")]
        return {
            "speakers": max(actors for actors, _ in parts),
            "clips": sum(actors * clips for actors, clips in parts),
        }

    def index(self) -> pd.DataFrame:
        require(self)
        files_of, odd = self._files()
        return index_table([_row(name, files) for name, files in sorted(files_of.items())], odd)

    @property
    def split_name(self) -> str:
        return "" if self.opt.split == "speakers" else self.opt.split

    def split_clips(self, clips: pd.DataFrame) -> dict[str, str] | None:
        return clip_split(clips["clip"]) if self.opt.split == "clip-8-2" else None

    def split(self, speakers: list[str]) -> dict[str, str]:
        of_actor: dict[str, str] = {}
        for sex in ("male", "female"):
            roster = [f"Actor_{number:02d}" for number in range(1, ACTORS + 1) if _sex(number) == sex]
            of_actor |= roster_split(roster, self.name, validation=2, test=4)
        return {speaker: of_actor[speaker] for speaker in speakers}

    def _channel_in_words(self) -> str:
        return {"speech": "01", "song": "02", "both": "<01, 02>"}[self.opt.channel]

    def _files(self) -> tuple[dict[str, dict[str, str]], list[tuple[str, str]]]:
        """The files of each clip by modality, and what is called like none, with the reason.

        A clip's name is that of its files without the modality. Of two files of one name the first counts.
        """
        files_of: dict[str, dict[str, str]] = {}
        odd = []
        for path in files_below(self.root, ".", (*SOUNDS, *VIDEOS)):
            fault = _fault(PurePosixPath(path))
            name = PurePosixPath(path).stem
            if fault:
                odd.append((path, fault))
            elif self.opt.channel in (_CHANNELS[name[3:5]], "both"):
                files = files_of.setdefault(name[3:], {})
                if name[:2] in files:
                    odd.append((path, f"another copy of {files[name[:2]]}"))
                files.setdefault(name[:2], path)
        return files_of, odd


def _fault(path: PurePosixPath) -> str:
    """Why a file is none of the data set's; "" where it is."""
    parts = _NAME.fullmatch(path.stem)
    if not parts:
        return "its name is not modality-channel-emotion-intensity-statement-repetition-actor, two digits each"
    modality, channel, emotion, intensity, statement, repetition, actor = parts.groups()
    known = (
        path.suffix.lower() in _MODALITIES.get(modality, ())
        and channel in _CHANNELS
        and emotion in DATASET_LABELS["ravdess"]["emotion"]
        and intensity in DATASET_LABELS["ravdess"]["intensity"]
        and statement in _STATEMENTS
        and repetition in ("01", "02")
        and 1 <= int(actor) <= ACTORS
    )
    if not known:
        return "its name has a number that is not in use"
    folder = _ACTOR_FOLDER.fullmatch(path.parent.name)
    if folder and folder[1] != actor:
        return f"its name says actor {actor}, its folder {path.parent.name}"
    return ""


def _row(name: str, files: dict[str, str]) -> dict[str, Any]:
    channel, emotion, intensity, statement, repetition, actor = name.split("-")
    labels = DATASET_LABELS["ravdess"]
    return {
        "clip": f"Actor_{actor}/{channel}-{emotion}-{intensity}-{statement}-{repetition}",
        "speaker": f"Actor_{actor}",
        "voice": next((files[modality] for modality in _VOICE_FROM if modality in files), ""),
        "face": next((files[modality] for modality in _FACE_FROM if modality in files), ""),
        "sex": _sex(int(actor)),
        "emotion": labels["emotion"][emotion],
        "intensity": labels["intensity"][intensity],
        "sentence": _STATEMENTS[statement],
        "channel": _CHANNELS[channel],
        "fault": "",
    }


def _sex(actor: int) -> str:
    return "male" if actor % 2 else "female"


@hookimpl
def v2f_bench_datasets() -> list[type[Ravdess]]:
    return [Ravdess]
