"""From trained networks to all that `latent-search` needs: generator, directions, strengths, and a report of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from v2f_bench import Context, Fact
from v2f_bench.training import train_learner
from v2f_speech2expression.attributes import Attributes
from v2f_speech2expression.curve import curve_of, draw
from v2f_speech2expression.directions import attribute_directions
from v2f_speech2expression.faces import Faces, Pairs
from v2f_speech2expression.labels import NEUTRAL
from v2f_speech2expression.options import SearchOptions
from v2f_speech2expression.pretrained import PretrainedGenerator
from v2f_speech2expression.redrawing import Redrawing, RedrawingLearner
from v2f_speech2expression.search import Space, all_directions
from v2f_speech2expression.still import EncodedGenerator, Generator
from v2f_speech2expression.strength import chosen_strengths
from v2f_speech2expression.style import StyleGenerator
from v2f_speech2expression.style_training import EncoderLearner, StyleLearner
from v2f_speech2expression.stylegan2 import Architecture, StyleGan2

AT_ONCE = 64
CURVE_FACES = 8  # validation people on the curve, each on the way to every emotion


def new_generator(seen: int, opt: SearchOptions, state: Mapping[str, torch.Tensor]) -> Generator:
    """A generator into which the `generator` of a method's state fits; `seen` as `Attributes.seen`."""
    if opt.generator == "style":
        return StyleGenerator(seen, opt.side, opt.width, opt.latent)
    if opt.generator == "redrawing":
        return Redrawing(seen, opt.width, opt.latent)
    prefix = "generator.stylegan2."
    tensors = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
    return PretrainedGenerator(seen, opt.side, StyleGan2(Architecture.of(tensors)))


def train_generator(
    train: Faces,
    held_out: Faces,
    emotions: tuple[str, ...],
    h: Attributes,
    opt: SearchOptions,
    context: Context,
    stylegan2: StyleGan2 | None = None,
) -> Generator:
    """The generator that the options name, trained and frozen; of `stylegan2`, the pretrained one, only the encoder is
    trained."""
    if opt.generator == "redrawing":
        redrawing = RedrawingLearner(train, held_out, emotions, h, opt, context)
        train_learner(redrawing, opt.steps, "generator", context)
        return redrawing.settled()
    generator: EncodedGenerator
    if stylegan2 is not None:
        generator = PretrainedGenerator(h.seen, opt.side, stylegan2).to(context.device)
        generator.centre()
    else:
        style = StyleLearner(train, h, opt, context)
        train_learner(style, opt.steps, "generator", context)
        generator = style.settled()
    train_learner(EncoderLearner(train, generator, h, opt), opt.encoder_steps, "encoder", context)
    return generator.eval().requires_grad_(False)


def chosen_space(
    generator: Generator, h: Attributes, faces: Faces, pairs: Pairs, opt: SearchOptions, context: Context
) -> Space:
    """The space with its attribute directions: means over `direction_faces` latents of training faces drawn at random,
    whatever they show. Where a still picture has a part in the drawing, it is the same person's neutral one."""
    rng, instances = context.numpy_rng("direction faces"), []
    chosen = rng.permutation(len(pairs))[: opt.direction_faces]
    for part in np.array_split(chosen, -(-len(chosen) // AT_ONCE)):
        with torch.no_grad():
            still = generator.still(faces.of(pairs.neutral[part]))
            latents = generator.guess(h.maps(faces.of(pairs.shown[part]))[-1])
        instances.append(all_directions(generator, h, latents, still))
    directions = attribute_directions(torch.cat(instances, dim=1))
    return Space(generator, h, directions[:-2], directions[-2:])


class Report:
    """The strengths chosen on people held out, and the disentanglement-transformation curve on them."""

    def __init__(
        self, emotions: tuple[str, ...], space: Space, faces: Faces, pairs: Pairs, opt: SearchOptions, context: Context
    ) -> None:
        self.emotions, self.space, self.faces, self.opt, self.context = emotions, space, faces, opt, context
        self.strengths, self.distances = chosen_strengths(space, faces, pairs, len(emotions), opt)
        self.strengths = self.strengths.to(context.device)
        self.neutral = np.unique(pairs.neutral)[:CURVE_FACES]

    def write(self) -> list[Fact]:
        """Keep both beside the checkpoint; the area under the curve, where there are validation people."""
        by_emotion = dict(zip(self.emotions, self.strengths.tolist(), strict=True))
        self.context.progress.line(f"latent-search: strengths {', '.join(f'{k} {v:g}' for k, v in by_emotion.items())}")
        distances = dict(zip(self.emotions, _plain(self.distances.T), strict=True))
        self._keep("strengths.json", {"strength": by_emotion, "distance at 1, 2, ...": distances})
        if not len(self.neutral):
            return []
        changed = [place for place, emotion in enumerate(self.emotions) if emotion != NEUTRAL]
        wanted = torch.tensor(changed, device=self.context.device).repeat(len(self.neutral))
        faces = self.faces.of(self.neutral.repeat(len(changed)))
        curve = curve_of(self.space, faces, wanted, self.strengths[wanted], self.opt)
        self.context.progress.line(f"latent-search: area under disentanglement over transformation {curve.area:.3f}")
        steps = {name: getattr(curve, name).tolist() for name in ("transformation", "disentanglement")}
        self._keep("disentanglement.json", {"area": curve.area, "faces": len(faces), **steps})
        if self.context.folder is not None:
            draw(curve, "latent-search").savefig(self.context.folder / "disentanglement.png")
        area = "area under disentanglement over transformation, by the method's own classifier"
        return [Fact(area, curve.area, len(faces), "validation faces and emotions")]

    def _keep(self, name: str, values: dict[str, Any]) -> None:
        if self.context.folder is not None:
            (self.context.folder / name).write_text(json.dumps(values, indent=1))


def _plain(numbers: torch.Tensor) -> list[list[float | None]]:
    return [[None if value != value else value for value in row] for row in numbers.tolist()]
