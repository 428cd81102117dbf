"""The generator of `quick`: an autoencoder of what differs between two faces of one person.

Few faces teach no generator that draws any unseen person well. This one is handed a still picture of the person, and
its latent need only say how the face differs from it: flow, light and where. The latent space is whitened, so that a
step in any direction is as likely among faces as a step of the same length in any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from v2f_bench import Context
from v2f_bench.training import Learner, Losses
from v2f_speech2expression.attributes import Attributes, weighted
from v2f_speech2expression.faces import Faces, Pairs, mirrored, moved, relit
from v2f_speech2expression.options import SearchOptions
from v2f_speech2expression.still import Generator, Still

REACH = 6 / 64  # of the face's side: how far the flow may carry a pixel
MASK_START = -2.0  # logit: at first the colour has little part in the picture
LEAST = 0.15  # deviation along an axis of the latent space, beside that along the first
NEAR = 0.99  # of the training faces have latents that are as near to the mean as any that is drawn
LEVELS = 3  # halvings of the still picture's features
SHOWN = 8  # faces in a row of samples


class Redrawing(Generator):
    """(latent [N, latent], still picture) -> face [N, 3, H, W] in [0, 1].

    A U-Net; the latent shifts and scales the channels of every decoder block (FiLM, Perez et al. 2018). It gives a flow
    of at most 6 pixels of 64, and the light that is added to all colours alike, where a mask says so: teeth and an open
    mouth are bright and dark, and no coloured patch can win the classifier over.

    The encoder is one linear layer on the attribute classifier's last feature map, normalised: expressions are seen
    there, light and background hardly.

    In eval mode flow, mask and light are the means of those of the picture and of its mirror image: an expression is
    symmetric on the whole.
    """

    axes: torch.Tensor  # of the codes: principal axes times deviations, one a row [latent, latent]
    back: torch.Tensor  # its inverse, where it has one
    reach: torch.Tensor  # the longest latent that is drawn

    def __init__(self, seen: int, width: int, latent: int) -> None:
        super().__init__()
        channels = [width * min(2**level, 4) for level in range(LEVELS + 1)]
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.down = nn.ModuleList(_Down(before, after) for before, after in pairwise(channels))
        self.up = nn.ModuleList(
            _Up(before, after, latent) for before, after in zip(channels[:0:-1], channels[-2::-1], strict=True)
        )
        self.middle = _Film(channels[-1], channels[-1], latent)
        self.last = nn.Conv2d(width, 4, 3, padding=1)  # flow, mask, light
        for parameter in self.last.parameters():
            nn.init.normal_(parameter, std=1e-3)  # at first it copies the still picture
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Dropout(0.2), nn.Linear(seen, latent), nn.BatchNorm1d(latent, affine=False)
        )
        self.register_buffer("mean", torch.zeros(latent))
        self.register_buffer("axes", torch.eye(latent))
        self.register_buffer("back", torch.eye(latent))
        self.register_buffer("reach", torch.tensor(torch.inf))

    def encode(self, seen: torch.Tensor) -> torch.Tensor:
        """The classifier's last feature map of faces -> codes [N, latent], in which left and right are alike."""
        code: torch.Tensor = self.encoder((seen + seen.flip(-1)) / 2)
        return code

    def whiten(self, codes: torch.Tensor) -> None:
        """Take the latent space from the codes [n, latent] of faces. Axes along which they hardly vary are left out:
        there the generator has seen little but noise. What lies farther out than nearly all faces is drawn as if it lay
        at that distance, for the same reason."""
        self.mean.copy_(codes.mean(dim=0))
        _, values, axes = torch.linalg.svd((codes - self.mean).double(), full_matrices=False)
        spread = values / max(1, len(codes) - 1) ** 0.5
        kept = spread > LEAST * spread[0]
        self.axes.zero_()
        self.back.zero_()
        self.axes[: len(spread)] = ((axes * spread[:, None]) * kept[:, None]).float()
        self.back[:, : len(spread)] = ((axes / spread[:, None].clamp(min=1e-12)) * kept[:, None]).T.float()
        self.reach.copy_(((codes - self.mean) @ self.back).norm(dim=1).quantile(NEAR))

    def guess(self, seen: torch.Tensor) -> torch.Tensor:
        """The encoder's guess of the latents [N, latent] of faces, from the classifier's last feature map of them."""
        return (self.encode(seen) - self.mean) @ self.back

    def still(self, faces: torch.Tensor) -> Still:
        mirrored = () if self.training else self._features(faces.flip(3))
        return Still(faces, self._features(faces), mirrored)

    def forward(self, latents: torch.Tensor, still: Still) -> torch.Tensor:
        length = latents.norm(dim=1, keepdim=True)
        near = latents * (self.reach / length.clamp(min=1e-6)).clamp(max=1)
        return self.draw(self.mean + near @ self.axes, still)[0]

    def draw(self, codes: torch.Tensor, still: Still) -> tuple[torch.Tensor, torch.Tensor]:
        """Faces, and the mask [N, 1, H, W]."""
        maps = self._maps(codes, still.features)
        if still.mirrored:
            across = torch.tensor([-1.0, 1, 1, 1], device=maps.device)[:, None, None]  # left is right, in the flow too
            maps = (maps + across * self._maps(codes, still.mirrored).flip(3)) / 2
        flow, mask, light = maps.split((2, 1, 1), dim=1)
        mask = (mask + MASK_START).sigmoid()
        n, side = len(flow), flow.shape[-1]
        grid = F.affine_grid(torch.eye(2, 3).expand(n, -1, -1), [n, 3, side, side], align_corners=False).to(flow)
        grid = grid + 2 * REACH * flow.tanh().permute(0, 2, 3, 1)
        warped = F.grid_sample(still.faces, grid, padding_mode="border", align_corners=False)
        return (warped + light.tanh() * mask).clamp(0, 1), mask

    def _features(self, faces: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Maps of faces from coarse to fine."""
        x = self.first((faces * 2 - 1).contiguous(memory_format=torch.channels_last))
        features = [x]
        for layer in self.down:
            x = layer(x)
            features.append(x)
        return tuple(features[::-1])

    def _maps(self, codes: torch.Tensor, features: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Flow sideways and down, mask and light [N, 4, H, W], without bounds."""
        x = self.middle(features[0], codes)
        for layer, skip in zip(self.up, features[1:], strict=True):
            x = layer(x, skip, codes)
        maps: torch.Tensor = self.last(x)
        return maps


class RedrawingLearner(Learner):
    """The generator on pairs of one person: the still picture is the one, the latent comes from the other, which is to
    be drawn. L1, perceptual distance, and a hinge on the area of the mask."""

    def __init__(
        self,
        train: Faces,
        held_out: Faces,
        emotions: tuple[str, ...],
        h: Attributes,
        opt: SearchOptions,
        context: Context,
    ) -> None:
        super().__init__()
        self.opt, self.train, self.h, self.device = opt, train, h, context.device
        self.pairs, self.held_out_pairs, self.held_out = Pairs(train, emotions), Pairs(held_out, emotions), held_out
        self.network = Redrawing(h.seen, opt.width, opt.latent)
        self.network.to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.modules = {"generator": self.network}
        optimiser = torch.optim.Adam(self.network.parameters(), opt.lr, betas=(0.9, 0.99), fused=True)
        self.optimisers = {"generator": optimiser}
        self.schedules = {"generator": torch.optim.lr_scheduler.OneCycleLR(optimiser, opt.lr, total_steps=opt.steps)}

    def step(self, number: int, rng: np.random.Generator) -> Iterator[tuple[str, Losses]]:
        opt = self.opt
        chosen = rng.integers(len(self.pairs), size=opt.batch)
        both = torch.cat([self.train.of(self.pairs.neutral[chosen]), self.train.of(self.pairs.shown[chosen])], dim=1)
        still, shown = relit(moved(mirrored(both, rng), rng), rng).chunk(2, dim=1)
        with torch.no_grad():
            seen = self.h.maps(shown)
        codes = self.network.encode(seen[-1])
        codes = codes + opt.code_noise * torch.randn(codes.shape).to(codes)
        drawn, mask = self.network.draw(codes, self.network.still(still))
        losses = {
            "pixels": opt.weight_pixel * weighted((drawn - shown).abs().mean(dim=1), opt.focus).mean(),
            "perceptual": opt.weight_perceptual * self.h.distance(drawn, seen, opt.focus).mean(),
            "mask": opt.weight_mask * F.relu(mask.mean(dim=(1, 2, 3)) - opt.mask_area).mean(),
        }
        if opt.weight_emotion:
            classes = self.pairs.classes[chosen].to(self.device)
            losses["emotion"] = opt.weight_emotion * F.cross_entropy(self.h.scores(drawn)[0], classes)
        yield "generator", losses

    def validate(self) -> float | None:
        if not len(self.held_out_pairs):
            return None
        still, shown = self.held_out.of(self.held_out_pairs.neutral), self.held_out.of(self.held_out_pairs.shown)
        seen = self.h.maps(shown)
        drawn, _ = self.network.draw(self.network.encode(seen[-1]), self.network.still(still))
        return -float(self.h.distance(drawn, seen, self.opt.focus).mean())

    def samples(self) -> torch.Tensor:
        """Still pictures, what is to be drawn, and what is, of people held out where there are any."""
        faces, pairs = (self.held_out, self.held_out_pairs) if len(self.held_out_pairs) else (self.train, self.pairs)
        chosen = np.arange(len(pairs))[:: max(1, len(pairs) // SHOWN)][:SHOWN]
        still, shown = faces.of(pairs.neutral[chosen]), faces.of(pairs.shown[chosen])
        drawn, _ = self.network.draw(self.network.encode(self.h.maps(shown)[-1]), self.network.still(still))
        return torch.cat([still, shown, drawn])

    def settled(self) -> Redrawing:
        """The generator with its latent space, taken from all training faces and their mirror images."""
        self.network.eval()
        codes = []
        with torch.inference_mode():
            for start in range(0, len(self.train.rows), 64):
                faces = self.train.of(self.train.rows[start : start + 64])
                codes += [self.network.encode(self.h.maps(view)[-1]) for view in (faces, faces.flip(-1))]
        self.network.whiten(torch.cat(codes).clone())
        return self.network.requires_grad_(False)


class _Down(nn.Sequential):
    def __init__(self, before: int, after: int) -> None:
        super().__init__(nn.Conv2d(before, after, 4, stride=2, padding=1), nn.BatchNorm2d(after), nn.LeakyReLU(0.2))


class _Film(nn.Module):
    """Convolution and norm, then each channel scaled and shifted as the code says."""

    def __init__(self, before: int, after: int, code: int) -> None:
        super().__init__()
        self.layer = nn.Sequential(nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after))
        self.film = nn.Linear(code, 2 * after)

    def forward(self, x: torch.Tensor, code: torch.Tensor) -> torch.Tensor:
        scale, shift = self.film(code)[:, :, None, None].chunk(2, dim=1)
        return F.leaky_relu(self.layer(x) * (1 + scale) + shift, 0.2)


class _Up(nn.Module):
    def __init__(self, before: int, after: int, code: int) -> None:
        super().__init__()
        self.film = _Film(before + after, after, code)

    def forward(self, x: torch.Tensor, skip: torch.Tensor, code: torch.Tensor) -> torch.Tensor:
        x = F.interpolate(x, skip.shape[-2:], mode="bilinear")
        return self.film(torch.cat([x, skip], dim=1), code)
