"""For methods that are no plugins: write the trials to files, and score the pictures that were made of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from v2f_bench.artefacts import ORIGIN, Faces, read_origin, write_origin
from v2f_bench.files import write_text_whole
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.judges import Judges
from v2f_bench.harness.recording import Made, score_and_record
from v2f_bench.harness.score import FacesToScore
from v2f_bench.harness.trial_voices import trial_voice
from v2f_bench.harness.workplace import Workplace
from v2f_bench.hashing import key_of
from v2f_bench.interfaces import DataError, UsageError
from v2f_bench.keys import run_key
from v2f_bench.media.picture import to_pixels, write_picture
from v2f_bench.record import ELSEWHERE, MethodFacts, Record

LIST = "trials.csv"
LEARN_FROM = "training-clips.csv"
NAMED = 3  # files that a message names


@dataclass(frozen=True)
class Submission:
    """What made the pictures, as the person who scores them states it."""

    name: str
    trained_with: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[^\W_][\w.,()=+@ -]{0,79}", self.name) or self.name.endswith((".", " ")):
            raise UsageError(
                f"the name {self.name!r} cannot be the name of a folder: it has up to 80 letters, digits, blanks and "
                ". , ( ) = + @ - _, and begins with a letter or digit"
            )


def give_out_trials(bench: Bench, folder: Path, workplace: Workplace) -> Path:
    """Write what a method may know of the trials to files in `folder`, and return the list of them, `trials.csv`.

    `voices/<trial>.wav` and `proposals/<trial>.png` have the protocol's rate and resolution, as a plugin is given them.
    The list has the columns `trial`, `voice` and `proposal`; the last two are paths relative to the folder.
    `trials.json` names the protocol, and `training-clips.csv` lists the clips that a method may be trained on. No file
    shows whose voice a trial is: trials are named by hashes and sorted by name, and the answers are not written.
    """
    for name in ("voices", "proposals"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    table = bench.trials[["trial", "voice", "proposal", "noise"]]
    with workplace.progress.bar("give out trials", len(table)) as bar:
        for _, row in table.iterrows():
            recording = trial_voice(bench.store, bench.protocol, row)
            soundfile.write(folder / "voices" / f"{row['trial']}.wav", recording, bench.protocol.sample_rate)
            picture = to_pixels(bench.faces([row["proposal"]]))[0]
            write_picture(folder / "proposals" / f"{row['trial']}.png", picture)
            bar.advance()
    listed = table[["trial", "voice", "proposal"]].assign(
        voice="voices/" + table["trial"] + ".wav", proposal="proposals/" + table["trial"] + ".png"
    )
    learning = [(split, clip) for split in ("train", "validation") for clip in bench.protocol.splits[split]]
    clips = bench.store.clips.loc[[clip for _, clip in learning], ["clip", "speaker"]]
    clips = clips.assign(split=[split for split, _ in learning])
    write_text_whole(folder / LEARN_FROM, clips.to_csv(index=False))
    write_origin(folder, bench.protocol)
    write_text_whole(folder / LIST, listed.to_csv(index=False))
    return folder / LIST


def score_folder(
    folder: Path,
    submission: Submission,
    bench: Bench,
    judges: Judges,
    workplace: Workplace,
    any_protocol: bool = False,
) -> tuple[Path, Record]:
    """Score the pictures of a folder as one run below the workplace's output.

    Args:
        any_protocol: whether to score them even if `trials.json` is missing or names another protocol.

    Returns:
        The run's folder and its record.

    Raises:
        DataError: the folder has no picture of a trial; or, unless `any_protocol`, `trials.json` is missing or names
            other trials.
    """
    faces = Faces.of(folder)
    _check_origin(faces, bench, workplace, any_protocol)
    key = key_of("pictures", faces.content)
    run = f"seed{submission.seed}-{run_key(key, bench.key)[:8]}"
    output = workplace.output / bench.dataset.name / submission.name / run
    output.mkdir(parents=True, exist_ok=True)
    method = MethodFacts(
        name=submission.name,
        distribution=ELSEWHERE,
        version="",
        source_hash="",
        summary=ELSEWHERE,
        source="",
        needs=[],
        baseline=False,
        trained_with=list(submission.trained_with),
    )
    made = Made(run, method, answers=[], options={}, preset="", seed=submission.seed)
    to_score = FacesToScore(faces, key, np.ones(len(bench.trials), bool), submission.trained_with)
    return output, score_and_record(output, made, to_score, bench, judges, workplace)


def _check_origin(faces: Faces, bench: Bench, workplace: Workplace, any_protocol: bool) -> None:
    trials = set(bench.trials["trial"])
    surplus = sorted(set(faces.pictures) - trials)
    give_out = f"`v2f-bench trials --dataset {bench.dataset.name}` writes the voices to make them from"
    if not trials & set(faces.pictures):
        others = f"it has {len(surplus)} others, such as {surplus[0]}" if surplus else "it has no pictures"
        first = bench.trials["trial"].iloc[0]
        raise DataError(
            f"{faces.folder}: has no picture of a trial of {bench.protocol.name}, such as {first}.png; {others}. "
            f"{give_out}"
        )
    origin = read_origin(faces.folder)
    if origin is None and not any_protocol:
        raise DataError(
            f"{faces.folder}: {ORIGIN} is missing, so it is not known for which protocol these pictures were made. "
            "Copy it from the folder that `v2f-bench trials` wrote; or set any-protocol, if you are sure that it is "
            "this protocol."
        )
    if origin is not None and origin.questions != bench.protocol.questions_hash and not any_protocol:
        raise DataError(
            f"{faces.folder}: these pictures were made for {origin.protocol} ({origin.hash}) of {origin.dataset}, with "
            f"other trials or training people than {bench.protocol.name} ({bench.protocol.hash}) of "
            f"{bench.protocol.dataset}. Give the same options, or set any-protocol to score them anyway."
        )
    if surplus:
        more = ", ..." if len(surplus) > NAMED else ""
        workplace.progress.line(
            f"{len(surplus)} pictures in {faces.folder} belong to no trial and are ignored: "
            f"{', '.join(surplus[:NAMED])}{more}"
        )
    if missing := len(trials - set(faces.pictures)):
        workplace.progress.line(
            f"{missing} of {len(trials)} trials have no picture in {faces.folder}: they count as failed"
        )
