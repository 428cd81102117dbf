"""The CycleGAN (section 3.2 of the source): two generators, two discriminators, and what ties them to the emotion."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from v2f_bench import Context
from v2f_bench.training import Learner, Losses
from v2f_cyclegan.classifiers import AT_ONCE, Faces
from v2f_cyclegan.discriminator import Discriminator, FakePool, fake, real
from v2f_cyclegan.emotions import NEUTRAL, voices_for_faces
from v2f_cyclegan.generator import Generator, generator_of
from v2f_cyclegan.options import CycleGanOptions
from v2f_cyclegan.residual import Drawn
from v2f_cyclegan.verifier import FEATURES, FaceCnn, disturbance, disturbed

ACROSS, DOWN, LOWER = 0.6, 0.65, 0.1  # of the middle of a face: its reach and how low it lies, in halves of a picture
SHOWN = 8  # faces in a row of samples


@dataclass(frozen=True)
class Batch:
    """`neutral` and `emotional` faces [N, 3, S, S], with the right and a wrong condition [N, K] of the emotional ones,
    and the class of their emotion, int64 [N]."""

    neutral: torch.Tensor
    emotional: torch.Tensor
    right: torch.Tensor
    wrong: torch.Tensor
    emotion: torch.Tensor


class Draws:
    """Batches of training faces with conditions.

    An emotional face is any labelled one, those of the emotion neutral among them, with a voice (see
    `voices_for_faces`). The neutral face is of anybody; with `paired`, another one of the same person. The wrong
    condition is that of a voice in another emotion.

    Args:
        table: of the training clips.
        classes: of their emotions, int64 [clips], -1 without.
        conditions: by clip, [clips, K].
    """

    def __init__(
        self, table: pd.DataFrame, classes: np.ndarray, faces: Faces, conditions: torch.Tensor, opt: CycleGanOptions
    ) -> None:
        self.classes, self.faces, self.conditions, self.opt = classes, faces, conditions, opt
        self.voices = voices_for_faces(table, classes)
        neutral = np.flatnonzero(table["face"] & (table["emotion"] == NEUTRAL))
        speakers = table["speaker"].to_numpy()
        of_speaker = pd.Series(neutral).groupby(speakers[neutral]).agg(list).to_dict()
        if opt.paired:
            own = {row: [each for each in of_speaker.get(speakers[row], []) if each != row] for row in self.voices}
            self.sources = {row: rows for row, rows in own.items() if rows}
            self.sources |= {row: [row] for row in self.voices if row in set(neutral) and row not in self.sources}
        else:
            self.sources = dict.fromkeys(self.voices, neutral.tolist())
        self.rows = np.array(sorted(self.sources))
        heard = sorted({voice for voices in self.voices.values() for voice in voices})
        self.others = {
            number: np.array([voice for voice in heard if classes[voice] != number]) for number in set(classes[heard])
        }

    def batch(self, rng: np.random.Generator) -> Batch:
        rows = rng.choice(self.rows, self.opt.batch)
        voices = np.array([rng.choice(self.voices[row]) for row in rows])
        wrong = np.array([rng.choice(self.others[self.classes[row]]) for row in rows])
        sources = np.array([rng.choice(self.sources[row]) for row in rows])
        device = self.faces.device
        neutral, emotional = self._cropped(self.faces.of(sources), self.faces.of(rows), rng)
        return Batch(
            neutral,
            emotional,
            self.conditions[voices].to(device),
            self.conditions[wrong].to(device),
            torch.from_numpy(self.classes[rows]).to(device),
        )

    def _cropped(
        self, one: torch.Tensor, other: torch.Tensor, rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Both made larger, cut at a random place and mirrored at random, alike: a pair stays one."""
        side, larger = self.opt.side, self.opt.side + self.opt.larger
        both = torch.cat([one, other], dim=1)
        if self.opt.larger:
            both = F.interpolate(both, (larger, larger), mode="bilinear", antialias=True)
        down, right = (int(shift) for shift in rng.integers(self.opt.larger + 1, size=2))
        both = both[..., down : down + side, right : right + side]
        mirrored = torch.from_numpy(rng.random((len(both), 1, 1, 1)) < 0.5).to(both.device)
        one, other = torch.where(mirrored, both.flip(-1), both).chunk(2, dim=1)
        return one, other


