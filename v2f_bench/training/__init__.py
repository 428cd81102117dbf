"""One training loop for all learned methods: describe a step by a `Learner`, and have it trained by `train_learner`."""

from v2f_bench.training.learner import Learner, Losses
from v2f_bench.training.loop import UNFINISHED, train_learner

__all__ = ["UNFINISHED", "Learner", "Losses", "train_learner"]
