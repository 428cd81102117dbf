"""A small prepared bench, and plans on it, for tests that work without the command line."""

from dataclasses import asdict

import torch

from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions, SyntheticSpeakers
from v2f_bench.harness.face_check import find_detector
from v2f_bench.harness.make_bench import make_bench
from v2f_bench.harness.plan import Plan
from v2f_bench.harness.spec import BenchSpec, PlaceSpec, RunSpec
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import Silent
from v2f_bench.keys import Computing
from v2f_bench.plugins import Plugin, registry

OPTIONS = SyntheticOptions(speakers=48, clips=4)  # about 29 training and 15 test speakers


def small_bench(workplace, **more):
    """The bench of a small world, its pictures checked for faces."""
    detector = find_detector(registry(), "cpu", Silent())
    return make_bench(SyntheticSpeakers(OPTIONS, None), workplace, face_check=detector, **more)


def plan_of(method, options, bench, seed=0, devices=("cpu",), threads=1):
    plugin = Plugin.of("method", method, "tests", "0")
    computing = Computing(torch.__version__.partition("+")[0], threads, "cpu", len(devices))
    spec = RunSpec(
        BenchSpec(bench.dataset.name, asdict(bench.dataset.opt), track=bench.protocol.track),
        PlaceSpec("runs", "cache"),
        method.name,
        asdict(options),
        "quick",
        seed,
    )
    side = method.resolution(options, bench.protocol.resolution)
    return Plan(spec, plugin, options, bench.key, bench.training_key(side), side, computing, devices)


def small_workplace(cache, output="runs", progress=None):
    return Workplace(cache=cache, output=output, jobs=1, progress=progress or Silent())
