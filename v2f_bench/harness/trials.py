"""What methods are given: which trials apply to a method, and what it gets for each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from v2f_bench.data.store import pad
from v2f_bench.film.reading import StoredFilm
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.trial_voices import trial_voice
from v2f_bench.interfaces import NEEDS, Dataset, Offer, PluginError, Trials
from v2f_bench.media.picture import to_tensor


def applicable(bench: Bench, needs: frozenset[str]) -> np.ndarray:
    """Which trials have all that a method needs: bool [n]. A speaker may lack a second picture, a film, or a label."""
    applies = np.ones(len(bench.trials), bool)
    for need, column in (("real-photo", "real_photo"), ("emotion", "emotion")):
        if need in needs:
            applies &= bench.trials[column].to_numpy() != ""
    if "source-video" in needs:
        applies &= bench.trials["proposal"].isin(bench.films).to_numpy()
    if "attributes" in needs:
        applies &= (bench.trials["sex"].ne("") & bench.trials["age"].notna()).to_numpy()
    return applies


def offer(bench: Bench) -> Offer:
    """What the bench has for methods, for `Method.unsuited`."""
    protocol = bench.protocol
    train, validation = (bench.split(split).table for split in ("train", "validation"))
    lacking = {need: why for need in NEEDS if (why := _lacking(bench, need))}
    return Offer(protocol.dataset["name"], protocol.track, train, validation, lacking)


def _lacking(bench: Bench, need: str) -> str:
    """Why no trial of the bench has `need`; "" where some have it."""
    dataset, trials = bench.dataset, bench.trials
    if need == "oracle" and type(dataset).oracle_faces is Dataset.oracle_faces:
        return f"the causes behind {dataset.name} are not known"
    if need == "attributes":
        if not {"sex", "age"} <= set(trials):
            return f"{dataset.name} has no sex and age labels"
        if not applicable(bench, frozenset({"attributes"})).any():
            return f"{dataset.name} has no test speaker with both sex and age labels"
    if need == "source-video" and not any(bench.of_film(clip) for clip in trials["proposal"]):
        return f"{dataset.name} has no films"
    if need == "emotion" and not trials.get("emotion", pd.Series(dtype=str)).any():
        return f"{dataset.name} has no emotion labels"
    if need == "real-photo" and not trials["real_photo"].any():
        of_what = " with the emotion of a trial" if bench.protocol.track == "emotion" else ""
        return f"no test speaker has a second picture{of_what}"
    return ""


def trials_for(bench: Bench, needs: frozenset[str], rows: np.ndarray, resolution: int = 0) -> Trials:
    """The trials at positions `rows`, with what the method needs and nothing else; faces at `resolution` (0: the
    protocol's)."""
    table = bench.trials.iloc[rows]
    side = resolution or bench.protocol.resolution
    return Trials(tuple(table["trial"]), {need: _given(bench, need, table, side) for need in needs}, side)


def _given(bench: Bench, need: str, table: pd.DataFrame, side: int) -> Any:
    if need == "voice":
        recordings = [trial_voice(bench.store, bench.protocol, trial) for _, trial in table.iterrows()]
        return pad(recordings, bench.store.rate)
    if need == "proposal":
        return bench.faces(list(table["proposal"]), side)
    if need == "source-video":
        return tuple(StoredFilm(bench.films[clip]) for clip in table["proposal"])
    if need == "real-photo":
        return bench.faces(list(table["real_photo"]), side)
    if need == "attributes":
        return table[["sex", "age"]].reset_index(drop=True)
    if need == "emotion":
        return tuple(table["emotion"])
    if need == "oracle":
        rows, speakers = pd.factorize(table["speaker"])
        pixels = bench.dataset.oracle_faces(list(speakers), bench.store.size)
        assert pixels is not None, "`offer` says that there are none"
        return to_tensor(pixels, side)[rows]
    raise PluginError(f"a method needs {need!r}, which no trial has")
