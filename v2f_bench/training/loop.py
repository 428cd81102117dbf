"""The loop: steps, updates, checkpoints by time, the best by validation, curves and samples."""

from __future__ import annotations

import copy
import math
import time
from pathlib import Path
from typing import Any

import torch

from v2f_bench.files import write_whole
from v2f_bench.interfaces import Context, PluginError
from v2f_bench.media.picture import tile, to_pixels, write_picture
from v2f_bench.training.history import History
from v2f_bench.training.learner import Learner, Losses
from v2f_bench.training.ranks import anywhere, average_gradients, follow_leader, from_leader, rank
from v2f_bench.training.stopping import stop_requests

CHECKPOINT_SECONDS = 60.0
VALIDATIONS = 10  # over a training
UNFINISHED = ".training"  # suffix of the file that a killed training goes on from
SAMPLES = 4  # pictures of samples, over a training


def train_learner(learner: Learner, steps: int, name: str, context: Context) -> None:
    """Take `steps` steps; the learner's networks are then those of the best validation score, or else the last ones.

    Where the context has a folder, training that was killed goes on from its last checkpoint there, and ends with the
    same networks as if nothing had happened, bit for bit on a CPU. With several devices, each draws a batch of its own
    and all step by the mean of their gradients: the batch is as many times as large. Left in the folder are
    `<name>-losses.csv`, `<name>-losses.png` and `<name>-step<n>.png`.

    Args:
        name: of this training; one method may have several, one after another.

    Raises:
        PluginError: an optimiser trains what is in none of the learner's networks, which no checkpoint would keep; a
            loss is not finite, or no validation score is; says which.
        KeyboardInterrupt: it was asked to stop (Ctrl-C, or SIGTERM); the last step is in the checkpoint.
    """
    _check_learner(learner, name)
    run = _Run(learner, steps, name, context)
    run.resume()
    _train_mode(learner, True)
    with stop_requests() as stop, context.progress.bar(f"train {name}", steps) as bar:
        bar.advance(run.done)
        while run.done < steps:
            losses = _step(learner, run.done, name, context)
            run.after_step(losses)
            bar.advance(note=f"loss {sum(losses.values()):.2f}")
            if stop and run.done < steps:
                if run.folder is not None:
                    run.save()
                raise KeyboardInterrupt
    run.finish()
    _train_mode(learner, False)
    torch.manual_seed(context.seed_of(name, "afterwards"))  # the same, however often training was interrupted


def _check_learner(learner: Learner, name: str) -> None:
    kept = {id(parameter) for module in learner.modules.values() for parameter in module.parameters()}
    for key, optimiser in learner.optimisers.items():
        trained = [parameter for group in optimiser.param_groups for parameter in group["params"]]
        if lost := [parameter for parameter in trained if id(parameter) not in kept]:
            shapes = ", ".join(str(tuple(parameter.shape)) for parameter in lost[:4])
            raise PluginError(
                f"{name}: the optimiser {key!r} trains {len(lost)} parameters that are in none of the learner's "
                f"modules ({shapes}, ...): a training that goes on after a kill would lose them"
            )
    if unknown := set(learner.schedules) - set(learner.optimisers):
        raise PluginError(f"{name}: schedules of no optimiser: {', '.join(sorted(unknown))}")


def _step(learner: Learner, number: int, name: str, context: Context) -> dict[str, float]:
    """One step; the value of each loss."""
    place = (number, rank()) if rank() else (number,)  # each process draws a batch of its own
    torch.manual_seed(context.seed_of(name, "torch", *place))
    values_by_loss: dict[str, float] = {}
    updates = learner.step(number, context.numpy_rng(name, "step", *place))
    kind = torch.device(context.device).type
    while True:
        with torch.autocast(kind, torch.bfloat16, enabled=context.precision == "bfloat16"):
            update = next(updates, None)
        if update is None:
            return values_by_loss
        key, losses = update
        values_by_loss |= _checked(losses, number, name, context.device)
        optimiser = learner.optimisers[key]
        optimiser.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        average_gradients(parameters)
        if learner.clip is not None:
            torch.nn.utils.clip_grad_norm_(parameters, learner.clip)
        optimiser.step()
        if key in learner.schedules:
            learner.schedules[key].step()


