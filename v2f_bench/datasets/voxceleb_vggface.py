"""`voxceleb-vggface`: VoxCeleb1's voices with VGGFace's (or VoxCeleb1's own) pictures of the same people.

Layout, as people have it on disk: `vox1_meta.csv`, which joins the two by name; voices in
`wav/<VoxCeleb1 id>/<video>/<segment>.wav`, or as the field's archive of log-mel features in
`fbank/<VoxCeleb1 id or VGGFace name>/**/*.npy`; faces in `VGG_ALL_FRONTAL/<VGGFace name>/*.jpg` (aligned, 128×128, what
the field trains on) or `unzippedFaces/<VGGFace name>/1.6/<video>/<frame>.jpg` (VoxCeleb1's frames).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from v2f_bench.datasets.layout import PICTURES, SOUNDS, any_below, files_below, labels_of, read_table, require
from v2f_bench.interfaces import Card, Part
from v2f_bench.interfaces.labels import standard_label
from v2f_bench.media.file_dataset import FileDataset, MediaOptions
from v2f_bench.media.text import normal
from v2f_bench.plugins import hookimpl

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

META = "vox1_meta.csv"
META_COLUMNS = ("VoxCeleb1 ID", "VGGFace1 ID", "Gender", "Nationality")
LISTED = 1251  # VoxCeleb1's speakers, each with frames of the own videos
OF_VGGFACE = 1225  # those of whom pictures of VGGFace could still be had
_SPLIT_OF_LETTER = dict.fromkeys("AB", "validation") | dict.fromkeys("CDE", "test")


class _Form(NamedTuple):
    """One of the forms in which people have voices or faces."""

    suffixes: tuple[str, ...]
    layout: str


_VOICES = {
    "wav": _Form(SOUNDS, "wav/<VoxCeleb1 id>/<video>/<segment>.wav"),
    "fbank": _Form((".npy",), "fbank/<VoxCeleb1 id or VGGFace name>/**/*.npy"),
}
_FACES = {
    "VGG_ALL_FRONTAL": _Form(PICTURES, "VGG_ALL_FRONTAL/<VGGFace name>/*.jpg"),
    "unzippedFaces": _Form(PICTURES, "unzippedFaces/<VGGFace name>/1.6/<video>/<frame>.jpg"),
}


@dataclass(frozen=True)
class VoxcelebVggfaceOptions(MediaOptions):
    voices: Literal["auto", "wav", "fbank"] = "auto"  # auto: the first of the two that is there
    faces: Literal["auto", "VGG_ALL_FRONTAL", "unzippedFaces"] = "auto"  # auto: the first of the two that is there


class VoxcelebVggface(FileDataset):
    """Celebrities in interviews. Voice and picture of a speaker need not be of one day, so their ages may differ."""

    name = "voxceleb-vggface"
    summary = "VoxCeleb1 voices with VGGFace or VoxCeleb1 pictures of the same people; 1,251 or 1,225 people"
    options = VoxcelebVggfaceOptions
    # VoxCeleb1's speakers were chosen from VGGFace's names; film stars of the two are in the other collections too.
    people = frozenset({"voxceleb1", "vggface", "vggface2", "casia-webface", "ms-celeb-1m", "imdb-wiki"})
    root_variable = "V2F_BENCH_VOXCELEB_VGGFACE"
    card: ClassVar[Card] = Card(
        title="VoxCeleb1 ∩ VGGFace",
        licence="VoxCeleb1: CC BY 4.0 for the lists, media of YouTube's uploaders. VGGFace: research, non-commercial.",
        consent="The people did not consent: public figures in videos and pictures found on the web. They are "
        "identifiable; do not publish their faces or faces generated from their voices beyond what research needs.",
        may_be_shown="no",
        origin="Nagrani et al., VoxCeleb, Interspeech 2017; Parkhi et al., Deep Face Recognition, BMVC 2015; the "
        "intersection and its A-B, C-E, F-Z split: Nagrani et al., CVPR 2018, Wen et al., ICLR 2019.",
        obtain="Request VoxCeleb1 from its authors and the aligned VGGFace pictures from those of the reference voice-"
        "to-face GAN; put vox1_meta.csv, wav/ or fbank/, and VGG_ALL_FRONTAL/ or unzippedFaces/ into one folder and "
        "name it by --data-root or V2F_BENCH_VOXCELEB_VGGFACE.",
        defects="26 of the 1,251 speakers have no pictures in VGG_ALL_FRONTAL. fbank/ holds features, not recordings: "
        "voices are rebuilt from them, without their phase and mostly without the microphone's and the voice's own "
        "colour.",
        counts={"speakers": LISTED, "speakers with VGGFace's pictures": OF_VGGFACE},
        balance={"split": {"train": 924, "validation": 112, "test": 189}},
    )

    opt: VoxcelebVggfaceOptions
    root: Path

    def __init__(self, options: VoxcelebVggfaceOptions, root: Path | None) -> None:
        if root is not None:  # the form that is there, so that the protocol names it
            voices = _first_there(root, options.voices, _VOICES)
            faces = _first_there(root, options.faces, _FACES)
            options = replace(options, voices=voices, faces=faces)  # type: ignore[arg-type]
        super().__init__(options, root)

    def parts(self) -> list[Part]:
        meta = self.root / META
        forms = ((self.opt.voices, _VOICES), (self.opt.faces, _FACES))
        return [
            Part(META, meta.is_file(), f"{len(read_table(meta, META_COLUMNS))} people" if meta.is_file() else ""),
            *(
                Part(
                    known[form].layout if form != "auto" else " or ".join(each.layout for each in known.values()),
                    form != "auto" and any_below(self.root, form, known[form].suffixes),
                )
                for form, known in forms
            ),
        ]

    def complete(self) -> dict[str, int]:
        return {"speakers": LISTED if self.opt.faces == "unzippedFaces" else OF_VGGFACE}

    def index(self) -> pd.DataFrame:
        require(self)
        listed = [row for row in read_table(self.root / META, META_COLUMNS) if row["VGGFace1 ID"]]
        people = labels_of(listed, "VoxCeleb1 ID", ("VGGFace1 ID", "Gender", "Nationality"), self.root / META)
        names = labels_of(people.values(), "VGGFace1 ID", ("Gender", "Nationality"), self.root / META)
        rows = []
        for path in files_below(self.root, self.opt.voices, _VOICES[self.opt.voices].suffixes):
            parts = PurePosixPath(path).parts  # wav / id / video / segment, or fbank / id or name / ... / file
            person = people.get(normal(parts[1])) or names.get(normal(parts[1]))
            rows.append(
                {
                    "clip": str(PurePosixPath(*parts[1:]).with_suffix("")),
                    "voice": path,
                    "face": "",
                    "group": parts[-2] if len(parts) > 3 else "",
                }
                | _labels(person, parts[1])
            )
        for path in files_below(self.root, self.opt.faces, PICTURES):
            parts = PurePosixPath(path).parts  # folder / name / ... / picture
            video = parts[-2] if self.opt.faces == "unzippedFaces" else ""
            clip = f"{parts[1]}/{'/'.join(part for part in (video, PurePosixPath(path).stem) if part)}"
            rows.append(
                {"clip": clip, "voice": "", "face": path, "group": video}
                | _labels(names.get(normal(parts[1])), parts[1])
            )
        import pandas as pd

        return pd.DataFrame(rows)

    def split(self, speakers: list[str]) -> dict[str, str]:
        """By the first letter of the name: A-B validation, C-E test, F-Z train (Wen et al. 2019, section 4)."""
        return {name: _SPLIT_OF_LETTER.get(name[0].upper(), "train") for name in speakers}

    def read_voice(self, entry: str) -> tuple[np.ndarray, int]:
        if not entry.endswith(".npy"):
            return super().read_voice(entry)
        from v2f_bench.datasets.log_mel_archive import RATE, read_log_mel, waveform_of

        return waveform_of(read_log_mel(self.path(entry))), RATE


def _first_there(root: Path, wanted: str, known: dict[str, _Form]) -> str:
    """The form that was asked for; for "auto" the first that is there, "auto" itself where none is."""
    if wanted != "auto":
        return wanted
    return next((folder for folder, form in known.items() if any_below(root, folder, form.suffixes)), "auto")


def _labels(row: dict[str, str] | None, folder: str) -> dict[str, Any]:
    if row is None:
        return {"speaker": folder, "sex": "", "nationality": "", "fault": f"{folder} is not in {META}"}
    sex = standard_label(row["Gender"]) if row["Gender"] else ""
    return {"speaker": row["VGGFace1 ID"], "sex": sex, "nationality": row["Nationality"], "fault": ""}


@hookimpl
def v2f_bench_datasets() -> list[type[VoxcelebVggface]]:
    return [VoxcelebVggface]
