"""The search: from a face's latent along the direction of the wanted emotion, until the classifier agrees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from v2f_speech2expression.attributes import Attributes
from v2f_speech2expression.directions import conditional, instance_directions, mixed
from v2f_speech2expression.options import KEPT, SearchOptions
from v2f_speech2expression.still import Generator, Still


@dataclass(frozen=True)
class Space:
    """A generator with the classifier that looks at its faces, and the attribute directions of its latent space.

    `attribute` is [emotions, D], `kept` [2, D], of sex and age: identity has no direction that is the same for all.
    """

    generator: Generator
    h: Attributes
    attribute: torch.Tensor
    kept: torch.Tensor


def inverted(
    generator: Generator, h: Attributes, faces: torch.Tensor, opt: SearchOptions, steps: int | None = None
) -> tuple[torch.Tensor, Still, torch.Tensor]:
    """Latents [N, D] that draw faces, the faces as still pictures, and the loss of each before every step and after the
    last: [steps + 1, N].

    The encoder's guess, then `steps` (`opt.invert_steps`) of Adam on the pixels' mean squared error and the perceptual
    distance of each face.
    """
    with torch.inference_mode(False), torch.enable_grad():
        faces = faces.clone()
        with torch.no_grad():
            seen, still = h.maps(faces), generator.still(faces)
            latents = generator.guess(seen[-1])
        latents = latents.clone().requires_grad_(True)
        optimiser = torch.optim.Adam([latents], lr=opt.invert_lr)
        losses, steps = [], opt.invert_steps if steps is None else steps
        for number in range(steps + 1):
            drawn = generator(latents, still)
            loss = (drawn - faces).square().mean(dim=(1, 2, 3)) + opt.invert_perceptual * h.distance(drawn, seen)
            losses.append(loss.detach())
            if number < steps:
                (latents.grad,) = torch.autograd.grad(loss.sum(), latents)
                optimiser.step()
    return latents.detach(), still, torch.stack(losses)


def all_directions(generator: Generator, h: Attributes, latents: torch.Tensor, still: Still) -> torch.Tensor:
    """The instance directions, at latents [N, D], of each emotion, of sex and of age: [emotions + 2, N, D]."""

    def scores(at: torch.Tensor) -> Sequence[torch.Tensor]:
        emotion, _, male, age = h.scores(generator(at, still))
        return [*emotion.log_softmax(dim=1).unbind(dim=1), male, age]

    return instance_directions(scores, latents)


def kept_directions(space: Space, latents: torch.Tensor, still: Still, opt: SearchOptions) -> torch.Tensor:
    """The directions of what is to be kept, at latents [N, D]: [N, K, D], K as many as `opt.keep` names.

    Of identity: of the training speaker whom the classifier takes the face for. Sex and age are mixed of instance and
    attribute direction by `instance_kept`.
    """

    def scores(at: torch.Tensor) -> Sequence[torch.Tensor]:
        _, speaker, male, age = space.h.scores(space.generator(at, still))
        return [speaker.log_softmax(dim=1).amax(dim=1), male, age]

    if not opt.keep:
        return latents.new_zeros(len(latents), 0, latents.shape[1])
    directions = instance_directions(scores, latents)
    directions[1:] = mixed(directions[1:], space.kept[:, None], opt.instance_kept)
    return directions[[KEPT.index(name) for name in opt.keep]].transpose(0, 1)


def toward(
    space: Space,
    latents: torch.Tensor,
    still: Still,
    emotions: torch.Tensor,
    kept: torch.Tensor,
    opt: SearchOptions,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The directions [N, D], of length 1, from latents towards emotions int64 [N] without what moves the `kept` ones,
    and the probability [N] that the classifier gives the emotion there."""
    probability = torch.zeros(len(latents))

    def scores(at: torch.Tensor) -> Sequence[torch.Tensor]:
        nonlocal probability
        logits = space.h.scores(space.generator(at, still))[0].log_softmax(dim=1)
        score = logits.gather(1, emotions[:, None])[:, 0]
        probability = score.detach().exp()
        return [score]

    instance = instance_directions(scores, latents)[0]
    directions = mixed(instance, space.attribute[emotions], opt.instance)
    return conditional(directions, kept), probability


def searched(
    space: Space,
    latents: torch.Tensor,
    still: Still,
    emotions: torch.Tensor,
    strengths: torch.Tensor,
    opt: SearchOptions,
) -> torch.Tensor:
    """The latents [N, D] at the end of the search: after `opt.walk_steps` steps, each `strengths` [N] times as long as
    `opt.step`, or where the classifier's probability of the emotion has reached `opt.agree`."""
    kept = kept_directions(space, latents, still, opt)
    for _ in range(opt.walk_steps):
        directions, agreement = toward(space, latents, still, emotions, kept, opt)
        on = (agreement < opt.agree).to(latents) * strengths
        latents = latents + opt.step * on[:, None] * directions
    return latents
