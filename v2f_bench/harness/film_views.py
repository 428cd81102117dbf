"""What a judge of films gives: for the films of a method and, once for each protocol, for the films of its targets.

Real films are watched when the first method's films are scored, not before: most methods make stills.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from v2f_bench.artefacts import Faces
from v2f_bench.film.reading import StoredFilm
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.stage import stage
from v2f_bench.harness.tensors import read_tensors, write_tensors
from v2f_bench.harness.trial_voices import FULL_SCALE, trial_voice
from v2f_bench.harness.views import ReadyJudge
from v2f_bench.harness.workplace import Workplace
from v2f_bench.hashing import key_of
from v2f_bench.interfaces import DataError, Evidence, FilmJudge, PluginError, Progress
from v2f_bench.interfaces.judge import JUDGE_KINDS
from v2f_bench.keys import WATCHING, views_key
from v2f_bench.media.changes import noted
from v2f_bench.sources import core_key, source_key

NO_FILMS = "measured on films only; stills were made"
OTHER_VOICES = 5  # of other trials, drawn by a fixed seed, with which each film is compared for the floor


@dataclass(frozen=True)
class ReadyFilmJudge(ReadyJudge):
    """An opened judge of films. `clips` and `means` are empty: it is shown no stills."""

    judge: FilmJudge

    def trial_evidence(self, bench: Bench) -> Evidence:
        """Evidence to try a metric on: zeros for every film."""
        rows = np.zeros((len(bench.trials), self._columns), np.float32)
        return self._as_evidence(bench, dict.fromkeys(("generated", "other-voice", "real-film"), rows))

    def film_evidence(self, bench: Bench, faces: Faces, workplace: Workplace) -> Evidence | None:
        """The evidence of one run on all trials; None where it has no film. A film that cannot be read has NaN."""
        films = [faces.film(trial) for trial in bench.trials["trial"]]
        if not any(films):
            return None
        with workplace.progress.bar(f"{self.judge.name}: watch the films", len(films)) as bar:
            seen = {}
            for row, path in enumerate(films):
                if path is not None:
                    seen[row] = self._watch(StoredFilm(path, cropped=True), workplace.progress)
                bar.advance()
        voices = [trial_voice(bench.store, bench.protocol, trial) for _, trial in bench.trials.iterrows()]
        rate = bench.store.rate
        own = {row: self._compare(trace, voices[row], rate) for row, trace in seen.items()}
        turns = other_trials(bench.trials["speaker"])
        other = {
            row: _mean_of_usable([self._compare(trace, voices[turn[row]], rate) for turn in turns])
            for row, trace in seen.items()
            if turns
        }
        real = self._real(bench, workplace)
        target = {
            row: self._compare(real[clip], bench.store.voice(clip), rate)
            for row, clip in enumerate(bench.trials["target"])
            if clip in real and clip in bench.voiced_films and bench.store.clips["voice"][clip]
        }
        roles = {"generated": own, "other-voice": other, "real-film": target}
        return self._as_evidence(bench, {role: self._table(rows, len(films)) for role, rows in roles.items()})

    @property
    def _columns(self) -> int:
        columns = JUDGE_KINDS[self.judge.kind].columns
        assert columns is not None, "every kind of judge of films has a number of columns"
        return columns

    def _as_evidence(self, bench: Bench, seen: dict[str, np.ndarray]) -> Evidence:
        judge = self.judge
        return Evidence(bench.trials, bench.gallery, bench.reference, seen, judge.name, kind=judge.kind)

    def _watch(self, film: StoredFilm, progress: Progress) -> np.ndarray:
        """What the judge sees in a film: [T, D]; [0, 1] where the film cannot be read, which is said."""
        try:
            with noted():
                seen = np.asarray(self.judge.watch(film), np.float64)
        except DataError as error:
            progress.line(f"{self.judge.name}: not measured: {error}")
            return np.empty((0, 1))
        if seen.ndim != 2:
            raise PluginError(f"judge {self.judge.name} gave {seen.shape} for a film, not [T, D]")
        return seen

    def _compare(self, seen: np.ndarray, voice: np.ndarray, rate: int) -> np.ndarray:
        if not len(seen):
            return np.full(self._columns, np.nan, np.float32)
        row = np.asarray(self.judge.compare(seen, (voice / FULL_SCALE).astype(np.float32), rate), np.float32)
        if row.shape != (self._columns,):
            raise PluginError(f"judge {self.judge.name} gave {row.shape} for a film and a voice, not [{self._columns}]")
        return row

    def _table(self, rows: Mapping[int, np.ndarray], count: int) -> np.ndarray:
        """Rows by number as float32 [count, C]; NaN for those that are not there."""
        table = np.full((count, self._columns), np.nan, np.float32)
        for number, row in rows.items():
            table[number] = row
        return table

    def _real(self, bench: Bench, workplace: Workplace) -> dict[str, np.ndarray]:
        """What the judge sees in the films of the targets, by clip; stored."""
        clips = sorted({clip for clip in bench.trials["target"] if bench.of_film(clip)} & set(bench.films))
        if not clips:
            return {}
        judge = self.judge
        files = [(clip, bench.films[clip].stat().st_size, bench.films[clip].stat().st_mtime_ns) for clip in clips]
        pictures = key_of(bench.store.content_of(clips), files)
        source = key_of(source_key(type(judge)), core_key(*WATCHING))
        key = views_key(judge.name, judge.version, source, self.key, pictures, workplace.computing())
        folder = workplace.cache / "views" / f"{judge.name}-{key}"

        def make(unfinished: Path) -> None:
            with workplace.progress.bar(f"{judge.name}: watch the real films", len(clips)) as bar:
                seen = {}
                for number, clip in enumerate(clips):
                    seen[str(number)] = torch.from_numpy(self._watch(StoredFilm(bench.films[clip]), workplace.progress))
                    bar.advance()
            write_tensors(unfinished / "seen.safetensors", seen)

        stage(folder, key, make, progress=workplace.progress)
        stored = read_tensors(folder / "seen.safetensors")
        return {clip: stored[str(number)].numpy() for number, clip in enumerate(clips)}


def _mean_of_usable(rows: list[np.ndarray]) -> np.ndarray:
    """The mean of the rows that are finite, or NaN: some voices are too short for a film. A correlation below 0 counts
    as 0 in each, as it does in `lip-dynamics`: else voices that have nothing to do with a mouth would score above this
    mean."""
    usable = [np.append(max(row[0], 0), row[1:]) for row in rows if np.isfinite(row).all()]
    return np.asarray(np.mean(usable or [np.full_like(rows[0], np.nan)], axis=0))


def other_trials(speakers: pd.Series) -> list[np.ndarray]:
    """For each trial other trials, of other speakers where there are any: up to `OTHER_VOICES` arrays int [n].

    Drawn by a fixed seed, each array a permutation but for the trials that it would give their own speaker's voice.
    """
    rng = np.random.default_rng(0)
    count, names = len(speakers), speakers.to_numpy()
    turns = []
    for _ in range(min(OTHER_VOICES, count - 1)):
        order = rng.permutation(count)
        place = np.argsort(order)
        turn = order[(place + 1) % count]
        for row in np.flatnonzero(names[turn] == names):
            others = np.flatnonzero(names != names[row])
            others = others if len(others) else np.flatnonzero(np.arange(count) != row)
            turn[row] = rng.choice(others)
        turns.append(turn)
    return turns
