"""Generate: one face for each trial, as PNG or, of a method of moving faces, MP4 files. A killed run continues after
the last finished batch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from v2f_bench.artefacts import FACES, FAILURES, write_face, write_film, write_origin
from v2f_bench.files import write_text_whole
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.circumstances import circumstances
from v2f_bench.harness.containment import process_state_kept
from v2f_bench.harness.plan import Plan
from v2f_bench.harness.stage import stage
from v2f_bench.harness.trials import applicable, trials_for
from v2f_bench.interfaces import Context, FaceFilm, Method, PluginError, Progress
from v2f_bench.media.picture import resize, to_pixels

BATCH = 32
LOWEST_RATE, HIGHEST_RATE = 0.1, 240  # frames a second of a film
Drawn = torch.Tensor | list[FaceFilm]  # float32 [N, 3, H, H], or N films


def generate(method: Method, plan: Plan, bench: Bench, folder: Path, progress: Progress) -> None:
    """Fill `folder`/faces with `<trial>.png` or `<trial>.mp4` for the trials that apply to the method, `failures.json`
    (the reason, by trial, where there is no face), and `trials.json`, which names the protocol."""
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


def draw(method: Method, plan: Plan, bench: Bench, rows: np.ndarray) -> Drawn:
    """The faces of one batch of trials, by row, on the CPU; the same at every call."""
    trials = trials_for(bench, plan.needs, rows, plan.resolution)
    seed = Context(plan.seed).seed_of("generate", int(rows[0]))
    torch.manual_seed(seed)
    with process_state_kept():
        faces = method.generate(trials, Context(seed, plan.device))
    return checked(faces, len(trials), method.name)


def _generate_batch(method: Method, plan: Plan, bench: Bench, rows: np.ndarray, folder: Path) -> dict[str, str]:
    """Write the faces of one batch. Returns the reasons of trials without a face, by trial."""
    drawn = draw(method, plan, bench, rows)
    names = list(bench.trials["trial"].iloc[rows])
    if isinstance(drawn, torch.Tensor):
        usable = drawn.isfinite().all(dim=(1, 2, 3)).tolist()
        pixels = to_pixels(drawn.nan_to_num())
        for trial, picture, good in zip(names, pixels, usable, strict=True):
            if good:
                write_face(folder, trial, picture)
    else:
        usable = [bool(film.frames.isfinite().all()) for film in drawn]
        for trial, film, good in zip(names, drawn, usable, strict=True):
            if good:
                write_film(folder, trial, film)
    return {trial: "not finite" for trial, good in zip(names, usable, strict=True) if not good}


def checked(drawn: object, count: int, owner: str) -> Drawn:
    """What `Method.generate` gave, if it keeps its contract; PluginError says how it breaks it."""
    if not isinstance(drawn, list | tuple):
        return checked_faces(drawn, count, owner)
    if len(drawn) != count:
        raise PluginError(f"{owner}: generate gave {len(drawn)} films for {count} trials")
    return [_checked_film(film, owner) for film in drawn]


def as_stills(drawn: Drawn) -> torch.Tensor:
    """Faces as float32 [N, 3, H, H]: of films the frame in the middle. Films of different sizes are brought to that of
    the first."""
    if isinstance(drawn, torch.Tensor):
        return drawn
    stills = [as_floats(film.frames[len(film.frames) // 2, None]) for film in drawn]
    return torch.cat([resize(still, stills[0].shape[-1]) for still in stills])


def as_floats(frames: torch.Tensor) -> torch.Tensor:
    """Frames [T, 3, H, W] with values in [0, 1]: float32."""
    return frames.float() if frames.is_floating_point() else frames.float() / 255


def _checked_film(film: object, owner: str) -> FaceFilm:
    """A film, on the CPU, if it keeps the contract of `FaceFilm`."""
    if not isinstance(film, FaceFilm):
        raise PluginError(f"{owner}: generate gave {type(film).__name__} among its films, not FaceFilm")
    frames = film.frames
    if not isinstance(frames, torch.Tensor) or frames.ndim != 4 or frames.shape[1] != 3 or not frames.numel():
        shape = tuple(frames.shape) if isinstance(frames, torch.Tensor) else type(frames).__name__
        raise PluginError(f"{owner}: generate gave a film of {shape}, not [T, 3, H, W]")
    if not (frames.is_floating_point() or frames.dtype == torch.uint8):
        raise PluginError(f"{owner}: generate gave a film of {frames.dtype}; frames are uint8 or floats")
    if not (isinstance(film.rate, int | float) and LOWEST_RATE <= film.rate <= HIGHEST_RATE):
        raise PluginError(
            f"{owner}: generate gave a film of {film.rate!r} frames a second, not {LOWEST_RATE} to {HIGHEST_RATE}"
        )
    frames = frames.detach().cpu()
    if frames.is_floating_point():
        frames = checked_faces(frames, len(frames), owner)
    elif frames.shape[2] != frames.shape[3]:
        raise PluginError(_not_square(frames, owner))
    return FaceFilm(frames, float(film.rate))


def checked_faces(faces: object, count: int, owner: str) -> torch.Tensor:
    """Still faces, if they keep the contract of `Method.generate`; PluginError says how they break it."""
    if not isinstance(faces, torch.Tensor) or faces.ndim != 4 or faces.shape[:2] != (count, 3):
        shape = tuple(faces.shape) if isinstance(faces, torch.Tensor) else type(faces).__name__
        raise PluginError(f"{owner}: generate gave {shape}, not [{count}, 3, H, W]")
    if faces.shape[2] != faces.shape[3]:
        raise PluginError(_not_square(faces, owner))
    faces = faces.detach().float().cpu()
    finite = faces[faces.isfinite()]
    if len(finite) and (finite.min() < -1e-3 or finite.max() > 1 + 1e-3):
        raise PluginError(
            f"{owner}: generate gave values from {finite.min():.3g} to {finite.max():.3g}; they must lie in [0, 1]"
        )
    return faces


def _not_square(faces: torch.Tensor, owner: str) -> str:
    return f"{owner}: generate gave faces of {faces.shape[2]}×{faces.shape[3]} pixels, they must be square"
