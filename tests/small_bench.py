"""A small prepared bench, and plans on it, for tests that work without the command line."""

import torch

from v2f_bench.datasets.synthetic_speakers.dataset import SyntheticOptions, SyntheticSpeakers
from v2f_bench.harness.bench import set_up
from v2f_bench.harness.face_check import find_detector
from v2f_bench.harness.plan import Plan
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import Silent
from v2f_bench.keys import Computing
from v2f_bench.plugins import Plugin, registry

OPTIONS = SyntheticOptions(speakers=48, clips=4)  # about 29 training and 15 test speakers


def small_bench(workplace, **more):
    """The bench of a small world, its pictures checked for faces."""
    detector = find_detector(registry(), "cpu", Silent())
    return set_up(SyntheticSpeakers(OPTIONS, None), workplace, face_check=detector, **more)


def plan_of(method, options, bench, seed=0, devices=("cpu",), threads=1):
    plugin = Plugin.of("method", method, "tests", "0")
    computing = Computing(torch.__version__.partition("+")[0], threads, "cpu", len(devices))
    data = (bench.dataset.name, bench.key, bench.training_key)
    return Plan(plugin, options, seed, "quick", *data, computing, devices)


def small_workplace(cache, output="runs", progress=None):
    return Workplace(cache=cache, output=output, jobs=1, progress=progress or Silent())