class CycleLearner(Learner):
    """G_B draws a neutral face with the emotion of a voice, G_A draws the face neutral again.

    The loss of the emotion CNN is the distance between the features of the drawn face and the mean features of the
    training faces with that emotion; it is part of the generator's loss, since the discriminator cannot change it.
    """

    def __init__(
        self, draws: Draws, verifier: FaceCnn | None, opt: CycleGanOptions, steps: int, context: Context
    ) -> None:
        super().__init__()
        self.draws, self.opt, self.steps, self.device = draws, opt, steps, context.device
        conditions = draws.conditions.shape[1]
        self.forth, self.back = generator_of(conditions, opt), generator_of(0, opt)
        self.critic = Discriminator(conditions, opt.critic_width)
        self.neutral_critic = Discriminator(0, opt.critic_width)
        self.pool = FakePool(opt.pool, opt.side, conditions)
        self.neutral_pool = FakePool(opt.pool, opt.side, 0)
        self.mean = copy.deepcopy(self.forth).requires_grad_(False) if opt.average else None
        self.modules = {
            "forth": self.forth,
            "back": self.back,
            "critic": self.critic,
            "neutral critic": self.neutral_critic,
            "pool": self.pool,
            "neutral pool": self.neutral_pool,
        }
        if self.mean is not None:
            self.modules["mean"] = self.mean
        for network in self.modules.values():
            network.to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        drawing, judging = (self.forth, self.back), (self.critic, self.neutral_critic)
        self.critic_from = math.ceil(opt.critic_from * steps)
        self.optimisers = {"generator": self._adam(drawing, opt.lr), "critic": self._adam(judging, opt.critic_lr)}
        self.schedules = {
            "generator": _falling(self.optimisers["generator"], steps),
            "critic": _falling(self.optimisers["critic"], steps - self.critic_from),
        }
        self.verifier = verifier
        self.emotional = self._mean_features() if verifier is not None else torch.zeros(0)

    @property
    def generator(self) -> Generator:
        """What draws when training is over."""
        return self.forth if self.mean is None else self.mean

    def step(self, number: int, rng: np.random.Generator) -> Iterator[tuple[str, Losses]]:
        opt, batch = self.opt, self.draws.batch(rng)
        cycles = number % opt.cycle_every == 0
        judged = number >= self.critic_from and opt.weight_adversarial > 0
        drawn = self.forth(batch.neutral, batch.right)
        returned = self.back(batch.emotional) if cycles else None
        for critic in (self.critic, self.neutral_critic):
            critic.requires_grad_(False)
        losses = self._of_one(drawn, batch) | self._of_emotion(drawn.faces, batch.emotion)
        if returned is not None:
            losses |= self._of_cycles(drawn, returned, batch)
        if judged:
            losses["adversarial"] = opt.weight_adversarial * real(self.critic(drawn.faces, batch.right))
            if returned is not None:
                seen = self.neutral_critic(returned.faces)
                losses["adversarial, neutral"] = opt.weight_adversarial * real(seen)
        yield "generator", losses
        self._follow(number)
        if judged:
            for critic in (self.critic, self.neutral_critic):
                critic.requires_grad_(True)
            yield "critic", self._of_critics(drawn.faces.detach(), returned, batch)

    def samples(self) -> torch.Tensor:
        """Neutral training faces; below each of them with every emotion, by the mean condition of its voices."""
        sources = np.unique([source for rows in self.draws.sources.values() for source in rows])
        faces = self.draws.faces.of(sources[:: max(1, len(sources) // SHOWN)][:SHOWN])
        faces = F.interpolate(faces, (self.opt.side,) * 2, mode="bilinear", antialias=True)
        rows = [faces]
        for emotion in range(self.draws.conditions.shape[1]):
            heard = self.draws.conditions[self.draws.classes == emotion]
            condition = heard.nanmean(dim=0).to(faces)
            rows.append(self.generator(faces, condition.expand(len(faces), -1)).faces)
        return torch.cat(rows)

    def _of_one(self, drawn: Drawn, batch: Batch) -> Losses:
        """What a drawn face should be by itself: its pair, and a change of little area with a smooth flow."""
        opt, losses = self.opt, {}
        wanted = composed(batch.neutral, batch.emotional)
        if opt.weight_pair:
            losses["pair"] = opt.weight_pair * _distance(drawn.faces, wanted)
        if opt.weight_match and self.verifier is not None:
            # Both disturbed alike: patterns that fool this network alone rarely survive blur, grey and shifts.
            disturb = disturbance(len(wanted), opt.side)
            with torch.no_grad():
                maps = self.verifier.maps(disturb(wanted))[:-1]
            seen = self.verifier.maps(disturb(drawn.faces))[:-1]
            distance = sum(F.l1_loss(*pair) for pair in zip(seen, maps, strict=True))
            losses["match"] = opt.weight_match * torch.as_tensor(distance)
        if opt.weight_area and drawn.mask is not None:
            losses["area"] = opt.weight_area * (drawn.mask.mean(dim=(1, 2, 3)) - opt.area).relu().mean()
        if opt.weight_smooth and drawn.flow is not None:
            steps = [drawn.flow.diff(dim=dim).abs().mean() for dim in (2, 3)]
            losses["smooth"] = opt.weight_smooth * self.opt.side * (steps[0] + steps[1])
        return losses

    def _of_emotion(self, faces: torch.Tensor, emotion: torch.Tensor) -> Losses:
        """The verification loss, with its gradient to the faces; none at weight 0."""
        if self.verifier is None or not self.opt.weight_emotion:
            return {}
        features, _ = self.verifier(disturbed(faces))
        return {"emotion": self.opt.weight_emotion * F.mse_loss(features, self.emotional[emotion])}

    def _of_cycles(self, drawn: Drawn, returned: Drawn, batch: Batch) -> Losses:
        weight = self.opt.weight_cycle
        losses = {
            "cycle, forward": weight * F.l1_loss(self.back(drawn.faces).faces, batch.neutral),
            "cycle, backward": weight * F.l1_loss(self.forth(returned.faces, batch.right).faces, batch.emotional),
        }
        if self.opt.weight_pair:
            losses["pair, neutral"] = self.opt.weight_pair * _distance(
                returned.faces, composed(batch.emotional, batch.neutral)
            )
        return losses

    def _of_critics(self, faces: torch.Tensor, returned: Drawn | None, batch: Batch) -> Losses:
        """Real with the right condition against drawn with it, and against real with a wrong one."""
        seen = self.critic(*self.pool.exchanged(faces, batch.right))
        false = fake(seen)
        if self.opt.wrong_conditions:
            false = (false + fake(self.critic(batch.emotional, batch.wrong))) / 2
        losses = {"critic": (real(self.critic(batch.emotional, batch.right)) + false) / 2}
        if returned is not None:
            nothing = batch.right[:, :0]
            earlier, _ = self.neutral_pool.exchanged(returned.faces.detach(), nothing)
            true = real(self.neutral_critic(batch.neutral))
            losses["critic, neutral"] = (true + fake(self.neutral_critic(earlier))) / 2
        return losses

    def _follow(self, number: int) -> None:
        """Move the mean of weights and batch norms' statistics towards them as they are after step `number`.

        Until the half-life counts, it is the plain mean over the steps: the weights at the start have no part in it.
        """
        if self.mean is None:
            return
        share = max(1 - 0.5 ** (1 / (self.opt.average * self.steps)), 1 / (number + 1))
        now = self.forth.state_dict()
        with torch.no_grad():
            for name, mean in self.mean.state_dict().items():
                if mean.is_floating_point():
                    mean.lerp_(now[name], share)

    def _mean_features(self) -> torch.Tensor:
        """The verifier's features of the training faces, their mean in each emotion: [K, 64]."""
        assert self.verifier is not None
        classes, faces = self.draws.classes, self.draws.faces
        rows = faces.rows[classes[faces.rows] >= 0]
        totals = torch.zeros(self.draws.conditions.shape[1], FEATURES, device=self.device)
        with torch.no_grad():
            for start in range(0, len(rows), AT_ONCE):
                some = rows[start : start + AT_ONCE]
                own = torch.from_numpy(classes[some]).to(self.device)
                totals.index_add_(0, own, self.verifier(faces.of(some))[0])
        counts = np.bincount(classes[rows], minlength=len(totals))
        return totals / torch.from_numpy(counts).to(totals).clamp(min=1)[:, None]

    def _adam(self, networks: tuple[nn.Module, ...], lr: float) -> torch.optim.Optimizer:
        parameters = [parameter for network in networks for parameter in network.parameters()]
        return torch.optim.Adam(parameters, lr=lr, betas=(self.opt.beta1, 0.999), fused=True)


def _falling(optimiser: torch.optim.Optimizer, steps: int) -> LambdaLR:
    """CycleGAN's: in the second half of its steps the learning rate falls to 0."""
    return LambdaLR(optimiser, lambda done: min(1.0, max(0.0, 2 - 2 * done / max(1, steps))))


def middle(side: int, device: torch.device | str = "cpu") -> torch.Tensor:
    """Where an aligned face has brows, eyes and mouth, near 1, and near 0 at hair and background: float [S, S]."""
    place = torch.linspace(-1, 1, side, device=device)
    across, down = (place / ACROSS).square(), ((place - LOWER) / DOWN).square()
    return torch.exp(-(down[:, None] + across).square())


def composed(source: torch.Tensor, pair: torch.Tensor) -> torch.Tensor:
    """The face of a pair as it would be with the other's hair, background and light: [N, 3, S, S] of two of these.

    In the middle the pair, each colour channel brought to the mean and deviation that it has there in the source;
    around it the source. Two pictures of a person differ in much besides the expression.
    """
    weight = middle(source.shape[-1], source.device)
    share = weight / weight.sum()

    def light(faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean = (share * faces).sum(dim=(2, 3), keepdim=True)
        return mean, (share * (faces - mean).square()).sum(dim=(2, 3), keepdim=True).sqrt().clamp(min=1e-3)

    (mean, deviation), (wanted_mean, wanted_deviation) = light(pair), light(source)
    lit = (pair - mean) / deviation * wanted_deviation + wanted_mean
    return (weight * lit + (1 - weight) * source).clamp(0, 1)


def _distance(faces: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Squared error between pictures [N, 3, S, S], and between them at a half and a quarter of the size: what is a
    little off its place in one is nearer in the others.

    Two pictures of one person never fit quite, and an absolute error is then least where hardly anything is changed.
    """
    total = F.mse_loss(faces, wanted)
    for _ in range(2):
        faces, wanted = F.avg_pool2d(faces, 2), F.avg_pool2d(wanted, 2)
        total = total + F.mse_loss(faces, wanted)
    return total
