"""Fit: a method trained once, its checkpoint kept as safetensors."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from v2f_bench.harness.bench import Bench
from v2f_bench.harness.circumstances import circumstances
from v2f_bench.harness.devices import fit_on_devices
from v2f_bench.harness.plan import Plan
from v2f_bench.harness.stage import stage
from v2f_bench.interfaces import BenchError, Context, Method, PluginError, Progress
from v2f_bench.training import UNFINISHED

CHECKPOINT = "checkpoint"
MODEL = "model.safetensors"


def fit(plan: Plan, bench: Bench, folder: Path, progress: Progress) -> Method:
    """The fitted method of a plan, always restored from the checkpoint in the run's `folder`: a run that goes on after
    a kill takes the same path as one that was never interrupted."""

    def make(unfinished: Path) -> None:
        context = Context(plan.seed, plan.device, progress, unfinished, plan.precision)
        if len(plan.devices) > 1:
            method = fit_on_devices(plan, bench.protocol, bench.store.folder, context)
        else:
            method = plan.method(plan.options)
            torch.manual_seed(plan.seed)
            method.fit(bench.split("train"), bench.split("validation"), context)
        write_state(unfinished / MODEL, method.state(), plan.method.name)
        for kept in unfinished.glob(f"*{UNFINISHED}"):
            kept.unlink()

    facts = circumstances(plan.device) | {"devices": len(plan.devices), "precision": plan.precision}
    stage(folder / CHECKPOINT, plan.fit_key, make, resumable=True, facts=facts)
    fitted: Method = plan.method(plan.options)
    fitted.restore(read_tensors(folder / CHECKPOINT / MODEL), plan.device)
    return fitted


def write_state(path: Path, tensors: dict[str, torch.Tensor], owner: str) -> None:
    """A state as safetensors. PluginError names the tensors that are not finite."""
    bad = [name for name, tensor in tensors.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    if bad:
        raise PluginError(f"{owner}: training gave numbers that are not finite in {', '.join(bad[:4])}")
    write_tensors(path, tensors)


def write_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Named tensors as safetensors. OSError where they cannot be written."""
    try:
        save_file({name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}, path)
    except SafetensorError as error:
        raise OSError(f"{path} could not be written: {error}") from None


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """A state back from its file. BenchError where it is damaged; says what to do."""
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise BenchError(f"{path}: damaged ({error}); delete the folder {path.parent} to have it made again") from None
