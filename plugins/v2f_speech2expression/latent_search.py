"""The search in a latent space as the harness sees it: the way from clips to a checkpoint to faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from v2f_bench import Clips, Context, Fact, Method, Offer, OptionFile, Trials, Variation
from v2f_speech2expression.options import SEARCH_QUICK, SearchOptions

if TYPE_CHECKING:
    import torch

    from v2f_speech2expression.search import Space


class LatentSearch(Method):
    """A neutral face is inverted into the latent space of a face generator, and its latent goes step by step to the
    emotion that is heard.

    The voice network hears one of the training emotions in MFCC of three seconds. The direction of each step is λ
    (`instance`) times the gradient of a classifier's score at this face, and 1 − λ times the mean of such gradients
    over many faces, without what would move identity, sex and age (Han et al. 2021). Classifier and generator are
    trained on the training split, and judge nothing. How far it goes for each emotion is chosen on validation speakers
    by perceptual distance to their real faces. Beside the checkpoint stand `strengths.json` and the
    disentanglement-transformation curve, `disentanglement.json` and `.png`, by the method's own classifier.

    `paper` trains a style-based generator and its inverting encoder at 128 pixels, for a GPU: never tried to its end.
    The source takes one that is pretrained on FFHQ. None is bundled, but `generator=FILE` takes such a StyleGAN2 and
    trains only the encoder: the `g_ema` of a `.pt` of rosinality/stylegan2-pytorch, or the same tensors as
    safetensors; the section on pretrained generators in docs/files.md says more.

    `quick` departs from the source where a thousand faces teach no such generator:

    * its generator draws the face from the latent and from the source picture, as flow, mask and light, trained on
      pairs of one person (`generator=redrawing`); the classifier's cross-entropy has a small part in that
      (`weight_emotion`); after training, flow, mask and light are the means of those of the picture and of its mirror
      image;
    * statistics of the MFCC over time instead of each frame (`pooling`);
    * 10 steps of inversion, not 100;
    * nothing is projected out (`keep=`): the source picture keeps the person, and with `keep=identity,sex,age` the
      faces of validation speakers came out less like the real ones.
    """

    name = "latent-search"
    summary = "Speech2expression by IALS: moves a face's latent towards the emotion heard in the voice"
    source = "Deng, Speech2expression: Change the Expression Behind a Voice; Han et al., IALS, IJCAI 2021"
    tracks = frozenset({"emotion"})
    needs = frozenset({"voice", "proposal"})
    options = SearchOptions
    presets: ClassVar[Mapping[str, Any]] = {"quick": SEARCH_QUICK, "paper": SearchOptions()}
    variations: ClassVar[Mapping[str, str]] = {"emotion": "each source face, taken to every emotion"}

    opt: SearchOptions
    _space: Space

    @classmethod
    def resolution(cls, options: SearchOptions, protocol: int) -> int:
        return options.side

    @classmethod
    def needs_with(cls, options: SearchOptions) -> frozenset[str]:
        return cls.needs | {"emotion"} if options.label_given else cls.needs

    @classmethod
    def unsuited(cls, options: SearchOptions, offer: Offer) -> str:
        from v2f_speech2expression.labels import lacking_labels

        return super().unsuited(options, offer) or lacking_labels(offer.dataset, offer.train)

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        from v2f_bench.training import train_learner
        from v2f_speech2expression.attributes import AttributeLearner
        from v2f_speech2expression.faces import Faces, Pairs
        from v2f_speech2expression.hearing import train_voice
        from v2f_speech2expression.labels import emotions_in
        from v2f_speech2expression.pretrained import read_stylegan2
        from v2f_speech2expression.space import Report, chosen_space, train_generator

        file = self.opt.generator
        stylegan2 = read_stylegan2(file) if isinstance(file, OptionFile) else None  # first, for it may be a wrong one
        self._emotions = emotions_in(train.table)
        self._voice, heard = train_voice(train, validation, self._emotions, self.opt, context)
        faces, held_out = (Faces(clips, self._emotions, context.device) for clips in (train, validation))
        attributes = AttributeLearner(faces, held_out, len(self._emotions), self.opt, context)
        train_learner(attributes, self.opt.classifier_steps, "attributes", context)
        h = attributes.network.requires_grad_(False)
        generator = train_generator(faces, held_out, self._emotions, h, self.opt, context, stylegan2)
        pairs, held_out_pairs = Pairs(faces, self._emotions), Pairs(held_out, self._emotions)
        self._space = chosen_space(generator, h, faces, pairs, self.opt, context)
        report = Report(self._emotions, self._space, held_out, held_out_pairs, self.opt, context)
        self._strengths = report.strengths
        self._facts = [*heard, *report.write()]

    def generate(self, trials: Trials, context: Context) -> torch.Tensor:
        from v2f_speech2expression.hearing import asked_classes

        classes = asked_classes(self._voice, self._emotions, trials, self.opt.label_given, context.device)
        faces = self._shown(trials.proposals, classes.clamp(min=0), context)
        faces[classes < 0] = float("nan")  # a label that was never trained has no direction
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

        networks: dict[str, torch.nn.Module] = {
            "voice": self._voice,
            "attributes": self._space.h,
            "generator": self._space.generator,
        }
        return {
            **joined_state(networks),
            "attribute directions": self._space.attribute,
            "kept directions": self._space.kept,
            "strengths": self._strengths,
            "emotions": places_of(self._emotions),
        }

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        from v2f_bench.nn import load_joined
        from v2f_speech2expression.attributes import Attributes
        from v2f_speech2expression.hearing import VoiceEmotion
        from v2f_speech2expression.labels import emotions_at
        from v2f_speech2expression.search import Space
        from v2f_speech2expression.space import new_generator

        self._emotions = emotions_at(state["emotions"])
        self._voice = VoiceEmotion(len(self._emotions), self.opt)
        speakers = len(state["attributes.speaker.bias"])
        h = Attributes(len(self._emotions), speakers, self.opt.classifier_width)
        generator = new_generator(h.seen, self.opt, state)
        load_joined({"voice": self._voice, "attributes": h, "generator": generator}, state, device)
        h.requires_grad_(False)
        generator.requires_grad_(False)
        directions = (state[f"{name} directions"].to(device) for name in ("attribute", "kept"))
        self._space = Space(generator, h, *directions)
        self._strengths = state["strengths"].to(device)

    def _shown(self, sources: torch.Tensor, classes: torch.Tensor, context: Context) -> torch.Tensor:
        """Source faces [N, 3, H, W] with emotions int64 [N], on the CPU."""
        import torch

        from v2f_speech2expression.search import inverted, searched

        classes = classes.to(context.device)
        latents, still, _ = inverted(self._space.generator, self._space.h, sources.to(context.device), self.opt)
        at_end = searched(self._space, latents, still, classes, self._strengths[classes], self.opt)
        with torch.no_grad():
            return self._space.generator(at_end, still).cpu()
