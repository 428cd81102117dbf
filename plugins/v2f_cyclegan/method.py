"""The method as the harness sees it: the way from clips to a checkpoint to faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from v2f_bench import Clips, Context, Fact, Method, Offer, Trials, Variation
from v2f_cyclegan.options import QUICK, CycleGanOptions

if TYPE_CHECKING:
    import torch


class CycleGan(Method):
    """A CycleGAN whose way to an emotional face is conditioned by what a voice network hears; the way back is not.

    Three trainings: the emotion CNN on voices; the emotion CNN on faces; the CycleGAN. Its two sides are the neutral
    faces and all faces whose emotion is labelled, each of these with the vector of its own voice. The discriminator of
    the emotional side sees that vector too, and real faces with that of a voice in another emotion as fakes.

    The verification loss is the distance between the features that the face network finds in the drawn face and their
    mean over the training faces with that emotion. The source adds it to the discriminator's loss, where in its public
    code it has no gradient; here it is part of the generator's, and the faces are shown to the network blurred, grey
    and in other light, as they were in its own training, for coloured patches fool one that sees them clean.
    `weight_emotion=0` is the source's ablation; `wrong_conditions=false` another one. (In `quick` the network also
    compares pairs, see below; without `weight_match` too it has no part in the generator.)

    The vector is that of the voice network's last layer, one number an emotion, before the softmax. The source cuts
    40 frames out of a recording; here a recording has the mean over all such stretches. Layer sizes and trainings of
    both networks, on which it is silent, are ours.

    `paper` is unpaired, as the source; its convolutions that the tiled condition joins have no instance norm, which
    would subtract the condition again. `quick`, for few faces, departs from it:

    * 64 pixels, narrow networks, and MFSC of longer windows, farther apart; the voice network learns from mixtures of
      two recordings' MFSC (mixup);
    * in place of a picture of its own a flow, a mask and light change the source face, by a U-Net with the condition
      as scale and shift in every block; in drawing they are the means of those of the face and of its mirror image,
      and the flow goes farther than it was learned (`strength`);
    * a person's neutral and emotional face are a pair, of which hair, background and light are left out; they are
      compared by pixels, and by the face network's maps of both, made blurred or grey alike;
    * the vector is in units of its deviation within the emotions (`whiten`), and moved most of the way to the training
      mean of its emotion (`settle`): a vector between two emotions draws neither;
    * the discriminators come in late, with little weight; one step of eight has the cycles; what draws is the mean of
      the weights.
    """

    name = "cyclegan"
    summary = "CycleGAN from a neutral face to the emotion that a voice network hears, and back"
    source = "Huang, Wang, Lyu & Hu, Speech Emotion Guided Face Image Generator with GANs"
    tracks = frozenset({"emotion"})
    needs = frozenset({"voice", "proposal"})
    options = CycleGanOptions
    presets: ClassVar[Mapping[str, Any]] = {"quick": QUICK, "paper": CycleGanOptions()}
    variations: ClassVar[Mapping[str, str]] = {"emotion": "one source face, with every emotion's mean condition"}

    opt: CycleGanOptions

    @classmethod
    def resolution(cls, options: CycleGanOptions, protocol: int) -> int:
        return options.side

    @classmethod
    def unsuited(cls, options: CycleGanOptions, offer: Offer) -> str:
        from v2f_cyclegan.emotions import lacking

        missing = lacking(offer.train, options.paired)
        return super().unsuited(options, offer) or (missing and f"{offer.dataset} has no training {missing}")

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        import torch

        from v2f_bench.audio import Features
        from v2f_bench.training import train_learner
        from v2f_cyclegan.classifiers import FaceLearner, Faces, VoiceLearner, accuracies, conditions_of, scaling
        from v2f_cyclegan.emotions import classes_of, emotions_in
        from v2f_cyclegan.hearing import front_end_options, mfsc_of
        from v2f_cyclegan.training import CycleLearner, Draws

        opt = self.opt
        self._emotions = emotions_in(train.table)
        classes, held_out_classes = (classes_of(clips.table, self._emotions) for clips in (train, validation))
        heard, held_out = (
            Features(clips, mfsc_of, context.device, **front_end_options(opt)) for clips in (train, validation)
        )
        faces, held_out_faces = (Faces(clips, context.device) for clips in (train, validation))

        voice = VoiceLearner(heard, classes, len(self._emotions), opt, context)
        train_learner(voice, opt.voice_steps, "voice", context)
        self._voice = voice.cnn.requires_grad_(False)
        vectors = torch.full((len(train), len(self._emotions)), torch.nan)
        vectors[heard.rows] = conditions_of(self._voice, heard, heard.rows).cpu()
        mean, axes = scaling(vectors, classes, opt.whiten)
        self._voice.middle.copy_(mean)
        self._voice.axes.copy_(axes)
        conditions = self._voice.scaled(vectors.to(context.device)).cpu()
        means = [conditions[classes == number].nanmean(dim=0) for number in range(len(self._emotions))]
        self._typical = torch.stack(means).to(context.device)
        # Clips without a labelled emotion are not drawn in training.
        settled = torch.lerp(conditions, self._typical.cpu()[classes.clip(min=0)], opt.settle)

        verifier = None
        if opt.weight_emotion or opt.weight_match:
            face = FaceLearner(faces, classes, len(self._emotions), opt, context)
            train_learner(face, opt.face_steps, "face", context)
            verifier = face.cnn.requires_grad_(False)
        self._facts = accuracies(self._voice, verifier, held_out, held_out_faces, held_out_classes)
        for fact in self._facts:
            context.progress.line(f"cyclegan: {fact.name} {fact.value:.2f} on {fact.n} {fact.over}")

        draws = Draws(train.table, classes, faces, settled, opt)
        steps = opt.steps or -(-opt.epochs * len(draws.rows) // opt.batch)
        cycle = CycleLearner(draws, verifier, opt, steps, context)
        train_learner(cycle, steps, "cyclegan", context)
        self._generator = cycle.generator

    def generate(self, trials: Trials, context: Context) -> torch.Tensor:
        import torch

        from v2f_cyclegan.hearing import front_end_options, mfsc_of

        with torch.inference_mode():
            heard = mfsc_of(trials.voices.to(context.device), **front_end_options(self.opt))
            logits = self._voice.hear(*heard)
            settled = self._typical[logits.argmax(dim=1)]
            conditions = torch.lerp(self._voice.scaled(logits), settled, self.opt.settle)
            return self._draw(trials.proposals, conditions, context)

    def facts(self) -> list[Fact]:
        return self._facts

    def vary(self, name: str, trials: Trials, context: Context) -> Variation:
        import torch

        with torch.inference_mode():
            drawn = [self._draw(trials.proposals, each.expand(len(trials), -1), context) for each in self._typical]
        return Variation(torch.stack([trials.proposals, *drawn], dim=1), ("source", *self._emotions))

    def state(self) -> dict[str, torch.Tensor]:
        import torch

        from v2f_bench.interfaces.labels import EMOTIONS
        from v2f_bench.nn import joined_state

        places = torch.tensor([EMOTIONS.index(emotion) for emotion in self._emotions], dtype=torch.int64)
        networks = joined_state({"voice": self._voice, "generator": self._generator})
        return {**networks, "emotions": places, "typical": self._typical}

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        from v2f_bench.interfaces.labels import EMOTIONS
        from v2f_bench.nn import load_joined
        from v2f_cyclegan.generator import generator_of
        from v2f_cyclegan.hearing import VoiceCnn

        self._emotions = tuple(EMOTIONS[place] for place in state["emotions"].tolist())
        self._typical = state["typical"].to(device)
        self._voice = VoiceCnn(len(self._emotions), self.opt.voice_width, self.opt.voice_dropout)
        self._generator = generator_of(len(self._emotions), self.opt)
        load_joined({"voice": self._voice, "generator": self._generator}, state, device)

    def _draw(self, sources: torch.Tensor, conditions: torch.Tensor, context: Context) -> torch.Tensor:
        """Faces float32 [N, 3, side, side] on the CPU, of source faces [N, 3, side, side] and conditions [N, K]."""
        drawn = self._generator(sources.to(context.device), conditions, self.opt.strength)
        faces: torch.Tensor = drawn.faces
        return faces.cpu()
