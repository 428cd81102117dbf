"""Fit: train a method once, and keep its checkpoint as safetensors."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import torch

from v2f_bench.harness.bench import Bench
from v2f_bench.harness.circumstances import circumstances
from v2f_bench.harness.containment import process_state_kept
from v2f_bench.harness.devices import fit_method, fit_on_devices
from v2f_bench.harness.generate import Drawn, as_floats, draw
from v2f_bench.harness.plan import Plan
from v2f_bench.harness.stage import adopt, stage
from v2f_bench.harness.tensors import read_tensors, write_state
from v2f_bench.harness.trials import applicable
from v2f_bench.interfaces import Context, Fact, Method, PluginError, Progress
from v2f_bench.training import UNFINISHED

CHECKPOINT = "checkpoint"
MODEL = "model.safetensors"
FACTS = "facts.json"
COMPARED = 8  # trials that are drawn before and after a restore
ALIKE = 0.01  # allowed difference of values in [0, 1], since rounding may differ


def fit(plan: Plan, bench: Bench, folder: Path, progress: Progress) -> Method:
    """The fitted method of a plan, restored from the checkpoint in the run's `folder`.

    It is also restored right after training, so that an interrupted run and an uninterrupted one do the same. A run of
    the same method on another protocol over the same training clips has the same checkpoint, which is then copied.

    Raises:
        PluginError: the method draws other faces after `restore` than it did after `fit`.
    """

    def make(unfinished: Path) -> None:
        context = Context(plan.seed, plan.device, progress, unfinished, plan.precision)
        if len(plan.devices) > 1:
            method = fit_on_devices(plan, bench.protocol, bench.store.folder, context)
        else:
            train, validation = (bench.split(name, plan.resolution) for name in ("train", "validation"))
            method = fit_method(plan, train, validation, context)
        write_state(unfinished / MODEL, method.state(), plan.method.name)
        (unfinished / FACTS).write_bytes(msgspec.json.encode(method.facts()))
        _check_restored(method, plan, bench, unfinished / MODEL)
        for kept in unfinished.glob(f"*{UNFINISHED}"):
            kept.unlink()

    facts = circumstances(plan.device) | {"devices": len(plan.devices), "precision": plan.precision}
    adopt(folder / CHECKPOINT, plan.checkpoint_key, folder.parent.glob(f"*/{CHECKPOINT}"))
    stage(folder / CHECKPOINT, plan.checkpoint_key, make, resumable=True, facts=facts, progress=progress)
    return _restored(plan, folder / CHECKPOINT / MODEL)


def facts_of(checkpoint: Path) -> list[Fact]:
    """What the method measured of its parts (`Method.facts`); nothing in a checkpoint of an earlier version."""
    file = checkpoint / FACTS
    return msgspec.json.decode(file.read_bytes(), type=list[Fact]) if file.exists() else []


def _restored(plan: Plan, model: Path) -> Method:
    method: Method = plan.method(plan.options)
    with process_state_kept():
        method.restore(read_tensors(model), plan.device)
    return method


def _check_restored(fitted: Method, plan: Plan, bench: Bench, model: Path) -> None:
    """Draw a few trials with the fitted and with the restored method, and compare.

    Nothing else shows that a state lacks something, for example running statistics of batch normalisation.
    """
    rows = np.flatnonzero(applicable(bench, plan.needs))[:COMPARED]
    if not len(rows):
        return
    before, after = (draw(method, plan, bench, rows) for method in (fitted, _restored(plan, model)))
    gap = max(_gap(one, other) for one, other in zip(_frames(before), _frames(after), strict=True))
    if gap > ALIKE:
        raise PluginError(
            f"{plan.method.name}: draws other faces after restore() than after fit() (by up to {gap:.2f} of 1): does "
            "state() hold all that generate() needs, buffers of batch normalisation included, and does fit() leave the "
            "networks in evaluation mode?"
        )


def _frames(drawn: Drawn) -> list[torch.Tensor]:
    """The frames of each face, a still one's alone: float32 [T, 3, H, H]."""
    if isinstance(drawn, torch.Tensor):
        return list(drawn[:, None])
    return [as_floats(film.frames) for film in drawn]


def _gap(before: torch.Tensor, after: torch.Tensor) -> float:
    """By how much two faces differ, at most, where both are finite; 1 where they are not finite in the same places."""
    if before.shape != after.shape or not torch.equal(before.isfinite(), after.isfinite()):
        return 1.0
    finite = before.isfinite()
    return float((before - after)[finite].abs().max()) if finite.any() else 0.0
