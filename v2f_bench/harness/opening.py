"""Open what a spec names: the workplace, the data set under its protocol, the judges and metrics, and the method."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from v2f_bench.data.lists import read_list
from v2f_bench.data.variants import Form
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.face_check import find_detector
from v2f_bench.harness.judges import Candidate, Judges, load_judges
from v2f_bench.harness.make_bench import make_bench, open_dataset
from v2f_bench.harness.plan import Plan
from v2f_bench.harness.results import measure_names
from v2f_bench.harness.spec import BenchSpec, PlaceSpec, RunSpec
from v2f_bench.harness.workplace import Workplace, set_threads
from v2f_bench.interfaces import Dataset, PluginError, Progress, UsageError
from v2f_bench.interfaces.options import options_from
from v2f_bench.judges.card import parse_card
from v2f_bench.judges.onnx import read_card
from v2f_bench.plugins import Plugin, registry


def open_workplace(place: PlaceSpec, progress: Progress) -> Workplace:
    set_threads(place.threads)
    return Workplace(Path(place.output), Path(place.cache), place.devices, place.jobs, progress, place.precision)


def open_data(spec: BenchSpec) -> Dataset:
    """The data set, at its folder."""
    cls = registry().find("dataset", spec.dataset).cls
    return open_dataset(cls, options_from(cls.options, spec.options), Path(spec.data_root) if spec.data_root else None)


def open_bench(spec: BenchSpec, workplace: Workplace) -> Bench:
    """The data set prepared, under the protocol of its track.

    Raises:
        UsageError: a name is wrong or a file is missing. This is checked before any work is done.
    """
    progress = workplace.progress
    for problem in registry().problems():
        progress.line(f"left out: {problem}")
    lists = [read_list(Path(path)) for path in spec.lists]
    for each in lists:
        if each.repeated:
            progress.line(f"list {each.name}: {each.repeated} questions are repetitions; they count each time")
    if len({each.name for each in lists}) < len(lists):
        raise UsageError("two lists have the same file name, by which tables name them: rename one")
    face_check = find_detector(registry(), workplace.device, progress)
    form = Form(spec.resolution, spec.voices)
    bench = make_bench(open_data(spec), workplace, spec.track, lists, face_check, form)
    for described in bench.protocol.lists:
        reasons = "".join(f"; {count} left out: {reason}" for reason, count in described["left_out"].items())
        progress.line(
            f"list {described['name']}: {len(described['questions'])} questions of {described['task']}{reasons}"
        )
    if len(bench.store.left_out):
        progress.line(
            f"{len(bench.store.left_out)} clips of {spec.dataset} left out: see {bench.store.folder}/left_out.parquet"
        )
    return bench


def open_judges(spec: BenchSpec, bench: Bench, workplace: Workplace) -> Judges:
    """The judges that the spec names, or every judge that is available here.

    Each metric is tried with them: one that breaks its contract is reported now, before any training.
    """
    metrics = chosen_metrics(spec.metrics, bench.protocol.track)
    judges = load_judges(candidates(spec), metrics, bench, workplace, spec.fetch_weights)
    for plugin in judges.metrics:
        try:
            measure_names(plugin.cls(), judges, bench)
        except PluginError as error:
            workplace.progress.line(f"a metric will give no numbers: {error}")
    return judges


def open_plan(spec: RunSpec, bench: Bench, workplace: Workplace) -> Plan:
    """The plan of a run: its method with options and keys."""
    plugin = registry().find("method", spec.method)
    computing, devices = workplace.computing(), workplace.devices
    if not plugin.cls.uses_device:
        computing, devices = computing.without_device(), ("cpu",)
    options = options_from(plugin.cls.options, spec.options)
    side = plugin.cls.resolution(options, bench.protocol.resolution)
    return Plan(spec, plugin, options, bench.key, bench.training_key(side), side, computing, devices)


def candidates(spec: BenchSpec) -> list[Candidate]:
    """The judges to load: the named ones, or all that are registered; and all that cards describe, named or not.

    Raises:
        UsageError, PluginError: as `judge_cards` and `check_judges` say.
    """
    plugins = {plugin.name: plugin for plugin in registry().all("judge")}
    cards = judge_cards(spec)
    check_judges(spec.judges, cards)
    names = [name for name in dict.fromkeys(spec.judges or plugins) if name not in cards]
    chosen = [Candidate(name, plugins[name].make, wanted=bool(spec.judges)) for name in names]
    return chosen + [Candidate(name, partial(read_card, path), wanted=True) for name, path in cards.items()]


def judge_cards(spec: BenchSpec) -> dict[str, Path]:
    """The cards of judges that the spec gives, by the judge's name.

    Raises:
        UsageError: another judge has the name, but for capital letters.
    """
    cards: dict[str, Path] = {}
    for path in map(Path, spec.judge_cards):
        name = parse_card(path).name
        if name.lower() in {other.lower() for other in (*registry().names("judge"), *cards)}:
            raise UsageError(f"{path}: there is a judge {name!r} already; give the card another name")
        cards[name] = path
    return cards


def check_judges(names: Iterable[str], cards: Iterable[str]) -> None:
    """Check that every name is a registered judge's or a card's.

    Raises:
        UsageError: a name is neither.
        PluginError: two plugins have a name.
    """
    known = tuple(cards)
    for name in names:
        if name not in known:
            registry().find("judge", name, besides=known)


def chosen_metrics(names: Sequence[str], track: str) -> list[Plugin]:
    """The metrics of those names, or all of the track. UsageError for an unknown one, or one of another track."""
    known = [plugin for plugin in registry().all("metric") if track in plugin.cls.tracks]
    for name in names:
        tracks = registry().find("metric", name).cls.tracks
        if track not in tracks:
            raise UsageError(
                f"{name} is for the track {' and '.join(sorted(tracks))}; the track {track} has: "
                f"{', '.join(plugin.name for plugin in known)}"
            )
    return [plugin for plugin in known if not names or plugin.name in names]
