"""A request as a user makes it, by names: looked up, planned and run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from v2f_bench.data.lists import read_list
from v2f_bench.data.store import Store
from v2f_bench.harness.bench import Bench, open_dataset, set_up
from v2f_bench.harness.circumstances import cpu_count
from v2f_bench.harness.judging import Jury, summon
from v2f_bench.harness.plan import Plan
from v2f_bench.harness.prepare import prepare
from v2f_bench.harness.results import measure_names
from v2f_bench.harness.run import Outcome, run_plans
from v2f_bench.harness.workplace import Workplace, choose_devices
from v2f_bench.interfaces import Dataset, Judge, Progress, UsageError, apply_settings, setting_grid
from v2f_bench.interfaces.options import did_you_mean
from v2f_bench.plugins import Plugin, Registry, registry

TRACKS = ("identity", "emotion")


@dataclass(frozen=True)
class BenchRequest:
    """A data set, the track and the judges that were asked for; the names are not checked yet."""

    dataset: str
    data_root: Path | None = None
    dataset_settings: tuple[str, ...] = ()
    track: str | None = None  # None: the first that the data set (and a named method) serves
    lists: tuple[Path, ...] = ()  # published lists of questions
    judge_cards: tuple[Path, ...] = ()
    fetch_weights: bool = False
    output: Path = Path("runs")
    device: str = "auto"
    jobs: int | None = None


@dataclass(frozen=True)
class RunRequest:
    """The methods and measures that were asked for; the names are not checked yet."""

    bench: BenchRequest
    methods: list[str]
    seeds: list[int]
    preset: str
    settings: list[str]
    baselines: bool
    precision: str = "float32"
    measures: tuple[str, ...] = ()  # metrics, or single measures of them, that a table is wanted of


def run_request(request: RunRequest, progress: Progress) -> list[Outcome]:
    """Run all that was asked for, and the baselines of the track first.

    Raises:
        UsageError: a wrong name or option, before any work is done; a wrong part of a metric, before any method's.
    """
    plugins = registry()
    named = [plugins.find("method", name) for name in dict.fromkeys(request.methods)]
    if not named:
        raise UsageError("--method names no method")
    _check_track(request.bench.track)
    track = request.bench.track or _track(named, plugins.find("dataset", request.bench.dataset))
    for plugin in named:
        if track not in plugin.cls.tracks:
            serves = " and ".join(sorted(plugin.cls.tracks))
            raise UsageError(f"{plugin.name} serves the track {serves}, not {track!r}")
    _check_measures(request.measures, track)
    choices = _with_options(named, request) + _baselines(plugins, named, track, request)
    bench, workplace = open_bench(request.bench, track, progress)
    jury = open_jury(request.bench, bench, workplace)
    _check_parts(request.measures, bench, jury)
    plans = [
        Plan(plugin, chosen, seed, bench.key, bench.dataset.name, preset, workplace.devices, request.precision)
        for plugin, chosen, preset in sorted(choices, key=lambda choice: not choice[0].cls.baseline)
        for seed in request.seeds
    ]
    return run_plans(plans, bench, jury, workplace)


def open_bench(request: BenchRequest, track: str | None, progress: Progress) -> tuple[Bench, Workplace]:
    """The data set prepared, under the protocol of `track` (None: the first that the data set serves)."""
    for problem in registry().problems():
        progress.line(f"left out: {problem}")
    _check_track(track)
    dataset = _dataset(request)
    if track is not None and track not in dataset.tracks:
        raise UsageError(f"{dataset.name} serves the track {' and '.join(sorted(dataset.tracks))}, not {track!r}")
    workplace = _workplace(request, progress)
    for path in (*request.lists, *request.judge_cards):
        if not path.is_file():
            raise UsageError(f"{path}: no such file")  # before hours of preparing, not after
    lists = [read_list(path) for path in request.lists]
    for each in lists:
        if each.repeated:
            progress.line(f"list {each.name}: {each.repeated} questions stand in it before; they count each time")
    if len({each.name for each in lists}) < len(lists):
        raise UsageError("--list: two files of one name; rename one, since tables name lists by their files")
    bench = set_up(dataset, workplace, track or next(name for name in TRACKS if name in dataset.tracks), lists)
    for described in bench.protocol.lists:
        reasons = "".join(f"; {count} left out: {reason}" for reason, count in described["left_out"].items())
        progress.line(
            f"list {described['name']}: {len(described['questions'])} questions of {described['task']}{reasons}"
        )
    if len(bench.store.left_out):
        progress.line(
            f"{len(bench.store.left_out)} clips of {dataset.name} left out: see {bench.store.folder}/left_out.parquet"
        )
    return bench, workplace


def prepare_request(request: BenchRequest, progress: Progress) -> Store:
    """The store of the data set that was asked for."""
    return prepare(_dataset(request), _workplace(request, progress))


def open_jury(request: BenchRequest, bench: Bench, workplace: Workplace) -> Jury:
    """Every judge that is registered or described by a card, as far as it can be had here."""
    plugins = registry()
    judges: list[Judge] = [plugin.cls() for plugin in plugins.all("judge")]
    for path in request.judge_cards:
        from v2f_bench.judges.card import read_card

        judge = read_card(path)
        if judge.name in {other.name for other in judges}:
            raise UsageError(f"{path}: there is a judge {judge.name!r} already; give the card another name")
        judges.append(judge)
    return summon(judges, plugins.all("metric"), bench, workplace, request.fetch_weights)


def _check_track(track: str | None) -> None:
    if track is not None and track not in TRACKS:
        raise UsageError(f"there is no track {track!r}{did_you_mean(track, TRACKS)} There is: {', '.join(TRACKS)}.")


def _check_measures(measures: tuple[str, ...], track: str) -> None:
    """UsageError for a measure whose metric nobody knows, or that means nothing on the track."""
    for measure in measures:
        metric = registry().find("metric", measure.partition("/")[0])
        if track not in metric.cls.tracks:
            known = [plugin.name for plugin in registry().all("metric") if track in plugin.cls.tracks]
            raise UsageError(
                f"--measure {measure}: {metric.name} is for the track {' and '.join(sorted(metric.cls.tracks))}; "
                f"the track {track} has: {', '.join(known)}"
            )


def _check_parts(measures: tuple[str, ...], bench: Bench, jury: Jury) -> None:
    """UsageError for a measure that its metric will not give a number for, with the judges that are here."""
    for measure in measures:
        metric = registry().find("metric", measure.partition("/")[0])
        kinds = metric.cls.judged_by
        if not any(ready.judge.kind in kinds for ready in jury.judges):
            lacking = f"no judge of {' or '.join(kinds)} is here; `v2f-bench weights list` tells why"
            raise UsageError(f"--measure {measure}: {lacking}")
        names = measure_names(metric.cls(), jury, bench)
        if not names:
            raise UsageError(f"--measure {measure}: {metric.name} finds nothing to measure in {bench.protocol.name}")
        if measure not in (metric.name, *names):
            hint = did_you_mean(measure, names)
            raise UsageError(f"there is no measure {measure!r}{hint} There is: {', '.join(names)}.")


def _dataset(request: BenchRequest) -> Dataset:
    cls = registry().find("dataset", request.dataset).cls
    return open_dataset(
        cls, apply_settings(cls.options(), request.dataset_settings, request.dataset), request.data_root
    )


def _workplace(request: BenchRequest, progress: Progress) -> Workplace:
    return Workplace(
        output=request.output,
        devices=choose_devices(request.device),
        jobs=request.jobs or cpu_count(),
        progress=progress,
    )


def _track(named: list[Plugin], dataset: Plugin) -> str:
    """The first track that the data set and a named method serve."""
    for track in TRACKS:
        if track in dataset.cls.tracks and any(track in plugin.cls.tracks for plugin in named):
            return track
    raise UsageError(
        f"{dataset.name} serves the track {' and '.join(sorted(dataset.cls.tracks))}; "
        + "; ".join(f"{plugin.name} {' and '.join(sorted(plugin.cls.tracks))}" for plugin in named)
    )


def _with_options(named: list[Plugin], request: RunRequest) -> list[tuple[Plugin, object, str]]:
    """Each named method with its preset and settings. `name.option=value` is for one method, `option=value` for all;
    `option=one,two` gives the method twice, and several of these every combination."""
    names = [plugin.name for plugin in named]
    for setting in request.settings:
        owner, dot, _ = setting.partition("=")[0].partition(".")
        if dot and owner not in names:
            raise UsageError(f"--set {setting}: {owner!r} is not among the methods ({', '.join(names)})")
    chosen: list[tuple[Plugin, object, str]] = []
    for plugin in named:
        prefix = plugin.name + "."
        own = [
            setting.removeprefix(prefix)
            for setting in request.settings
            if setting.startswith(prefix) or "." not in setting.partition("=")[0]
        ]
        preset = plugin.cls.preset(request.preset)
        options = [apply_settings(preset, each, plugin.name) for each in setting_grid(preset, own)]
        chosen += [(plugin, each, request.preset) for each in dict.fromkeys(options)]
    return chosen


def _baselines(
    plugins: Registry, named: list[Plugin], track: str, request: RunRequest
) -> list[tuple[Plugin, object, str]]:
    """The track's baselines that are not named themselves, with their first preset."""
    if not request.baselines:
        return []
    names = {plugin.name for plugin in named}
    others = [plugin for plugin in plugins.all("method") if plugin.cls.baseline and plugin.name not in names]
    serving = [plugin for plugin in others if track in plugin.cls.tracks]
    return [(plugin, plugin.cls.preset(first), first) for plugin in serving for first in [_first_preset(plugin)]]


def _first_preset(plugin: Plugin) -> str:
    return next(iter(plugin.cls.presets), "quick")
