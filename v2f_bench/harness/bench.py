"""The bench: one prepared data set under one protocol. What methods learn from, and what they are tested on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from v2f_bench.data.protocol import Protocol
from v2f_bench.data.splits import hash_order
from v2f_bench.data.store import Store, StoredClips
from v2f_bench.harness.frame_judge import frame_judge_name
from v2f_bench.harness.reading import read_index
from v2f_bench.harness.trial_voices import trial_seconds
from v2f_bench.hashing import key_of
from v2f_bench.interfaces import Dataset, Judge, ListedQuestions
from v2f_bench.interfaces.judge import TRAINING_SPEAKERS
from v2f_bench.media.picture import to_tensor

if TYPE_CHECKING:
    import torch

FACES_FOR_QUALITY = 2000
LABELS = ("sex", "age", "ethnicity", "nationality")  # of a speaker, kept with the trials


@dataclass(frozen=True)
class Bench:
    """A prepared data set and its protocol."""

    dataset: Dataset
    store: Store
    protocol: Protocol
    detector: Judge | None = None  # of the protocol's face check, started

    @cached_property
    def key(self) -> str:
        """A hash of the prepared data and the protocol over it."""
        return key_of(self.protocol.hash, self.store.meta["content"])

    def training_key(self, resolution: int) -> str:
        """A hash of what methods learn from: training and validation clips, with faces at a resolution."""
        splits = {name: clips for name, clips in self.protocol.splits.items() if name != "test"}
        content = {name: self.store.content_of(clips) for name, clips in splits.items()}
        return key_of(splits, content, self.protocol.sample_rate, resolution)

    @cached_property
    def pictures_key(self) -> str:
        """A hash of the real pictures that judges are shown, at the protocol's resolution, and of their labels."""
        clips = [self.real_pictures, list(self.test_faces["clip"]), self.protocol.splits["train"]]
        return key_of(clips, [self.store.content_of(names) for names in clips], self.protocol.resolution)

    @cached_property
    def people(self) -> frozenset[str]:
        """The collections of people that test speakers are known to be from, named as in `Judge.met`."""
        speakers = self.store.clips["speaker"]
        learned_from = set(speakers.loc[self.protocol.splits["train"] + self.protocol.splits["validation"]])
        shared = learned_from & set(speakers.loc[self.protocol.splits["test"]])
        return (self.dataset.people or frozenset()) | ({TRAINING_SPEAKERS} if shared else frozenset())

    @cached_property
    def chose_frames(self) -> str:
        """The judge that chose the frames of the data set's videos; "" where none did."""
        by_judge = (self.store.clips["frame_by"] == "emotion").any()
        return frame_judge_name(self.dataset.opt.frame_judge) if by_judge else ""

    @cached_property
    def films(self) -> dict[str, Path]:
        """The film of each clip whose face is a frame of one, where the data set has it in a file."""
        files = {clip: self.dataset.film(entry) for clip, entry in self._film_index["face"].items()}
        return {str(clip): file for clip, file in files.items() if file is not None and file.is_file()}

    @cached_property
    def voiced_films(self) -> frozenset[str]:
        """The clips of `films` whose voice is the sound of the film, so that mouth and voice go together."""
        index = self._film_index
        one = (index["voice"] == index["face"]) | (self.dataset.one_recording & index["voice"].ne(""))
        # Without its pauses a voice does not go with its film any more.
        silence = float(self.dataset.media_options.get("silence", 0.0))
        return frozenset() if silence else frozenset(self.films).intersection(index.index[one])

    def of_film(self, clip: str) -> bool:
        """Whether the face of a clip is a frame of a film in a file."""
        return clip in self._framed and type(self.dataset).film is not Dataset.film

    @cached_property
    def _film_index(self) -> pd.DataFrame:
        """The index rows of the clips whose faces are frames of films, by clip."""
        index, _ = read_index(self.dataset)
        usable = index["fault"] == ""  # of two rows of one name the second one has a fault
        return index[usable & index["clip"].map(self.of_film)].set_index("clip")

    @cached_property
    def _framed(self) -> frozenset[str]:
        return frozenset(self.store.clips["clip"][self.store.clips["frame_time"].notna()])

    @cached_property
    def trials(self) -> pd.DataFrame:
        """The trials, with the labels of their speakers and voices where known.

        `duration` is that of the voice, in seconds. `session` says whether voice and target are from the "same"
        recording session or from an "other" one; "" where that is not known.
        """
        table = self.protocol.trial_table
        voices, targets = (self.store.clips.loc[table[part]].reset_index(drop=True) for part in ("voice", "target"))
        known = [label for label in (*LABELS, "emotion", "heard", "intensity") if label in voices]
        parts = [table, voices[known], trial_seconds(self.store, self.protocol, table)]
        if "group" in voices and (voices["group"].ne("") & targets["group"].ne("")).any():
            same = np.where(voices["group"] == targets["group"], "same", "other")
            session = np.where(voices["group"].ne("") & targets["group"].ne(""), same, "")
            parts.append(pd.Series(session, name="session"))
        return pd.concat(parts, axis=1)

    @cached_property
    def gallery(self) -> pd.DataFrame:
        """The gallery, with the labels of its speakers."""
        clips = self.store.clips.loc[self.protocol.gallery].reset_index(drop=True)
        return clips[["clip", "speaker", *(label for label in LABELS if label in clips)]]

    @cached_property
    def reference(self) -> pd.DataFrame:
        """The test faces that stand for the real distribution, with the labels of their speakers."""
        clips = self.store.clips.loc[self.protocol.reference].reset_index(drop=True)
        return clips[["clip", "speaker", *(label for label in (*LABELS, "emotion") if label in clips)]]

    @cached_property
    def listed_faces(self) -> list[str]:
        """The clips whose faces the protocol's lists ask about, each once."""
        return sorted({face for each in self.protocol.lists for asked in each["questions"] for face in asked["faces"]})

    @cached_property
    def lists(self) -> tuple[ListedQuestions, ...]:
        """The protocol's lists, with rows of `trials` and `listed_faces` in place of names."""
        trial_row = {trial: row for row, trial in enumerate(self.trials["trial"])}
        face_row = {clip: row for row, clip in enumerate(self.listed_faces)}
        return tuple(
            ListedQuestions(
                each["name"],
                each["task"],
                np.array([trial_row[asked["trial"]] for asked in each["questions"]]),
                np.array([[face_row[face] for face in asked["faces"]] for asked in each["questions"]]),
                np.array([asked["same"] for asked in each["questions"]]),
            )
            for each in self.protocol.lists
        )

    @cached_property
    def test_faces(self) -> pd.DataFrame:
        """The faces on which a judge's own quality is measured: rows of the table of clips.

        No more than `FACES_FOR_QUALITY`; the first face of every test speaker, then the second, and so on.
        """
        test = self.store.clips.loc[self.protocol.splits["test"]]
        test = test[test["face"]]
        order = pd.Series(range(len(test)), index=hash_order(test["clip"], "quality"))
        turn = test.loc[order.index].groupby("speaker").cumcount()  # 0 for a speaker's first face, 1 for the second
        chosen = pd.DataFrame({"turn": turn, "order": order}).sort_values(["turn", "order"]).index[:FACES_FOR_QUALITY]
        return test.loc[sorted(chosen)]

    @cached_property
    def real_pictures(self) -> list[str]:
        """Every clip whose picture judges are shown: those that the protocol names, and `test_faces`."""
        columns = ("target", "proposal", "other", "real_photo", "random_face")
        wanted = {clip for column in columns for clip in self.trials[column] if clip}
        named = {*self.protocol.gallery, *self.protocol.reference, *self.listed_faces}
        return sorted(wanted | named | {*self.test_faces["clip"]})

    def split(self, name: str, resolution: int = 0) -> StoredClips:
        """The clips of a split, with faces at a resolution; 0: the protocol's."""
        return StoredClips(self.store, self.protocol.splits[name], resolution or self.protocol.resolution)

    def faces(self, clips: list[str], resolution: int = 0) -> torch.Tensor:
        """The pictures of clips at a resolution (0: the protocol's): float32 [N, 3, R, R]; NaN for the clip "".

        Values are rounded to 8 bits, so that real pictures are judged in the same form as generated ones, which are
        read from files.
        """
        import torch

        side = resolution or self.protocol.resolution
        faces = torch.full((len(clips), 3, side, side), torch.nan)
        rows = [row for row, clip in enumerate(clips) if clip]
        if rows:
            exact = to_tensor(self.store.faces([clips[row] for row in rows]), side)
            faces[rows] = (exact * 255).round() / 255
        return faces

    def mean_faces(self) -> dict[str, torch.Tensor]:
        """The mean of all training faces, under the name "", and of those of each sex, where it is labelled.

        float32 [3, R, R], rounded to 8 bits. Empty where there is no training face.
        """
        import torch

        train = self.split("train")
        rows = np.flatnonzero(train.table["face"])
        sexes = train.table["sex"].to_numpy()[rows] if "sex" in train.table else np.full(len(rows), "")
        side = self.protocol.resolution
        totals = {sex: torch.zeros(3, side, side, dtype=torch.float64) for sex in sorted({*sexes[sexes != ""]})}
        totals[""] = torch.zeros(3, side, side, dtype=torch.float64)
        for start in range(0, len(rows), 256):
            faces, labels = train.faces(rows[start : start + 256]).double(), sexes[start : start + 256]
            totals[""] += faces.sum(dim=0)
            for sex in totals:
                if sex:
                    totals[sex] += faces[torch.from_numpy(labels == sex)].sum(dim=0)
        if not len(rows):
            return {}
        counts = {sex: int((sexes == sex).sum()) if sex else len(rows) for sex in totals}
        return {sex: (total / counts[sex] * 255).round().float() / 255 for sex, total in totals.items()}
