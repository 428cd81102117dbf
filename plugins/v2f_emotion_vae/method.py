"""The method as the harness sees it: options, presets, and the way from clips to a checkpoint to faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from v2f_bench import Clips, Context, Count, Method, NotNegative, Positive, Range, Share, Trials, Variation

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class EmotionVaeOptions:
    """The defaults are the source's; where it is silent, a choice that works, marked so."""

    width: Count = 32  # silent; channels of the face VAE's first layer, the others are 2, 4 and 8 times as wide
    latent: Count = 64  # silent; dimensions
    # What a set bit of the code is. The source sets two bits an emotion where one would do, for more effect; a larger
    # bit does the same, and is learned sooner.
    code_size: Positive = 1.0
    weight_kl: NotNegative = 1.0  # silent; of the KL divergence beside the squared error, both summed over a face
    focus: NotNegative = 0.0  # more weight for the middle of the face; the source crops to its outline
    batch: Annotated[int, Range(least=2)] = 32
    face_epochs: Count = 300
    face_steps: Count | None = None  # instead of epochs
    face_lr: Positive = 1e-3
    mirror: bool = False  # half of the VAE's training faces
    hidden: Share = 0.0  # share of these whose features are put at their mean 0, so that the code alone must serve
    # The voice encoder's first stage: the source's, learned on raw frames, or a log-mel spectrogram in its place.
    filters: Literal["learned", "mel"] = "learned"
    attention: Literal["tokens", "rows"] = "tokens"  # silent; DeepTalk's tokens, or the rows of the GRU
    # Aim at the mean features of all the speaker's faces, not at those of the clip's own: what differs between them
    # cannot be heard, but for the emotion, and that is the code's.
    average: bool = False
    voice_epochs: Count = 600
    voice_steps: Count | None = None  # instead of epochs
    voice_lr: Positive = 1e-4
    weight_emotion: NotNegative = 1.0  # of the emotion head's cross-entropy; the head is not in the source
    turn: bool = False  # training recordings, to begin anywhere
    schedule: Literal["constant", "one-cycle"] = "constant"  # of both learning rates
    label_given: bool = False  # the code from the trial's emotion label, as in the source, not from the voice
    # Factor on the features that a voice gives. What cannot be heard is missing in them, so they lie nearer to the mean
    # than a face's do, and so do the faces that are drawn.
    gain: NotNegative = 1.0
    code_gain: NotNegative = 1.0  # factor on the code: expressions larger than life, as a caricaturist draws them
    noise: NotNegative = 1.0  # factor on the posterior's deviation in drawing; 0 draws its mean


# Chosen in another world of synthetic-speakers than the default one, by its test speakers.
QUICK = EmotionVaeOptions(
    width=16,
    code_size=4.0,
    weight_kl=0.05,
    focus=4.0,
    face_steps=1500,
    face_lr=2e-3,
    mirror=True,
    hidden=0.3,
    filters="mel",
    attention="rows",
    average=True,
    voice_steps=450,
    voice_lr=3e-3,
    weight_emotion=0.3,
    turn=True,
    schedule="one-cycle",
    gain=2.0,
    code_gain=2.0,
    noise=0.0,
)
# The code must serve more, and is drawn larger than life: the emotion shows, and the person less.
EXPRESSIVE = replace(QUICK, hidden=0.6, code_gain=8.0)


