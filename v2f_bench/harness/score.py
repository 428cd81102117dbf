"""Score: every metric of the track on the faces of a folder, each number with its interval, floor and ceiling."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from v2f_bench.harness.bench import Bench
from v2f_bench.harness.circumstances import circumstances
from v2f_bench.harness.generate import FAILURES
from v2f_bench.harness.independence import Ties
from v2f_bench.harness.judging import BATCH, DETECTOR, NEED_A_FACE, Jury, ReadyJudge, faceless, look, with_faces_only
from v2f_bench.harness.results import metric_results, unavailable
from v2f_bench.harness.stage import stage
from v2f_bench.hashing import key_of, source_key
from v2f_bench.interfaces import DataError, Evidence, Progress
from v2f_bench.leaderboard.record import TRIALS
from v2f_bench.media.picture import read_picture, to_tensor
from v2f_bench.stats import mean_interval

SCORES = "scores"
RESULTS = "results.json"


def score(
    faces: Path,
    output: Path,
    key: str,
    bench: Bench,
    jury: Jury,
    posed: np.ndarray,
    trained_with: Iterable[str],
    device: str,
    progress: Progress,
) -> dict[str, Any]:
    """What all metrics of the track say of the pictures `<trial>.png` in the folder `faces`.

    Args:
        output: where the stage's folder `scores` is made.
        key: stands for the pictures.
        posed: which trials there should be a picture for: bool [n].
        trained_with: the networks that the method's training used.

    Returns:
        `results`, a dict a measure (see `record.py` for their keys), and `failures`, how many pictures failed for each
        reason. Also written: `trials.parquet`, one row a trial, with `failure` and a column for every per-trial value.
    """
    people_known = bench.dataset.people is not None
    ties = Ties(frozenset(trained_with), bench.people, people_known, bench.chose_frames)
    key = key_of(
        "score",
        key,
        [(ready.judge.name, ready.key) for ready in jury.judges],
        jury.missing,
        [(plugin.name, plugin.version, source_key(plugin.cls)) for plugin in jury.metrics],
        [source_key(mean_interval), source_key(metric_results)],
        ties,
    )

    def make(unfinished: Path) -> None:
        evidence, failures = _look_at_all(faces, bench, jury.judges, posed, progress)
        table = bench.trials.copy()
        table["failure"] = [failures.get(trial, "") for trial in table["trial"]]
        results: list[dict[str, Any]] = []
        with progress.bar("score", len(jury.metrics)) as bar:
            for plugin in jury.metrics:
                try:
                    found, columns = metric_results(plugin.cls(), evidence, jury, posed, ties)
                except Exception as error:  # a metric's own bug costs its numbers, not those of the others
                    found, columns = [unavailable(plugin.name, f"crashed: {type(error).__name__}: {error}")], {}
                    progress.line(f"metric {plugin.name} {found[0]['unavailable']}")
                results += found
                table = pd.concat([table, pd.DataFrame(columns, index=table.index)], axis=1)
                bar.advance()
        table.to_parquet(unfinished / TRIALS, index=False)
        counts = table["failure"][posed].value_counts()
        told = {"failures": {reason: int(n) for reason, n in counts.items() if reason}, "results": results}
        (unfinished / RESULTS).write_text(json.dumps(told, indent=1))

    stage(output / SCORES, key, make, facts=circumstances(device))
    return dict(json.loads((output / SCORES / RESULTS).read_text()))


def _look_at_all(
    folder: Path, bench: Bench, judges: list[ReadyJudge], posed: np.ndarray, progress: Progress
) -> tuple[list[tuple[ReadyJudge, Evidence]], dict[str, str]]:
    """The evidence of every judge, and why trials have no face that can be judged. Each picture is decoded once."""
    trials = list(bench.trials["trial"])
    seen: list[list[np.ndarray]] = [[] for _ in judges]
    failures: dict[str, str] = {}
    with progress.bar("judge the faces", len(trials)) as bar:
        for names, faces, why in read_faces(folder, trials, bench.protocol.resolution):
            failures |= why
            for ready, rows in zip(judges, seen, strict=True):
                rows.append(look(ready.judge, faces))
            bar.advance(len(names))
    evidence = [
        (ready, ready.evidence(bench, _stacked(rows))) for ready, rows in zip(judges, seen, strict=True) if trials
    ]
    detected = next((found for ready, found in evidence if ready.judge.name == DETECTOR), None)
    if detected is not None:
        for trial in np.array(trials)[faceless(detected) & posed]:
            failures.setdefault(str(trial), f"no face found ({DETECTOR})")
        evidence = [
            (ready, with_faces_only(found, detected) if ready.judge.kind in NEED_A_FACE else found)
            for ready, found in evidence
        ]
    return evidence, failures


def read_faces(
    folder: Path, trials: list[str], resolution: int
) -> Iterator[tuple[list[str], torch.Tensor, dict[str, str]]]:
    """The pictures `<trial>.png` of a folder, in batches: the trials, float32 [N, 3, resolution, resolution] with NaN
    where there is none, and the reason for each of these."""
    told = json.loads((folder / FAILURES).read_text()) if (folder / FAILURES).exists() else {}

    def read(trial: str) -> np.ndarray | str:
        if trial in told:
            return str(told[trial])
        path = folder / f"{trial}.png"
        if not path.is_file():
            return "missing"
        try:
            pixels = read_picture(path)
        except DataError:
            return "unreadable"
        return pixels if pixels.shape[0] == pixels.shape[1] else "not square"

    with ThreadPoolExecutor() as readers:
        for start in range(0, len(trials), BATCH):
            names = trials[start : start + BATCH]
            faces = torch.full((len(names), 3, resolution, resolution), torch.nan)
            failures = {}
            by_size: dict[int, list[tuple[int, np.ndarray]]] = {}
            for place, found in enumerate(readers.map(read, names)):
                if isinstance(found, str):
                    failures[names[place]] = found
                else:
                    by_size.setdefault(len(found), []).append((place, found))
            for same_size in by_size.values():
                places, pixels = zip(*same_size, strict=True)
                faces[list(places)] = to_tensor(np.stack(pixels), resolution)
            yield names, faces, failures


def _stacked(pieces: list[np.ndarray]) -> np.ndarray:
    """One array [n, D]; a batch without a single face does not know D."""
    width = max(piece.shape[1] for piece in pieces)
    known = [p if p.shape[1] == width else np.full((len(p), width), np.nan, np.float32) for p in pieces]
    return np.concatenate(known)
