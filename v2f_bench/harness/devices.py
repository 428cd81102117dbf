"""Fit a method: in this process, or, on several devices, in one process for each, of which this one is the first."""

from __future__ import annotations

import multiprocessing
import queue
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from v2f_bench.data.protocol import Protocol
from v2f_bench.data.store import Store, StoredClips
from v2f_bench.harness.containment import process_state_kept
from v2f_bench.harness.plan import Plan
from v2f_bench.interfaces import BenchError, Clips, Context, Method

_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class _Task:
    """What each of the processes needs."""

    plan: Plan
    protocol: Protocol
    store: Path
    meeting: str  # URL of a file by which the processes connect, so that no port has to be chosen

    def fit(self, rank: int, context: Context) -> Method:
        device = self.plan.devices[rank]
        if device.startswith("cuda"):
            torch.cuda.set_device(device)
        backend = "nccl" if device.startswith("cuda") else "gloo"
        dist.init_process_group(backend, init_method=self.meeting, rank=rank, world_size=len(self.plan.devices))
        try:
            store = Store(self.store)
            train, validation = (
                StoredClips(store, self.protocol.splits[split], self.plan.resolution)
                for split in ("train", "validation")
            )
            return fit_method(self.plan, train, validation, context)
        finally:
            dist.destroy_process_group()


def fit_method(plan: Plan, train: Clips, validation: Clips, context: Context) -> Method:
    """The method of a plan, fitted in this process."""
    method: Method = plan.method(plan.options)
    torch.manual_seed(plan.seed)
    with process_state_kept():
        method.fit(train, validation, context)
    return method


def fit_on_devices(plan: Plan, protocol: Protocol, store: Path, context: Context) -> Method:
    """The method of a plan, fitted by as many processes as the plan has devices.

    Raises:
        BenchError: another of the processes failed; says why.
    """
    with tempfile.TemporaryDirectory() as folder:
        task = _Task(plan, protocol, store, f"file://{folder}/meeting")
        with _followers(task) as problems:
            try:
                return task.fit(0, context)
            except Exception:
                try:
                    rank, problem = problems.get(timeout=5)
                except queue.Empty:
                    raise  # no other process failed, so this error is the cause
                raise BenchError(f"{plan.plugin.name} on {plan.devices[rank]}: {problem}") from None


@contextmanager
def _followers(task: _Task) -> Iterator[Any]:
    """Run the other processes during a block; yields the queue of their errors: (rank, message)."""
    problems = _SPAWN.Queue()
    processes = [
        _SPAWN.Process(target=_follow, args=(task, rank, problems), daemon=True)
        for rank in range(1, len(task.plan.devices))
    ]
    for process in processes:
        process.start()
    try:
        yield problems
        for process in processes:
            process.join(timeout=60)
    finally:
        for process in processes:
            process.kill()


def _follow(task: _Task, rank: int, problems: Any) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the first process gets the signal too, and ends the others
    try:
        task.fit(rank, Context(task.plan.seed, task.plan.devices[rank], precision=task.plan.precision))
    except Exception as error:
        problems.put((rank, f"{type(error).__name__}: {error}"))
        problems.close()
        problems.join_thread()
