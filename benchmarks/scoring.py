"""Scoring a folder of faces: the harness's judges against torch-fidelity and deepface as a user runs them.

    python benchmarks/scoring.py --faces 10000 --cascades FOLDER

Ours: the pictures read and judged in batches, then FID and KID with their intervals, in a process of its own whose peak
memory is told, for a tenth of the faces and for all. The peers, one after another: torch-fidelity's steps, then
`DeepFace.analyze` and `DeepFace.represent` picture by picture. What they do for each picture is timed on fewer pictures
and multiplied, as the table says. Loading of networks and the first pictures count on neither side. The weights are
random and of the right shape: only time and memory are measured, and nothing is said of faces.

deepface's default detector needs two files that OpenCV 5 no longer brings: `--cascades` names the folder that has them
(`cv2/data` of an OpenCV 4, or Debian's package opencv-data). Without them deepface runs without a detector, faster.

Exits 1 if ours is less than 3 times as fast, or takes 3 GiB or more.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import pandas as pd
import torch
from tabulate import tabulate

from v2f_bench.artefacts import Faces, read_faces
from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions, SyntheticSpeakers
from v2f_bench.harness.circumstances import peak_memory_mib
from v2f_bench.harness.numbers import number_of
from v2f_bench.harness.views import outputs
from v2f_bench.interfaces import Evidence
from v2f_bench.judges import deepface
from v2f_bench.judges.inception import Inception
from v2f_bench.judges.mtcnn import Mtcnn
from v2f_bench.media.picture import write_picture
from v2f_bench.metrics import Fid, Kid

TIMES_AS_FAST, GIB = 3, 3  # the claim
SIDE = 64
DISTINCT = 200  # people; further pictures are theirs with other noise
WEIGHTS = ".deepface/weights"  # where deepface looks, below DEEPFACE_HOME
CASCADES = ("haarcascade_frontalface_default.xml", "haarcascade_eye.xml")
ATTRIBUTES = (deepface.DeepFaceEmotion, deepface.DeepFaceAge, deepface.DeepFaceSex)
RECOGNISERS = {judge.model: judge for judge in (deepface.DeepFaceArcFace, deepface.DeepFaceVggFace)}
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


@contextmanager
def timed(seconds: Counter[str], clock: str, name: str, times: float = 1) -> Iterator[None]:
    start = CLOCKS[clock]()
    yield
    seconds[name] += times * (CLOCKS[clock]() - start)


def make_pictures(folder: Path, count: int, world: int) -> list[Path]:
    """Drawn faces, no two alike."""
    folder.mkdir()
    rng = np.random.default_rng(world)
    people = SyntheticSpeakers(SyntheticOptions(speakers=DISTINCT, clips=1, world=world), None)
    drawn = [people.read_face(entry, SIDE).astype(int) for entry in people.index()["face"][:count]]
    paths = [folder / f"{number:05d}.png" for number in range(count)]
    for number, path in enumerate(paths):
        noisy = drawn[number % DISTINCT] + rng.integers(-3, 4, (SIDE, SIDE, 3))
        write_picture(path, noisy.clip(0, 255).astype(np.uint8))
    return paths


def make_weights(folder: Path, recogniser: str) -> None:
    """Files of random weights, as large as the real ones, by the packages' own builders of networks."""
    os.environ[deepface.ENGINE_VARIABLE] = deepface.ENGINE
    from deepface.modules.modeling import get_model_class
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    folder.mkdir(parents=True)
    trunks: dict[str, torch.Tensor] = {}  # of age and sex: equal, as both were trained on from VGG-Face's, frozen
    for judge in (*ATTRIBUTES, RECOGNISERS[recogniser]):
        module = sys.modules[get_model_class(judge.task, judge.model).__module__]
        tensors = module.base_model().state_dict()
        for name in tensors:
            if name.startswith("backbone.conv"):
                tensors[name] = trunks.setdefault(name, tensors[name])
        torch.save(tensors, folder / judge.weights.file)
    path = folder / Inception.weights.file
    torch.save({}, path)
    with patch.object(FeatureExtractorInceptionV3, "load_state_dict"):
        torch.save(FeatureExtractorInceptionV3("random", ["2048"], str(path)).state_dict(), path)


