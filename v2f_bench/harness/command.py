"""A run as a user asks for it, by names: looked up, planned and carried out."""

from __future__ import annotations

from dataclasses import dataclass

from v2f_bench.harness.bench import Bench
from v2f_bench.harness.judges import Judges
from v2f_bench.harness.opening import (
    TRACKS,
    BenchRequest,
    check_track,
    chosen_metrics,
    open_bench,
    open_judges,
    open_workplace,
)
from v2f_bench.harness.plan import Plan
from v2f_bench.harness.results import measure_names
from v2f_bench.harness.run import Outcome, run_plans
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import Progress, UsageError, apply_settings, setting_grid
from v2f_bench.interfaces.options import did_you_mean
from v2f_bench.plugins import Plugin, Registry, registry


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
    check_track(request.bench.track)
    track = request.bench.track or _track(named, plugins.find("dataset", request.bench.dataset))
    for plugin in named:
        if track not in plugin.cls.tracks:
            serves = " and ".join(sorted(plugin.cls.tracks))
            raise UsageError(f"{plugin.name} serves the track {serves}, not {track!r}")
    chosen_metrics([measure.partition("/")[0] for measure in request.measures], track)
    choices = _with_options(named, request) + _baselines(plugins, named, track, request)
    workplace = open_workplace(request.bench, progress, request.precision)
    bench = open_bench(request.bench, track, workplace)
    judges = open_judges(request.bench, bench, workplace)
    _check_parts(request.measures, bench, judges)
    plans = [
        _plan(plugin, chosen, seed, preset, bench, workplace)
        for plugin, chosen, preset in sorted(choices, key=lambda choice: not choice[0].cls.baseline)
        for seed in request.seeds
    ]
    return run_plans(plans, bench, judges, workplace)


def _plan(plugin: Plugin, options: object, seed: int, preset: str, bench: Bench, workplace: Workplace) -> Plan:
    computing, devices = workplace.computing(), workplace.devices
    if not plugin.cls.uses_device:
        computing, devices = computing.without_device(), ("cpu",)
    data = (bench.dataset.name, bench.key, bench.training_key)
    return Plan(plugin, options, seed, preset, *data, computing, devices)


def _check_parts(measures: tuple[str, ...], bench: Bench, judges: Judges) -> None:
    """UsageError for a measure that its metric will not give a number for, with the judges that are here."""
    for measure in measures:
        metric = registry().find("metric", measure.partition("/")[0])
        kinds = metric.cls.judged_by
        if not any(ready.judge.kind in kinds for ready in judges.ready):
            lacking = f"no judge of {' or '.join(kinds)} is here; `v2f-bench weights list` tells why"
            raise UsageError(f"--measure {measure}: {lacking}")
        names = measure_names(metric.cls(), judges, bench)
        if not names:
            raise UsageError(f"--measure {measure}: {metric.name} finds nothing to measure in {bench.protocol.name}")
        if measure not in (metric.name, *names):
            hint = did_you_mean(measure, names)
            raise UsageError(f"there is no measure {measure!r}{hint} There is: {', '.join(names)}.")


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
