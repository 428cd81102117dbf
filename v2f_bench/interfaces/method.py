"""The contract of a method: learn from the training and validation clips, then make one face for each trial."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from v2f_bench.interfaces.errors import UsageError
from v2f_bench.interfaces.options import NoOptions, did_you_mean

if TYPE_CHECKING:
    import torch

    from v2f_bench.interfaces.context import Context
    from v2f_bench.interfaces.offer import Offer
    from v2f_bench.interfaces.values import Clips, Fact, Trials, Variation


class Method(ABC):
    """A way to draw a face from a voice.

    Class attributes:
        name: as typed after `--method`; lower case, digits and hyphens.
        summary: one line for `v2f-bench list`.
        source: the publication it follows, or "".
        tracks: the tracks that it serves: "identity", "emotion".
        needs: what a trial must bring, from `v2f_bench.NEEDS`; nothing else is handed over.
        options: a frozen dataclass of typed options (see `v2f_bench.interfaces.options`).
        presets: named options; by custom `quick` (minutes on a laptop's CPU) and `paper` (the source's own numbers).
        baseline: whether it stands in every table of its track as a floor, a ceiling or a simple rival.
        learns: whether `fit` reads the training clips. False for one that can be run on a data set of test speakers
            alone.
        uses_device: whether it computes on the device that it is given. False for one that stays on the CPU: then
            device, number of devices and precision are no part of what its checkpoint depends on.
        variations: named sheets that `vary` can draw, with what each shows: {"emotion": "one voice, every emotion"}.
        trained_with: names of pretrained networks that its losses or features used, as judges name them; a metric
            judged by one of these is marked as not independent.
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
        """What a trial must bring under `options`: `needs`, unless an option asks for more (a label instead of what is
        heard, say)."""
        return cls.needs

    @classmethod
    def resolution(cls, options: Any, protocol: int) -> int:
        """At how many pixels a side the method is handed faces, to learn from and to change.

        Under a protocol that judges faces at `protocol` pixels: as many, unless its networks are made for one size.
        """
        return protocol

    @classmethod
    def unsuited(cls, options: Any, offer: Offer) -> str:
        """Why what a data set offers cannot serve the method with `options`; "" where it can.

        Asked before anything is learned. A method that needs more than its `needs` and training clips with voices and
        faces, such as labels, overrides this and asks `super()` first.
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
        """Learn. The test split is not within reach; choose checkpoints on `validation`.

        Afterwards the method is ready to generate: what it draws then is compared with what it draws when restored.
        """

    @abstractmethod
    def generate(self, trials: Trials, context: Context) -> torch.Tensor:
        """One face for each trial: float32 [N, 3, H, W], RGB in [0, 1]; any H = W, resized to the protocol's.

        A face that could not be made is NaN; it is counted as missing, by each metric's stated policy. `context.seed`
        depends on the run's seed and on the batch, so a batch can be made again alone.
        """

    def facts(self) -> list[Fact]:
        """What `fit` found out about parts of the method, for the record; asked once, after `fit`."""
        return []

    def vary(self, name: str, trials: Trials, context: Context) -> Variation:
        """The pictures of one of `variations`, for sheets to look at; nothing is measured on them."""
        raise NotImplementedError(f"{self.name} lists the variation {name!r} but has no `vary`")

    def state(self) -> dict[str, torch.Tensor]:
        """Everything that `generate` needs besides the options, as named tensors (saved as safetensors)."""
        return {}

    def restore(self, state: dict[str, torch.Tensor], device: str) -> None:
        """Take back what `state` gave, on `device`; called instead of `fit` where a checkpoint exists."""
        return
