"""The method as the harness sees it: the way from clips to a checkpoint to faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from v2f_bench import Clips, Context, Method, Offer, Trials, Variation
from v2f_cgan.options import QUICK, SIDE, CGanOptions

if TYPE_CHECKING:
    import torch

SHOWN_AGES = (25, 40, 55, 70)  # years, in the sheet of what the conditions change


class CGan(Method):
    """Speech features, noise, and the conditions age and sex give a face; the discriminator sees the conditions too.

    An ear (the voice embedding of Wen et al. 2019, which the source builds on) is trained together with the generator.
    The discriminator judges pairs of a face and a voice, under the conditions. In training these are labels. At test
    time they are what a listener hears in the voice, a second ear trained on the training split's labels; or by
    `label_given` the labels. The source also removes noise from the recordings, and does not say how; here
    they are taken as they are.

    `quick` departs from the source in the same way as that of `voice2face-gan`: narrow networks, L1 to a face of the
    voice's owner, far above the discriminator's part, learning rates that fall, and blurs against the grid of the
    transposed convolutions.
    """

    name = "cgan"
    summary = "conditional GAN: from a voice, noise, and the age and sex heard in it to a face"
    source = "Mahalakshmi & Ramesh, A Conditional GAN Approach for Face Image Generation from Speech"
    options = CGanOptions
    presets: ClassVar[Mapping[str, Any]] = {"quick": QUICK, "paper": CGanOptions()}
    variations: ClassVar[Mapping[str, str]] = {"age-sex": "each row one voice, under changing sex and age"}

    opt: CGanOptions

    @classmethod
    def resolution(cls, options: CGanOptions, protocol: int) -> int:
        return SIDE

    @classmethod
    def needs_with(cls, options: CGanOptions) -> frozenset[str]:
        return cls.needs | {"attributes"} if options.label_given else cls.needs

    @classmethod
    def unsuited(cls, options: CGanOptions, offer: Offer) -> str:
        from v2f_cgan.conditions import lacking_labels

        return super().unsuited(options, offer) or lacking_labels(offer.train, options.parts)

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        from v2f_bench.audio import Features
        from v2f_bench.training import train_learner
        from v2f_cgan.conditions import labelled
        from v2f_cgan.listener import ListenerLearner
        from v2f_cgan.speech import speech_features
        from v2f_cgan.training import GanLearner

        unknown = int((~labelled(train.table, self.opt.parts)).sum())
        if unknown:
            context.progress.line(f"cgan: {unknown} training clips left out: no label of {', '.join(self.opt.parts)}")
        speech = Features(train, speech_features, context.device)
        self._listener = None
        if self._listens:
            listening = ListenerLearner(train, speech, validation, self.opt, context)
            train_learner(listening, self.opt.listener_steps, "listener", context)
            self._listener = listening.listener
        gan = GanLearner(train, speech, self.opt, context)
        train_learner(gan, self.opt.steps, "generator", context)
        self._ear, self._generator = gan.ear, gan.generator

    @property
    def _listens(self) -> bool:
        return bool(self.opt.parts) and not self.opt.label_given

    def generate(self, trials: Trials, context: Context) -> torch.Tensor:
        import torch

        with torch.inference_mode():
            code, male, age = self._heard(trials, context)
            return self._drawn(code, male, age, context)

    def vary(self, name: str, trials: Trials, context: Context) -> Variation:
        """`age-sex`: beside the face as `generate` draws it, each sex at each of some ages, of the conditions that the
        options take; all faces of a voice from one noise."""
        import torch

        sexes = ("female", "male") if "sex" in self.opt.parts else ("",)
        ages = SHOWN_AGES if "age" in self.opt.parts else ("",)
        steps = [(sex, years) for sex in sexes for years in ages if sex or years]
        with torch.inference_mode():
            code, male, age = self._heard(trials, context)
            faces = [self._drawn(code, male, age, context)]
            for sex, years in steps:
                male = torch.full_like(male, float(sex == "male"))
                age = torch.full_like(age, float(years or 0))
                faces.append(self._drawn(code, male, age, context))
        unchanged = "as labelled" if self.opt.label_given else "as heard"
        captions = (f"{sex} {years}".strip() for sex, years in steps)
        return Variation(torch.stack(faces, dim=1), (unchanged, *captions))

    def _heard(self, trials: Trials, context: Context) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The code of each voice, [N, 64], and its sex (1.0 male, 0.0 female) and age, [N] both, from where the options
        say; sex and age are zero where no condition is taken."""
        import torch

        from v2f_cgan.conditions import labels
        from v2f_cgan.speech import speech_features

        speech = speech_features(trials.voices.to(context.device))
        code = self._ear(*speech)
        if self.opt.label_given:
            male, age = labels(trials.attributes)
            return code, male.to(context.device), age.to(context.device)
        if self._listener is None:
            return code, torch.zeros_like(code[:, 0]), torch.zeros_like(code[:, 0])
        male, age = self._listener(*speech)
        return code, male.round(), age  # one sex or the other, as in training

    def _drawn(self, code: torch.Tensor, male: torch.Tensor, age: torch.Tensor, context: Context) -> torch.Tensor:
        import torch

        from v2f_cgan.conditions import encoded

        noise = torch.randn(len(code), self.opt.noise, generator=context.torch_rng("noise")).to(context.device)
        faces: torch.Tensor = self._generator(code, noise, encoded(male, age, self.opt.parts))
        return faces.cpu()

    def state(self) -> dict[str, torch.Tensor]:
        from v2f_bench.nn import joined_state

        return joined_state(self._networks())

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        from v2f_bench.nn import load_joined
        from v2f_cgan.conditions import size
        from v2f_cgan.listener import Listener
        from v2f_cgan.networks import Ear, Generator

        self._ear = Ear(self.opt.voice_width)
        self._generator = Generator(size(self.opt.parts), self.opt.noise, self.opt.width, self.opt.smooth)
        self._listener = Listener(self.opt.voice_width) if self._listens else None
        load_joined(self._networks(), state, device)

    def _networks(self) -> dict[str, torch.nn.Module]:
        networks = {"ear": self._ear, "generator": self._generator, "listener": self._listener}
        return {name: network for name, network in networks.items() if network is not None}
