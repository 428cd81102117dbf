"""Where and with what the work is done: folders, devices, processes, and the display of progress."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from v2f_bench.harness.circumstances import cpu_count
from v2f_bench.interfaces import Progress, Silent, UsageError
from v2f_bench.keys import Computing

CACHE_VARIABLE = "V2F_BENCH_CACHE"
WEIGHTS = "weights"  # folder of the cache


@dataclass(frozen=True)
class Workplace:
    """`output` is the folder of the runs; `cache` holds what can be made again: stores, judges, weights."""

    output: Path = Path("runs")
    cache: Path = field(default_factory=lambda: default_cache())
    devices: tuple[str, ...] = ("cpu",)  # training uses all, everything else the first
    jobs: int = field(default_factory=cpu_count)
    progress: Progress = field(default_factory=Silent)
    precision: str = "float32"  # of training

    @property
    def device(self) -> str:
        return self.devices[0]

    @property
    def weights(self) -> Path:
        """The folder of pretrained weights."""
        return self.cache / WEIGHTS

    def computing(self) -> Computing:
        """How numbers are computed here."""
        import torch

        return Computing(
            torch.__version__.partition("+")[0],
            torch.get_num_threads(),
            self.device.partition(":")[0],
            len(self.devices),
            self.precision,
        )


def default_cache() -> Path:
    """`$V2F_BENCH_CACHE`, or the user's cache folder."""
    return Path(os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("v2f-bench"))


def set_threads(wanted: int | None) -> None:
    """Set torch's number of threads; None keeps its default: one for each CPU, or what OMP_NUM_THREADS says."""
    if wanted is not None:
        import torch

        torch.set_num_threads(wanted)


def choose_devices(wanted: str) -> tuple[str, ...]:
    """The devices of a comma-separated list. UsageError where one is missing, or their kinds differ."""
    chosen = tuple(choose_device(part.strip()) for part in wanted.split(","))
    if len({device.partition(":")[0] for device in chosen}) > 1:
        raise UsageError(f"device {wanted}: training can only use several devices of one kind")
    return chosen


def choose_device(wanted: str) -> str:
    """`wanted` as torch spells it; "auto" is the GPU where there is one."""
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=wanted).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(f"device {wanted}: {str(error).splitlines()[0]}") from None
    return wanted
