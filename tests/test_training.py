"""The training loop: equal to one written by hand, resumed in the middle, guarded against NaN, best by validation."""

import os
import signal
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from v2f_bench.interfaces import Context, PluginError
from v2f_bench.training import UNFINISHED, Learner, loop, train_learner


class Killed(Exception):
    pass


class Toy(Learner):
    """A network with dropout and batch norm, and a critic, in turn: everything that a resumed training could lose."""

    def __init__(self, die_at=None, steps=20):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 4))
        self.critic = nn.Linear(4, 1)
        self.modules = {"net": self.net, "critic": self.critic}
        self.optimisers = {
            "net": torch.optim.Adam(self.net.parameters(), lr=0.01),
            "critic": torch.optim.SGD(self.critic.parameters(), lr=0.1, momentum=0.9),
        }
        cycle = torch.optim.lr_scheduler.OneCycleLR(self.optimisers["net"], 0.05, total_steps=steps)
        self.schedules = {"net": cycle}
        self.die_at, self.calls = die_at, 0

    def step(self, number, rng):
        self.calls += 1
        if self.calls == self.die_at:
            raise Killed
        x = torch.from_numpy(rng.standard_normal((16, 4))).float()
        y = self.net(x)
        yield "critic", {"apart": self.critic(x).mean() - self.critic(y.detach()).mean()}
        yield "net", {"copy": (y - x).square().mean(), "fool": 0.1 * self.critic(y).mean()}


def weights(learner):
    return torch.cat([p.detach().flatten() for m in learner.modules.values() for p in m.state_dict().values()])


def test_the_loop_does_what_one_by_hand_does():
    context = Context(seed=3)
    ours, theirs = Toy(), Toy()
    train_learner(ours, 20, "toy", context)
    for number in range(20):
        torch.manual_seed(context.seed_of("toy", "torch", number))
        x = torch.from_numpy(context.numpy_rng("toy", "step", number).standard_normal((16, 4))).float()
        y = theirs.net(x)
        theirs.optimisers["critic"].zero_grad()
        (theirs.critic(x).mean() - theirs.critic(y.detach()).mean()).backward()
        theirs.optimisers["critic"].step()
        theirs.optimisers["net"].zero_grad()
        ((y - x).square().mean() + 0.1 * theirs.critic(y).mean()).backward()
        theirs.optimisers["net"].step()
        theirs.schedules["net"].step()
    torch.testing.assert_close(weights(ours), weights(theirs), rtol=0, atol=1e-7)
    assert not ours.net.training


@pytest.mark.slow
@pytest.mark.parametrize("die_at", [1, 2, 11, 20])
def test_a_killed_training_goes_on_bit_for_bit(tmp_path, monkeypatch, die_at):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    undisturbed = Toy()
    train_learner(undisturbed, 20, "toy", Context(seed=1))
    after = torch.rand(1)
    context = Context(seed=1, folder=tmp_path)
    with pytest.raises(Killed):
        train_learner(Toy(die_at), 20, "toy", context)
    resumed = Toy()
    train_learner(resumed, 20, "toy", context)
    assert torch.rand(1) == after, "what a method draws next does not depend on the interruption either"
    assert resumed.calls == 20 - (die_at - 1)
    assert torch.equal(weights(resumed), weights(undisturbed))
    again = Toy()
    train_learner(again, 20, "toy", context)
    assert again.calls == 0, "a finished training is not done twice"
    assert torch.equal(weights(again), weights(undisturbed))
    losses = pd.read_csv(tmp_path / "toy-losses.csv")
    assert sorted(losses[losses["loss"] == "copy"]["step"]) == list(range(1, 21))


def test_checkpoints_are_written_by_time(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 3600.0)
    with pytest.raises(Killed):
        train_learner(Toy(die_at=15), 20, "toy", Context(folder=tmp_path))
    assert not (tmp_path / f"toy{UNFINISHED}").exists()


def test_a_loss_that_is_not_finite_is_named_with_its_step():
    class Diverging(Toy):
        def step(self, number, rng):
            for key, losses in super().step(number, rng):
                yield key, losses | ({"bad": self.critic.weight.sum() / 0} if key == "net" and self.calls == 7 else {})

    with pytest.raises(PluginError, match=r"toy: loss 'bad' became -?inf at step 7"):
        train_learner(Diverging(), 20, "toy", Context())


