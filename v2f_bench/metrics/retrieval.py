"""Whether the generated face finds its speaker among the faces of all test speakers."""

from __future__ import annotations

import numpy as np

from v2f_bench.interfaces import Evidence, Measure, Metric
from v2f_bench.metrics.galleries import Lineup, Ranking, strata
from v2f_bench.metrics.lists import TOP, retrieval_over_lists
from v2f_bench.stats import chance_in_top, recall_in_gallery

SIZES = (50, 100, 500)


class Retrieval(Metric):
    """Rank of the speaker's gallery face by cosine to the generated face; R@k, and the normalised rank.

    R@k depends on the gallery's size, which the protocol fixes; the normalised rank, (rank - 1) / (size - 1), does not:
    0 is first, 0.5 is chance. `R@k-of-50` (100, 500) is what R@k is to be expected in a gallery of that size, the
    target and others drawn at random from ours: exact, by the hypergeometric distribution, and comparable between data
    sets; absent where our gallery is smaller. Retrieval@5 over 500 pictures is reported by Liang et al. 2020, section
    4.3. `within-sex` ranks only gallery faces of the speaker's sex, so that hearing the sex alone gains nothing;
    `within-sex-and-age` only those of the speaker's age band too (`galleries.AGE_BANDS`). Ties count as chance would
    order them. A published matching list (`--list`) with more than ten faces a line gives R@k and rank of its own, each
    line a gallery.
    """

    name = "retrieval"
    summary = "R@1, R@5, R@10 and normalised rank in the gallery and in fixed sizes; all, within one sex (and age)"
    judged_by = ("identity",)
    tracks = frozenset({"identity"})

    def measure(self, evidence: Evidence) -> list[Measure]:
        lineup, measures = Lineup.of(evidence), []
        for prefix, taking_part in strata(evidence).items():
            ranking = lineup.ranked(taking_part)
            measures += [*_recalls(ranking, prefix), *_normalised_ranks(ranking, prefix)]
            if not prefix:
                sizes = [size for size in SIZES if size <= len(evidence.gallery)]
                measures += [_recall_of(ranking, size, k) for size in sizes for k in TOP]
        return measures + retrieval_over_lists(evidence)


def _recalls(ranking: Ranking, prefix: str) -> list[Measure]:
    return [
        Measure(
            f"retrieval/{prefix}R@{k}",
            better="higher",
            unit="fraction",
            failure="a missing or unjudgeable face is not retrieved",
            values=ranking.per_trial(chance_in_top(ranking.above, ranking.ties, k), 0.0),
            chance=chance,
            # Where the gallery has no more than k faces, everybody is found: that says nothing about a method.
            headline=k == 5 and prefix in ("", "within-sex/") and chance is not None and chance < 1,
        )
        for k in TOP
        for chance in [ranking.mean(np.minimum(k / np.maximum(ranking.size, 1), 1))]
    ]


def _recall_of(ranking: Ranking, size: int, k: int) -> Measure:
    return Measure(
        f"retrieval/R@{k}-of-{size}",
        better="higher",
        unit="fraction",
        failure="a missing or unjudgeable face is not retrieved",
        values=ranking.per_trial(recall_in_gallery(ranking.above, ranking.ties, ranking.size, size, k), 0.0),
        chance=k / size,
    )


def _normalised_ranks(ranking: Ranking, prefix: str) -> list[Measure]:
    place = (ranking.above + (ranking.ties + 1) / 2 - 1) / np.maximum(ranking.size - 1, 1)
    return [
        Measure(
            f"retrieval/{prefix}normalised-{aggregate}-rank",
            better="lower",
            unit="fraction of the gallery",
            failure="a missing or unjudgeable face ranks last",
            values=ranking.per_trial(place, 1.0),
            aggregate=aggregate,
            chance=0.5,
            headline=aggregate == "mean" and prefix in ("", "within-sex/"),
        )
        for aggregate in ("median", "mean")
    ]