def _checked(losses: Losses, number: int, name: str, device: str) -> dict[str, float]:
    values = torch.stack([loss.detach().float() for loss in losses.values()]).tolist()  # one wait for the device
    values_by_loss = dict(zip(losses, values, strict=True))
    bad = {loss: value for loss, value in values_by_loss.items() if not -float("inf") < value < float("inf")}
    if anywhere(bool(bad), device):  # all processes stop together: one that went on would wait for the others
        which = ", ".join(f"loss {loss!r} became {value}" for loss, value in bad.items()) or "a loss elsewhere broke"
        raise PluginError(f"{name}: {which} at step {number + 1}; a lower learning rate or clipping may help")
    return values_by_loss


def _train_mode(learner: Learner, training: bool) -> None:
    for module in learner.modules.values():
        module.train(training)


class _Run:
    """Where a training stands, and what is kept of it."""

    def __init__(self, learner: Learner, steps: int, name: str, context: Context) -> None:
        self.learner, self.steps, self.name, self.context = learner, steps, name, context
        self.folder: Path | None = context.folder
        self.done = 0
        self.best: tuple[float, dict[str, Any]] | None = None  # the highest finite score, and its networks
        self.scored = 0  # validations that gave a score
        self.history = History(steps)
        self._saved = time.monotonic()

    def resume(self) -> None:
        follow_leader(self.learner.modules.values())
        there = self.folder is not None and self._file.exists()
        kept = torch.load(self._file, map_location=self.context.device, weights_only=True) if there else None
        kept = from_leader(kept)
        if kept is None:
            return
        self.done, self.best, self.scored = kept["done"], kept["best"], kept["scored"]
        self.history = History(self.steps, kept["history"])
        self._load(kept["modules"])
        for key, optimiser in self.learner.optimisers.items():
            optimiser.load_state_dict(kept["optimisers"][key])
        for key, schedule in self.learner.schedules.items():
            schedule.load_state_dict(kept["schedules"][key])

    def after_step(self, losses: dict[str, float]) -> None:
        self.done += 1
        self.history.add(self.done, losses)
        if self._due(VALIDATIONS):
            self._validate()
        if self.folder is not None and self._due(SAMPLES):
            self._draw(self.folder)
        if self.folder is not None and self.done < self.steps and time.monotonic() - self._saved > CHECKPOINT_SECONDS:
            self.save()

    def finish(self) -> None:
        if self.scored and self.best is None:
            raise PluginError(f"{self.name}: not one of {self.scored} validation scores is finite")
        if self.best is not None:
            self._load(self.best[1])
        follow_leader(self.learner.modules.values())  # batch norms have seen other batches elsewhere
        if self.folder is not None:
            self.history.write(self.folder, self.name)
            self.save()  # a later training of the same method may be killed: this one is then not done again

    def save(self) -> None:
        kept = {
            "done": self.done,
            "best": self.best,
            "scored": self.scored,
            "history": self.history.rows,
            "modules": self._networks(),
            "optimisers": {key: optimiser.state_dict() for key, optimiser in self.learner.optimisers.items()},
            "schedules": {key: schedule.state_dict() for key, schedule in self.learner.schedules.items()},
        }
        write_whole(self._file, lambda path: torch.save(kept, path))
        self._saved = time.monotonic()

    @property
    def _file(self) -> Path:
        assert self.folder is not None
        return self.folder / f"{self.name}{UNFINISHED}"

    def _due(self, times: int) -> bool:
        """Whether this is one of the `times` evenly spaced steps, the last included."""
        return self.done * times // self.steps > (self.done - 1) * times // self.steps

    def _validate(self) -> None:
        _train_mode(self.learner, False)
        with torch.inference_mode():
            score = self.learner.validate()
        _train_mode(self.learner, True)
        if score is None:
            return
        self.scored += 1
        self.history.add_score(self.done, score)
        if math.isfinite(score) and (self.best is None or score > self.best[0]):
            self.best = (score, copy.deepcopy(self._networks()))

    def _draw(self, folder: Path) -> None:
        _train_mode(self.learner, False)
        with torch.inference_mode():
            faces = self.learner.samples()
        _train_mode(self.learner, True)
        if faces is not None:
            write_picture(folder / f"{self.name}-step{self.done}.png", tile(to_pixels(faces.float().cpu())))

    def _networks(self) -> dict[str, Any]:
        return {key: module.state_dict() for key, module in self.learner.modules.items()}

    def _load(self, networks: dict[str, Any]) -> None:
        for key, module in self.learner.modules.items():
            module.load_state_dict(networks[key])
