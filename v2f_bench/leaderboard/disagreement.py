"""Whether two judges that see a picture differently say the same of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from v2f_bench.leaderboard.columns import Column
from v2f_bench.leaderboard.entries import Entry
from v2f_bench.leaderboard.samples import Samples
from v2f_bench.stats import Sample, estimate

# The one judge sees colour and texture, the other the shape alone. A method that is trained against a classifier can
# learn to draw patches that count as an expression for the one.
PAIR = tuple(
    Column("emotion-agreement/accuracy", judge, "higher") for judge in ("in-domain-emotion", "in-domain-emotion-shape")
)


@dataclass(frozen=True)
class Disagreement:
    """The agreement by the first judge less that by the second, with its 95 % interval, and the same of real faces."""

    value: float
    low: float
    high: float
    of_real: float

    @property
    def beyond_real(self) -> bool:
        """Whether the judges disagree by more than on real faces: by their interval as a whole."""
        return self.low > abs(self.of_real) or self.high < -abs(self.of_real)


def pair_of(entries: Sequence[Entry]) -> tuple[Column, ...]:
    """The columns to read for this: none where no row was judged by both."""
    return PAIR if any(all(entry.results(column) for column in PAIR) for entry in entries) else ()


def disagreements(entries: Sequence[Entry], samples: Samples) -> dict[str, Disagreement | None]:
    """By name, for the rows that both judged; None where the per-trial values of a row were not read.

    On real faces: the ceilings of the two, which are those of the same trials.
    """
    by_name: dict[str, Disagreement | None] = {}
    for entry in entries:
        ceilings = [result.ceiling for column in PAIR for result in entry.results(column)[:1]]
        if len(ceilings) < len(PAIR) or None in ceilings:
            continue
        first, second = (samples.of(entry, column) for column in PAIR)
        if first is None or second is None or first.values is None or second.values is None:
            by_name[entry.name] = None
            continue
        # Both judged the faces of the same runs, so that it is the differences that vary, over speakers and runs.
        apart = Sample(first.place, first.clusters, first.values - second.values)
        value, low, high = estimate([apart.runs]).interval().tolist()
        by_name[entry.name] = Disagreement(value, low, high, (ceilings[0] or 0.0) - (ceilings[1] or 0.0))
    return by_name


def disagreement_texts(names: Sequence[str], by_name: Mapping[str, Disagreement | None]) -> list[str]:
    """What is to be said of the rows of these names."""
    texts = []
    marked = [(name, one) for name in names if (one := by_name.get(name)) is not None and one.beyond_real]
    if marked:
        shown = "; ".join(
            f"{name} ({one.value:+.3f} [{one.low:+.3f}, {one.high:+.3f}], on real faces {one.of_real:+.3f})"
            for name, one in marked
        )
        texts.append(
            "¶ the judge of emotion that sees colour and texture and the one that sees shape alone disagree by more "
            f"than on real faces: {shown}. Something other than an expression may have been drawn."
        )
    if unread := [name for name in names if name in by_name and by_name[name] is None]:
        texts.append(f"Whether the two judges of emotion agree was not tested for {len(unread)} rows.")
    return texts
