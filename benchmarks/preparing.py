"""Preparing videos: `v2f-bench prepare` against the script that a user would write.

    python benchmarks/preparing.py --clips 96

Clips are real files: an mp4 (H.264, 640×360, 25 frames a second) of a drawn person who moves, now sharp, now blurred,
and a wav (48 kHz) of the voice. Ours: `prepare` with two processes, start included. The plain script, in the same run
and with torch's own threads: `librosa.load` of the wav, the same number of frames of the mp4 by PyAV, one call of
facenet-pytorch's MTCNN a frame, and the sharpest crop by OpenCV's Laplacian; only its loop counts. Each repetition runs
both, one after the other; the CPU time, of which ours has the start of three processes, is told too, since other work
on the machine sways it less. The memory is the peak of the main process and of its largest worker, for a third of the
clips and for all.

Exits 1 if ours is less than 3 times as fast, or takes more than 10 % more memory for three times the clips.
"""

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageFilter
from tabulate import tabulate

from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions, SyntheticSpeakers
from v2f_bench.harness.circumstances import peak_memory_mib
from v2f_bench.harness.prepare import prepare
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import Card
from v2f_bench.media.clips import FRAMES
from v2f_bench.media.file_dataset import FileDataset, MediaOptions

TIMES_AS_FAST, MORE_MEMORY = 3, 1.1  # the claim
DISTINCT = 24  # people; further clips are copies of theirs, which cost as much and are set aside at the end
HEIGHT, WIDTH, FACE, FPS = 360, 640, 240, 25


class Clips(FileDataset):
    """`<clip>.mp4` and `<clip>.wav` of a folder."""

    name = "made-clips"
    card = Card("", "", "", "", "")
    options = MediaOptions

    def index(self) -> pd.DataFrame:
        names = sorted(path.stem for path in self.root.glob("*.mp4"))
        columns = {
            "clip": names,
            "speaker": [str(int(name) % DISTINCT) for name in names],
            "voice": [f"{n}.wav" for n in names],
        }
        return pd.DataFrame({**columns, "face": [f"{name}.mp4" for name in names]})

    def split(self, speakers: list[str]) -> dict[str, str]:
        return dict.fromkeys(speakers, "train")


def make_clips(folder: Path, count: int) -> None:
    import soundfile
    import soxr

    folder.mkdir()
    people = SyntheticSpeakers(SyntheticOptions(speakers=min(DISTINCT, count), clips=1), None)
    for number, entry in enumerate(people.index()["face"]):
        voice, rate = people.read_voice(entry)
        soundfile.write(folder / f"{number:05d}.wav", soxr.resample(voice, rate, 48_000), 48_000)
        write_video(folder / f"{number:05d}.mp4", people.read_face(entry, FACE), round(len(voice) / rate * FPS), number)
    for number in range(DISTINCT, count):
        for suffix in ("wav", "mp4"):
            shutil.copy(folder / f"{number % DISTINCT:05d}.{suffix}", folder / f"{number:05d}.{suffix}")


def write_video(path: Path, face: np.ndarray, frames: int, seed: int) -> None:
    import av

    rng = np.random.default_rng(seed)
    room = Image.fromarray(
        np.repeat(np.linspace(60, 160, HEIGHT)[:, None, None], WIDTH, 1).repeat(3, 2).astype(np.uint8)
    )
    person = Image.fromarray(face)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        left, top = rng.integers(100, WIDTH - FACE - 100), rng.integers(30, HEIGHT - FACE - 30)
        for number in range(frames):
            picture = room.copy()
            blurred = person.filter(ImageFilter.GaussianBlur(float(1 + np.sin(number / 7))))
            picture.paste(blurred, (int(left + 60 * np.sin(number / 9)), int(top + 15 * np.cos(number / 5))))
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode(None))


def ours(folder: Path, cache: Path) -> dict[str, float]:
    start = time.perf_counter()
    store = prepare(Clips(MediaOptions(), folder), Workplace(cache=cache, jobs=2))
    seconds = time.perf_counter() - start
    left_out, clips = store.left_out, len(list(folder.glob("*.mp4")))
    assert (left_out["copy_of"] != "").all(), left_out
    assert store.meta["faces"] == store.meta["voices"] == min(clips, DISTINCT)
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {"seconds": seconds, "cpu": cpu_seconds(), "main": peak_memory_mib(), "worker": worker}


def cpu_seconds() -> float:
    """Of this process and those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def plain(folder: Path, output: Path, count: int) -> dict[str, float]:
    import av
    import cv2
    import librosa
    from facenet_pytorch import MTCNN

    output.mkdir(parents=True)
    detector = MTCNN(image_size=128, margin=40, post_process=False)
    librosa.resample(np.zeros(4800), orig_sr=48_000, target_sr=16_000)  # what it loads at first does not count
    start, used = time.perf_counter(), cpu_seconds()
    for path in sorted(folder.glob("*.mp4"))[:count]:
        voice, _ = librosa.load(path.with_suffix(".wav"), sr=16_000)
        with av.open(str(path)) as container:
            pictures = [frame.to_image() for frame in container.decode(video=0)]
        best, sharpest = None, -1.0
        for place in np.linspace(0, len(pictures) - 1, FRAMES).round().astype(int):
            face = detector(pictures[place])
            if face is not None:
                pixels = face.byte().permute(1, 2, 0).numpy()
                sharpness = cv2.Laplacian(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var()
                if sharpness > sharpest:
                    best, sharpest = pixels, sharpness
        assert best is not None
        np.savez(output / path.stem, voice=voice, face=best)
    return {"seconds": time.perf_counter() - start, "cpu": cpu_seconds() - used}


def in_a_process(what: str, folder: Path, *more: object) -> dict[str, float]:
    command = [sys.executable, __file__, "--alone", what, str(folder), *map(str, more)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=96)
    parser.add_argument("--plain-clips", type=int, default=16, help="the plain script is timed on so many of them")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--alone", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        what, *rest = given.alone
        result = ours(*map(Path, rest)) if what == "ours" else plain(Path(rest[0]), Path(rest[1]), int(rest[2]))
        print(json.dumps(result))
        return
    with tempfile.TemporaryDirectory() as name:
        place, rows = Path(name), []
        make_clips(place / "few", given.clips // 3)
        make_clips(place / "all", given.clips)
        few = in_a_process("ours", place / "few", place / "cache-few")
        for turn in range(given.repeat):
            mine = in_a_process("ours", place / "all", place / f"cache-{turn}")
            theirs = in_a_process("plain", place / "all", place / f"plain-{turn}", given.plain_clips)
            speeds = given.clips / mine["seconds"], given.plain_clips / theirs["seconds"]
            cpu = mine["cpu"] / given.clips, theirs["cpu"] / given.plain_clips
            rows.append((turn + 1, *speeds, speeds[0] / speeds[1], *cpu, mine["main"], mine["worker"]))
    headers = ("turn", "ours, clips/s", "plain", "times", "CPU s a clip", "plain", "main, MiB", "worker, MiB")
    print(tabulate(rows, headers, floatfmt=".2f"))
    print(f"with {given.clips // 3} clips: main {few['main']} MiB, worker {few['worker']:.0f} MiB")
    times = statistics.median(row[3] for row in rows)
    memory = max(rows[0][6] / few["main"], rows[0][7] / few["worker"])
    print(f"median {times:.1f} times as fast; {memory:.2f} times the memory for three times the clips")
    sys.exit(0 if times >= TIMES_AS_FAST and memory <= MORE_MEMORY else 1)


if __name__ == "__main__":
    main()
