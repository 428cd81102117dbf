"""A contact sheet of a run, for the eye: what was given, what should come out, and what came out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from v2f_bench.files import write_whole
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.score import read_faces
from v2f_bench.media.picture import to_pixels, write_picture

COLUMNS = 12
SHEET = "sheet.png"


def write_sheet(folder: Path, faces: Path, bench: Bench) -> None:
    """`folder`/sheet.png: for twelve trials, from above: proposal, speaker's gallery face, generated."""
    chosen = bench.trials.iloc[np.linspace(0, len(bench.trials) - 1, COLUMNS).round().astype(int)]
    _, generated, _ = next(read_faces(faces, list(chosen["trial"]), bench.protocol.resolution))
    rows = [bench.faces(list(chosen["proposal"])), bench.faces(list(chosen["target"])), generated]
    pictures = [np.concatenate(list(to_pixels(torch.nan_to_num(row, nan=0.5))), axis=1) for row in rows]
    write_whole(folder / SHEET, lambda path: write_picture(path, np.concatenate(pictures)))
