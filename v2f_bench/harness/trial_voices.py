"""The voices of trials, in the form that the protocol prescribes (see `data/voices.py`)."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd

from v2f_bench.audio.noise import with_noise_of
from v2f_bench.data.protocol import Protocol
from v2f_bench.data.store import Store
from v2f_bench.data.voices import length_of

FULL_SCALE = 32768.0  # of int16


def trial_voice(store: Store, protocol: Protocol, trial: pd.Series) -> np.ndarray:
    """The recording that a method is given for a trial: int16 [T]."""
    recording = store.voice(trial["voice"])
    if seconds := length_of(protocol.voices):
        return loudest_stretch(recording, round(seconds * store.rate))
    if trial["noise"]:
        seed = int.from_bytes(hashlib.sha256(trial["trial"].encode()).digest()[:8], "big")
        noise = store.voice(trial["noise"]) / FULL_SCALE
        swapped = with_noise_of(recording / FULL_SCALE, noise, np.random.default_rng(seed))
        return np.clip(np.round(swapped * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return recording


def trial_seconds(store: Store, protocol: Protocol, trials: pd.DataFrame) -> pd.Series:
    """The length of each trial's recording as a method is given it, in seconds."""
    seconds = store.clips.loc[trials["voice"], "voice_samples"].reset_index(drop=True) / store.rate
    longest = length_of(protocol.voices)
    return (seconds.clip(upper=longest) if longest else seconds).rename("duration")


def loudest_stretch(recording: np.ndarray, wanted: int) -> np.ndarray:
    """The stretch of `wanted` samples with the most energy; the whole recording where it is shorter."""
    if len(recording) <= wanted:
        return recording
    energy = np.concatenate([[0.0], np.cumsum(recording.astype(np.float64) ** 2)])
    start = int(np.argmax(energy[wanted:] - energy[:-wanted]))
    return recording[start : start + wanted]
