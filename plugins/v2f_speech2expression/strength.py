"""How far to go for each emotion, chosen on people held out."""

from __future__ import annotations

import torch

from v2f_speech2expression.faces import Faces, Pairs
from v2f_speech2expression.options import SearchOptions
from v2f_speech2expression.search import Space, inverted, kept_directions, toward

LONGEST = 12  # strengths from 1 to this are tried
PAIRS = 256  # at most
AT_ONCE = 64


def chosen_strengths(
    space: Space, faces: Faces, pairs: Pairs, emotions: int, opt: SearchOptions
) -> tuple[torch.Tensor, torch.Tensor]:
    """For each emotion the strength that brings neutral faces nearest to the same people's faces with that emotion.

    Near is what the perceptual distance says, over pairs of people held out; the classifier's own agreement would
    always ask for more. Of all strengths that are as near as the best one, within one standard error of the paired
    differences, it is the largest: a distance to one picture of a person favours faces that hardly change. An emotion
    that they do not show has the median of the others' strengths.

    Returns:
        Strengths [emotions], and the mean distances [LONGEST, emotions] at strengths 1, 2, ...; NaN where unknown.
    """
    rows = torch.arange(min(len(pairs), PAIRS))
    parts = [_distances(space, faces, pairs, part, opt) for part in rows.split(AT_ONCE) if len(part)]
    distances = torch.cat(parts, dim=1) if parts else torch.zeros(LONGEST, 0)
    means = torch.full((LONGEST, emotions), torch.nan)
    for emotion in range(emotions):
        if (mine := pairs.classes[rows] == emotion).any():
            means[:, emotion] = distances[:, mine].mean(dim=1)
    known = ~means.isnan().any(dim=0)
    strengths = torch.ones(emotions)
    for emotion in known.nonzero()[:, 0].tolist():
        strengths[emotion] = 1.0 + largest_near(distances[:, pairs.classes[rows] == emotion])
    strengths[~known] = strengths[known].median() if known.any() else 1.0
    return strengths, means


def largest_near(distances: torch.Tensor) -> int:
    """The last row of distances [LONGEST, n] that is within one standard error of the row with the least mean."""
    more = distances - distances[distances.mean(dim=1).argmin()]
    error = more.std(dim=1) / more.shape[1] ** 0.5 if more.shape[1] > 1 else torch.zeros(len(more))
    return int((more.mean(dim=1) <= error).nonzero()[-1])


def _distances(space: Space, faces: Faces, pairs: Pairs, rows: torch.Tensor, opt: SearchOptions) -> torch.Tensor:
    """[LONGEST, rows]: from the search's face of each pair's neutral one to its other face, at each strength.

    One walk tries all: a strength is the length of the way in units of all steps of the search.
    """
    chosen = rows.numpy()
    latents, still, _ = inverted(space.generator, space.h, faces.of(pairs.neutral[chosen]), opt)
    emotions = pairs.classes[chosen].to(latents.device)
    kept = kept_directions(space, latents, still, opt)
    with torch.no_grad():
        wanted = space.h.maps(faces.of(pairs.shown[chosen]))
    distances = []
    for _ in range(LONGEST):
        directions, probability = toward(space, latents, still, emotions, kept, opt)
        on = probability < opt.agree
        latents = latents + opt.step * opt.walk_steps * on[:, None] * directions
        with torch.no_grad():
            distances.append(space.h.distance(space.generator(latents, still), wanted, opt.focus).cpu())
    return torch.stack(distances)
