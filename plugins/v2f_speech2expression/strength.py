"""How far to go for each emotion, chosen on people held out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from v2f_speech2expression.faces import Faces, Pairs
from v2f_speech2expression.options import SearchOptions
from v2f_speech2expression.search import Space, inverted, kept_directions, toward

LONGEST = 12  # strengths from 1 to this are tried
PAIRS = 256  # at most
FEWEST = 5  # people from whose spread a standard error is taken
AT_ONCE = 64


def chosen_strengths(
    space: Space, faces: Faces, pairs: Pairs, emotions: int, opt: SearchOptions
) -> tuple[torch.Tensor, torch.Tensor]:
    """For each emotion the strength that brings neutral faces nearest to the same people's faces with that emotion.

    Near is what the perceptual distance says, over pairs of people held out; the classifier's own agreement would
    always ask for more. Of all strengths that are as near as the best one, within one standard error of the people's
    differences from it, it is the largest: a distance to one picture of a person favours faces that hardly change. With
    fewer than five people it is the nearest. An emotion that they do not show has the median of the others' strengths.

    Returns:
        Strengths [emotions], and the mean distances [LONGEST, emotions] over people at strengths 1, 2, ...; NaN where
        unknown.
    """
    rows = torch.from_numpy(in_turn(pairs)[:PAIRS])
    parts = [_distances(space, faces, pairs, part, opt) for part in rows.split(AT_ONCE) if len(part)]
    distances = torch.cat(parts, dim=1) if parts else torch.zeros(LONGEST, 0)
    means = torch.full((LONGEST, emotions), torch.nan)
    strengths = torch.ones(emotions)
    for emotion in range(emotions):
        if (mine := pairs.classes[rows] == emotion).any():
            people = of_people(distances[:, mine], pairs.speaker[rows.numpy()][mine.numpy()])
            means[:, emotion] = people.mean(dim=1)
            strengths[emotion] = 1.0 + largest_near(people)
    known = ~means.isnan().any(dim=0)
    strengths[~known] = strengths[known].median() if known.any() else 1.0
    return strengths, means


def in_turn(pairs: Pairs) -> np.ndarray:
    """The places of all pairs: first one pair of each person in each emotion, then a second one, and so on."""
    owner = pd.DataFrame({"speaker": pairs.speaker, "emotion": pairs.classes.numpy()})
    return np.argsort(owner.groupby(["speaker", "emotion"]).cumcount().to_numpy(), kind="stable")


def of_people(distances: torch.Tensor, speaker: np.ndarray) -> torch.Tensor:
    """The means [LONGEST, people] of the distances [LONGEST, n] of each person's pairs."""
    _, who = np.unique(speaker, return_inverse=True)
    totals = torch.zeros(len(distances), who.max() + 1, dtype=distances.dtype)
    totals.index_add_(1, torch.from_numpy(who), distances)
    return totals / torch.from_numpy(np.bincount(who))


def largest_near(people: torch.Tensor) -> int:
    """The largest row of distances [LONGEST, people] whose mean is within one standard error of the least.

    The error is that of the differences between both rows; with fewer than FEWEST people it is not known, and the row
    is the one with the least mean. Where the search has ended for all, later rows repeat: the first of equals is taken.
    """
    best = int(people.mean(dim=1).argmin())
    if people.shape[1] < FEWEST:
        return best
    more = people - people[best]
    largest = int((more.mean(dim=1) <= more.std(dim=1) / more.shape[1] ** 0.5).nonzero()[-1])
    return int((people == people[largest]).all(dim=1).nonzero()[0])


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
