"""The method as the harness sees it: the way from clips to a checkpoint to faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from v2f_bench import Clips, Context, Method, Offer, Trials, Variation
from v2f_emotion_vae.options import EXPRESSIVE, QUICK, SIDE, EmotionVaeOptions

if TYPE_CHECKING:
    import torch


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
    def resolution(cls, options: EmotionVaeOptions, protocol: int) -> int:
        return SIDE

    @classmethod
    def needs_with(cls, options: EmotionVaeOptions) -> frozenset[str]:
        return cls.needs | {"emotion"} if options.label_given else cls.needs

    @classmethod
    def unsuited(cls, options: EmotionVaeOptions, offer: Offer) -> str:
        heard, seen = (set(offer.train["speaker"][offer.train[what]]) for what in ("voice", "face"))
        lacking = "" if heard & seen else f"{offer.dataset} has no training speaker with both a voice and a face"
        return super().unsuited(options, offer) or lacking

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        import json

        from v2f_bench.audio import Features
        from v2f_bench.training import train_learner
        from v2f_emotion_vae.code import emotions_in
        from v2f_emotion_vae.gap import FILE, encoder_gap, in_one_line
        from v2f_emotion_vae.hearing import frames_of
        from v2f_emotion_vae.training import FaceLearner, VoiceLearner

        self._emotions = emotions_in(train.table)
        names = ", ".join(self._emotions) or "no emotion is labelled, so there is no code"
        context.progress.line(f"emotion-vae: emotion code: {names}")
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
