"""Generate: one face for each trial, as PNG files; a killed run goes on after the last finished batch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from v2f_bench.files import write_text_whole
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.circumstances import circumstances
from v2f_bench.harness.plan import Plan
from v2f_bench.harness.stage import stage
from v2f_bench.hashing import key_of
from v2f_bench.interfaces import Context, Method, PluginError, Progress
from v2f_bench.media.picture import to_pixels, write_picture

FACES = "faces"
FAILURES = "failures.json"
BATCH = 32


def generate(method: Method, plan: Plan, bench: Bench, folder: Path, progress: Progress) -> str:
    """Fill `folder`/faces with `<trial>.png` and `failures.json` (trial: reason). Returns the stage's key."""
    key = key_of("generate", plan.fit_key, BATCH)
    batches = np.array_split(np.arange(len(bench.trials)), max(1, -(-len(bench.trials) // BATCH)))

    def make(unfinished: Path) -> None:
        failures: dict[str, str] = {}
        with progress.bar(f"{plan.plugin.name} seed {plan.seed}: generate", len(bench.trials)) as bar:
            for number, rows in enumerate(batches):
                done = unfinished / f"batch-{number:05d}.json"  # its faces are all written
                if not done.exists():
                    failed = _generate_batch(method, plan, bench, rows, unfinished)
                    write_text_whole(done, json.dumps(failed))
                failures |= json.loads(done.read_text())
                bar.advance(len(rows))
        (unfinished / FAILURES).write_text(json.dumps(failures, indent=1))
        for number in range(len(batches)):
            (unfinished / f"batch-{number:05d}.json").unlink()

    stage(folder / FACES, key, make, resumable=True, facts=circumstances(plan.device))
    return key


def _generate_batch(method: Method, plan: Plan, bench: Bench, rows: np.ndarray, folder: Path) -> dict[str, str]:
    """Write the faces of one batch; returns the trials that have none, with the reason."""
    trials = bench.trials_for(plan.needs, rows)
    seed = Context(plan.seed).seed_of("generate", int(rows[0]))
    torch.manual_seed(seed)
    faces = checked_faces(method.generate(trials, Context(seed, plan.device)), len(trials), method.name)
    usable = faces.isfinite().all(dim=(1, 2, 3)).tolist()
    pixels = to_pixels(faces.nan_to_num())
    for trial, picture, good in zip(trials.ids, pixels, usable, strict=True):
        if good:
            write_picture(folder / f"{trial}.png", picture)
    return {trial: "not finite" for trial, good in zip(trials.ids, usable, strict=True) if not good}


def checked_faces(faces: torch.Tensor, count: int, owner: str) -> torch.Tensor:
    """The faces, if they keep the contract of `Method.generate`; PluginError says how they break it."""
    if not isinstance(faces, torch.Tensor) or faces.ndim != 4 or faces.shape[:2] != (count, 3):
        shape = tuple(faces.shape) if isinstance(faces, torch.Tensor) else type(faces).__name__
        raise PluginError(f"{owner}: generate gave {shape}, not [{count}, 3, H, W]")
    if faces.shape[2] != faces.shape[3]:
        raise PluginError(
            f"{owner}: generate gave faces of {faces.shape[2]}×{faces.shape[3]} pixels, they must be square"
        )
    faces = faces.detach().float().cpu()
    finite = faces[faces.isfinite()]
    if len(finite) and (finite.min() < -1e-3 or finite.max() > 1 + 1e-3):
        raise PluginError(
            f"{owner}: generate gave values from {finite.min():.3g} to {finite.max():.3g}; they must lie in [0, 1]"
        )
    return faces
