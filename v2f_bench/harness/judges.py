"""Judges made ready: opened or trained, shown the protocol's real pictures, and tried with every metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from v2f_bench.harness.bench import Bench
from v2f_bench.harness.containment import PLUGIN_EXCEPTIONS, in_words, process_state_kept, reraise_disk_error
from v2f_bench.harness.stage import stage
from v2f_bench.harness.tensors import read_tensors, write_state
from v2f_bench.harness.views import ReadyJudge, view_real_pictures
from v2f_bench.harness.workplace import Workplace
from v2f_bench.hashing import file_sha256, key_of
from v2f_bench.interfaces import BenchError, Context, Judge, NotAvailable
from v2f_bench.judges.opening import open_judge
from v2f_bench.judges.weights import fetch_weights, find_weights
from v2f_bench.keys import judge_key
from v2f_bench.plugins import Plugin
from v2f_bench.record import MissingJudge
from v2f_bench.sources import source_key


@dataclass(frozen=True)
class Candidate:
    """A judge that may be used: `make` constructs it. `wanted`: somebody asked for this one by name, or by its card."""

    name: str
    make: Callable[[], Judge]
    wanted: bool = False


@dataclass(frozen=True)
class Judges:
    """The judges that can be had here, why each of the others cannot, and the metrics that they serve."""

    ready: list[ReadyJudge]
    missing: list[MissingJudge]
    metrics: list[Plugin]
    detector: ReadyJudge | None = None  # of the protocol's face check
    wanted: frozenset[str] = frozenset()  # asked for by name
    # (metric, judge, role, trials): what the faces of a role score, by measure. The same for many runs.
    bound_cache: dict[tuple[str, str, str, bytes], dict[str, float | None]] = field(default_factory=dict)


def load_judges(
    candidates: Sequence[Candidate], metrics: Sequence[Plugin], bench: Bench, workplace: Workplace, fetch: bool
) -> Judges:
    """Every candidate of a kind that a metric of the bench's track asks for, made ready.

    A judge that cannot be had, or that crashes, costs its own numbers alone; but one that was asked for by name is
    never left out.

    Args:
        fetch: whether weights that are not there may be downloaded.

    Raises:
        BenchError: a judge that was asked for cannot be had; or the detector of the protocol's face check crashed.
    """
    metrics = [plugin for plugin in metrics if bench.protocol.track in plugin.cls.tracks]
    kinds = {kind for plugin in metrics for kind in plugin.cls.judged_by}
    detector = None
    if bench.detector is not None:
        detector = view_real_pictures(bench.detector, "", "", bench, workplace)
    ready: list[ReadyJudge] = []
    missing: list[MissingJudge] = []
    for candidate in sorted(candidates, key=lambda candidate: not candidate.wanted):  # these may end the command
        kind = ""
        try:
            with process_state_kept():
                judge = candidate.make()
                kind = judge.kind
                if kind not in kinds:
                    if candidate.wanted:
                        raise NotAvailable(f"no metric asks for a judge of kind {kind} on this track")
                    continue
                if detector is not None and judge.name == detector.judge.name:
                    ready.append(detector)
                else:
                    ready.append(_made_ready(judge, bench, workplace, fetch))
        except PLUGIN_EXCEPTIONS as error:
            reraise_disk_error(error)
            crashed = not isinstance(error, BenchError)
            reason = f"crashed: {in_words(error)}" if crashed else str(error)
            if candidate.wanted:
                raise BenchError(f"judge {candidate.name}: {reason}") from error
            if not isinstance(error, NotAvailable):
                workplace.progress.line(f"judge {candidate.name} left out: {reason}")
            missing.append(MissingJudge(candidate.name, kind, reason))
    if missing:
        names = ", ".join(judge.name for judge in missing)
        workplace.progress.line(f"judges left out: {names}; `v2f-bench weights list` tells what they need")
    wanted = frozenset(candidate.name for candidate in candidates if candidate.wanted)
    return Judges(ready, missing, metrics, detector, wanted)


def _made_ready(judge: Judge, bench: Bench, workplace: Workplace, fetch: bool) -> ReadyJudge:
    if judge.trained_here:
        sha256, key = _train(judge, bench, workplace)
        return view_real_pictures(judge, sha256, key, bench, workplace)
    file = None
    if judge.weights is not None:
        folder = workplace.cache / "weights"
        file = (
            fetch_weights(judge.weights, folder, workplace.progress) if fetch else find_weights(judge.weights, folder)
        )
    open_judge(judge, file, workplace.device)
    sha256 = file_sha256(file) if file else ""
    return view_real_pictures(judge, sha256, sha256, bench, workplace)


def delivered_judge(judge: Judge, bench: Bench) -> Path | None:
    """Where the data set's own package keeps such a judge, trained on these clips; None where it keeps none.

    The name of the file stands for all that the judge was trained on: another world, split or resolution has another.
    """
    dataset, protocol = bench.dataset, bench.protocol
    if dataset.judges is None:
        return None
    clips = {split: protocol.splits[split] for split in ("train", "validation")}
    options = dataset.media_options
    key = key_of(judge.name, judge.version, dataset.name, dataset.version, options, clips, protocol.resolution)
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
