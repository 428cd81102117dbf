"""Whether the generated face is nearer to its speaker than to N - 1 other test speakers."""

from __future__ import annotations

from v2f_bench.interfaces import Evidence, Measure, Metric
from v2f_bench.metrics.galleries import Lineup, strata
from v2f_bench.metrics.lists import matching_over_lists
from v2f_bench.stats import recall_in_gallery

CHOICES = (2, 5, 10)


class Matching(Metric):
    """1:N matching: the share of right choices between the speaker's gallery face and N - 1 others, by cosine.

    The task of Nagrani et al. 2018 ("Seeing Voices and Hearing Faces", CVPR) and Wen et al. 2019 (DIMNet, section 4),
    there from voice to face directly; Liang et al. 2020 (CAE) ask people the same of two generated faces. Distractors
    are drawn from our gallery; instead of a sample the value is the exact expectation over all draws, ties as chance
    would decide. `within-sex`: distractors of the speaker's sex. A failed face is given no chance: it is wrong.
    Published lists, where the protocol has them, ask their own questions beside these.
    """

    name = "matching"
    summary = "1:2, 1:5 and 1:10 matching against random gallery faces; all and within one sex"
    judged_by = ("identity",)
    tracks = frozenset({"identity"})

    def measure(self, evidence: Evidence) -> list[Measure]:
        lineup, measures = Lineup.of(evidence), []
        for prefix, taking_part in strata(evidence).items():
            if prefix == "within-sex-and-age/":
                continue
            largest = int(taking_part.sum(axis=1).max(initial=0))
            ranking = lineup.ranked(taking_part)
            for n in (n for n in CHOICES if n <= largest):
                right = recall_in_gallery(ranking.above, ranking.ties, ranking.size, n, 1)
                measures.append(
                    Measure(
                        f"matching/{prefix}1:{n}",
                        better="higher",
                        unit="fraction",
                        failure="a missing or unjudgeable face is a wrong choice",
                        values=ranking.per_trial(right, 0.0),
                        chance=1 / n,
                    )
                )
        return measures + matching_over_lists(evidence)
