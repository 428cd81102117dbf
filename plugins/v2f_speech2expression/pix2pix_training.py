"""The training of the picture network: signed neutral face in, the same person's face with that emotion out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from v2f_bench import Context
from v2f_bench.training import Learner, Losses
from v2f_speech2expression.attributes import weighted
from v2f_speech2expression.faces import Faces, Pairs, mirrored, moved, relit
from v2f_speech2expression.options import SignOptions
from v2f_speech2expression.pix2pix import CoarseToFine, Discriminators, adversarial, feature_matching
from v2f_speech2expression.signs import signed

SHOWN = 8  # faces in a row of samples


class SignLearner(Learner):
    """Generator and discriminators in turn; the discriminators join after `late` of the steps."""

    def __init__(
        self, train: Faces, held_out: Faces, emotions: tuple[str, ...], opt: SignOptions, context: Context
    ) -> None:
        super().__init__()
        self.opt, self.emotions, self.device, self.train = opt, emotions, context.device, train
        self.pairs = Pairs(train, emotions)
        self.shown = (held_out, Pairs(held_out, emotions))
        if not len(self.shown[1]):
            self.shown = (train, self.pairs)
        self.generator = CoarseToFine(opt)
        self.critics = Discriminators(opt.scales, opt.critic_width, opt.critic_layers)
        for network in (self.generator, self.critics):
            network.to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.modules = {"generator": self.generator, "critics": self.critics}
        self.average = None
        if opt.average:
            self.average = AveragedModel(self.generator, multi_avg_fn=get_ema_multi_avg_fn(opt.average))
            self.modules["average"] = self.average
        betas = (opt.beta1, 0.999)
        self.optimisers = {
            "generator": torch.optim.Adam(self.generator.parameters(), opt.lr, betas, fused=True),
            "critics": torch.optim.Adam(self.critics.parameters(), opt.critic_lr, betas, fused=True),
        }
        self.steps = opt.steps or -(-opt.epochs * len(self.pairs) // opt.batch)

    def step(self, number: int, rng: np.random.Generator) -> Iterator[tuple[str, Losses]]:
        opt = self.opt
        chosen = rng.integers(len(self.pairs), size=opt.batch)
        both = torch.cat([self.train.of(self.pairs.neutral[chosen]), self.train.of(self.pairs.shown[chosen])], dim=1)
        both = mirrored(both, rng)
        if opt.augment:
            both = relit(moved(both, rng), rng)
        neutral, shown = both.chunk(2, dim=1)
        pictures = signed(neutral, [self.emotions[place] for place in self.pairs.classes[chosen].tolist()])
        drawn = self.generator(pictures)
        losses: Losses = {}
        if number >= opt.late * self.steps:
            fake, real = self.critics(pictures, drawn.detach()), self.critics(pictures, shown)
            yield (
                "critics",
                {"critics, real": adversarial(real, True) / 2, "critics, fake": adversarial(fake, False) / 2},
            )
            self.critics.requires_grad_(False)
            fake, real = self.critics(pictures, drawn), self.critics(pictures, shown)
            losses["real"] = opt.weight_real * adversarial(fake, True)
            losses["features"] = opt.weight_features * feature_matching(fake, real)
        if opt.weight_pixel:
            losses["pixels"] = opt.weight_pixel * weighted((drawn - shown).abs().mean(dim=1), opt.focus).mean()
        yield "generator", losses
        self.critics.requires_grad_(True)
        if self.average is not None:
            self.average.update_parameters(self.generator)

    def samples(self) -> torch.Tensor:
        """Signed pictures, what is drawn, and the people's faces."""
        faces, pairs = self.shown
        chosen = np.arange(len(pairs))[:: max(1, len(pairs) // SHOWN)][:SHOWN]
        pictures = signed(faces.of(pairs.neutral[chosen]), [self.emotions[place] for place in pairs.classes[chosen]])
        return torch.cat([pictures, self.drawing(pictures), faces.of(pairs.shown[chosen])])

    @property
    def drawing(self) -> CoarseToFine:
        """The generator that draws: the average over the steps where there is one."""
        return self.generator if self.average is None else self.average.module  # type: ignore[return-value]
