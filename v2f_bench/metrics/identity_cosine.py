"""How like the generated face is to the speaker's, to the proposal, and to somebody else's."""

from __future__ import annotations

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric
from v2f_bench.metrics.vectors import cosines


class IdentityCosine(Metric):
    """Cosine of identity embeddings, as in Table 3 of Liang et al. 2020 (CAE), by an independent judge.

    `target`: to the speaker's gallery face. `proposal`: to the picture the method was given, or would have been.
    `other`: to the gallery face of a random other test speaker. A cosine means little by itself: a mean face is near
    everybody, so read it beside the floor, the `mean-face` row and `other`.
    """

    name = "identity-cosine"
    summary = "cosine of identity embeddings: to the target, to the proposal, to a random other"
    judged_by = ("identity",)

    def measure(self, evidence: Evidence) -> list[Measure]:
        generated = evidence.seen["generated"]
        failed = np.isnan(generated).any(axis=1)
        to_target = cosines(generated, evidence.seen["target"])
        to_target[failed & ~np.isnan(evidence.seen["target"]).any(axis=1)] = -1
        target = Measure(
            "identity-cosine/target",
            better="higher",
            unit="cosine",
            failure="a missing or unjudgeable face counts as cosine -1",
            values=to_target,
            headline=True,
        )
        rest = [
            Measure(
                f"identity-cosine/{role}",
                better="neither",
                unit="cosine",
                failure="a missing or unjudgeable face is left out, and n says so",
                values=cosines(generated, evidence.seen[role]),
            )
            for role in ("proposal", "other")
        ]
        return [target, *rest]
