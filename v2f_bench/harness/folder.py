"""Trials given out as files, and pictures made of them by anything, scored as a run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from v2f_bench.files import write_text_whole, write_whole
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.judging import Jury
from v2f_bench.harness.recording import record_of
from v2f_bench.harness.score import SCORES, score
from v2f_bench.harness.sheet import write_sheet
from v2f_bench.harness.stage import made_under
from v2f_bench.harness.workplace import Workplace
from v2f_bench.hashing import key_of
from v2f_bench.interfaces import DataError
from v2f_bench.leaderboard.record import TRIALS, write_record
from v2f_bench.media.picture import to_pixels, write_picture

LIST = "trials.csv"


def give_out_trials(bench: Bench, folder: Path, workplace: Workplace) -> Path:
    """What a method may know of the trials, as files in `folder`; returns the list, `trials.csv`.

    `voices/<trial>.wav` and `proposals/<trial>.png` are as a plugin is given them (the protocol's rate and resolution);
    the list's columns are `trial`, `voice` and `proposal`, the latter two as paths from the folder. `protocol.json` has
    the splits. Whose voice it is stands nowhere in the list.
    """
    for name in ("voices", "proposals"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    table = bench.trials[["trial", "voice", "proposal"]]
    with workplace.progress.bar("give out trials", len(table)) as bar:
        for row in table.to_dict("records"):
            recording = bench.store.voice(row["voice"])
            soundfile.write(folder / "voices" / f"{row['trial']}.wav", recording, bench.protocol.sample_rate)
            picture = to_pixels(bench.faces([row["proposal"]]))[0]
            write_picture(folder / "proposals" / f"{row['trial']}.png", picture)
            bar.advance()
    listed = table.assign(voice="voices/" + table["trial"] + ".wav", proposal="proposals/" + table["trial"] + ".png")
    write_text_whole(folder / "protocol.json", bench.protocol.to_json())
    write_text_whole(folder / LIST, listed.to_csv(index=False))
    return folder / LIST


@dataclass(frozen=True)
class Entrant:
    """Who made the pictures, in the words of whoever scores them."""

    name: str
    trained_with: tuple[str, ...] = ()
    seed: int = 0


def score_folder(pictures: Path, entrant: Entrant, bench: Bench, jury: Jury, workplace: Workplace) -> Path:
    """Score the pictures `<trial>.png` of a folder as one run below the workplace's output; returns the run's folder.

    Raises:
        DataError: there is not one picture of a trial in the folder; says which are expected.
    """
    trials = list(bench.trials["trial"])
    there = [trial for trial in trials if (pictures / f"{trial}.png").is_file()]
    if not there:
        raise DataError(
            f"{pictures}: has no picture of a trial; expected are {trials[0]}.png to {trials[-1]}.png. "
            f"`v2f-bench trials --dataset {bench.dataset.name}` gives out the voices that they are to be made of."
        )
    digest = hashlib.sha256()
    for trial in there:
        digest.update(trial.encode() + (pictures / f"{trial}.png").read_bytes())
    made = digest.hexdigest()
    run = f"seed{entrant.seed}-{key_of(made, bench.key)[:8]}"
    folder = workplace.output / bench.dataset.name / entrant.name / run
    folder.mkdir(parents=True, exist_ok=True)
    posed = np.ones(len(trials), bool)
    scores = score(
        *(pictures, folder, made, bench, jury, posed, entrant.trained_with, workplace.device, workplace.progress)
    )
    write_text_whole(folder / "protocol.json", bench.protocol.to_json())
    write_whole(folder / TRIALS, lambda path: path.write_bytes((folder / SCORES / TRIALS).read_bytes()))
    write_sheet(folder, pictures, bench)
    method: dict[str, Any] = {
        "name": entrant.name,
        "distribution": "pictures made elsewhere",
        "version": "",
        "source_hash": "",
        "summary": "pictures made elsewhere",
        "source": "",
        "needs": [],
        "baseline": False,
        "trained_with": list(entrant.trained_with),
    }
    record = record_of(
        bench,
        jury,
        scores,
        run=run,
        method=method,
        answers=[],
        options={},
        preset="",
        posed=len(trials),
        seed=entrant.seed,
        circumstances={SCORES: made_under(folder / SCORES)},
    )
    write_record(folder, record)
    return folder