def ours(given: argparse.Namespace, faces: list[Path], real: list[Path]) -> tuple[Counter[str], float]:
    """Seconds by step, and the peak memory of this process in GiB."""
    judges = [Inception(), RECOGNISERS[given.recogniser](), *(judge() for judge in ATTRIBUTES), Mtcnn()]
    for judge in judges:
        judge.load(given.home / WEIGHTS / judge.weights.file, "cpu") if judge.weights else judge.start("cpu")
        outputs(judge, torch.rand(16, 3, SIDE, SIDE))
    seconds = Counter[str]()
    lap = partial(timed, seconds, given.clock)

    def seen(paths: list[Path], judges: list) -> list[np.ndarray]:
        rows: list[list[np.ndarray]] = [[] for _ in judges]
        batches = read_faces(Faces.of(paths[0].parent), [path.stem for path in paths], SIDE)
        while True:
            with lap("reading"):
                batch = next(batches, None)
            if batch is None:
                return [np.concatenate(pieces) for pieces in rows]
            for judge, pieces in zip(judges, rows, strict=True):
                with lap(judge.name):
                    pieces.append(outputs(judge, batch[1]))

    features, (reference,) = seen(faces, judges)[0], seen(real, judges[:1])
    trials, others = (pd.DataFrame({"speaker": np.arange(len(rows)) // 5}) for rows in (features, reference))
    evidence = Evidence(trials, trials, others, {"generated": features, "target": features, "reference": reference})
    for metric in (Fid(), Kid()):
        with lap("fid and kid"):
            for measure in metric.measure(evidence):
                number_of(measure, trials["speaker"].to_numpy())
    return seconds, peak_memory_mib() / 1024


def by_torch_fidelity(given: argparse.Namespace, paths: list[Path], real: int) -> Counter[str]:
    """The steps of `fidelity --fid --kid`; the features of `paths` stand for those of all pictures."""
    from torch_fidelity.datasets import ImagesPathDataset
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric
    from torch_fidelity.utils import create_feature_extractor, get_featuresdict_from_dataset

    weights = {"feature_extractor_weights_path": str(given.home / WEIGHTS / Inception.weights.file)}
    network = create_feature_extractor("inception-v3-compat", ["2048"], cuda=False, verbose=False, **weights)
    defaults = {"batch_size": 64, "cuda": False, "save_cpu_ram": False, "verbose": False}
    get_featuresdict_from_dataset(ImagesPathDataset(paths[:16]), network, **defaults)
    seconds = Counter[str]()
    with timed(seconds, given.clock, "features", (given.faces + real) / len(paths)):
        get_featuresdict_from_dataset(ImagesPathDataset(paths), network, **defaults)
    first, second = torch.rand(given.faces, 2048), torch.rand(real, 2048)
    with timed(seconds, given.clock, "fid and kid"):
        fid_statistics_to_metric(*map(fid_features_to_statistics, (first, second)), verbose=False)
        kid_features_to_metric(first, second, kid_subset_size=min(1000, real), verbose=False)
    return seconds


def by_deepface(given: argparse.Namespace, first: Path, others: list[Path], detector: str) -> Counter[str]:
    """Its two calls, after a first picture; `others` stand for all."""
    os.environ |= {"DEEPFACE_HOME": str(given.home), deepface.ENGINE_VARIABLE: deepface.ENGINE}
    from deepface import DeepFace

    seconds, settings = Counter[str](), {"enforce_detection": False, "detector_backend": detector}
    for name, call in {
        "analyze": partial(DeepFace.analyze, actions=["emotion", "age", "gender"], silent=True, **settings),
        "represent": partial(DeepFace.represent, model_name=given.recogniser, **settings),
    }.items():
        call(str(first))
        with timed(seconds, given.clock, name, given.faces / len(others)):
            for path in others:
                call(str(path))
    return seconds


def main() -> bool:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=10_000, help="20 or more; a tenth as many are real ones")
    parser.add_argument("--peer-faces", type=int, default=100, help="on how many deepface is timed")
    parser.add_argument("--peer-pictures", type=int, default=500, help="on how many torch-fidelity is timed")
    parser.add_argument("--recogniser", choices=RECOGNISERS, default="ArcFace")
    parser.add_argument("--cascades", type=Path, default=Path(cv2.__file__).parent / "data")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: for a machine that is busy otherwise")
    given = parser.parse_args()
    tenth, identity = given.faces // 10, RECOGNISERS[given.recogniser].name
    detector = "opencv" if all((given.cascades / name).is_file() for name in CASCADES) else "skip"
    with (
        tempfile.TemporaryDirectory() as name,
        ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as process,  # a fresh one for each call
    ):
        given.home = Path(name)
        process.submit(make_weights, given.home / WEIGHTS, given.recogniser).result()
        for file in CASCADES if detector == "opencv" else ():
            shutil.copy(given.cascades / file, given.home / WEIGHTS)
        faces = make_pictures(given.home / "faces", given.faces, world=0)
        real = make_pictures(given.home / "real", tenth, world=1)
        _, gib_of_tenth = process.submit(ours, given, faces[:tenth], real).result()
        own, gib = process.submit(ours, given, faces, real).result()
        on_pictures, (first, *on_faces) = faces[: given.peer_pictures], faces[: given.peer_faces + 1]
        fidelity = process.submit(by_torch_fidelity, given, on_pictures, tenth).result()
        calls = process.submit(by_deepface, given, first, on_faces, detector).result()

    attributes = sum(own[judge.name] for judge in ATTRIBUTES)
    rows = [
        ["Inception", own["inception-v3"], "torch-fidelity", fidelity["features"], len(on_pictures)],
        ["FID, KID", own["fid and kid"], "torch-fidelity", fidelity["fid and kid"], "all"],
        ["emotion, age, sex", attributes, "analyze", calls["analyze"], len(on_faces)],
        [given.recogniser, own[identity], "represent", calls["represent"], len(on_faces)],
        ["reading, mtcnn", own["reading"] + own["mtcnn"], "in each", None, None],
        ["all", own.total(), "all", fidelity.total() + calls.total(), None],
    ]
    table = [[*row, row[3] / row[1] if row[3] else None] for row in rows]
    headers = ["step", "ours, s", "peer", "peer, s", "timed on", "times as fast"]
    print(f"{given.faces} faces, {tenth} real ones; {given.clock} seconds, {torch.get_num_threads()} threads; random")
    print(f"weights; deepface's detector: {detector}; peers' seconds multiplied from the pictures they were timed on")
    print(tabulate(table, headers=headers, tablefmt="github", floatfmt=".3g", missingval="–"))
    print("ours, ms a face:", ", ".join(f"{name} {1000 * spent / given.faces:.3g}" for name, spent in own.items()))
    print(f"our peak memory: {gib_of_tenth:.2f} GiB for {tenth} faces, {gib:.2f} GiB for {given.faces}")
    return table[-1][-1] >= TIMES_AS_FAST and max(gib_of_tenth, gib) < GIB


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
