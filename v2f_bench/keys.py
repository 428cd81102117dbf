"""What goes into the key of each stage: all that its output depends on, and nothing else.

* *store*: the data set's name, source and media options; `DECODING`; the judge that chooses frames; the
  labels, and the sizes and times of the files (`harness/prepare.py`).
* *judge*, one that is trained here: its name, version and source; `SEEING`; what can be learned from; how it is
  trained.
* *checkpoint*: the method's name, version and source; `LEARNING`; options and seed; what can be learned from; how it is
  trained.
* *faces*: the checkpoint; the protocol and the data as prepared; `DRAWING`; how it is computed.
* *views*, what a judge gives for the protocol's real pictures: its name, version, source and weights; `VIEWING`; the
  pictures; how it is computed.
* *scores*: the faces; the judges with their views; the metrics' names, versions and sources; `SCORING`; the trials that
  apply; what ties the judges to the method.
* *run*, which names a run's folder: its checkpoint, and its protocol over the data as prepared.

*What can be learned from* are the clips of training and validation, their content and the form in which they are handed
over; not the trials: another track, or a published list, does not train anything anew. *How it is trained* is the
version of torch, the number of threads, the kind of device, the number of devices and the precision; *how it is
computed*, torch, threads and the kind of device. A method that does not use the device (`Method.uses_device`) has
neither device nor precision in its keys.

Not in any key: the machine, its processor, and versions of libraries other than torch. They stand in every record. Two
machines may therefore give one key different last bits; tables then show two rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from v2f_bench.hashing import key_of
from v2f_bench.sources import core_key

# The code of v2f-bench that a stage's output depends on, beside the plugin's own source (`sources.source_key`).
SEEING = ("data/store.py", "interfaces/context.py", "interfaces/values.py", "media/picture.py")
DECODING = (
    *("media", "data/store.py", "data/store_writer.py", "data/overlap.py", "harness/frame_judge.py"),
    *("harness/prepare.py", "harness/reading.py"),
)
LEARNING = (*SEEING, "audio", "nn", "training", "harness/devices.py", "harness/fit.py")
DRAWING = (
    *(*SEEING, "artefacts", "audio/noise.py", "data/voices.py", "film", "harness/generate.py", "harness/trials.py"),
    *("harness/trial_voices.py", "interfaces/film.py"),
)
VIEWING = (*SEEING, "harness/bench.py", "harness/quality.py", "harness/views.py", "metrics/vectors.py", "stats")
WATCHING = ("film", "harness/film_views.py", "interfaces/film.py")  # beside VIEWING, where films are viewed
SCORING = (
    *(
        "artefacts",
        "data/lists.py",
        "data/voices.py",
        "film",
        "harness/bench.py",
        "harness/face_check.py",
        "harness/film_views.py",
        "harness/independence.py",
        "harness/numbers.py",
    ),
    *("harness/results.py", "harness/score.py", "harness/slices.py", "interfaces/metric.py", "media/picture.py"),
    *("harness/trial_voices.py", "interfaces/film.py", "metrics/vectors.py", "stats"),
)


@dataclass(frozen=True)
class Computing:
    """How numbers are computed: what may change their last bits."""

    torch: str  # version, without the build
    threads: int
    device: str  # kind: "cpu", "cuda", "mps"
    devices: int = 1  # that train together
    precision: str = "float32"  # of training

    def without_device(self) -> Computing:
        """For a method that computes on the CPU, whatever the device."""
        return Computing(self.torch, self.threads, "cpu")

    def without_training(self) -> Computing:
        return Computing(self.torch, self.threads, self.device)


def judge_key(name: str, version: str, source: str, learned_from: str, computing: Computing) -> str:
    return key_of("judge", name, version, source, core_key(*SEEING), learned_from, computing)


def checkpoint_key(
    name: str, version: str, source: str, options: Any, seed: int, learned_from: str, computing: Computing
) -> str:
    return key_of("checkpoint", name, version, source, core_key(*LEARNING), options, seed, learned_from, computing)


def run_key(checkpoint: str, bench: str) -> str:
    """`bench` stands for the protocol and the data as prepared."""
    return key_of("run", checkpoint, bench)


def faces_key(checkpoint: str, bench: str, computing: Computing) -> str:
    return key_of("faces", checkpoint, bench, core_key(*DRAWING), computing.without_training())


def views_key(name: str, version: str, source: str, weights: str, pictures: str, computing: Computing) -> str:
    """`weights`: sha256 of the judge's file; of a judge that is trained here the key of its training too."""
    return key_of("views", name, version, source, weights, core_key(*VIEWING), pictures, computing.without_training())


def scores_key(
    faces: str,
    judges: Sequence[tuple[str, str]],
    missing: Sequence[Any],
    metrics: Sequence[tuple[str, str, str]],
    applicable: Sequence[bool],
    ties: Any,
) -> str:
    """`judges`: name and key of the views; `metrics`: name, version and source."""
    return key_of("scores", faces, judges, missing, metrics, core_key(*SCORING), list(applicable), ties)
