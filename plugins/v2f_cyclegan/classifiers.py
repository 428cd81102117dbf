"""What is trained before the CycleGAN: the emotion CNN on voices, and the emotion CNN on faces."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from v2f_bench import Clips, Context, Fact
from v2f_bench.audio import Features
from v2f_bench.training import Learner, Losses
from v2f_cyclegan.hearing import FRAMES, VoiceCnn
from v2f_cyclegan.options import CycleGanOptions
from v2f_cyclegan.verifier import FaceCnn, disturbed

AT_ONCE = 64
SMALLEST_VARIANCE = 1e-3  # of a direction, beside the largest one; whitening takes none for less


class _Classifier(Learner):
    """A network under cross-entropy, with AdamW and one cycle of the learning rate.

    It is not chosen by validation, so that its accuracy there is that on people of whom nothing was learned.
    """

    def __init__(self, name: str, network: nn.Module, lr: float, steps: int) -> None:
        super().__init__()
        self.name, self.network = name, network
        self.modules = {name: network}
        optimiser = torch.optim.AdamW(network.parameters(), lr=lr, weight_decay=1e-2, fused=True)
        self.optimisers = {name: optimiser}
        self.schedules = {name: torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=max(2, steps))}


class VoiceLearner(_Classifier):
    """The voice network, on random stretches of training recordings of labelled emotion.

    With `voice_mixup` it learns from mixtures of two of them.
    """

    def __init__(
        self, recordings: Features, classes: np.ndarray, emotions: int, opt: CycleGanOptions, context: Context
    ) -> None:
        self.cnn = VoiceCnn(emotions, opt.voice_width, opt.voice_dropout)
        self.rows = recordings.rows[classes[recordings.rows] >= 0]
        heard = context.numpy_rng("scale").permutation(self.rows)[:AT_ONCE]
        features, frames = recordings.whole(heard)
        spread = [
            picture[..., :count].flatten(1).std(dim=1) for picture, count in zip(features, frames.tolist(), strict=True)
        ]
        self.cnn.scale.copy_(torch.stack(spread).mean(dim=0).clamp(min=1e-3)[:, None, None])
        self.cnn.to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        super().__init__("voice", self.cnn, opt.voice_lr, opt.voice_steps)
        self.recordings, self.opt = recordings, opt
        self.classes = torch.from_numpy(classes).to(context.device)

    def step(self, number: int, rng: np.random.Generator) -> Iterator[tuple[str, Losses]]:
        rows = rng.choice(self.rows, self.opt.voice_batch)
        pictures, _ = self.recordings.crops(rows, FRAMES, rng)
        targets = F.one_hot(self.classes[rows], self.cnn.emotion.out_features).float()
        if self.opt.voice_mixup:
            pictures, targets = mixed(pictures, targets, self.opt.voice_mixup, rng)
        yield "voice", {"voice": F.cross_entropy(self.cnn(pictures), targets)}


def mixed(
    pictures: torch.Tensor, targets: torch.Tensor, concentration: float, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mixup: pictures [N, C, H, W] and targets [N, K], each mixed with one of the same batch.

    The shares are drawn from a beta distribution with both parameters `concentration`.
    """
    share = torch.from_numpy(rng.beta(concentration, concentration, len(pictures))).to(pictures)
    other = torch.from_numpy(rng.permutation(len(pictures))).to(pictures.device)
    return (
        torch.lerp(pictures[other], pictures, share[:, None, None, None]),
        torch.lerp(targets[other], targets, share[:, None]),
    )


class FaceLearner(_Classifier):
    """The face network, on training faces that are mirrored, shifted, blurred, grey and in other light."""

    def __init__(
        self, faces: Faces, classes: np.ndarray, emotions: int, opt: CycleGanOptions, context: Context
    ) -> None:
        self.cnn = FaceCnn(emotions, opt.face_width)
        self.cnn.to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        super().__init__("face", self.cnn, opt.face_lr, opt.face_steps)
        self.faces, self.opt = faces, opt
        self.rows = faces.rows[classes[faces.rows] >= 0]
        self.classes = torch.from_numpy(classes).to(context.device)

    def step(self, number: int, rng: np.random.Generator) -> Iterator[tuple[str, Losses]]:
        rows = rng.choice(self.rows, self.opt.face_batch)
        faces = self.faces.of(rows)
        mirrored = torch.from_numpy(rng.random((len(rows), 1, 1, 1)) < 0.5).to(faces.device)
        _, logits = self.cnn(disturbed(torch.where(mirrored, faces.flip(-1), faces)))
        yield "face", {"face": F.cross_entropy(logits, self.classes[rows])}


