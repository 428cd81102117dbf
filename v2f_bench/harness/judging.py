"""Judges made ready, and what they see in the real pictures of a protocol."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from v2f_bench.harness.bench import Bench
from v2f_bench.harness.fit import read_tensors, write_state, write_tensors
from v2f_bench.harness.quality import AT_HALF, HAVE_QUALITY, judge_quality
from v2f_bench.harness.stage import stage
from v2f_bench.harness.workplace import Workplace
from v2f_bench.hashing import file_sha256, key_of, source_key
from v2f_bench.interfaces import BenchError, Context, Evidence, Judge, NotAvailable, PluginError
from v2f_bench.judges.weights import fetch_weights, find_weights
from v2f_bench.media.picture import resize, to_tensor
from v2f_bench.plugins import Plugin

BATCH = 128
# The detector that decides whether a face can be judged at all, and the kinds of judge that need a face.
DETECTOR = "mtcnn"
NEED_A_FACE = ("identity", "emotion", "sex", "age")
# Roles whose faces stand for a method's output: the detector applies to them as to generated ones.
ANSWER_ROLES = ("generated", "proposal", "real-photo", "random-face", "mean-face", "mean-face-of-sex")


@dataclass(frozen=True)
class MissingJudge:
    """A judge that cannot be had here, and why."""

    name: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Jury:
    """The judges that can be had here, why each of the others cannot, and the metrics that they serve."""

    judges: list[ReadyJudge]
    missing: list[MissingJudge]
    metrics: list[Plugin]
    # (metric, judge, role): what a role scores, by measure. The same for every run, so measured once.
    bounds: dict[tuple[str, str, str], dict[str, float | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadyJudge:
    """A judge with its weights, and what it sees in the protocol's real pictures."""

    judge: Judge
    sha256: str
    key: str  # of its weights, its source and the bench: another judge has another
    quality: dict[str, Any]  # of the judge itself, on real faces of test speakers
    clips: dict[str, np.ndarray]  # clip: vector; "" for no picture
    means: dict[str, np.ndarray]  # of the mean training face: "" of all, and of each sex

    def evidence(self, bench: Bench, generated: np.ndarray) -> Evidence:
        """The evidence of one run: `generated` is float32 [n, D], NaN where there is no face."""
        trials = bench.trials

        def see(clips: Iterable[str]) -> np.ndarray:
            return np.stack([self.clips[clip] for clip in clips])

        seen = {
            "generated": generated,
            "target": see(trials["target"]),
            "proposal": see(trials["proposal"]),
            "other": see(trials["other"]),
            "real-photo": see(trials["real_photo"]),
            "random-face": see(trials["random_face"]),
            "mean-face": np.repeat(self.means[""][None], len(trials), axis=0),
            "gallery": see(bench.gallery["clip"]),
            "reference": see(bench.reference["clip"]),
        }
        if "sex" in trials and len(self.means) > 1:
            unknown = np.full_like(self.means[""], np.nan)
            seen["mean-face-of-sex"] = np.stack([self.means.get(sex, unknown) for sex in trials["sex"]])
        if bench.lists:
            seen["listed"] = see(bench.listed_faces)
        labels = tuple(self.judge.labels)
        return Evidence(trials, bench.gallery, bench.reference, seen, self.judge.name, labels, bench.lists)


def summon(judges: list[Judge], metrics: list[Plugin], bench: Bench, workplace: Workplace, fetch: bool) -> Jury:
    """Every judge of a kind that a metric of the bench's track asks for, made ready.

    Args:
        fetch: whether weights that are not there may be downloaded.
    """
    metrics = [plugin for plugin in metrics if bench.protocol.track in plugin.cls.tracks]
    kinds = {kind for plugin in metrics for kind in plugin.cls.judged_by}
    ready: list[ReadyJudge] = []
    missing: list[MissingJudge] = []
    for judge in judges:
        if judge.kind not in kinds:
            continue
        try:
            sha256, key = _open(judge, bench, workplace, fetch)
            ready.append(_look(judge, sha256, key, bench, workplace))
        except NotAvailable as reason:
            missing.append(MissingJudge(judge.name, judge.kind, str(reason)))
        except (BenchError, OSError):
            raise
        except Exception as error:  # a plugin's own bug: the other judges go on without it
            missing.append(MissingJudge(judge.name, judge.kind, f"crashed: {type(error).__name__}: {error}"))
            workplace.progress.line(f"judge {judge.name} {missing[-1].reason}")
    if missing:
        names = ", ".join(judge.name for judge in missing)
        workplace.progress.line(f"judges left out: {names}; `v2f-bench weights list` tells what they need")
    return Jury(ready, missing, metrics)


