"""Methods that are given the answer: ceilings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v2f_bench import Clips, Context, Method, Trials

if TYPE_CHECKING:
    import torch


class RealPhoto(Method):
    """Another photograph of the true speaker: what a perfect method could reach by this judge.

    Speakers without a second picture have none; these trials count as failed.
    """

    name = "real-photo"
    summary = "ceiling: another photograph of the true speaker"
    needs = frozenset({"real-photo"})
    baseline = True

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        pass

    def generate(self, trials: Trials, context: Context) -> torch.Tensor:
        return trials.real_photos


class Oracle(Method):
    """The best guess given all that the voice's causes tell, on data sets whose causes are known."""

    name = "oracle"
    summary = "ceiling: the best guess given what the voice truly carries (data sets with known causes)"
    needs = frozenset({"oracle"})
    baseline = True

    def fit(self, train: Clips, validation: Clips, context: Context) -> None:
        pass

    def generate(self, trials: Trials, context: Context) -> torch.Tensor:
        return trials.oracle_faces
