"""The method as the harness sees it: options, presets, and the way from clips to a checkpoint to faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from v2f_bench import Clips, Context, Count, Decay, Method, NotNegative, Positive, Range, Trials, UsageError, Variation

if TYPE_CHECKING:
    import torch

SHOWN_AGES = (25, 40, 55, 70)  # years, in the sheet of what the conditions change
PARTS: dict[str, tuple[str, ...]] = {"none": (), "sex": ("sex",), "age": ("age",), "both": ("sex", "age")}


@dataclass(frozen=True)
class CGanOptions:
    """The source states the conditions and no other number: every default is DCGAN's (Radford et al. 2016), marked so,
    or a choice that works.

    The defaults are the preset `paper`. On one A100 it would take about four hours. That is counted, not measured: 6.1
    GFLOP a sample and step, forward and backward (torch's FlopCounterMode), times 128 samples, times 100,000 steps, at
    10 TFLOP/s make 2.2 hours; the listener adds 2 %; to fetch a batch's faces and crops takes one CPU core 50 ms
    (measured), 1.4 hours in all.
    """

    conditions: Literal["none", "sex", "age", "both"] = "both"  # none: the plain GAN that the source compares with
    label_given: bool = False  # the conditions at test time are the labels, not what is heard; results are marked
    width: Count = 64  # channels of the generator's last hidden layer; the first has 16 times as many
    critic_width: Count = 32  # channels of the discriminator's first layer; the last has 16 times as many
    voice_width: Annotated[float, Range(least=0.01)] = 1.0  # factor on the channels of the voice networks
    noise: Count = 100  # DCGAN's
    batch: Annotated[int, Range(least=2)] = 128  # DCGAN's
    steps: Count = 100_000
    lr: Positive = 2e-4  # DCGAN's
    critic_lr: Positive = 2e-4
    beta1: Decay = 0.5  # DCGAN's
    beta2: Decay = 0.999
    weight_pixel: NotNegative = 0.0  # of L1 to a face of the speaker; not in the source, a help for short trainings
    code_noise: NotNegative = 0.0  # added to a training voice's code, in its deviations; few speakers are soon learnt
    age_jitter: NotNegative = 0.0  # years, standard deviation of what is added to a training label
    seconds: Annotated[float, Range(least=0.01)] = 4.0  # of a training crop
    listener_steps: Count = 20_000
    listener_batch: Annotated[int, Range(least=2)] = 128
    listener_lr: Positive = 1e-3  # the peak of one cycle

    def __post_init__(self) -> None:
        if self.label_given and self.conditions == "none":
            raise UsageError("label_given has no meaning with conditions=none, which takes no labels")

    @property
    def parts(self) -> tuple[str, ...]:
        return PARTS[self.conditions]


# Chosen in another world of synthetic-speakers than the default one. L1 is far above pix2pix's 100: in so few steps the
# discriminator's say makes textures before there are faces, and the detector finds none in them.
QUICK = CGanOptions(
    width=12,
    critic_width=8,
    voice_width=0.5,
    noise=16,
    batch=32,
    steps=450,
    lr=2e-3,
    critic_lr=5e-4,
    weight_pixel=300.0,
    code_noise=0.5,
    age_jitter=5.0,
    seconds=2.0,
    listener_steps=250,
    listener_batch=64,
    listener_lr=4e-3,
)


class CGan(Method):
    """Speech features, noise, and the conditions age and sex give a face; the discriminator sees the conditions too.

    An ear (the voice embedding of Wen et al. 2019, which the source builds on) is trained together with the generator.
    The discriminator judges pairs of a face and a voice, under the conditions. In training these are labels. At test
    time they are what a listener hears in the voice, a second ear trained on the training split's labels; or by
    `label_given` the labels. The source also removes noise from the recordings, in a way that it does not tell; here
    they are taken as they are.
    """

    name = "cgan"
    summary = "conditional GAN: from a voice, noise, and the age and sex heard in it to a face"
    source = "Mahalakshmi & Ramesh, A Conditional GAN Approach for Face Image Generation from Speech"
    options = CGanOptions
    presets: ClassVar[Mapping[str, Any]] = {"quick": QUICK, "paper": CGanOptions()}
    variations: ClassVar[Mapping[str, str]] = {"age-sex": "each row one voice, under changing sex and age"}

    opt: CGanOptions

    @classmethod
    def needs_with(cls, options: CGanOptions) -> frozenset[str]:
        return cls.needs | {"attributes"} if options.label_given else cls.needs

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
        self._generator = Generator(size(self.opt.parts), self.opt.noise, self.opt.width)
        self._listener = Listener(self.opt.voice_width) if self._listens else None
        load_joined(self._networks(), state, device)

    def _networks(self) -> dict[str, torch.nn.Module]:
        networks = {"ear": self._ear, "generator": self._generator, "listener": self._listener}
        return {name: network for name, network in networks.items() if network is not None}