def test_the_networks_of_the_best_validation_are_kept():
    class Validated(Toy):
        seen = ()

        def validate(self):
            assert not self.net.training
            self.seen = (*self.seen, weights(self))
            return [1.0, 3.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0][len(self.seen) - 1]

    learner = Validated()
    train_learner(learner, 20, "toy", Context())
    assert len(learner.seen) == 10
    assert torch.equal(weights(learner), learner.seen[1]), "the first of the best"
    assert not torch.equal(weights(learner), learner.seen[-1])


class Scored(Toy):
    scores = ()

    def validate(self):
        return self.scores[(self.calls * 10 - 1) // 20]


def test_a_validation_score_that_is_not_finite_is_never_the_best():
    """Nothing is greater than NaN: it would stand for ever where it comes first."""
    learner, plain = Scored(), Toy()
    learner.scores = [float("nan"), 1.0, float("inf"), 2.0, float("nan"), 1.0, 1.0, 1.0, 1.0, -1.0]
    seen = []
    learner.validate = lambda: seen.append(weights(learner)) or learner.scores[len(seen) - 1]
    train_learner(learner, 20, "toy", Context())
    assert torch.equal(weights(learner), seen[3])
    train_learner(plain, 20, "toy", Context())
    never = Scored()
    never.scores = [float("nan")] * 10
    with pytest.raises(PluginError, match="not one of 10 validation scores is finite"):
        train_learner(never, 20, "toy", Context())


def test_a_network_that_no_checkpoint_would_keep_is_refused_before_training():
    class Forgetful(Toy):
        def __init__(self):
            super().__init__()
            del self.modules["critic"]

    learner = Forgetful()
    with pytest.raises(PluginError, match=r"toy: the optimiser 'critic' trains 2 parameters .* \(\(1, 4\), \(1,\)"):
        train_learner(learner, 20, "toy", Context())
    assert learner.calls == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_training_that_is_asked_to_stop_ends_after_the_step_with_a_checkpoint(tmp_path, number):
    class Asked(Toy):
        def step(self, count, rng):
            if self.calls == 6:
                os.kill(os.getpid(), number)
            yield from super().step(count, rng)

    undisturbed, context = Toy(), Context(seed=1, folder=tmp_path)
    train_learner(undisturbed, 20, "toy", Context(seed=1))
    outer = signal.signal(number, signal.default_int_handler)  # tests in the background may ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            train_learner(Asked(), 20, "toy", context)
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, outer)
    resumed = Toy()
    train_learner(resumed, 20, "toy", context)
    assert resumed.calls == 13, "the seventh step was finished"
    assert torch.equal(weights(resumed), weights(undisturbed))


def test_clipping_bounds_the_gradient():
    class Steep(Learner):
        def __init__(self, clip):
            super().__init__()
            self.net = nn.Linear(3, 1, bias=False)
            nn.init.zeros_(self.net.weight)
            self.modules, self.clip = {"net": self.net}, clip
            self.optimisers = {"net": torch.optim.SGD(self.net.parameters(), lr=1.0)}

        def step(self, number, rng):
            yield "net", {"steep": 1000 * self.net(torch.ones(1, 3)).sum()}

    for clip, moved in ((None, 1000 * 3**0.5), (0.5, 0.5)):
        learner = Steep(clip)
        train_learner(learner, 1, "steep", Context())
        assert learner.net.weight.norm().item() == pytest.approx(moved, rel=1e-4)


def test_curves_and_samples_are_left_to_look_at(tmp_path):
    from PIL import Image

    class Drawing(Toy):
        def samples(self):
            return torch.linspace(0, 1, 5)[:, None, None, None].expand(5, 3, 16, 16)

    train_learner(Drawing(), 8, "toy", Context(folder=tmp_path))
    with Image.open(tmp_path / "toy-losses.png") as curves:
        assert min(curves.size) > 100
    assert [path.name for path in sorted(tmp_path.glob("toy-step*.png"))] == [f"toy-step{n}.png" for n in (2, 4, 6, 8)]
    pixels = np.asarray(Image.open(tmp_path / "toy-step8.png"))
    assert pixels[:16, :80].mean() == pytest.approx(255 / 2, abs=1)


def test_mixed_precision_is_asked_for_by_the_context(monkeypatch):
    seen = []

    class Seeing(Toy):
        def step(self, number, rng):
            seen.append(torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else None)
            yield from ()

    context = Context()
    train_learner(Seeing(), 1, "toy", context)
    train_learner(Seeing(), 1, "toy", replace(context, precision="bfloat16"))
    assert seen == [None, torch.bfloat16]


