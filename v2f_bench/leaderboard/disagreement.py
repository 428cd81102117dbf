"""Whether two judges that see a picture differently say the same of a row."""

from __future__ import annotations

from collections.abc import Sequence

from v2f_bench.leaderboard.columns import Column
from v2f_bench.leaderboard.entries import Entry
from v2f_bench.leaderboard.samples import Samples
from v2f_bench.stats import compare_pairs

MEASURE = "emotion-agreement/accuracy"
# The one sees colour and texture, the other the shape alone. A method that is trained against a classifier can learn to
# draw patches that count as an expression for the one.
JUDGES = ("in-domain-emotion", "in-domain-emotion-shape")


def disagreements(entries: Sequence[Entry], columns: Sequence[Column], samples: Samples) -> dict[str, str]:
    """The rows on which the two judges of emotion disagree by more than on real faces, by name, with the numbers.

    That is, the 95 % interval of the difference of their agreement, on the same faces, lies wholly beyond the
    difference of their agreement on real faces of the same trials.
    """
    pair = [column for judge in JUDGES for column in columns if (column.measure, column.judge) == (MEASURE, judge)]
    if len(pair) < 2:
        return {}
    texts = {}
    for entry in entries:
        both = [samples.of(entry, column) for column in pair]
        ceilings = [result.ceiling for column in pair for result in entry.results(column)[:1]]
        if None in both or None in ceilings or len(ceilings) < 2:
            continue
        (comparison,) = compare_pairs([one for one in both if one is not None], [(0, 1)])
        value, low, high = comparison.difference
        of_real = (ceilings[0] or 0.0) - (ceilings[1] or 0.0)
        if low > abs(of_real) or high < -abs(of_real):
            texts[entry.name] = f"{value:+.3f} [{low:+.3f}, {high:+.3f}], on real faces {of_real:+.3f}"
    return texts
