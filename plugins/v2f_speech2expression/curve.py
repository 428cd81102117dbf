"""The disentanglement-transformation curve (Han et al. 2021, section 4): what else changes as the emotion does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from v2f_speech2expression.attributes import AGE_SPREAD
from v2f_speech2expression.options import SearchOptions
from v2f_speech2expression.search import Space, inverted, kept_directions, toward
from v2f_speech2expression.still import Still

STEPS = 20  # of `opt.step` times the strength
YEARS = 5.0  # an age is kept that moves by no more


@dataclass(frozen=True)
class Curve:
    """After 0 to 20 steps: `transformation`, the share of faces that show the wanted emotion; `disentanglement`, the
    mean over identity, sex and age of the share of faces that keep it. Both by the steering classifier, no judge."""

    transformation: np.ndarray
    disentanglement: np.ndarray

    @property
    def area(self) -> float:
        """Under the disentanglement over the transformation, which counts up to its highest value so far: 0 to 1.

        What is never transformed adds nothing.
        """
        reached = np.maximum.accumulate(np.concatenate([[0.0], self.transformation]))
        height = np.concatenate([self.disentanglement[:1], self.disentanglement])
        return float(np.trapezoid(height, reached))


def curve_of(
    space: Space, faces: torch.Tensor, emotions: torch.Tensor, strengths: torch.Tensor, opt: SearchOptions
) -> Curve:
    """The curve of faces [N, 3, H, W] on their way to emotions int64 [N], none stopped where the classifier agrees."""
    latents, still, _ = inverted(space.generator, space.h, faces, opt)
    kept = kept_directions(space, latents, still, opt)
    before = _attributes(space, latents, still)
    transformation, disentanglement = [], []
    for number in range(STEPS + 1):
        now = _attributes(space, latents, still)
        transformation.append(float((now[0] == emotions).float().mean()))
        same = [now[1] == before[1], now[2] == before[2], (now[3] - before[3]).abs() <= YEARS]
        disentanglement.append(float(torch.stack(same).float().mean()))
        if number < STEPS:
            directions, _ = toward(space, latents, still, emotions, kept, opt)
            latents = latents + opt.step * strengths[:, None] * directions
    return Curve(np.array(transformation), np.array(disentanglement))


def draw(curve: Curve, title: str) -> Any:
    """The curve as a matplotlib figure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 3), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(curve.transformation, curve.disentanglement, marker=".")
    axes.set(xlabel="transformation", ylabel="disentanglement", xlim=(0, 1), ylim=(0, 1.02))
    axes.set_title(f"{title}: area {curve.area:.3f}", fontsize="small")
    axes.grid(alpha=0.3)
    return figure


def _attributes(space: Space, latents: torch.Tensor, still: Still) -> tuple[torch.Tensor, ...]:
    with torch.inference_mode():
        emotion, speaker, male, age = space.h.scores(space.generator(latents, still))
    return emotion.argmax(dim=1), speaker.argmax(dim=1), male > 0, age * AGE_SPREAD