class Partial(Toy):
    """Only every second process has the loss that the head learns from."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 1)
        self.modules["head"] = self.head
        self.optimisers["net"].add_param_group({"params": list(self.head.parameters())})
        self.schedules = {}

    def step(self, number, rng):
        for key, losses in super().step(number, rng):
            if key == "net" and torch.distributed.get_rank():
                losses["head"] = self.head(torch.ones(4)).sum()
            yield key, losses


def _train_partly_in_a_process(rank, size, meeting, results):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=size)
    learner = Partial()
    before = learner.head.bias.item()
    train_learner(learner, 2, "toy", Context(seed=3))
    results.put((rank, weights(learner).numpy(), before - learner.head.bias.item()))
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


def _train_in_a_process(rank, size, meeting, results):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=size)
    learner = Toy()
    with torch.no_grad():
        for parameter in learner.net.parameters():
            parameter += rank  # the leader's networks count
    train_learner(learner, 5, "toy", Context(seed=3))
    results.put((rank, weights(learner).numpy()))
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


def _step_by_mean(toys, key, losses):
    gradients = [
        torch.autograd.grad(loss, toy.modules[key].parameters()) for toy, loss in zip(toys, losses, strict=True)
    ]
    for toy in toys:
        for parameter, *each in zip(toy.modules[key].parameters(), *gradients, strict=True):
            parameter.grad = torch.stack(each).mean(dim=0)
        toy.optimisers[key].step()


def _in_two_processes(train, folder):
    spawn = torch.multiprocessing.get_context("spawn")
    results = spawn.Queue()
    processes = [spawn.Process(target=train, args=(rank, 2, f"file://{folder}/meeting", results)) for rank in range(2)]
    for process in processes:
        process.start()
    found = [results.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    return {rank: (torch.from_numpy(values), *more) for rank, values, *more in found}


@pytest.mark.slow
def test_a_loss_that_only_one_process_has_counts_as_none_in_the_others(tmp_path):
    found = _in_two_processes(_train_partly_in_a_process, tmp_path)
    assert torch.equal(found[0][0], found[1][0])
    assert found[0][1] > 0, "the head learns from the process that has its loss"


@pytest.mark.slow
def test_two_processes_step_by_the_mean_of_their_gradients(tmp_path):
    found = {rank: values for rank, (values,) in _in_two_processes(_train_in_a_process, tmp_path).items()}
    assert torch.equal(found[0], found[1]), "all processes end with one and the same network"

    context, both = Context(seed=3), [Toy(), Toy()]
    for number in range(5):
        pairs = []
        for rank, toy in enumerate(both):
            place = (number, rank) if rank else (number,)
            torch.manual_seed(context.seed_of("toy", "torch", *place))
            x = torch.from_numpy(context.numpy_rng("toy", "step", *place).standard_normal((16, 4))).float()
            pairs.append((x, toy.net(x)))
        losses = [toy.critic(x).mean() - toy.critic(y.detach()).mean() for toy, (x, y) in zip(both, pairs, strict=True)]
        _step_by_mean(both, "critic", losses)
        losses = [(y - x).square().mean() + 0.1 * toy.critic(y).mean() for toy, (x, y) in zip(both, pairs, strict=True)]
        _step_by_mean(both, "net", losses)
        for toy in both:
            toy.schedules["net"].step()
    torch.testing.assert_close(found[0], weights(both[0]), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_a_method_is_fitted_on_several_devices(cache, tmp_path):
    from small_bench import plan_of, small_bench, small_workplace

    from v2f_bench.harness.fit import fit
    from v2f_bench.interfaces import BenchError, Silent
    from v2f_voice2face_gan.method import Voice2FaceGan
    from v2f_voice2face_gan.options import Voice2FaceOptions

    bench = small_bench(small_workplace(cache))
    options = Voice2FaceOptions(
        width=2, critic_width=2, voice_width=0.1, batch=4, steps=3, voice_steps=3, voice_batch=4
    )
    plan, alone = (plan_of(Voice2FaceGan, options, bench, devices=devices) for devices in (("cpu", "cpu"), ("cpu",)))
    together, one = (fit(each, bench, tmp_path / each.run_id, Silent()).state() for each in (plan, alone))
    assert plan.run_id != alone.run_id
    assert together.keys() == one.keys()
    assert not all(torch.equal(together[name], one[name]) for name in one)

    failing = plan_of(Voice2FaceGan, options, bench, seed=1, devices=("cpu", "xpu:7"))
    with pytest.raises(BenchError, match=r"voice2face-gan on xpu:7: "):
        fit(failing, bench, tmp_path / failing.run_id, Silent())