class EmotionVae(Method):
    """A face VAE with an emotion code, whose encoder a voice encoder learns to stand in for.

    The emotion comes from the voice, by a head on the voice encoder; `label_given` takes the trial's label, as the
    source does, and the results are marked. Where the data set labels no emotion there is no code. Faces are grey. The
    source takes pauses of a second or more out, and the frame that shows the emotion most: that is for `prepare`, by
    `--dataset-set silence=1 --dataset-set frame=emotion`. It trains to the end; here the best networks by validation
    are kept.

    `paper` is the source's, with filters learned on raw frames. On CREMA-D, 5,954 training clips, it takes 56,100
    steps of the face VAE and 112,200 of the voice encoder; at 0.32 and 0.55 GFLOP a clip, forward and backward
    (counted by torch.utils.flop_counter), that is 2.5 PFLOP. A GPU that does 10 TFLOP/s of such small layers would
    need 4 minutes for these; at an assumed 10 ms a step, launching kernels included, it is half an hour. Not measured.

    `quick` departs from the source where that costs too much or blurs too much in two minutes: a log-mel spectrogram
    in place of the learned filters, narrower layers, a lighter KL divergence, more weight for the middle of the face,
    a larger code on faces some of which are hidden, and a voice that aims at the mean of its speaker's faces, whose
    distance from the mean face is then doubled, as is the code. Squared error still blurs. `expressive` is for the
    emotion track: more faces are hidden and the code is eight times as large, so that the emotion shows more and the
    person less.
    """

    name = "emotion-vae"
    summary = "face VAE with an emotion code, driven by a DeepTalk-like voice encoder; grey faces"
    source = (
        "Koseki, Sei, Tahara & Ohsuga, Generation of Facial Images Reflecting Speaker Attributes and Emotions Based on "
        "Voice Input"
    )
    tracks = frozenset({"identity", "emotion"})
    options = EmotionVaeOptions
    presets: ClassVar[Mapping[str, Any]] = {"quick": QUICK, "expressive": EXPRESSIVE, "paper": EmotionVaeOptions()}
    variations: ClassVar[Mapping[str, str]] = {"emotion": "one voice's face, with the code of every emotion"}

    opt: EmotionVaeOptions

    @classmethod
    def needs_with(cls, options: EmotionVaeOptions) -> frozenset[str]:
        return cls.needs | {"emotion"} if options.label_given else cls.needs

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        import json

        from v2f_bench.audio import Features
        from v2f_bench.training import train_learner
        from v2f_emotion_vae.code import emotions_in
        from v2f_emotion_vae.gap import FILE, encoder_gap, in_one_line
        from v2f_emotion_vae.hearing import frames_of
        from v2f_emotion_vae.training import FaceLearner, VoiceLearner

        self._emotions = emotions_in(train.table)
        told = ", ".join(self._emotions) or "no emotion is labelled, so there is no code"
        context.progress.line(f"emotion-vae: emotion code: {told}")
        faces = FaceLearner(train, validation, self.opt, context)
        train_learner(faces, faces.steps, "face-vae", context)
        self._vae = faces.vae.requires_grad_(False)
        heard, held_out = (
            Features(clips, frames_of, context.device, filters=self.opt.filters) for clips in (train, validation)
        )
        voices = VoiceLearner((faces.train, heard), (faces.held_out, held_out), self._vae, self.opt, context)
        train_learner(voices, voices.steps, "voice-encoder", context)
        self._voice = voices.encoder
        gap = encoder_gap(self._vae, self._voice, faces.held_out, held_out, faces.train)
        context.progress.line(in_one_line(gap))
        if context.folder is not None:
            (context.folder / FILE).write_text(json.dumps(gap, indent=1))

    def generate(self, trials: Trials, context: Context) -> torch.Tensor:
        import torch

        from v2f_emotion_vae.code import classes_of, codes_of
        from v2f_emotion_vae.training import heard_emotion

        with torch.inference_mode():
            features, logits = self._hear(trials, context)
            classes = heard_emotion(logits)
            if self.opt.label_given:
                classes = classes_of(trials.emotions, self._emotions).to(context.device)
            faces = self._draw(features, codes_of(classes, len(self._emotions)), context)
            if self.opt.label_given:
                faces[classes.cpu() < 0] = torch.nan  # a label that was never trained has no code
            return faces

    def vary(self, name: str, trials: Trials, context: Context) -> Variation:
        """The source's label swap, for voices; one column where there is no code to swap."""
        import torch

        from v2f_emotion_vae.code import codes_of

        swaps = [*range(len(self._emotions))] or [-1]
        with torch.inference_mode():
            features, _ = self._hear(trials, context)
            columns = []
            for emotion in swaps:
                classes = torch.full((len(trials),), emotion, device=features.device)
                columns.append(self._draw(features, codes_of(classes, len(self._emotions)), context))
            return Variation(torch.stack(columns, dim=1), self._emotions or ("no code",))

    def state(self) -> dict[str, torch.Tensor]:
        import torch

        from v2f_bench.interfaces.labels import EMOTIONS
        from v2f_bench.nn import joined_state

        places = torch.tensor([EMOTIONS.index(emotion) for emotion in self._emotions], dtype=torch.int64)
        return {**joined_state({"vae": self._vae, "voice": self._voice}), "emotions": places}

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        from v2f_bench.interfaces.labels import EMOTIONS
        from v2f_bench.nn import load_joined
        from v2f_emotion_vae.face_vae import FaceVae
        from v2f_emotion_vae.voice_encoder import VoiceEncoder

        self._emotions = tuple(EMOTIONS[place] for place in state["emotions"].tolist())
        self._vae = FaceVae(len(self._emotions), self.opt.width, self.opt.latent, self.opt.code_size)
        self._voice = VoiceEncoder(len(self._emotions), self.opt.filters, self.opt.attention)
        load_joined({"vae": self._vae, "voice": self._voice}, state, device)

    def _hear(self, trials: Trials, context: Context) -> tuple[torch.Tensor, torch.Tensor]:
        """Features [N, 256] and emotion logits [N, K] of the trials' voices."""
        from v2f_emotion_vae.hearing import frames_of

        features, logits = self._voice(frames_of(trials.voices.to(context.device), self.opt.filters)[0])
        return features[:, 0], logits

    def _draw(self, features: torch.Tensor, codes: torch.Tensor, context: Context) -> torch.Tensor:
        """Faces float32 [N, 3, 64, 64] on the CPU; the same ε whatever the code."""
        import torch

        mean, deviation = self._vae.posterior(self.opt.gain * features, self.opt.code_gain * codes)
        epsilon = torch.randn(mean.shape, generator=context.torch_rng("latent")).to(mean)
        return self._vae.decode(mean + self.opt.noise * deviation * epsilon).expand(-1, 3, -1, -1).cpu().clone()
