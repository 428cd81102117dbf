"""Keys: what a stage's output depends on changes its key, and nothing else does."""

import shutil
from dataclasses import asdict, dataclass, replace

import pandas as pd
import pytest
from small_bench import plan_of, small_bench, small_workplace

from v2f_bench import Method
from v2f_bench.data.store import Store
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.make_bench import make_protocol
from v2f_bench.harness.opening import open_plan
from v2f_bench.harness.spec import BenchSpec, PlaceSpec, RunSpec
from v2f_bench.harness.workplace import Workplace
from v2f_bench.keys import Computing, judge_key, scores_key, views_key
from v2f_bench.plugins import registry


@pytest.fixture(scope="module")
def bench(cache):
    return small_bench(small_workplace(cache))


@dataclass(frozen=True)
class Options:
    width: int = 8


class Drawing(Method):
    name = "drawing"
    options = Options

    def fit(self, train, validation, context): ...

    def generate(self, trials, context): ...


def keys(plan):
    return plan.checkpoint_key, plan.faces_key, plan.run_id


PLAIN = {"options": Options(), "seed": 0, "threads": 1, "devices": ("cpu",)}


@pytest.mark.parametrize(
    "change",
    [{"options": Options(9)}, {"seed": 1}, {"threads": 2}, {"devices": ("cpu", "cpu")}],
    ids=["options", "seed", "threads", "devices"],
)
def test_what_a_training_depends_on_changes_every_key_of_its_run(bench, change):
    before, after = (keys(plan_of(Drawing, bench=bench, **given)) for given in (PLAIN, PLAIN | change))
    assert all(one != other for one, other in zip(before, after, strict=True))


def emotion_bench(bench):
    protocol = make_protocol(bench.dataset, bench.store.clips, "emotion", face_check=bench.protocol.face_check)
    return Bench(bench.dataset, bench.store, protocol, bench.detector)


def test_another_track_trains_nothing_anew(bench):
    """What can be learned from is the same; what is drawn of it is not."""
    one, other = (plan_of(Drawing, Options(), each) for each in (bench, emotion_bench(bench)))
    assert one.checkpoint_key == other.checkpoint_key
    assert one.faces_key != other.faces_key
    assert one.run_id != other.run_id


def altered_store(bench, folder, clip):
    """The store with one clip's content changed, as `prepare` would find it."""
    shutil.copytree(bench.store.folder, folder)
    table = pd.read_parquet(folder / "clips.parquet")
    table.loc[table["clip"] == clip, "digest"] = "f" * 64
    table.to_parquet(folder / "clips.parquet", index=False)
    return Store(folder)


@pytest.mark.parametrize(("split", "matters"), [("train", True), ("validation", True), ("test", False)])
def test_learning_depends_on_the_content_of_what_is_learned_from_alone(bench, tmp_path, split, matters):
    store = altered_store(bench, tmp_path / "store", bench.protocol.splits[split][0])
    altered = Bench(bench.dataset, store, bench.protocol)
    assert (altered.training_key(64) != bench.training_key(64)) is matters


@pytest.mark.parametrize(("name", "matters"), [("mean-face", False), ("cae", True)])
def test_device_and_precision_matter_to_those_who_use_the_device(bench, name, matters):
    """A baseline that computes on the CPU is not trained anew for bfloat16 or for two GPUs."""
    plugin = registry().find("method", name)

    def key(devices, precision):
        workplace = Workplace(devices=devices, precision=precision)
        place = PlaceSpec("runs", "cache", devices, precision=precision)
        spec = RunSpec(BenchSpec("synthetic-speakers", {}), place, name, asdict(plugin.cls.preset("quick")), "quick", 0)
        return open_plan(spec, bench, workplace).checkpoint_key

    plain = key(("cpu",), "float32")
    for devices, precision in ((("cpu",), "bfloat16"), (("cpu", "cpu"), "float32"), (("cuda:0",), "float32")):
        assert (key(devices, precision) != plain) is matters, (devices, precision)
    if matters:
        assert key(("cuda:0",), "float32") == key(("cuda:1",), "float32"), "which of the cards is no matter"


def test_a_judge_is_trained_once_a_kind_of_device(bench):
    def key(devices, precision="float32"):
        computing = Workplace(devices=devices, precision=precision).computing().without_training()
        return judge_key("judge", "1", "source", bench.training_key(64), computing)

    assert key(("cuda:0",)) == key(("cuda:1",)) == key(("cuda:0", "cuda:1"), "bfloat16")
    assert key(("cuda:0",)) != key(("cpu",))


ON_CPU = Computing("2.6", 2, "cpu")


@pytest.mark.parametrize("place", range(6))
def test_views_depend_on_the_judge_its_weights_the_bench_and_how_it_is_computed(place):
    given = ["judge", "1", "source", "weights", "bench", ON_CPU]
    changed = [*given[:place], Computing("2.6", 2, "cuda") if place == 5 else "other", *given[place + 1 :]]
    assert views_key(*given) != views_key(*changed)


def test_scores_depend_on_faces_judges_metrics_trials_and_ties():
    given = ("faces", [("judge", "views")], [], [("metric", "1", "source")], [True, False], ["ties"])
    changes = ("other", [("judge", "other")], ["missing"], [("metric", "1", "other")], [True, True], ["other"])
    assert len({scores_key(*given), *(scores_key(*given[:n], c, *given[n + 1 :]) for n, c in enumerate(changes))}) == 7


def test_code_that_a_stage_uses_is_in_its_key(bench, monkeypatch):
    """The reading of stores and the resizing of faces once were not in a training's key."""
    from v2f_bench import keys as module

    def edited(part):
        return lambda *parts: "edited" if part in parts else "as it was"

    for part, stages in {
        "data/store.py": {"checkpoint", "views", "faces"},
        "media/picture.py": {"checkpoint", "views", "faces", "scores"},
        "interfaces/values.py": {"checkpoint", "views", "faces"},
        "training": {"checkpoint", "faces"},
        "harness/views.py": {"views"},
        "harness/quality.py": {"views"},
        "stats": {"scores", "views"},
    }.items():
        changed = {}
        for which in ("nothing", part):
            monkeypatch.setattr(module, "core_key", edited(which))
            plan = plan_of(Drawing, Options(), bench)
            changed[which] = {
                "checkpoint": plan.checkpoint_key,
                "faces": plan.faces_key,
                "views": views_key("judge", "1", "source", "weights", "bench", ON_CPU),
                "scores": scores_key("faces", [], [], [], [], []),
            }
        assert {stage for stage in changed[part] if changed[part][stage] != changed["nothing"][stage]} == stages, part


def test_computing_without_a_device_keeps_what_matters_on_a_cpu():
    computing = Computing("2.15", 4, "cuda", 2, "bfloat16")
    assert computing.without_device() == Computing("2.15", 4, "cpu")
    assert computing.without_training() == Computing("2.15", 4, "cuda")
    assert replace(computing, threads=8).without_device() != computing.without_device()
