"""A request as a user makes it, by names: looked up, planned and run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from v2f_bench.harness.bench import open_dataset, set_up
from v2f_bench.harness.circumstances import cpu_count
from v2f_bench.harness.judging import summon
from v2f_bench.harness.plan import Plan
from v2f_bench.harness.run import Outcome, run_plans
from v2f_bench.harness.workplace import Workplace, choose_device
from v2f_bench.interfaces import Progress, UsageError, apply_settings
from v2f_bench.plugins import Plugin, Registry, registry


@dataclass(frozen=True)
class RunRequest:
    """What was asked for; the names are not checked yet."""

    methods: list[str]
    dataset: str
    data_root: Path | None
    seeds: list[int]
    preset: str
    settings: list[str]
    dataset_settings: list[str]
    baselines: bool
    output: Path
    device: str
    jobs: int | None
    fetch_weights: bool


def run_request(request: RunRequest, progress: Progress) -> list[Outcome]:
    """Run all that was asked for, and the baselines of the track first.

    Raises:
        UsageError: a wrong name or option, before any work is done.
    """
    plugins = registry()
    named = [plugins.find("method", name) for name in dict.fromkeys(request.methods)]
    if not named:
        raise UsageError("--method names no method")
    for broken in plugins.broken:
        progress.line(f"plugin {broken.entry_point} of {broken.distribution} is left out: {broken.reason}")
    chosen = _with_options(named, request) + _baselines(plugins, named, request)
    dataset_plugin = plugins.find("dataset", request.dataset)
    options = apply_settings(dataset_plugin.cls.options(), request.dataset_settings, request.dataset)
    dataset = open_dataset(dataset_plugin.cls, options, request.data_root)
    workplace = Workplace(
        output=request.output,
        device=choose_device(request.device),
        jobs=request.jobs or cpu_count(),
        progress=progress,
    )
    bench = set_up(dataset, workplace)
    if len(bench.store.left_out):
        progress.line(
            f"{len(bench.store.left_out)} clips of {dataset.name} left out: see {bench.store.folder}/left_out.parquet"
        )
    judges = [plugin.cls() for plugin in plugins.all("judge")]
    jury = summon(judges, plugins.all("metric"), bench, workplace, request.fetch_weights)
    plans = [
        (Plan(plugin, chosen_options, seed, bench.key, dataset.name), request.preset)
        for plugin, chosen_options in sorted(chosen, key=lambda pair: not pair[0].cls.baseline)
        for seed in request.seeds
    ]
    return run_plans(plans, bench, jury, workplace)


def _with_options(named: list[Plugin], request: RunRequest) -> list[tuple[Plugin, object]]:
    """Each named method with its preset and settings. `name.option=value` is for one method, `option=value` for all."""
    names = [plugin.name for plugin in named]
    for setting in request.settings:
        owner, dot, _ = setting.partition("=")[0].partition(".")
        if dot and owner not in names:
            raise UsageError(f"--set {setting}: {owner!r} is not among the methods ({', '.join(names)})")
    chosen = []
    for plugin in named:
        prefix = plugin.name + "."
        own = [
            setting.removeprefix(prefix)
            for setting in request.settings
            if setting.startswith(prefix) or "." not in setting.partition("=")[0]
        ]
        chosen.append((plugin, apply_settings(plugin.cls.preset(request.preset), own, plugin.name)))
    return chosen


def _baselines(plugins: Registry, named: list[Plugin], request: RunRequest) -> list[tuple[Plugin, object]]:
    """The baselines that are not named themselves, with their defaults."""
    if not request.baselines:
        return []
    names = {plugin.name for plugin in named}
    others = [plugin for plugin in plugins.all("method") if plugin.cls.baseline and plugin.name not in names]
    return [(plugin, plugin.cls.preset("quick")) for plugin in others]
