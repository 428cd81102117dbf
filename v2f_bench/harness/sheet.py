"""Sheets of pictures to look at: a contact sheet of a run's faces, and the variations of a method."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from v2f_bench.artefacts import Faces, read_faces
from v2f_bench.files import write_whole
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.containment import process_state_kept
from v2f_bench.harness.generate import checked_faces
from v2f_bench.harness.plan import Plan
from v2f_bench.harness.trials import applicable, trials_for
from v2f_bench.interfaces import Context, Method, PluginError, Trials, Variation
from v2f_bench.media.picture import captioned, picture_format, resize, to_pixels, write_picture

COLUMNS = 12
SHEET = "sheet.png"
VARIED = 6  # trials on a variation's sheet
SHOWN = 96  # pixels a side of a face there, wide enough for the captions


def write_sheet(folder: Path, faces: Faces, bench: Bench) -> None:
    """Write `folder`/sheet.png: twelve trials, a column each, with the rows proposal, target and generated face."""
    chosen = bench.trials.iloc[_spread(len(bench.trials), COLUMNS)]
    _, generated, _ = next(read_faces(faces, list(chosen["trial"]), bench.protocol.resolution))
    rows = [bench.faces(list(chosen["proposal"])), bench.faces(list(chosen["target"])), generated]
    pictures = [np.concatenate(list(to_pixels(torch.nan_to_num(row, nan=0.5))), axis=1) for row in rows]
    write_whole(folder / SHEET, lambda path: write_picture(path, np.concatenate(pictures)))


def write_variations(folder: Path, method: Method, plan: Plan, bench: Bench) -> None:
    """Write `folder`/variation-<name>.png for each variation that the method offers: six trials, one a row."""
    applies = np.flatnonzero(applicable(bench, plan.needs))
    rows = applies[np.unique(_spread(len(applies), VARIED))]
    for name in method.variations:
        output = folder / f"variation-{name}.png"
        if not output.exists():
            context = Context(Context(plan.seed).seed_of("vary", name), plan.device)
            draw_variation(method, name, trials_for(bench, plan.needs, rows, plan.resolution), context, output)


def draw_variation(method: Method, name: str, trials: Trials, context: Context, output: Path) -> None:
    """Write a variation of the trials to `output`, a PNG or JPEG. PluginError where the method breaks its contract."""
    torch.manual_seed(context.seed)
    with process_state_kept():
        varied = method.vary(name, trials, context)
    if not isinstance(varied, Variation) or varied.faces.ndim != 5 or len(varied.columns) != varied.faces.shape[1]:
        raise PluginError(f"{method.name}: vary({name!r}) must give a Variation of [N, K, 3, H, W] faces and K columns")
    write_table(varied.faces, varied.columns, method.name, output)


def write_table(faces: torch.Tensor, columns: tuple[str, ...], owner: str, output: Path) -> None:
    """Write faces [N, K, 3, H, W] as N rows of K captioned columns to `output`, a PNG or JPEG."""
    count, steps = faces.shape[:2]
    flat = checked_faces(faces.flatten(0, 1), count * steps, owner)
    pixels = to_pixels(resize(flat, SHOWN).nan_to_num(nan=0.5))
    sheet = captioned(pixels.reshape(count, steps, SHOWN, SHOWN, 3), columns)
    write_whole(output, lambda path: write_picture(path, sheet, picture_format(output)))


def _spread(total: int, count: int) -> np.ndarray:
    return np.linspace(0, total - 1, count).round().astype(int)
