"""What a user asks for by names, opened: a data set under a protocol, and the judges and metrics that score on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from v2f_bench.data.lists import read_list
from v2f_bench.data.store import Store
from v2f_bench.harness.bench import Bench, open_dataset, set_up
from v2f_bench.harness.circumstances import cpu_count
from v2f_bench.harness.face_check import find_detector
from v2f_bench.harness.judges import Candidate, Judges, load_judges
from v2f_bench.harness.prepare import prepare
from v2f_bench.harness.results import measure_names
from v2f_bench.harness.workplace import Workplace, choose_devices, set_threads
from v2f_bench.interfaces import Dataset, PluginError, Progress, UsageError, apply_settings
from v2f_bench.interfaces.options import did_you_mean
from v2f_bench.plugins import Plugin, registry

TRACKS = ("identity", "emotion")


@dataclass(frozen=True)
class BenchRequest:
    """A data set, the track, the judges and the metrics that were asked for; the names are not checked yet."""

    dataset: str
    data_root: Path | None = None
    dataset_settings: tuple[str, ...] = ()
    track: str | None = None  # None: the first that the data set (and a named method) serves
    lists: tuple[Path, ...] = ()  # published lists of questions
    judges: tuple[str, ...] = ()  # by name; empty: all that can be had
    judge_cards: tuple[Path, ...] = ()
    metrics: tuple[str, ...] = ()  # by name; empty: all of the track
    fetch_weights: bool = False
    output: Path = Path("runs")
    device: str = "auto"
    threads: int | None = None  # None: as torch chooses
    jobs: int | None = None


def open_workplace(request: BenchRequest, progress: Progress, precision: str = "float32") -> Workplace:
    set_threads(request.threads)
    return Workplace(
        output=request.output,
        devices=choose_devices(request.device),
        jobs=request.jobs or cpu_count(),
        progress=progress,
        precision=precision,
    )


def open_bench(request: BenchRequest, track: str | None, workplace: Workplace) -> Bench:
    """The data set prepared, under the protocol of `track` (None: the first that the data set serves).

    Raises:
        UsageError: a wrong name or option, before any work is done.
    """
    progress = workplace.progress
    for problem in registry().problems():
        progress.line(f"left out: {problem}")
    check_track(track)
    dataset = _dataset(request)
    if track is not None and track not in dataset.tracks:
        raise UsageError(f"{dataset.name} serves the track {' and '.join(sorted(dataset.tracks))}, not {track!r}")
    track = track or next(name for name in TRACKS if name in dataset.tracks)
    # Before hours of preparing, not after:
    for path in (*request.lists, *request.judge_cards):
        if not path.is_file():
            raise UsageError(f"{path}: no such file")
    candidates(request)
    chosen_metrics(request.metrics, track)
    lists = [read_list(path) for path in request.lists]
    if len({each.name for each in lists}) < len(lists):
        raise UsageError("--list: two files of one name; rename one, since tables name lists by their files")
    face_check = find_detector(registry(), workplace.device, progress)
    bench = set_up(dataset, workplace, track, lists, face_check)
    for each in bench.protocol.lists:
        reasons = "".join(f"; {count} left out: {reason}" for reason, count in each["left_out"].items())
        progress.line(f"list {each['name']}: {len(each['questions'])} questions of {each['task']}{reasons}")
    if len(bench.store.left_out):
        progress.line(
            f"{len(bench.store.left_out)} clips of {dataset.name} left out: see {bench.store.folder}/left_out.parquet"
        )
    return bench


def open_store(request: BenchRequest, progress: Progress) -> Store:
    """The prepared data set that was asked for."""
    return prepare(_dataset(request), open_workplace(request, progress))


def open_judges(request: BenchRequest, bench: Bench, workplace: Workplace) -> Judges:
    """The judges that were asked for, or every judge that can be had here, tried with the metrics.

    A metric that breaks its contract is said now, before any training, and left out.
    """
    metrics = chosen_metrics(request.metrics, bench.protocol.track)
    judges = load_judges(candidates(request), metrics, bench, workplace, request.fetch_weights)
    for plugin in judges.metrics:
        try:
            measure_names(plugin.cls(), judges, bench)
        except PluginError as error:
            workplace.progress.line(f"no number of it will be had: {error}")
    return judges


def candidates(request: BenchRequest) -> list[Candidate]:
    """The judges to load: those that are registered, or the named ones of them, and those that cards describe."""
    plugins = {plugin.name: plugin for plugin in registry().all("judge")}
    for name in request.judges:
        registry().find("judge", name)
    names = request.judges or tuple(plugins)
    found = [Candidate(name, plugins[name].cls, wanted=bool(request.judges)) for name in dict.fromkeys(names)]
    for path in request.judge_cards:
        from v2f_bench.judges.card import parse_card, read_card

        name = parse_card(path).name
        if name in {*plugins, *(other.name for other in found)}:
            raise UsageError(f"{path}: there is a judge {name!r} already; give the card another name")
        found.append(Candidate(name, partial(read_card, path), wanted=True))
    return found


def chosen_metrics(names: Sequence[str], track: str) -> list[Plugin]:
    """The metrics of those names, or all; UsageError for one that nobody knows, or that means nothing on the track."""
    known = [plugin for plugin in registry().all("metric") if track in plugin.cls.tracks]
    for name in names:
        tracks = registry().find("metric", name).cls.tracks
        if track not in tracks:
            raise UsageError(
                f"{name} is for the track {' and '.join(sorted(tracks))}; the track {track} has: "
                f"{', '.join(plugin.name for plugin in known)}"
            )
    return [plugin for plugin in known if not names or plugin.name in names]


def check_track(track: str | None) -> None:
    if track is not None and track not in TRACKS:
        raise UsageError(f"there is no track {track!r}{did_you_mean(track, TRACKS)} There is: {', '.join(TRACKS)}.")


def _dataset(request: BenchRequest) -> Dataset:
    cls = registry().find("dataset", request.dataset).cls
    return open_dataset(
        cls, apply_settings(cls.options(), request.dataset_settings, request.dataset), request.data_root
    )
