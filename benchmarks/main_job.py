"""Do the learned methods on synthetic-speakers stand where they should between floors and ceilings, in each seed?

    v2f-bench run --method cae --dataset synthetic-speakers --seed 0-2 --output runs
    v2f-bench run --method voice2face-gan,emotion-vae --dataset synthetic-speakers --seed 0-2 --output runs
    v2f-bench run --method emotion-vae --track emotion --dataset synthetic-speakers --seed 0-2 --output runs
    v2f-bench run --method cgan --set conditions=both,none --dataset synthetic-speakers --seed 0-2 --output runs
    python benchmarks/main_job.py runs

Prints the paired differences over test speakers with their 95 % intervals, a line a seed and comparison, and how much
the emotion of the voice shows in the faces of emotion-vae; exits 1 if an interval is not on the right side of zero or
of chance, or if the oracle's R@5 is below three times chance. What was not run is left out.
"""

import sys
from pathlib import Path
from typing import Any

from v2f_bench.leaderboard import gather
from v2f_bench.leaderboard.columns import Column
from v2f_bench.leaderboard.differences import compared
from v2f_bench.leaderboard.samples import Samples
from v2f_bench.record import Record, find_records, read_record

JUDGE = "in-domain-identity"
R5, RANK, COSINE = "retrieval/R@5", "retrieval/normalised-mean-rank", "identity-cosine/target"
EMOTION_JUDGE, AREA = "in-domain-emotion", "emotion-agreement/AUC"
LEARNED = ("cae", "voice2face-gan", "emotion-vae", "cgan (conditions=both)", "cgan (conditions=none)")
# (first, second, measure, sign): sign times (first - second) must lie above zero
CLAIMS = [
    ("cae", "same-sex-face", R5, 1),
    ("cae", "random-face", R5, 1),
    ("cae", "same-sex-face", RANK, -1),
    ("cae", "random-face", RANK, -1),
    ("cae", "copy-proposal", COSINE, 1),
    ("cae", "mean-face", COSINE, 1),
    ("oracle", "cae", R5, 1),
    ("real-photo", "cae", R5, 1),
    ("oracle", "same-sex-face", R5, 1),
    *((learned, floor, R5, 1) for learned in LEARNED for floor in ("mean-face", "random-face")),
    ("cgan (conditions=both)", "cgan (conditions=none)", R5, 1),
]


def main(root: Path) -> bool:
    records = {folder: read_record(folder) for folder in find_records(root / "synthetic-speakers")}
    right = True
    for seed in sorted({record.seed for record in records.values()}):
        of_seed = {folder: record for folder, record in records.items() if record.seed == seed}
        for by_name in _tables(of_seed, "identity"):
            for first, second, measure, sign in CLAIMS:
                if not {first, second} <= set(by_name):
                    continue
                column, pair = Column(measure, JUDGE, "neither"), (by_name[first], by_name[second])
                gap = compared([pair], column, Samples(pair, [column]))[0].difference
                low = min(sign * gap.low, sign * gap.high)
                right &= low > 0
                verdict = "yes" if low > 0 else "NO"
                print(
                    f"seed {seed}: {first:22} better than {second:22} in {measure:30} {sign * gap.value:+.3f}", end=" "
                )
                print(f"[{gap.low:+.3f}, {gap.high:+.3f}] {verdict}")
            oracle = by_name["oracle"].records[0].result(R5, JUDGE)
            right &= oracle.value >= 3 * oracle.floor
            print(f"seed {seed}: oracle R@5 {oracle.value:.3f}, {oracle.value / oracle.floor:.1f} times chance")
        right &= _shows_emotion(seed, of_seed)
    return right


def _tables(records: dict[Path, Record], track: str) -> list[dict[str, Any]]:
    """The entries of each protocol of a track, by name."""
    of_track = {folder: record for folder, record in records.items() if record.protocol.track == track}
    return [{entry.name: entry for entry in entries} for entries in gather(of_track, print).values()]


def _shows_emotion(seed: int, records: dict[Path, Record]) -> bool:
    right = True
    for by_name in _tables(records, "emotion"):
        area = by_name["emotion-vae"].records[0].result(AREA, EMOTION_JUDGE) if "emotion-vae" in by_name else None
        if area is not None:
            print(f"seed {seed}: emotion-vae's {AREA} {area.value:.3f} [{area.low:.3f}, {area.high:.3f}]")
            right &= area.low > area.floor
    return right


if __name__ == "__main__":
    sys.exit(0 if main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs")) else 1)
