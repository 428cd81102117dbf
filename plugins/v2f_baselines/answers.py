"""Methods that are given the answer: ceilings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v2f_bench import Clips, Context, Method, Trials

if TYPE_CHECKING:
    import torch


class RealPhoto(Method):
    """Another photograph of the true speaker: what a perfect method could reach by this judge.

    A speaker without a second picture is not asked for one: those trials are left out of its numbers.
    """

    name = "real-photo"
    summary = "ceiling: another photograph of the true speaker"
    tracks = frozenset({"identity", "emotion"})
    needs = frozenset({"real-photo"})
    baseline = True
    learns = False
    uses_device = False

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        pass

    def generate(self, trials: Trials, context: Context) -> torch.Tensor:
        return trials.real_photos


class Oracle(Method):
    """A guess from the shared causes of voice and face themselves: an upper bound of what the voice can tell."""

    name = "oracle"
    summary = "ceiling: the face expected from the causes behind the voice (data sets with known causes)"
    needs = frozenset({"oracle"})
    baseline = True
    learns = False
    uses_device = False

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        pass

    def generate(self, trials: Trials, context: Context) -> torch.Tensor:
        return trials.oracle_faces
