"""Generate: one face for each trial, as PNG files. A killed run continues after the last finished batch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from v2f_bench.artefacts import FACES, FAILURES, write_face, write_origin
from v2f_bench.files import write_text_whole
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.circumstances import circumstances
from v2f_bench.harness.containment import process_state_kept
from v2f_bench.harness.plan import Plan
from v2f_bench.harness.stage import stage
from v2f_bench.harness.trials import applicable, trials_for
from v2f_bench.interfaces import Context, Method, PluginError, Progress
from v2f_bench.media.picture import to_pixels

BATCH = 32


def generate(method: Method, plan: Plan, bench: Bench, folder: Path, progress: Progress) -> None:
    """Fill `folder`/faces with `<trial>.png` for the trials that apply to the method, `failures.json` (the reason, by
    trial, where there is no face), and `trials.json`, which names the protocol."""
    rows = np.flatnonzero(applicable(bench, plan.needs))
    batches = np.array_split(rows, max(1, -(-len(rows) // BATCH)))

    def make(unfinished: Path) -> None:
        failures: dict[str, str] = {}
        with progress.bar(f"{plan.plugin.name} seed {plan.seed}: generate", len(rows)) as bar:
            for number, batch in enumerate(batches):
                done = unfinished / f"batch-{number:05d}.json"  # its faces are all written
                if not done.exists():
                    failed = _generate_batch(method, plan, bench, batch, unfinished)
                    write_text_whole(done, json.dumps(failed))
                failures |= json.loads(done.read_text())
                bar.advance(len(batch))
        (unfinished / FAILURES).write_text(json.dumps(failures, indent=1))
        write_origin(unfinished, bench.protocol)
        for number in range(len(batches)):
            (unfinished / f"batch-{number:05d}.json").unlink()

    stage(folder / FACES, plan.faces_key, make, resumable=True, facts=circumstances(plan.device), progress=progress)


def draw(method: Method, plan: Plan, bench: Bench, rows: np.ndarray) -> torch.Tensor:
    """The faces of one batch of trials, by row: float32 [N, 3, H, H] on the CPU; the same at every call."""
    trials = trials_for(bench, plan.needs, rows, plan.resolution)
    seed = Context(plan.seed).seed_of("generate", int(rows[0]))
    torch.manual_seed(seed)
    with process_state_kept():
        faces = method.generate(trials, Context(seed, plan.device))
    return checked_faces(faces, len(trials), method.name)


def _generate_batch(method: Method, plan: Plan, bench: Bench, rows: np.ndarray, folder: Path) -> dict[str, str]:
    """Write the faces of one batch. Returns the reasons of trials without a face, by trial."""
    faces = draw(method, plan, bench, rows)
    names = list(bench.trials["trial"].iloc[rows])
    usable = faces.isfinite().all(dim=(1, 2, 3)).tolist()
    pixels = to_pixels(faces.nan_to_num())
    for trial, picture, good in zip(names, pixels, usable, strict=True):
        if good:
            write_face(folder, trial, picture)
    return {trial: "not finite" for trial, good in zip(names, usable, strict=True) if not good}


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
