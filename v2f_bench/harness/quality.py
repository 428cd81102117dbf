"""How good a judge itself is, on real faces of test speakers. Its numbers about generated faces mean no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from v2f_bench.interfaces import Judge
from v2f_bench.interfaces.judge import JUDGE_KINDS
from v2f_bench.metrics.vectors import unit
from v2f_bench.stats import area_under_curve

if TYPE_CHECKING:
    from v2f_bench.harness.bench import Bench

# Names the quality on the same faces at half of their resolution, brought back to size. Generated faces are less sharp
# than real ones; a judge that fails on such faces measures mostly how sharp they are.
AT_HALF = "at_half_resolution"


def judge_quality(judge: Judge, bench: Bench, seen: dict[str, np.ndarray]) -> dict[str, Any]:
    """The judge's quality on the bench's `test_faces`, for the record.

    Args:
        seen: what the judge gave for each of these faces, by clip: float32 [D].

    Returns:
        `faces` and `speakers`, the numbers of faces and people that were used; `not_judged`, the number of faces for
        which the judge gave nothing finite; and what `JudgeKind.quality` of the judge's kind names:

        * verification: `verification_auc`, the area under the ROC curve of "the two faces show one person", over all
          pairs;
        * accuracy: `accuracy`, and the judge's `classes`;
        * mean error: `mean_absolute_error`, in the unit of the label (years);
        * detection rate: `found`, the fraction of pictures in which a face was detected.

        None where the labels are missing.
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
    quality = JUDGE_KINDS[judge.kind].quality
    return counts if quality is None else {**_QUALITIES[quality](judge, given, table), **counts}


def _verification(judge: Judge, given: np.ndarray, table: pd.DataFrame) -> dict[str, Any]:
    vectors, speakers = unit(given), table["speaker"].to_numpy()
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


def _accuracy(judge: Judge, given: np.ndarray, table: pd.DataFrame) -> dict[str, Any]:
    labels = np.array(judge.labels)
    truth = table[judge.kind].to_numpy() if judge.kind in table else np.full(len(table), "")
    known = np.isin(truth, labels)
    if not known.any():
        return {"accuracy": None, "note": f"the test faces have no {judge.kind} labels that the judge knows"}
    hits = labels[given[known].argmax(axis=1)] == truth[known]
    return {"accuracy": float(hits.mean()), "labelled": int(known.sum()), "classes": list(judge.labels)}


def _mean_error(judge: Judge, given: np.ndarray, table: pd.DataFrame) -> dict[str, Any]:
    known = table[judge.kind].notna().to_numpy() if judge.kind in table else np.zeros(len(table), bool)
    errors = np.abs(given[known, 0] - table[judge.kind].to_numpy(float)[known]) if known.any() else np.array([])
    return {"mean_absolute_error": float(errors.mean()) if len(errors) else None}


def _detection_rate(judge: Judge, given: np.ndarray, table: pd.DataFrame) -> dict[str, Any]:
    return {"found": float((given[:, 0] > 0).mean()) if len(given) else None}


_QUALITIES: dict[str, Callable[[Judge, np.ndarray, pd.DataFrame], dict[str, Any]]] = {
    "verification": _verification,
    "accuracy": _accuracy,
    "mean error": _mean_error,
    "detection rate": _detection_rate,
}
