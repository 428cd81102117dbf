"""A large store: how fast it opens, and how fast it feeds random batches.

    python benchmarks/stores.py --clips 150000 --faces 140000

The store is made by repetition: as many rows as VoxCeleb1 has clips, which share the recordings and pictures of a
smaller pool on the disk, so that it needs a few gigabytes only; rows are read from random places all over the files. A
batch is what a training step takes: 64 voices, cropped to 3 seconds, and 64 faces at 64 pixels; by one thread a
process, in one process and in two at once. Memory is what a process holds of its own (RssAnon); the pages of the mapped
files belong to the system, which takes them back when it needs room.

Exits 1 if it opens in a second or more, feeds 2,000 clips a second or fewer in two processes, or if memory grows.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from v2f_bench.data.store import Store, StoredClips
from v2f_bench.data.store_writer import StoreWriter

RATE, SIZE, BATCH, SECONDS = 16_000, 128, 64, 3.0
OPENS_IN, CLIPS_A_SECOND, GROWTH_MIB = 1.0, 2000, 32  # the claim
POOL = 12_000  # clips that are really written


def make_store(folder: Path, clips: int, faces: int, pool: int) -> None:
    """Recordings of 4 to 12 seconds and pictures of noise; rows beyond the pool point to what the pool wrote."""
    rng = np.random.default_rng(0)
    labels = pd.DataFrame({"clip": [f"id{n % 1251:05d}/video{n % 7}/{n:06d}" for n in range(clips)]})
    labels = labels.assign(
        speaker=[f"Speaker_{n % 1251}" for n in range(clips)],
        sex=np.where(np.arange(clips) % 2, "male", "female"),
        nationality="nowhere",
        group=[f"video{n % 22_000}" for n in range(clips)],
    )
    writer = StoreWriter(folder, "made", RATE, SIZE, labels.head(pool))
    sound = rng.integers(-8000, 8000, 20 * RATE).astype(np.int16)
    for row in range(pool):
        voice = np.roll(sound, int(rng.integers(len(sound))))[: int(rng.integers(4 * RATE, 12 * RATE))]
        writer.add(row, voice, rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8))
    writer.commit(pool)
    writer.close()
    table = pd.read_parquet(folder / "clips.parquet")
    assert table[["voice", "face"]].all(axis=None), "none is a copy of another"
    repeated = table.iloc[np.arange(clips) % pool].reset_index(drop=True)
    repeated[labels.columns] = labels
    repeated["face"] = np.arange(clips) < faces
    repeated.loc[~repeated["face"], "face_row"] = -1
    repeated.to_parquet(folder / "clips.parquet", index=False)


def feed(folder: Path, seconds: float, seed: int) -> dict[str, float]:
    import torch

    torch.set_num_threads(1)
    start = time.perf_counter()
    store = Store(folder)
    opened = time.perf_counter() - start
    clips = StoredClips(store, list(store.clips["clip"]), 64)
    usable = np.flatnonzero(clips.table["face"])
    rng = np.random.default_rng(seed)
    batches, memory, start, used = 0, [], time.perf_counter(), time.process_time()
    while time.perf_counter() - start < seconds:
        rows = rng.choice(usable, BATCH)
        voices, faces = clips.crops(rows, SECONDS, rng), clips.faces(rows)
        assert voices.samples.shape == (BATCH, round(SECONDS * RATE))
        assert faces.shape == (BATCH, 3, 64, 64)
        batches += 1
        memory.append(own_memory_mib())
    speed = batches * BATCH / (time.perf_counter() - start)
    cpu = batches * BATCH / (time.process_time() - used)  # what the speed would be if nothing else ran
    quarter = max(len(memory) // 4, 1)  # the first is for the allocator to find its size
    growth = max(memory[-quarter:]) - max(memory[: 2 * quarter])
    return {"opened": opened, "speed": speed, "cpu": cpu, "growth": growth, "memory": memory[-1]}


def own_memory_mib() -> float:
    status = Path(f"/proc/{os.getpid()}/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=150_000)
    parser.add_argument("--faces", type=int, default=140_000)
    parser.add_argument("--pool", type=int, default=POOL)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--feed", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.feed:
        print(json.dumps(feed(Path(given.feed[0]), given.seconds, int(given.feed[1]))))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_store(folder, given.clips, given.faces, given.pool)
        size = sum(path.stat().st_size for path in folder.iterdir()) / 1e9
        print(f"{given.clips:,} clips, {given.faces:,} faces, {size:.1f} GB on the disk")
        results = []
        for processes in (1, 2):
            command = [sys.executable, __file__, "--seconds", str(given.seconds), "--feed", name]
            running = [
                subprocess.Popen([*command, str(seed)], stdout=subprocess.PIPE, text=True) for seed in range(processes)
            ]
            results = [json.loads(process.communicate()[0]) for process in running]
            told = {key: [round(result[key], 2) for result in results] for key in results[0]}
            print(f"{processes} process(es): {sum(told['speed']):,.0f} clips/s,", end=" ")
            print(f"{sum(told['cpu']):,.0f} by CPU time; opened in {told['opened']} s;", end=" ")
            print(f"own memory {told['memory']} MiB, grown by {told['growth']} MiB")
        opened, growth = (max(result[key] for result in results) for key in ("opened", "growth"))
        fast = sum(result["speed"] for result in results) > CLIPS_A_SECOND
        sys.exit(0 if opened < OPENS_IN and fast and growth < GROWTH_MIB else 1)


if __name__ == "__main__":
    main()
