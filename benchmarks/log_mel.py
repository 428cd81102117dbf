"""The log-mel front end on a batch against librosa, one recording after another.

python benchmarks/log_mel.py --recordings 256 --seconds 4
"""

import argparse
import time

import librosa
import numpy as np
import torch
from tabulate import tabulate

from v2f_bench.audio import LOG_FLOOR, log_mel
from v2f_bench.data.store import pad


def by_librosa(recording: np.ndarray, window: np.ndarray) -> np.ndarray:
    samples = librosa.effects.preemphasis(recording.astype(np.float32) / 32768, coef=0.97, zi=[0.0])
    power = np.abs(librosa.stft(samples, n_fft=1024, hop_length=160, win_length=400, window=window)) ** 2
    mel = librosa.feature.melspectrogram(S=power, sr=16_000, n_mels=64, fmin=20, fmax=7200)
    return np.log(mel + LOG_FLOOR)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    length = round(arguments.seconds * 16_000)
    recordings = [rng.integers(-9000, 9000, length).astype(np.int16) for _ in range(arguments.recordings)]
    window = np.hamming(401)[:-1]
    times = []
    for _ in range(arguments.repeats):
        start = time.perf_counter()
        theirs = [by_librosa(recording, window) for recording in recordings]
        middle = time.perf_counter()
        batches = [pad(recordings[start : start + 64], 16_000) for start in range(0, len(recordings), 64)]
        ours = [log_mel(batch, normalise="none")[0] for batch in batches]
        times.append((middle - start, time.perf_counter() - middle))
    gap = np.abs(torch.cat(ours).numpy() - np.stack(theirs)).max()
    librosa_s, ours_s = np.median(times, axis=0)
    ratio = np.median([a / b for a, b in times])
    rows = [[arguments.recordings, arguments.seconds, librosa_s, ours_s, ratio, gap]]
    headers = ["recordings", "seconds each", "librosa, s", "batched, s", "times as fast", "largest difference"]
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, librosa {librosa.__version__}")
    print(tabulate(rows, headers=headers, tablefmt="github", floatfmt=".3g"))


if __name__ == "__main__":
    main()
