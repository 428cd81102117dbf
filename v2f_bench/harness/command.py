"""What a user asks for, by names and settings. It is checked before any work is done, and becomes specs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from v2f_bench.contracts import TRACKS
from v2f_bench.data.protocol import RESOLUTION
from v2f_bench.data.variants import Form
from v2f_bench.data.voices import WHOLE, check_voices
from v2f_bench.harness.circumstances import cpu_count
from v2f_bench.harness.make_bench import data_folder
from v2f_bench.harness.opening import candidates, chosen_metrics
from v2f_bench.harness.spec import BenchSpec, PlaceSpec, RunSpec
from v2f_bench.harness.workplace import choose_devices, default_cache
from v2f_bench.interfaces import UsageError, apply_settings, setting_grid
from v2f_bench.interfaces.options import did_you_mean
from v2f_bench.plugins import Plugin, Registry, registry


@dataclass(frozen=True)
class BenchRequest:
    """The data set, track, judges and metrics that a user asks for. The names are not checked yet."""

    dataset: str
    data_root: Path | None = None
    dataset_settings: tuple[str, ...] = ()
    track: str | None = None  # None: the first of `TRACKS` that the data set (and a named method) serves
    lists: tuple[Path, ...] = ()  # published lists of questions
    resolution: int = RESOLUTION
    voices: str = WHOLE
    judges: tuple[str, ...] = ()  # by name; empty: all that are available
    judge_cards: tuple[Path, ...] = ()
    metrics: tuple[str, ...] = ()  # by name; empty: all of the track
    fetch_weights: bool = False

    def spec(self, track: str | None = None) -> BenchSpec:
        """The request as a spec, checked.

        Args:
            track: used if the request names none; None: the first that the data set serves.

        Raises:
            UsageError: a name, an option or a combination is wrong, or a file is missing.
        """
        plugin = registry().find("dataset", self.dataset)
        tracks = [name for name in TRACKS if name in plugin.cls.tracks]
        check_track(self.track)
        wanted = self.track or track or tracks[0]
        if wanted not in tracks:
            raise UsageError(f"{self.dataset} serves the track {' and '.join(tracks)}, not {wanted!r}")
        for path in (*self.lists, *self.judge_cards):
            if not path.is_file():
                raise UsageError(f"{path}: no such file")
        form = Form(self.resolution, check_voices(self.voices))
        folder = data_folder(plugin.cls, self.data_root)
        spec = BenchSpec(
            dataset=self.dataset,
            options=asdict(apply_settings(plugin.cls.options(), self.dataset_settings, self.dataset)),
            data_root=str(folder) if folder else None,
            track=wanted,
            lists=tuple(str(path.resolve()) for path in self.lists),
            resolution=form.resolution,
            voices=form.voices,
            judges=self.judges,
            judge_cards=tuple(str(path.resolve()) for path in self.judge_cards),
            metrics=self.metrics,
            fetch_weights=self.fetch_weights,
        )
        candidates(spec)
        chosen_metrics(spec.metrics, spec.track)
        return spec


def place(
    output: Path,
    device: str = "cpu",
    threads: int | None = None,
    jobs: int | None = None,
    precision: str = "float32",
) -> PlaceSpec:
    """Where the work is done. UsageError for a device that is missing."""
    devices = choose_devices(device)
    return PlaceSpec(
        str(output.resolve()), str(default_cache().resolve()), devices, threads, jobs or cpu_count(), precision
    )


@dataclass(frozen=True)
class RunRequest:
    """The methods that a user asks to run on a bench. The names are not checked yet."""

    bench: BenchRequest
    place: PlaceSpec
    methods: list[str]
    voices: tuple[str, ...]  # the forms of voices (see `data/voices.py`); each makes a protocol of its own
    seeds: list[int]
    preset: str
    settings: list[str]
    baselines: bool
    measures: tuple[str, ...] = ()  # metrics, or single measures of them, that the table is to show

    def specs(self) -> list[RunSpec]:
        """A spec for each method, set of options and seed, the baselines of the track first.

        Raises:
            UsageError: a name, an option or a combination is wrong.
        """
        plugins = registry()
        named = [plugins.find("method", name) for name in dict.fromkeys(self.methods)]
        if not named:
            raise UsageError("no method is named")
        check_track(self.bench.track)
        track = self.bench.track or _track(named, plugins.find("dataset", self.bench.dataset))
        for plugin in named:
            if track not in plugin.cls.tracks:
                serves = " and ".join(sorted(plugin.cls.tracks))
                raise UsageError(f"{plugin.name} serves the track {serves}, not {track!r}")
        chosen_metrics([measure.partition("/")[0] for measure in self.measures], track)
        benches = [replace(self.bench, voices=voices).spec(track) for voices in dict.fromkeys(self.voices)]
        choices = _with_options(named, self) + _baselines(plugins, named, track, self)
        return [
            RunSpec(bench, self.place, plugin.name, asdict(options), preset, seed)
            for bench in benches
            for plugin, options, preset in sorted(choices, key=lambda choice: not choice[0].cls.baseline)
            for seed in self.seeds
        ]


def check_track(track: str | None) -> None:
    if track is not None and track not in TRACKS:
        raise UsageError(f"there is no track {track!r}{did_you_mean(track, TRACKS)} There is: {', '.join(TRACKS)}.")


def _track(named: Iterable[Plugin], dataset: Plugin) -> str:
    """The first track that the data set and a named method serve."""
    for track in TRACKS:
        if track in dataset.cls.tracks and any(track in plugin.cls.tracks for plugin in named):
            return track
    raise UsageError(
        f"{dataset.name} serves the track {' and '.join(sorted(dataset.cls.tracks))}; "
        + "; ".join(f"{plugin.name} {' and '.join(sorted(plugin.cls.tracks))}" for plugin in named)
    )


def _with_options(named: list[Plugin], request: RunRequest) -> list[tuple[Plugin, Any, str]]:
    """Each named method with its preset and settings.

    `name.option=value` sets an option of one method, `option=value` of all. `option=one,two` gives the method twice,
    and several such settings give it with every combination of the values.
    """
    names = [plugin.name for plugin in named]
    for setting in request.settings:
        owner, dot, _ = setting.partition("=")[0].partition(".")
        if dot and owner not in names:
            raise UsageError(f"setting {setting}: {owner!r} is not among the methods ({', '.join(names)})")
    chosen: list[tuple[Plugin, Any, str]] = []
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
) -> list[tuple[Plugin, Any, str]]:
    """The track's baselines with their first preset, without those that the user names."""
    if not request.baselines:
        return []
    names = {plugin.name for plugin in named}
    others = [plugin for plugin in plugins.all("method") if plugin.cls.baseline and plugin.name not in names]
    serving = [plugin for plugin in others if track in plugin.cls.tracks]
    return [(plugin, plugin.cls.preset(first), first) for plugin in serving for first in [_first_preset(plugin)]]


def _first_preset(plugin: Plugin) -> str:
    return next(iter(plugin.cls.presets), "quick")
