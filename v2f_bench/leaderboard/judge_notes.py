"""What a reader must know of the judges behind a table: whether they are independent, how good they are themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from v2f_bench.leaderboard.columns import Column
from v2f_bench.leaderboard.entries import Entry
from v2f_bench.record import JudgeFacts

# A judge's own quality, by kind: what it is called, and its format.
QUALITIES = {
    "verification_auc": ("verification AUC {}", "{:.3f}"),
    "accuracy": ("accuracy {}", "{:.3f}"),
    "mean_absolute_error": ("mean absolute error {} years", "{:.1f}"),
    "found": ("a face found in {}", "{:.1%}"),
}


def independence_texts(entries: Sequence[Entry], columns: Sequence[Column], strict: bool) -> Iterator[str]:
    """Which numbers are marked, and why. `strict`: numbers that are left out are no column, and are named too."""
    shown = {column.judge for column in columns}
    reasons: dict[tuple[bool | None, str], dict[str, None]] = {}
    for entry in entries:
        for record in entry.records:
            scored = {result.judge for result in record.results}
            for judge in record.judges:
                if judge.name in scored and judge.independent is not True and (strict or judge.name in shown):
                    key = (judge.independent, f"{judge.name}: {judge.not_independent_because}")
                    reasons.setdefault(key, {})[entry.name] = None
    for (independent, reason), names in reasons.items():
        who = "" if len(names) == len(entries) else f" ({', '.join(names)})"
        if independent is None:
            yield f"§ {reason}{who}: whether it is independent is not known."
        else:
            effect = "; its numbers are left out" if strict else ""
            yield f"‡ {reason}{who}: not independent{effect}."


def judge_texts(entries: Sequence[Entry], columns: Sequence[Column]) -> Iterator[str]:
    """Each judge that stands in a column: whom it met, and how well it does itself."""
    shown = {column.judge for column in columns}
    judges = [judge for entry in entries for record in entry.records for judge in record.judges if judge.name in shown]
    yield from dict.fromkeys(map(_judge_text, judges))


def _judge_text(judge: JudgeFacts) -> str:
    quality = judge.quality
    halved = quality.get("at_half_resolution", {})
    measured = []
    for key, (words, number) in QUALITIES.items():
        if quality.get(key) is not None:
            soft = f" ({number.format(halved[key])} at half the resolution)" if halved.get(key) is not None else ""
            measured.append(words.format(number.format(quality[key])) + soft)
    text = f"Judge {judge.name} {judge.version} (met: {judge.people})"
    if measured:
        text += f": {', '.join(measured)} on {quality['faces']} real faces of {quality['speakers']} test speakers"
    elif quality.get("note"):
        text += f": {quality['note']}"
    return f"{text}."


def comparability_texts(entries: Sequence[Entry]) -> Iterator[str]:
    """What makes rows of one protocol not strictly comparable."""
    rows: dict[str, dict[str, dict[str, None]]] = {}
    for entry in entries:
        for record in entry.records:
            for judge in record.judges:
                rows.setdefault(judge.name, {}).setdefault(judge.sha256[:8], {})[entry.name] = None
    for name, by_weights in rows.items():
        if len(by_weights) > 1:
            hashes = "; ".join(f"{sha256}: {', '.join(names)}" for sha256, names in by_weights.items())
            yield f"{name} had different weights for different rows, which are not strictly comparable: {hashes}."
    contents = sorted({record.dataset.content[:8] for entry in entries for record in entry.records})
    if len(contents) > 1:
        yield (
            f"The rows rest on data of different content ({', '.join(contents)}): the files changed, or were decoded "
            "differently; they are therefore not strictly comparable."
        )
