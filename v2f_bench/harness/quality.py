"""How good a judge itself is, on real faces of test speakers: the ceiling of what its numbers can mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from v2f_bench.interfaces import Judge
from v2f_bench.metrics.vectors import unit
from v2f_bench.stats import area_under_curve

if TYPE_CHECKING:
    from v2f_bench.harness.bench import Bench

HAVE_QUALITY = ("identity", "emotion", "sex", "age", "detection")
# The quality on the same faces at half of their resolution, brought back to size. Generated faces are softer than real
# ones, and a judge that only understands sharp ones measures the softness.
AT_HALF = "at_half_resolution"


def judge_quality(judge: Judge, bench: Bench, seen: dict[str, np.ndarray]) -> dict[str, Any]:
    """The judge's quality on the bench's `test_faces`, of which `seen` holds what it gave, by clip.

    `faces` and `speakers` count what it rests on, `not_judged` the faces for which it gave nothing finite; and by kind:
    identity `verification_auc`, whether two faces are one person's, over all pairs; emotion and sex `accuracy` and
    `classes`; age `mean_absolute_error` in years; detection `found`, a fraction. None where the labels are missing.
    """
    table = bench.test_faces
    given = np.stack([seen[clip] for clip in table["clip"]])
    usable = np.isfinite(given).all(axis=1)
    table, given = table[usable], given[usable]
    counts = {
        "faces": len(table),
        "speakers": int(table["speaker"].nunique()),
        "not_judged": int((~usable).sum()),
    }
    if judge.kind == "identity":
        return {**_verification(given, table["speaker"].to_numpy()), **counts}
    if judge.kind in ("emotion", "sex"):
        return {**_classification(given, judge, table), **counts}
    if judge.kind == "age":
        known = table["age"].notna().to_numpy() if "age" in table else np.zeros(len(table), bool)
        errors = np.abs(given[known, 0] - table["age"].to_numpy(float)[known]) if known.any() else np.array([])
        return {"mean_absolute_error": float(errors.mean()) if len(errors) else None, **counts}
    if judge.kind == "detection":
        return {"found": float((given[:, 0] > 0).mean()) if len(given) else None, **counts}
    return counts


def _verification(vectors: np.ndarray, speakers: np.ndarray) -> dict[str, Any]:
    vectors = unit(vectors)
    first, second = np.triu_indices(len(vectors), k=1)
    same = speakers[first] == speakers[second]
    if not same.any() or same.all():
        return {"verification_auc": None, "note": "no two pictures of one test speaker, or only one speaker"}
    cosines = (vectors @ vectors.T)[first, second]
    return {
        "verification_auc": area_under_curve(cosines[same], cosines[~same]),
        "same_pairs": int(same.sum()),
        "different_pairs": int((~same).sum()),
    }


def _classification(given: np.ndarray, judge: Judge, table: Any) -> dict[str, Any]:
    labels = np.array(judge.labels)
    truth = table[judge.kind].to_numpy() if judge.kind in table else np.full(len(table), "")
    known = np.isin(truth, labels)
    if not known.any():
        return {"accuracy": None, "note": f"the test faces have no {judge.kind} labels that it knows"}
    hits = labels[given[known].argmax(axis=1)] == truth[known]
    return {"accuracy": float(hits.mean()), "labelled": int(known.sum()), "classes": list(judge.labels)}
