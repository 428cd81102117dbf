"""The voice front ends in batches of 64 recordings of one length, against librosa one after another.

    python benchmarks/front_ends.py --recordings 256 --seconds 4

The two are timed in turn, several times over, so that a busy machine slows both; the median ratio is what counts.

Exits 1 if one of them is less than 10 times as fast as librosa, or differs from it by 0.001 or more.
"""

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial

import librosa
import numpy as np
import torch
from tabulate import tabulate

from v2f_bench.audio import LOG_FLOOR, log_mel, mfcc, mfsc, raw_frames
from v2f_bench.data.store import pad

TIMES_AS_FAST, DIFFERENCE = 10, 1e-3  # the claim
RATE, BATCH = 16_000, 64
HAMMING = np.hamming(401)[:-1]
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


def librosa_log_mel(samples: np.ndarray, bands: int = 64) -> np.ndarray:
    emphasised = librosa.effects.preemphasis(samples, coef=0.97, zi=[0.0])
    power = np.abs(librosa.stft(emphasised, n_fft=1024, hop_length=160, win_length=400, window=HAMMING)) ** 2
    return np.log(librosa.feature.melspectrogram(S=power, sr=RATE, n_mels=bands, fmin=20, fmax=7200) + LOG_FLOOR)


def librosa_mfsc(samples: np.ndarray) -> np.ndarray:
    static = librosa_log_mel(samples, bands=40)
    return np.stack([static, librosa.feature.delta(static), librosa.feature.delta(static, order=2)])


def librosa_mfcc(samples: np.ndarray) -> np.ndarray:
    return librosa.feature.mfcc(y=samples, sr=RATE)


def librosa_raw_frames(samples: np.ndarray) -> np.ndarray:
    slow = librosa.resample(samples, orig_sr=RATE, target_sr=8000, res_type="polyphase")
    looped = np.resize(slow, round(3.67 * 8000))
    starts = np.arange(200) * (len(looped) - 160) // 199
    cut = librosa.util.frame(looped, frame_length=160, hop_length=1)[:, starts]
    return ((cut - cut.mean(axis=0)) / cut.std(axis=0, ddof=1))[None]


FRONT_ENDS: dict[str, tuple[Callable, dict, Callable]] = {
    "log_mel": (log_mel, {"normalise": "none"}, librosa_log_mel),
    "mfsc": (mfsc, {"normalise": "none"}, librosa_mfsc),
    "mfcc": (mfcc, {}, librosa_mfcc),
    "raw_frames": (raw_frames, {}, librosa_raw_frames),
}


def split(recordings: list[np.ndarray]) -> list[list[np.ndarray]]:
    return [recordings[start : start + BATCH] for start in range(0, len(recordings), BATCH)]


def spent(work: Callable, pieces: list, clock: Callable[[], float]) -> float:
    """Seconds for all pieces, after a pause: for a while, idle threads of the peer's libraries keep a core busy."""
    time.sleep(0.2)
    start = clock()
    for piece in pieces:
        work(piece)
    return clock() - start


def difference(features: torch.Tensor, singles: list[np.ndarray], peer: Callable) -> float:
    """The largest one between a batch's features and the peer's of its recordings."""
    return float(np.abs(features.numpy() - np.stack([peer(single) for single in singles])).max())


def main() -> bool:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: for a machine that is busy otherwise")
    arguments = parser.parse_args()
    clock = CLOCKS[arguments.clock]
    rng = np.random.default_rng(0)
    length = round(arguments.seconds * RATE)
    recordings = [rng.integers(-9000, 9000, length).astype(np.int16) for _ in range(arguments.recordings)]
    singles = [recording.astype(np.float32) / 32768 for recording in recordings]
    batches = [pad(some, RATE) for some in split(recordings)]
    rows = []
    for name, (front_end, options, peer) in FRONT_ENDS.items():
        ours = partial(front_end, **options)
        turns = [(spent(peer, singles, clock), spent(ours, batches, clock)) for _ in range(1 + arguments.repeats)]
        times = np.array(turns[1:]) / len(recordings) * 1000  # the first turn warms up
        gap = np.max(
            [difference(ours(batch)[0], alone, peer) for batch, alone in zip(batches, split(singles), strict=True)]
        )
        rows.append([name, *np.median(times, axis=0), np.median(times[:, 0] / times[:, 1]), gap])
    headers = ["front end", "librosa, ms each", "batched, ms each", "times as fast", "largest difference"]
    print(f"{len(recordings)} recordings of {arguments.seconds} s; {arguments.clock} time")
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, librosa {librosa.__version__}")
    print(tabulate(rows, headers=headers, tablefmt="github", floatfmt=".3g"))
    return all(ratio >= TIMES_AS_FAST and gap < DIFFERENCE for *_, ratio, gap in rows)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
