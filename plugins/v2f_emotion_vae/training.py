"""Two trainings: the face VAE; then the voice encoder, towards the features that the VAE finds in the faces."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F

from v2f_bench import Clips, Context
from v2f_bench.audio import Features
from v2f_bench.nn import by_speaker
from v2f_bench.training import Learner, Losses
from v2f_emotion_vae.code import classes_of, codes_of, emotions_in
from v2f_emotion_vae.face_vae import FEATURES, FaceVae, grey
from v2f_emotion_vae.hearing import turned
from v2f_emotion_vae.options import SIDE, EmotionVaeOptions
from v2f_emotion_vae.voice_encoder import VoiceEncoder

VALIDATED = 512  # clips at most
MIDDLE = 0.35  # deviation of the middle's weight, in halves of a face
SHOWN = 8  # faces in a row of samples


class Faces:
    """The faces of a split as the VAE sees them, and the emotion that each clip is labelled with.

    All are kept in memory, in 8 bits: 4 KB a face.
    """

    def __init__(self, clips: Clips, emotions: tuple[str, ...], device: str) -> None:
        self.clips, self.device = clips, device
        self.rows = np.flatnonzero(clips.table["face"])
        self._place = torch.full((len(clips),), -1)
        self._place[self.rows] = torch.arange(len(self.rows))
        self._kept = torch.empty(len(self.rows), 1, SIDE, SIDE, dtype=torch.uint8)
        for start in range(0, len(self.rows), 256):
            faces = grey(clips.faces(self.rows[start : start + 256]))
            self._kept[start : start + len(faces)] = (faces * 255).round().byte()
        labels = clips.table["emotion"] if "emotion" in clips.table else [""] * len(clips)
        self.classes = classes_of(labels, emotions)
        self._codes = codes_of(self.classes, len(emotions))

    def grey(self, rows: np.ndarray) -> torch.Tensor:
        """Grey faces of clip rows: float32 [N, 1, 64, 64] in [0, 1]."""
        return self._kept[self._place[rows]].to(self.device) / 255

    def codes(self, rows: np.ndarray) -> torch.Tensor:
        return self._codes[rows].to(self.device)

    def features(self, vae: FaceVae) -> torch.Tensor:
        """What the VAE's encoder finds in every face: [clips, 256], NaN where a clip has none."""
        features = torch.full((len(self.clips), FEATURES), torch.nan)
        with torch.inference_mode():
            for start in range(0, len(self.rows), 64):
                rows = self.rows[start : start + 64]
                features[rows] = vae.features(self.grey(rows)).cpu()
        return features.clone()


