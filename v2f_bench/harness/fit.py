"""Fit: a method trained once, its checkpoint kept as safetensors."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from v2f_bench.harness.bench import Bench
from v2f_bench.harness.plan import Plan
from v2f_bench.harness.stage import stage
from v2f_bench.interfaces import Context, Method, PluginError, Progress

CHECKPOINT = "checkpoint"
MODEL = "model.safetensors"


def fit(plan: Plan, bench: Bench, folder: Path, device: str, progress: Progress) -> Method:
    """The fitted method of a plan: trained, or restored from the checkpoint in the run's `folder`."""
    method: Method = plan.method(plan.options)

    def make(unfinished: Path) -> None:
        torch.manual_seed(plan.seed)
        method.fit(bench.split("train"), bench.split("validation"), Context(plan.seed, device, progress))
        write_tensors(unfinished / MODEL, method.state(), plan.method.name)

    if not stage(folder / CHECKPOINT, plan.fit_key, make):
        method.restore(load_file(folder / CHECKPOINT / MODEL), device)
    return method


def write_tensors(path: Path, tensors: dict[str, torch.Tensor], owner: str) -> None:
    """A state as safetensors. PluginError names the tensors that are not finite."""
    bad = [name for name, tensor in tensors.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    if bad:
        raise PluginError(f"{owner}: training gave numbers that are not finite in {', '.join(bad[:4])}")
    save_file({name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}, path)