class Faces:
    """The faces of a split, all in memory, in 8 bits: 12 KB a face of 64 pixels."""

    def __init__(self, clips: Clips, device: str) -> None:
        self.device = device
        self.rows = np.flatnonzero(clips.table["face"])
        self._place = torch.full((len(clips),), -1)
        self._place[self.rows] = torch.arange(len(self.rows))
        self._kept = torch.empty(len(self.rows), 3, clips.resolution, clips.resolution, dtype=torch.uint8)
        for start in range(0, len(self.rows), 256):
            faces = clips.faces(self.rows[start : start + 256])
            self._kept[start : start + len(faces)] = (faces * 255).round().byte()

    def of(self, rows: np.ndarray) -> torch.Tensor:
        """Faces of clip rows: float32 [N, 3, S, S] in [0, 1]."""
        return self._kept[self._place[rows]].to(self.device) / 255


def conditions_of(cnn: VoiceCnn, recordings: Features, rows: np.ndarray) -> torch.Tensor:
    """The vector before the softmax of whole recordings, not yet brought to deviation 1: [len(rows), emotions]."""
    with torch.inference_mode():
        parts = [cnn.hear(*recordings.whole(rows[start : start + AT_ONCE])) for start in range(0, len(rows), AT_ONCE)]
    return torch.cat(parts).clone()


def scaling(vectors: torch.Tensor, classes: np.ndarray, whiten: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean [K] of vectors [n, K], and the matrix [K, K] that then brings them to deviation 1 over all.

    The matrix changes the size alone; or, to `whiten`, each direction by the deviation that vectors of one emotion have
    in it, so that directions in which two emotions differ by little, but reliably, count as much as the largest one.
    Rows of NaN are left out; rows of class -1 say nothing of the deviation within an emotion.
    """
    heard = ~vectors.isnan().any(dim=1)
    vectors, classes = vectors[heard], classes[heard.numpy()]
    mean, axes = vectors.mean(dim=0), torch.eye(vectors.shape[1])
    if whiten:
        groups = [vectors[classes == number] for number in np.unique(classes[classes >= 0])]
        within = torch.cat([group - group.mean(dim=0) for group in groups])
        variances, directions = torch.linalg.eigh((within.T @ within).double() / len(within))
        variances = variances.clamp(min=SMALLEST_VARIANCE * float(variances.max()) + 1e-12)
        axes = ((directions * variances.rsqrt()) @ directions.T).float()
    deviation = ((vectors - mean) @ axes).square().mean().sqrt()
    return mean, axes / deviation.clamp(min=1e-3)


def accuracies(
    voice: VoiceCnn, face: FaceCnn | None, recordings: Features, faces: Faces, classes: np.ndarray
) -> list[Fact]:
    """The share of held-out clips whose emotion each network hears or sees right; only of what there are clips."""
    heard, seen = (rows[classes[rows] >= 0] for rows in (recordings.rows, faces.rows))
    chance, over = 1 / voice.emotion.out_features, "validation clips"
    facts = []
    if len(heard):
        right = conditions_of(voice, recordings, heard).argmax(dim=1).cpu().numpy() == classes[heard]
        facts.append(Fact("emotion accuracy of the voice network", float(right.mean()), len(heard), over, chance))
    if len(seen) and face is not None:
        with torch.inference_mode():
            logits = [face(faces.of(seen[start : start + AT_ONCE]))[1] for start in range(0, len(seen), AT_ONCE)]
        right = torch.cat(logits).argmax(dim=1).cpu().numpy() == classes[seen]
        facts.append(Fact("emotion accuracy of the face network", float(right.mean()), len(seen), over, chance))
    return facts
