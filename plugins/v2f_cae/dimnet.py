"""DIMNet pretraining of the voice embedding: Wen et al., Disjoint Mapping Network, ICLR 2019.

A voice network and a face network map into one space; a classifier for each covariate (identity, sex, ...) is shared by
both, which is all that ties the two together: no pair of a voice and a face is ever formed (section 3.2 there).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from v2f_bench import Clips, Context, DataError
from v2f_bench.audio import LogMels
from v2f_cae.critic import FaceTrunk
from v2f_cae.method import CaeOptions
from v2f_cae.voice import CODE, HOP, VoiceEmbedding

NUMERIC_BAND = 10  # years of age that are one class


def pretrain_voice(train: Clips, mels: LogMels, opt: CaeOptions, context: Context) -> VoiceEmbedding:
    """The voice embedding, trained with a face network through shared classifiers, and frozen."""
    table = train.table
    with_voice, with_face = np.flatnonzero(table["voice"]), np.flatnonzero(table["face"])
    labels = covariate_labels(table, opt.covariates)
    context.progress.line(f"cae: the voice embedding learns {', '.join(labels)}")
    voice = VoiceEmbedding(opt.voice_width).to(context.device)
    face = FaceTrunk(opt.critic_width).to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    heads = nn.ModuleDict({name: nn.Linear(CODE, int(codes.max()) + 1) for name, codes in labels.items()})
    heads.to(context.device)
    parameters = [*voice.parameters(), *face.parameters(), *heads.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=opt.voice_lr, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, opt.voice_lr, total_steps=opt.voice_steps)
    frames = round(opt.voice_seconds / HOP)
    rng = context.numpy_rng("dimnet")
    with context.progress.bar("cae: pretrain the voice embedding", opt.voice_steps) as bar:
        for _ in range(opt.voice_steps):
            heard, seen = rng.choice(with_voice, opt.voice_batch), rng.choice(with_face, opt.voice_faces)
            faces = _mirrored_by_chance(train.faces(seen), rng).to(context.device)
            loss = _covariate_loss(voice(*mels.crops(heard, frames, rng)), heads, labels, heard)
            loss = loss + _covariate_loss(face(faces), heads, labels, seen)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            bar.advance(note=f"loss {loss.item():.2f}")
    return voice.eval().requires_grad_(False)


def covariate_labels(table: pd.DataFrame, covariates: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Class numbers of each covariate that the data set labels, int64 [clips]; -1 where a clip has no label.

    A number, such as an age, becomes a class for each `NUMERIC_BAND`.

    Raises:
        DataError: the data set labels none of them.
    """
    found = {}
    for name in covariates:
        if name not in table:
            continue
        label = table[name] if not pd.api.types.is_numeric_dtype(table[name]) else table[name] // NUMERIC_BAND
        codes, classes = pd.factorize(label.replace("", None))
        if len(classes) > 1:
            found[name] = codes
    if not found:
        raise DataError(f"cae: no labels of {', '.join(covariates)}; the data set has {', '.join(table.columns)}")
    return found


def _mirrored_by_chance(faces: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    mirror = torch.from_numpy(rng.random((len(faces), 1, 1, 1)) < 0.5)
    return torch.where(mirror, faces.flip(-1), faces)


def _covariate_loss(
    codes: torch.Tensor, heads: nn.ModuleDict, labels: dict[str, np.ndarray], rows: np.ndarray
) -> torch.Tensor:
    """Sum over the covariates of the cross-entropy of `codes` [N, 64], of the clips `rows`."""
    losses = []
    for name, head in heads.items():
        target = torch.from_numpy(labels[name][rows]).to(codes.device)
        losses.append(F.cross_entropy(head(codes), target, ignore_index=-1, reduction="sum") / max(1, len(rows)))
    return torch.stack(losses).sum()
