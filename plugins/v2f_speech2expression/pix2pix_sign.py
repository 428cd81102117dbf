"""The first approach of the source as the harness sees it: the way from clips to a checkpoint to faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from v2f_bench import Clips, Context, Fact, Method, Offer, Trials, Variation
from v2f_speech2expression.options import SIGN_QUICK, SignOptions

if TYPE_CHECKING:
    import torch


class Pix2PixSign(Method):
    """The sign of the emotion that is heard is painted on the neutral source picture, and a picture network draws the
    face from that.

    The voice network hears one of the training emotions in MFCC of three seconds. The network is pix2pixHD: a global
    generator at half the size and a local enhancer, discriminators at several scales under least squares, feature
    matching; no perceptual loss, since no pretrained network is bundled. It learns on pairs of one speaker. The source
    has signs for five emotions; the others have signs of the same kind. It found the result unsatisfactory.

    `paper`: numbers of pix2pixHD, on which the source is silent. `quick` is narrower and adds: L1 to the real face
    (`weight_pixel`), the most of it for the middle (`focus`), the picture itself as the start of the drawing
    (`residual`), batch norm (`norm`), discriminators that join half way and weigh less, an average of the weights, and
    statistics of the MFCC over time instead of each frame (`pooling`).
    """

    name = "pix2pix-sign"
    summary = "Speech2expression by pix2pixHD: a sign of the heard emotion, painted on the face, tells what to draw"
    source = "Deng, Speech2expression: Change the Expression Behind a Voice; Wang et al., pix2pixHD, CVPR 2018"
    tracks = frozenset({"emotion"})
    needs = frozenset({"voice", "proposal"})
    options = SignOptions
    presets: ClassVar[Mapping[str, Any]] = {"quick": SIGN_QUICK, "paper": SignOptions()}
    variations: ClassVar[Mapping[str, str]] = {"emotion": "each source face under every sign"}

    opt: SignOptions

    @classmethod
    def resolution(cls, options: SignOptions, protocol: int) -> int:
        return options.side

    @classmethod
    def needs_with(cls, options: SignOptions) -> frozenset[str]:
        return cls.needs | {"emotion"} if options.label_given else cls.needs

    @classmethod
    def unsuited(cls, options: SignOptions, offer: Offer) -> str:
        from v2f_speech2expression.labels import lacking_labels

        return super().unsuited(options, offer) or lacking_labels(offer.dataset, offer.train)

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        from v2f_bench.training import train_learner
        from v2f_speech2expression.faces import Faces
        from v2f_speech2expression.hearing import train_voice
        from v2f_speech2expression.labels import emotions_in
        from v2f_speech2expression.pix2pix_training import SignLearner

        self._emotions = emotions_in(train.table)
        self._voice, self._facts = train_voice(train, validation, self._emotions, self.opt, context)
        faces, held_out = (Faces(clips, self._emotions, context.device) for clips in (train, validation))
        learner = SignLearner(faces, held_out, self._emotions, self.opt, context)
        train_learner(learner, learner.steps, "generator", context)
        self._generator = learner.drawing.eval()

    def generate(self, trials: Trials, context: Context) -> torch.Tensor:
        from v2f_speech2expression.hearing import asked_classes

        classes = asked_classes(self._voice, self._emotions, trials, self.opt.label_given, context.device)
        faces = self._shown(trials.proposals, classes.clamp(min=0), context)
        faces[classes < 0] = float("nan")  # a label that was never trained has no sign
        return faces

    def vary(self, name: str, trials: Trials, context: Context) -> Variation:
        import torch

        columns = [
            self._shown(trials.proposals, torch.full((len(trials),), emotion), context)
            for emotion in range(len(self._emotions))
        ]
        return Variation(torch.stack(columns, dim=1), self._emotions)

    def facts(self) -> list[Fact]:
        return self._facts

    def state(self) -> dict[str, torch.Tensor]:
        from v2f_bench.nn import joined_state
        from v2f_speech2expression.labels import places_of

        networks = {"voice": self._voice, "generator": self._generator}
        return {**joined_state(networks), "emotions": places_of(self._emotions)}

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        import torch

        from v2f_bench.nn import load_joined
        from v2f_speech2expression.hearing import VoiceEmotion
        from v2f_speech2expression.labels import emotions_at
        from v2f_speech2expression.pix2pix import CoarseToFine

        self._emotions = emotions_at(state["emotions"])
        self._voice, self._generator = VoiceEmotion(len(self._emotions), self.opt), CoarseToFine(self.opt)
        load_joined({"voice": self._voice, "generator": self._generator}, state, device)
        self._generator.to(memory_format=torch.channels_last)  # as it was trained

    def _shown(self, sources: torch.Tensor, classes: torch.Tensor, context: Context) -> torch.Tensor:
        """Source faces [N, 3, H, W] with emotions int64 [N], on the CPU."""
        import torch

        from v2f_speech2expression.signs import signed

        pictures = signed(sources, [self._emotions[emotion] for emotion in classes.tolist()])
        with torch.no_grad():
            return self._generator(pictures.to(context.device)).cpu()