class FaceLearner(Learner):
    """The VAE under squared error and KL divergence, both summed over a face (equation 3, which gives no weights)."""

    def __init__(self, train: Clips, validation: Clips, opt: EmotionVaeOptions, context: Context) -> None:
        super().__init__()
        emotions = emotions_in(train.table)
        self.opt, self.emotions = opt, len(emotions)
        self.train, self.held_out = (Faces(clips, emotions, context.device) for clips in (train, validation))
        self.vae = FaceVae(len(emotions), opt.width, opt.latent, opt.code_size)
        self.vae.to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.steps = opt.face_steps or -(-opt.face_epochs * len(self.train.rows) // opt.batch)
        self.modules = {"vae": self.vae}
        self.optimisers = {"vae": torch.optim.Adam(self.vae.parameters(), lr=opt.face_lr, fused=True)}
        self.schedules = {"vae": schedule_of(self.optimisers["vae"], opt.schedule, opt.face_lr, self.steps)}

    def step(self, number: int, rng: np.random.Generator) -> Iterator[tuple[str, Losses]]:
        rows = rng.choice(self.train.rows, self.opt.batch)
        faces = self.train.grey(rows)
        if self.opt.mirror:
            mirrored = torch.from_numpy(rng.random(len(rows)) < 0.5).to(faces.device)
            faces = torch.where(mirrored[:, None, None, None], faces.flip(-1), faces)
        shown = torch.from_numpy(rng.random(len(rows)) >= self.opt.hidden).to(faces)
        mean, deviation = self.vae.posterior(self.vae.features(faces) * shown[:, None], self.train.codes(rows))
        drawn = self.vae.decode(mean + deviation * torch.randn(mean.shape).to(mean))
        divergence = (mean.square() + deviation.square() - 1) / 2 - deviation.log()
        yield (
            "vae",
            {
                "reconstruction": self._error(drawn - faces),
                "KL": self.opt.weight_kl * divergence.sum(dim=1).mean(),
            },
        )

    def _error(self, difference: torch.Tensor) -> torch.Tensor:
        """Squared error, summed over a face; by `focus` the middle counts for more."""
        place = torch.linspace(-1, 1, SIDE, device=difference.device).square()
        weight = 1 + self.opt.focus * torch.exp(-(place[:, None] + place) / (2 * MIDDLE**2))
        return (weight * difference.square()).sum(dim=(1, 2, 3)).mean()

    def validate(self) -> float | None:
        rows = self.held_out.rows[:VALIDATED]
        if not len(rows):
            return None
        faces = self.held_out.grey(rows)
        return -float(F.mse_loss(self.vae.reconstruct(faces, self.held_out.codes(rows)), faces))

    def samples(self) -> torch.Tensor:
        """Faces, held out where there are any; under each its reconstruction, and then one with each emotion's code."""
        shown = self.held_out if len(self.held_out.rows) >= SHOWN else self.train
        rows = shown.rows[:: max(1, len(shown.rows) // SHOWN)][:SHOWN]
        faces = shown.grey(rows)
        pictures = [faces, self.vae.reconstruct(faces, shown.codes(rows))]
        for emotion in range(self.emotions):
            code = codes_of(torch.full((len(rows),), emotion), self.emotions).to(faces)
            pictures.append(self.vae.reconstruct(faces, code))
        return torch.cat(pictures).expand(-1, 3, -1, -1)


class VoiceLearner(Learner):
    """The voice encoder under squared error to the frozen VAE's features of the face of the same clip.

    These are the convolutional features, before the emotion code joins them: at test time the voice encoder stands
    in for the convolutions, and the code of the emotion that is heard joins what it gives. A clip without a face of
    its own is paired with the speaker's faces of the same emotion, or with any where there is none.
    """

    def __init__(
        self,
        train: tuple[Faces, Features],
        validation: tuple[Faces, Features],
        vae: FaceVae,
        opt: EmotionVaeOptions,
        context: Context,
    ) -> None:
        super().__init__()
        self.opt, self.device, self.vae = opt, context.device, vae
        (self.faces, self.recordings), (held_out, self.held_out_recordings) = train, validation
        self.features = self.faces.features(vae)
        self.heard, self.seen = paired(self.faces)
        self.speakers = self.faces.clips.table["speaker"].to_numpy()
        self.of_speaker = by_speaker(self.faces.clips.table, "face")
        self.held_out_classes, held_out_features = held_out.classes, held_out.features(vae)
        heard, seen = paired(held_out)
        self.held_out_heard = heard[:VALIDATED]
        self.held_out_features = held_out_features[[faces[0] for faces in seen[:VALIDATED]]]
        self.encoder = VoiceEncoder(vae.emotions, opt.filters, opt.attention)
        self.encoder.to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.steps = opt.voice_steps or -(-opt.voice_epochs * len(self.heard) // opt.batch)
        self.modules = {"encoder": self.encoder}
        self.optimisers = {"encoder": torch.optim.Adam(self.encoder.parameters(), lr=opt.voice_lr, fused=True)}
        schedule = schedule_of(self.optimisers["encoder"], opt.schedule, opt.voice_lr, self.steps)
        self.schedules = {"encoder": schedule}

    def step(self, number: int, rng: np.random.Generator) -> Iterator[tuple[str, Losses]]:
        picked = rng.integers(len(self.heard), size=self.opt.batch)
        rows = self.heard[picked]
        targets = torch.stack([self._target(self.seen[place], rng) for place in picked])
        frames, _ = self.recordings.whole(rows)
        features, logits = self.encoder(turned(frames, rng) if self.opt.turn else frames)
        yield "encoder", self._losses(features[:, 0], logits, targets, self.faces.classes[rows])

    def validate(self) -> float | None:
        if not len(self.held_out_heard):
            return None
        features, logits = self.encoder(self.held_out_recordings.whole(self.held_out_heard)[0])
        classes = self.held_out_classes[self.held_out_heard]
        return -float(sum(self._losses(features[:, 0], logits, self.held_out_features, classes).values()))

    def samples(self) -> torch.Tensor:
        """Training faces above what the voices of their clips give, with the emotion that is heard."""
        places = np.arange(len(self.heard))[:: max(1, len(self.heard) // SHOWN)][:SHOWN]
        features, logits = self.encoder(self.recordings.whole(self.heard[places])[0])
        codes = codes_of(heard_emotion(logits), self.vae.emotions)
        drawn = self.vae.decode(self.vae.posterior(features[:, 0], codes)[0])
        shown = self.faces.grey(np.array([self.seen[place][0] for place in places]))
        return torch.cat([shown, drawn]).expand(-1, 3, -1, -1)

    def _target(self, faces: list[int], rng: np.random.Generator) -> torch.Tensor:
        """The features [256] that a voice aims at, of those faces that it may be paired with."""
        if self.opt.average:
            return self.features[self.of_speaker[self.speakers[faces[0]]]].mean(dim=0)
        return self.features[rng.choice(faces)]

    def _losses(
        self, features: torch.Tensor, logits: torch.Tensor, targets: torch.Tensor, classes: torch.Tensor
    ) -> Losses:
        losses = {"features": F.mse_loss(features, targets.to(self.device))}
        known = classes >= 0
        if self.vae.emotions and known.any():
            entropy = F.cross_entropy(logits[known.to(self.device)], classes[known].to(self.device))
            losses["emotion"] = self.opt.weight_emotion * entropy
        return losses


def heard_emotion(logits: torch.Tensor) -> torch.Tensor:
    """The most likely class, int64 [N]; -1 where there are no classes."""
    return logits.argmax(dim=1) if logits.shape[1] else torch.full((len(logits),), -1, device=logits.device)


def paired(faces: Faces) -> tuple[np.ndarray, list[list[int]]]:
    """Rows of the voices that have a face to be paired with, int [n], and the rows of each one's faces."""
    table = faces.clips.table
    own, of_speaker = table["face"].to_numpy(), by_speaker(table, "face")
    voices, partners = [], []
    for row in np.flatnonzero(table["voice"]):
        others = of_speaker.get(table["speaker"].iloc[row], [])
        same = [other for other in others if faces.classes[other] == faces.classes[row]]
        if own[row] or others:
            voices.append(int(row))
            partners.append([int(row)] if own[row] else same or others)
    return np.array(voices, dtype=int), partners


def schedule_of(
    optimiser: torch.optim.Optimizer, kind: str, peak: float, steps: int
) -> torch.optim.lr_scheduler.LRScheduler:
    if kind == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1.0)
    return torch.optim.lr_scheduler.OneCycleLR(optimiser, peak, total_steps=steps)
