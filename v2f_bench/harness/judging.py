"""Judges made ready, their own quality measured, and what they see in the real pictures of a protocol."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from v2f_bench.harness.bench import Bench
from v2f_bench.harness.fit import write_tensors
from v2f_bench.harness.stage import stage
from v2f_bench.harness.workplace import Workplace
from v2f_bench.hashing import file_sha256, key_of, source_key
from v2f_bench.interfaces import Context, Evidence, Judge, NotAvailable
from v2f_bench.judges.weights import fetch_weights, find_weights
from v2f_bench.metrics.vectors import unit
from v2f_bench.plugins import Plugin
from v2f_bench.stats import area_under_curve

BATCH = 128
FACES_FOR_QUALITY = 2000


@dataclass(frozen=True)
class ReadyJudge:
    """A judge with its weights, and what it sees in the protocol's real pictures."""

    judge: Judge
    sha256: str
    quality: dict[str, Any]  # of the judge itself, on real faces of test speakers
    clips: dict[str, np.ndarray]  # clip: vector; "" for no picture
    mean_face: np.ndarray

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
            "mean-face": np.repeat(self.mean_face[None], len(trials), axis=0),
            "gallery": see(bench.gallery["clip"]),
            "reference": see(bench.protocol.reference),
        }
        return Evidence(trials, bench.gallery, seen)


def ready_judges(
    plugins: list[Plugin], bench: Bench, workplace: Workplace, fetch: bool
) -> tuple[list[ReadyJudge], dict[str, str]]:
    """The judges that can be had here, and for each of the others the reason why not, by name."""
    ready, missing = [], {}
    for plugin in plugins:
        judge: Judge = plugin.cls()
        try:
            sha256, key = _open(judge, bench, workplace, fetch)
        except NotAvailable as reason:
            missing[plugin.name] = str(reason)
            workplace.progress.line(f"judge {plugin.name} is left out; the cache folder is {workplace.cache}")
            continue
        ready.append(_look(judge, sha256, key, bench, workplace))
    return ready, missing


def embed(judge: Judge, faces: torch.Tensor) -> np.ndarray:
    """float32 [N, D] for faces [N, 3, R, R]; a face that is not finite, or whose vector is not, gives a row of NaN."""
    finite = faces.isfinite().all(dim=(1, 2, 3))
    pieces = [judge.embed(faces[finite][start : start + BATCH]) for start in range(0, int(finite.sum()), BATCH)]
    if not pieces:
        return np.full((len(faces), 1), np.nan, np.float32)
    found = torch.cat(pieces)
    vectors = torch.full((len(faces), found.shape[1]), torch.nan)
    vectors[finite] = found
    vectors[~vectors.isfinite().all(dim=1)] = torch.nan
    return vectors.numpy()


def _open(judge: Judge, bench: Bench, workplace: Workplace, fetch: bool) -> tuple[str, str]:
    """Load or train the judge; the sha256 of its weights, and a key that stands for it on this bench."""
    if judge.weights is not None:
        folder = workplace.cache / "weights"
        find = (lambda w, f: fetch_weights(w, f, workplace.progress)) if fetch else find_weights
        file = find(judge.weights, folder)
        judge.load(file, workplace.device)
        sha256 = file_sha256(file)
        return sha256, key_of(judge.name, judge.version, source_key(type(judge)), sha256, bench.key)
    key = key_of(judge.name, judge.version, source_key(type(judge)), bench.key, workplace.device)
    folder = workplace.cache / "judges" / f"{judge.name}-{key}"

    def make(unfinished: Path) -> None:
        context = Context(0, workplace.device, workplace.progress)
        judge.fit(bench.split("train"), bench.split("validation"), context)
        write_tensors(unfinished / "model.safetensors", judge.state(), judge.name)

    if not stage(folder, key, make):
        judge.restore(load_file(folder / "model.safetensors"), workplace.device)
    return file_sha256(folder / "model.safetensors"), key


def _look(judge: Judge, sha256: str, key: str, bench: Bench, workplace: Workplace) -> ReadyJudge:
    """Show the judge the protocol's real pictures, once a protocol, and measure its own quality on them."""
    columns = ("target", "proposal", "other", "real_photo", "random_face")
    wanted = {clip for column in columns for clip in bench.trials[column] if clip}
    clips = sorted(wanted | set(bench.protocol.gallery) | set(bench.protocol.reference))
    folder = workplace.cache / "references" / f"{judge.name}-{key}"

    def make(unfinished: Path) -> None:
        with workplace.progress.bar(f"{judge.name}: look at the real pictures", len(clips)) as bar:
            vectors = np.concatenate(list(_embed_clips(judge, bench, clips, bar.advance)))
        mean_face = embed(judge, bench.mean_face()[None])
        tensors = {"clips": torch.from_numpy(vectors), "mean_face": torch.from_numpy(mean_face[0])}
        save_file(tensors, unfinished / "vectors.safetensors")
        (unfinished / "quality.json").write_text(json.dumps(_quality(judge, bench)))

    stage(folder, key, make)
    vectors = load_file(folder / "vectors.safetensors")
    seen = dict(zip(clips, vectors["clips"].numpy(), strict=True))
    seen[""] = np.full(vectors["clips"].shape[1], np.nan, np.float32)
    quality = json.loads((folder / "quality.json").read_text())
    return ReadyJudge(judge, sha256, quality, seen, vectors["mean_face"].numpy())


def _embed_clips(judge: Judge, bench: Bench, clips: list[str], advance: Any) -> Iterator[np.ndarray]:
    for start in range(0, len(clips), BATCH):
        batch = clips[start : start + BATCH]
        yield embed(judge, bench.faces(batch))
        advance(len(batch))


def _quality(judge: Judge, bench: Bench) -> dict[str, Any]:
    """How well an identity judge tells whether two real faces of test speakers are of one person (verification AUC)."""
    if judge.kind != "identity":
        return {}
    test = bench.store.clips.loc[bench.protocol.splits["test"]]
    test = test[test["face"]].iloc[:FACES_FOR_QUALITY]
    vectors = unit(np.concatenate(list(_embed_clips(judge, bench, list(test["clip"]), lambda n: None))))
    usable = ~np.isnan(vectors).any(axis=1)
    vectors, speakers = vectors[usable], test["speaker"].to_numpy()[usable]
    first, second = np.triu_indices(len(vectors), k=1)
    cosines = (vectors @ vectors.T)[first, second]
    same = speakers[first] == speakers[second]
    if not same.any() or same.all():
        return {"verification_auc": None, "note": "no two pictures of one test speaker", "faces": len(vectors)}
    return {
        "verification_auc": area_under_curve(cosines[same], cosines[~same]),
        "same_pairs": int(same.sum()),
        "different_pairs": int((~same).sum()),
        "faces": len(vectors),
        "speakers": len(set(speakers)),
    }
