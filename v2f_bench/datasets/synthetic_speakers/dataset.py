"""The data set: which clips there are, and how each is made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np

from v2f_bench.data.splits import clip_split, hashed_split
from v2f_bench.datasets.synthetic_speakers.causes import Person, draw_person, stable_seed
from v2f_bench.datasets.synthetic_speakers.expression import EMOTIONS, INTENSITIES, Muscles, muscles, prosody
from v2f_bench.interfaces import Card, Count, Dataset, Range

if TYPE_CHECKING:
    import pandas as pd

RATE = 16_000


@dataclass(frozen=True)
class SyntheticOptions:
    speakers: Count = 400
    clips: Count = 5  # a speaker; the first is neutral, then each other emotion comes once; the sentences at random
    world: Annotated[int, Range(least=0)] = 0  # seed of everything
    split: Literal["speakers", "clip-8-2"] = "speakers"  # clip-8-2: a fifth of the clips; test speakers have been seen


class SyntheticSpeakers(Dataset):
    """Speakers drawn from the causal model of `causes.py`; a clip is one sentence in one emotion, and one picture."""

    name = "synthetic-speakers"
    version = "2"
    summary = "people made by code; what a voice can tell of a face is known exactly; needs no download"
    tracks = frozenset({"identity", "emotion"})
    options = SyntheticOptions
    judges = Path(__file__).parent / "judges"  # of the default world; made by leaderboards/train_judges.py
    card: ClassVar[Card] = Card(
        title="Synthetic speakers",
        licence="Apache-2.0, as v2f-bench itself",
        consent="Nobody: the people are drawn and spoken by code. The four populations are inventions.",
        may_be_shown="yes",
        origin="Made by v2f-bench; the causal model stands in v2f_bench/datasets/synthetic_speakers/causes.py.",
        obtain="Nothing to do: made on first use, and kept in the cache.",
        defects="Numbers on it tell whether a method can learn a voice-face relation, not how well it does on people.",
    )

    opt: SyntheticOptions

    def index(self) -> pd.DataFrame:
        import pandas as pd

        rows = []
        for number in range(self.opt.speakers):
            person = draw_person(self.opt.world, number)
            rng = np.random.default_rng(stable_seed("clips", self.opt.world, number))
            for clip in range(self.opt.clips):
                emotion = _emotion(number, clip)
                intensity = "normal" if emotion == "neutral" else INTENSITIES[rng.integers(2)]
                sentence = int(rng.integers(_sentences()))
                entry = f"{number}/{clip}/{emotion}/{intensity}/{sentence}"
                rows.append(
                    {
                        "clip": f"{person.name}-{clip:02d}",
                        "speaker": person.name,
                        "voice": entry,
                        "face": entry,
                        "sex": person.sex,
                        "age": person.age,
                        "ethnicity": person.population,
                        "emotion": emotion,
                        "intensity": intensity,
                        "sentence": str(sentence),
                    }
                )
        return pd.DataFrame(rows)

    @property
    def split_name(self) -> str:
        return "" if self.opt.split == "speakers" else self.opt.split

    def split_clips(self, clips: pd.DataFrame) -> dict[str, str] | None:
        return clip_split(clips["clip"]) if self.opt.split == "clip-8-2" else None

    def split(self, speakers: list[str]) -> dict[str, str]:
        return hashed_split(speakers, f"{self.name}/{self.opt.world}", validation=0.08, test=0.32)

    def read_voice(self, entry: str) -> tuple[np.ndarray, int]:
        from v2f_bench.datasets.synthetic_speakers.voice.synthesis import speak

        person, clip, emotion, intensity, sentence = self._parse(entry)
        rng = np.random.default_rng(stable_seed("voice", self.opt.world, person.name, clip))
        return speak(person, sentence, prosody(emotion, intensity, rng), rng, RATE), RATE

    def read_face(self, entry: str, side: int) -> np.ndarray:
        from v2f_bench.datasets.synthetic_speakers.face.render import draw_face
        from v2f_bench.datasets.synthetic_speakers.face.scene import draw_scene

        person, clip, emotion, intensity, _ = self._parse(entry)
        rng = np.random.default_rng(stable_seed("face", self.opt.world, person.name, clip))
        return draw_face(person, muscles(emotion, intensity, rng), draw_scene(person, rng), side)

    def oracle_faces(self, speakers: list[str], resolution: int) -> np.ndarray:
        """The person as heard, at rest, in even light: all that the voice's causes tell, and the mean of the rest."""
        from v2f_bench.datasets.synthetic_speakers.face.render import draw_face
        from v2f_bench.datasets.synthetic_speakers.face.scene import neutral_scene

        heard = [draw_person(self.opt.world, int(name[1:])).as_heard() for name in speakers]
        return np.stack([draw_face(person, Muscles(), neutral_scene(person), resolution) for person in heard])

    def _parse(self, entry: str) -> tuple[Person, int, str, str, int]:
        number, clip, emotion, intensity, sentence = entry.split("/")
        return draw_person(self.opt.world, int(number)), int(clip), emotion, intensity, int(sentence)


def _emotion(number: int, clip: int) -> str:
    """Every eighth clip, from the first on, is neutral; between them come the others, from speaker to speaker with
    another start and in another order."""
    neutral, *others = EMOTIONS
    place = clip % len(EMOTIONS)
    stride = 1 + number // len(others) % (len(others) - 1)  # a prime number of emotions: any stride passes all
    return others[(number + stride * place) % len(others)] if place else neutral


@lru_cache(maxsize=1)
def _sentences() -> int:
    from v2f_bench.datasets.synthetic_speakers.voice.phones import SENTENCES

    return len(SENTENCES)
