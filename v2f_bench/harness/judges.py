"""Load judges: open or train each, and show it the protocol's real pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from v2f_bench.harness.bench import Bench
from v2f_bench.harness.containment import PLUGIN_EXCEPTIONS, failure_reason, process_state_kept
from v2f_bench.harness.film_views import ReadyFilmJudge
from v2f_bench.harness.stage import stage
from v2f_bench.harness.tensors import read_tensors, write_state
from v2f_bench.harness.views import ReadyJudge, view_real_pictures
from v2f_bench.harness.workplace import Workplace
from v2f_bench.hashing import file_sha256, key_of
from v2f_bench.interfaces import BenchError, Context, FilmJudge, Judge, NotAvailable
from v2f_bench.judges.opening import open_judge
from v2f_bench.judges.weights import fetch_weights, find_weights
from v2f_bench.keys import judge_key
from v2f_bench.plugins import Plugin
from v2f_bench.record import MissingJudge
from v2f_bench.sources import source_key


@dataclass(frozen=True)
class Candidate:
    """A judge that may be used. `make` constructs it; `wanted` says that the user named it or gave its card."""

    name: str
    make: Callable[[], Judge]
    wanted: bool = False


@dataclass(frozen=True)
class Judges:
    """The judges that are available, why others are not, and the metrics to compute."""

    ready: list[ReadyJudge]
    missing: list[MissingJudge]
    metrics: list[Plugin]
    detector: ReadyJudge | None = None  # of the protocol's face check
    wanted: frozenset[str] = frozenset()  # names of those that the user asked for
    # What the faces of a role score, by measure, for (metric, judge, role, trials): many runs share it.
    bound_cache: dict[tuple[str, str, str, str, bytes], dict[str, float | None]] = field(default_factory=dict)


def load_judges(
    candidates: Sequence[Candidate], metrics: Sequence[Plugin], bench: Bench, workplace: Workplace, fetch: bool
) -> Judges:
    """Load every candidate of a kind that a metric of the bench's track uses.

    A judge that is not available, or that crashes, is left out with its numbers, unless the user asked for it.

    Args:
        fetch: whether missing weights may be downloaded.

    Raises:
        BenchError: a judge that the user asked for is not available; or the detector of the face check crashed.
    """
    metrics = [plugin for plugin in metrics if bench.protocol.track in plugin.cls.tracks]
    kinds = {kind for plugin in metrics for kind in plugin.cls.judged_by}
    detector = None
    if bench.detector is not None:
        detector = view_real_pictures(bench.detector, "", "", bench, workplace)
    ready: list[ReadyJudge] = []
    missing: list[MissingJudge] = []
    for candidate in sorted(candidates, key=lambda candidate: not candidate.wanted):  # wanted ones may end the command
        kind = ""
        try:
            with process_state_kept():
                judge = candidate.make()
                kind = judge.kind
                if kind not in kinds:
                    if candidate.wanted:
                        raise NotAvailable(f"no metric of this track uses a judge of kind {kind}")
                    continue
                if detector is not None and judge.name == detector.judge.name:
                    ready.append(detector)
                else:
                    ready.append(_made_ready(judge, bench, workplace, fetch))
        except PLUGIN_EXCEPTIONS as error:
            reason = failure_reason(error)
            if candidate.wanted:
                raise BenchError(f"judge {candidate.name}: {reason}") from error
            if not isinstance(error, NotAvailable):
                workplace.progress.line(f"judge {candidate.name} left out: {reason}")
            missing.append(MissingJudge(candidate.name, kind, reason))
    if missing:
        names = ", ".join(judge.name for judge in missing)
        workplace.progress.line(f"judges left out: {names}; `v2f-bench weights list` shows what they need")
    wanted = frozenset(candidate.name for candidate in candidates if candidate.wanted)
    return Judges(ready, missing, metrics, detector, wanted)


def _made_ready(judge: Judge, bench: Bench, workplace: Workplace, fetch: bool) -> ReadyJudge:
    if judge.trained_here:
        sha256, key = _train(judge, bench, workplace)
        return view_real_pictures(judge, sha256, key, bench, workplace)
    file = None
    if judge.weights is not None:
        folder = workplace.weights
        file = (
            fetch_weights(judge.weights, folder, workplace.progress) if fetch else find_weights(judge.weights, folder)
        )
    open_judge(judge, file, workplace.device)
    sha256 = file_sha256(file) if file else ""
    if isinstance(judge, FilmJudge):
        key = key_of(judge.name, judge.version, source_key(type(judge)), sha256, bench.key)
        return ReadyFilmJudge(judge, sha256, key, quality={}, clips={}, means={})
    return view_real_pictures(judge, sha256, sha256, bench, workplace)


def delivered_judge(judge: Judge, bench: Bench) -> Path | None:
    """Where the data set's own package keeps such a judge, trained on these clips; None where it keeps none.

    The name of the file stands for the judge's code, the data set's code, and the options, clips and resolution that it
    was trained with. The content of the clips is not in it: only a data set that is made by code may deliver judges.
    """
    dataset, protocol = bench.dataset, bench.protocol
    if dataset.judges is None:
        return None
    clips = {split: protocol.splits[split] for split in ("train", "validation")}
    options = dataset.media_options
    sources = source_key(type(judge)), source_key(type(dataset))
    key = key_of(judge.name, judge.version, dataset.name, dataset.version, sources, options, clips, protocol.resolution)
    return dataset.judges / f"{judge.name}-{key}.safetensors"


def _train(judge: Judge, bench: Bench, workplace: Workplace) -> tuple[str, str]:
    """Train the judge, or restore it; the sha256 of its weights, and the key of its training."""
    delivered = delivered_judge(judge, bench)
    if delivered and delivered.is_file():
        judge.restore(read_tensors(delivered), workplace.device)
        sha256 = file_sha256(delivered)
        return sha256, sha256
    computing = workplace.computing().without_training()
    key = judge_key(
        judge.name, judge.version, source_key(type(judge)), bench.training_key(bench.protocol.resolution), computing
    )
    folder = workplace.cache / "judges" / f"{judge.name}-{key}"
    file = folder / "model.safetensors"

    def make(unfinished: Path) -> None:
        context = Context(0, workplace.device, workplace.progress)
        judge.fit(bench.split("train"), bench.split("validation"), context)
        write_state(unfinished / file.name, judge.state(), judge.name)

    if not stage(folder, key, make, progress=workplace.progress):
        judge.restore(read_tensors(file), workplace.device)
    return file_sha256(file), key
