"""The contract of a method: learn from the training and validation clips, then make one face, still or moving, for
each trial."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from v2f_bench.interfaces.errors import UsageError
from v2f_bench.interfaces.options import NoOptions, did_you_mean

if TYPE_CHECKING:
    import torch

    from v2f_bench.interfaces.context import Context
    from v2f_bench.interfaces.film import FaceFilm
    from v2f_bench.interfaces.offer import Offer
    from v2f_bench.interfaces.values import Clips, Fact, Trials, Variation


class Method(ABC):
    """A way to draw a face from a voice.

    Class attributes:
        name: as typed after `--method`; lower case, digits and hyphens.
        summary: one line for `v2f-bench list`.
        source: the publication it follows, or "".
        tracks: the tracks that it serves: "identity", "emotion".
        needs: what a trial must have, from `v2f_bench.NEEDS`; the method is given nothing else.
        options: a frozen dataclass of typed options (see `v2f_bench.interfaces.options`).
        presets: named options; by convention `quick` (minutes on a laptop's CPU) and `paper` (the source's numbers).
        baseline: whether it is in every table of its track, as a floor, a ceiling or a simple method.
        learns: whether `fit` reads the training clips. If False, it can also run on a data set without training
            speakers.
        uses_device: whether it computes on the device that it is given. If False, it computes on the CPU, and its
            checkpoint does not depend on device, number of devices and precision.
        variations: the sheets that `vary` can draw, and what each shows: {"emotion": "one voice, every emotion"}.
        trained_with: pretrained networks that its losses or features use, as judges name them. Numbers by one of these
            judges are marked as not independent.
    """

    name: ClassVar[str]
    summary: ClassVar[str] = ""
    source: ClassVar[str] = ""
    tracks: ClassVar[frozenset[str]] = frozenset({"identity"})
    needs: ClassVar[frozenset[str]] = frozenset({"voice"})
    options: ClassVar[type] = NoOptions
    presets: ClassVar[Mapping[str, Any]] = {}
    baseline: ClassVar[bool] = False
    learns: ClassVar[bool] = True
    uses_device: ClassVar[bool] = True
    variations: ClassVar[Mapping[str, str]] = {}
    trained_with: ClassVar[tuple[str, ...]] = ()

    def __init__(self, options: Any) -> None:
        self.opt = options

    @classmethod
    def preset(cls, name: str) -> Any:
        """The options of a preset. A method without presets has its defaults under every name."""
        if not cls.presets:
            return cls.options()
        if name not in cls.presets:
            hint = did_you_mean(name, cls.presets)
            raise UsageError(f"{cls.name} has no preset {name!r}{hint} It has: {', '.join(cls.presets)}.")
        return cls.presets[name]

    @classmethod
    def needs_with(cls, options: Any) -> frozenset[str]:
        """What a trial must have under `options`: `needs`, unless an option needs more (for example a label instead of
        what the method hears)."""
        return cls.needs

    @classmethod
    def resolution(cls, options: Any, protocol: int) -> int:
        """The pixels a side of the faces that the method is given, in `fit` and in trials.

        It is the protocol's resolution, `protocol`, unless a method with networks for another size overrides this.
        """
        return protocol

    @classmethod
    def unsuited(cls, options: Any, offer: Offer) -> str:
        """Why the method with `options` cannot run on what a data set offers; "" where it can.

        Called before `fit`. A method that needs more than its `needs` and training clips with voices and faces, for
        example labels, overrides this and calls `super()` first.
        """
        if offer.track not in cls.tracks:
            return f"serves the track {' and '.join(sorted(cls.tracks))}, not {offer.track}"
        for need in sorted(cls.needs_with(options)):
            if need in offer.lacking:
                return offer.lacking[need]
        if cls.learns and not (offer.train["voice"].any() and offer.train["face"].any()):
            return f"{offer.dataset} has no training speakers with voices and faces"
        return ""

    @abstractmethod
    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        """Learn from the training clips; choose among checkpoints by the validation clips.

        Afterwards the method must be ready to generate: the harness checks that it draws the same faces as one that is
        restored from `state()`.
        """

    @abstractmethod
    def generate(self, trials: Trials, context: Context) -> torch.Tensor | Sequence[FaceFilm]:
        """One face for each trial: float32 [N, 3, H, W], RGB in [0, 1]; any H = W, resized to the protocol's.

        A face that cannot be made is NaN, and counts as missing by each metric's stated policy. `context.seed` depends
        on the run's seed and on the batch, so that a single batch can be repeated.

        A method of moving faces gives a list of N films instead. Whatever looks at a still face, such as most judges,
        is shown the middle frame of a film.
        """

    def facts(self) -> list[Fact]:
        """What `fit` measured about parts of the method, for the record. Called once, after `fit`."""
        return []

    def vary(self, name: str, trials: Trials, context: Context) -> Variation:
        """The pictures of one of `variations`, for sheets; nothing is measured on them."""
        raise NotImplementedError(f"{self.name} lists the variation {name!r} but has no `vary`")

    def state(self) -> dict[str, torch.Tensor]:
        """Everything that `generate` needs besides the options, as named tensors (saved as safetensors)."""
        return {}

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        """Load what `state` gave, on `device`. Called instead of `fit` where a checkpoint exists."""
        return