def look(judge: Judge, faces: torch.Tensor) -> np.ndarray:
    """What the judge gives for faces [N, 3, R, R]: float32 [N, D]; NaN for a face or a vector that is not finite."""
    finite = faces.isfinite().all(dim=(1, 2, 3))
    pieces = [judge.look(faces[finite][start : start + BATCH]) for start in range(0, int(finite.sum()), BATCH)]
    if not pieces:
        return np.full((len(faces), 1), np.nan, np.float32)
    found = torch.cat(pieces)
    if found.ndim != 2 or len(found) != int(finite.sum()):
        raise PluginError(f"judge {judge.name} gave {tuple(found.shape)} for {int(finite.sum())} faces, not [N, D]")
    vectors = torch.full((len(faces), found.shape[1]), torch.nan)
    vectors[finite] = found.float().cpu()
    vectors[~vectors.isfinite().all(dim=1)] = torch.nan
    return vectors.numpy()


def with_faces_only(evidence: Evidence, detected: Evidence) -> Evidence:
    """The evidence without the answers in which the detector found no face: their rows become NaN."""
    seen = dict(evidence.seen)
    for role in ANSWER_ROLES:
        if role in seen:
            seen[role] = np.where(faceless(detected, role)[:, None], np.nan, seen[role]).astype(np.float32)
    return replace(evidence, seen=seen)


def faceless(detected: Evidence, role: str = "generated") -> np.ndarray:
    """Which pictures of a role the detector looked at without finding a face: bool [n]."""
    return detected.seen[role][:, 0] == 0


def _open(judge: Judge, bench: Bench, workplace: Workplace, fetch: bool) -> tuple[str, str]:
    """Load, start or train the judge; the sha256 of its weights, and a key that stands for it on this bench."""
    if judge.trained_here:
        return _train(judge, bench, workplace)
    if judge.weights is None:
        judge.start(workplace.device)
        sha256 = ""
    else:
        folder = workplace.cache / "weights"
        find = (lambda w, f: fetch_weights(w, f, workplace.progress)) if fetch else find_weights
        file = find(judge.weights, folder)
        judge.load(file, workplace.device)
        sha256 = file_sha256(file)
    return sha256, key_of(judge.name, judge.version, source_key(type(judge)), sha256, _sight(), bench.key)


def _train(judge: Judge, bench: Bench, workplace: Workplace) -> tuple[str, str]:
    key = key_of(judge.name, judge.version, source_key(type(judge)), bench.training_key, workplace.device)
    folder = workplace.cache / "judges" / f"{judge.name}-{key}"

    def make(unfinished: Path) -> None:
        context = Context(0, workplace.device, workplace.progress)
        judge.fit(bench.split("train"), bench.split("validation"), context)
        write_state(unfinished / "model.safetensors", judge.state(), judge.name)

    if not stage(folder, key, make):
        judge.restore(read_tensors(folder / "model.safetensors"), workplace.device)
    return file_sha256(folder / "model.safetensors"), key_of(key, _sight(), bench.key)


def _sight() -> str:
    """Stands for how pictures come before a judge, and for the face detector that the judge `mtcnn` asks."""
    return source_key(to_tensor)


def _look(judge: Judge, sha256: str, key: str, bench: Bench, workplace: Workplace) -> ReadyJudge:
    """Show the judge the protocol's real pictures, once a protocol, and measure its own quality on them."""
    clips = bench.real_pictures
    folder = workplace.cache / "references" / f"{judge.name}-{key}"

    def make(unfinished: Path) -> None:
        with workplace.progress.bar(f"{judge.name}: look at the real pictures", len(clips)) as bar:
            vectors = np.concatenate(list(_look_at_clips(judge, bench, clips, bar.advance)))
        means = {f"mean/{sex}": look(judge, face[None])[0] for sex, face in bench.mean_faces().items()}
        tensors = {name: torch.from_numpy(row) for name, row in {"clips": vectors, **means}.items()}
        write_tensors(unfinished / "vectors.safetensors", tensors)
        quality = judge_quality(judge, bench, dict(zip(clips, vectors, strict=True)))
        if judge.kind in HAVE_QUALITY:
            tested = list(bench.test_faces["clip"])
            soft = np.concatenate(list(_look_at_clips(judge, bench, tested, halved=True)))
            quality[AT_HALF] = judge_quality(judge, bench, dict(zip(tested, soft, strict=True)))
        (unfinished / "quality.json").write_text(json.dumps(quality))

    stage(folder, key, make)
    stored = {name: tensor.numpy() for name, tensor in read_tensors(folder / "vectors.safetensors").items()}
    seen = dict(zip(clips, stored["clips"], strict=True))
    seen[""] = np.full(stored["clips"].shape[1], np.nan, np.float32)
    means = {name.removeprefix("mean/"): row for name, row in stored.items() if name.startswith("mean/")}
    quality = json.loads((folder / "quality.json").read_text())
    return ReadyJudge(judge, sha256, key, quality, seen, means)


def _look_at_clips(
    judge: Judge,
    bench: Bench,
    clips: list[str],
    advance: Callable[[int], object] = lambda _: None,
    halved: bool = False,
) -> Iterator[np.ndarray]:
    """`halved`: at half of the resolution, brought back to size."""
    for start in range(0, len(clips), BATCH):
        batch = clips[start : start + BATCH]
        faces = bench.faces(batch)
        if halved:
            faces = resize(resize(faces, faces.shape[-1] // 2), faces.shape[-1])
        yield look(judge, faces)
        advance(len(batch))
