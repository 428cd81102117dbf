"""What a judge gives for faces: for those of a method and, once for each protocol, for its real pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from v2f_bench.harness.bench import Bench
from v2f_bench.harness.memory import trim_heap
from v2f_bench.harness.quality import AT_HALF, judge_quality
from v2f_bench.harness.stage import stage
from v2f_bench.harness.tensors import read_tensors, write_tensors
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import Evidence, Judge, PluginError
from v2f_bench.interfaces.judge import JUDGE_KINDS
from v2f_bench.keys import views_key
from v2f_bench.media.picture import resize
from v2f_bench.sources import source_key

BATCH = 128
_VECTORS, _CLIPS, _QUALITY = "vectors.safetensors", "clips.json", "quality.json"


@dataclass(frozen=True)
class ReadyJudge:
    """An opened judge, and what it gives for the protocol's real pictures."""

    judge: Judge
    sha256: str
    key: str  # of judge and pictures
    quality: dict[str, Any]  # see `quality.judge_quality`
    clips: dict[str, np.ndarray]  # the row of each clip; the clip "", no picture, has NaN
    means: dict[str, np.ndarray]  # the row of each mean training face: "" for all, and by sex

    def evidence(self, bench: Bench, generated: np.ndarray) -> Evidence:
        """The evidence of one run on all trials: `generated` is float32 [n, D], NaN where there is no face."""
        trials = bench.trials

        def rows(clips: Iterable[str]) -> np.ndarray:
            return np.stack([self.clips[clip] for clip in clips])

        seen = {
            "generated": generated,
            "target": rows(trials["target"]),
            "proposal": rows(trials["proposal"]),
            "other": rows(trials["other"]),
            "real-photo": rows(trials["real_photo"]),
            "random-face": rows(trials["random_face"]),
            "gallery": rows(bench.gallery["clip"]),
            "reference": rows(bench.reference["clip"]),
        }
        if "" in self.means:
            seen["mean-face"] = np.repeat(self.means[""][None], len(trials), axis=0)
        if "sex" in trials and len(self.means) > 1:
            unknown = np.full_like(self.means[""], np.nan)
            seen["mean-face-of-sex"] = np.stack([self.means.get(sex, unknown) for sex in trials["sex"]])
        if bench.lists:
            seen["listed"] = rows(bench.listed_faces)
        name, kind, labels = self.judge.name, self.judge.kind, tuple(self.judge.labels)
        return Evidence(trials, bench.gallery, bench.reference, seen, name, labels, bench.lists, kind)

    def trial_evidence(self, bench: Bench) -> Evidence:
        """Evidence to try a metric on: as if random training faces were the method's."""
        return self.evidence(bench, np.stack([self.clips[clip] for clip in bench.trials["random_face"]]))


def outputs(judge: Judge, faces: torch.Tensor) -> np.ndarray:
    """What the judge gives for a batch of faces, [N, 3, R, R]: float32 [N, D]; NaN where face or row is not finite.

    [N, 1] where no face is finite, since D is not known then.
    """
    finite = faces.isfinite().all(dim=(1, 2, 3))
    if not finite.any():
        return np.full((len(faces), 1), np.nan, np.float32)
    given = judge.predict(faces[finite])
    trim_heap()
    if given.ndim != 2 or len(given) != int(finite.sum()):
        raise PluginError(f"judge {judge.name} gave {tuple(given.shape)} for {int(finite.sum())} faces, not [N, D]")
    vectors = torch.full((len(faces), given.shape[1]), torch.nan)
    vectors[finite] = given.float().cpu()
    vectors[~vectors.isfinite().all(dim=1)] = torch.nan
    return vectors.numpy()


def view_real_pictures(judge: Judge, sha256: str, weights: str, bench: Bench, workplace: Workplace) -> ReadyJudge:
    """Show an opened judge the protocol's real pictures, and measure its quality on them; both are stored.

    Args:
        sha256: of the judge's weights.
        weights: for the key: `sha256`, or, for a judge that is trained here, the key of its training.
    """
    clips = bench.real_pictures
    key = views_key(
        judge.name, judge.version, source_key(type(judge)), weights, bench.pictures_key, workplace.computing()
    )
    folder = workplace.cache / "views" / f"{judge.name}-{key}"

    def make(unfinished: Path) -> None:
        with workplace.progress.bar(f"{judge.name}: view the real pictures", len(clips)) as bar:
            vectors = np.concatenate(list(_of_clips(judge, bench, clips, bar.advance)))
        means = {f"mean/{sex}": outputs(judge, face[None])[0] for sex, face in bench.mean_faces().items()}
        write_tensors(
            unfinished / _VECTORS, {name: torch.from_numpy(row) for name, row in {"clips": vectors, **means}.items()}
        )
        (unfinished / _CLIPS).write_text(json.dumps(clips))
        quality = judge_quality(judge, bench, dict(zip(clips, vectors, strict=True)))
        if JUDGE_KINDS[judge.kind].quality is not None:
            tested = list(bench.test_faces["clip"])
            soft = np.concatenate(list(_of_clips(judge, bench, tested, halved=True)))
            quality[AT_HALF] = judge_quality(judge, bench, dict(zip(tested, soft, strict=True)))
        (unfinished / _QUALITY).write_text(json.dumps(quality))

    stage(folder, key, make, progress=workplace.progress)
    stored = {name: tensor.numpy() for name, tensor in read_tensors(folder / _VECTORS).items()}
    by_clip = dict(zip(json.loads((folder / _CLIPS).read_text()), stored["clips"], strict=True))
    by_clip[""] = np.full(stored["clips"].shape[1], np.nan, np.float32)
    means = {name.removeprefix("mean/"): row for name, row in stored.items() if name.startswith("mean/")}
    quality = json.loads((folder / _QUALITY).read_text())
    return ReadyJudge(judge, sha256, key, quality, by_clip, means)


def _of_clips(
    judge: Judge,
    bench: Bench,
    clips: list[str],
    advance: Callable[[int], object] = lambda _: None,
    halved: bool = False,
) -> Iterator[np.ndarray]:
    """What the judge gives for clips, in batches. `halved`: at half of the resolution, brought back to size."""
    for start in range(0, len(clips), BATCH):
        batch = clips[start : start + BATCH]
        faces = bench.faces(batch)
        if halved:
            faces = resize(resize(faces, faces.shape[-1] // 2), faces.shape[-1])
        yield outputs(judge, faces)
        advance(len(batch))
