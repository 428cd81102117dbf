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

from v2f_bench.leaderboard.record import find_records, read_record

from v2f_bench.leaderboard.entries import difference, gather

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
    runs = find_records(root / "synthetic-speakers")
    right = True
    for seed in sorted({read_record(run)["seed"] for run in runs}):
        of_seed = [run for run in runs if read_record(run)["seed"] == seed]
        (entries,) = gather([run for run in of_seed if read_record(run)["protocol"]["track"] == "identity"]).values()
        by_name = {entry.name: entry for entry in entries}
        for first, second, measure, sign in CLAIMS:
            if not {first, second} <= set(by_name):
                continue
            gap = difference(by_name[first], by_name[second], measure, JUDGE).difference
            low = min(sign * gap.low, sign * gap.high)
            right &= low > 0
            verdict = "yes" if low > 0 else "NO"
            print(f"seed {seed}: {first:22} better than {second:22} in {measure:30} {sign * gap.value:+.3f}", end=" ")
            print(f"[{gap.low:+.3f}, {gap.high:+.3f}] {verdict}")
        oracle = by_name["oracle"].result(R5, JUDGE)
        right &= oracle["value"] >= 3 * oracle["floor"]
        print(f"seed {seed}: oracle R@5 {oracle['value']:.3f}, {oracle['value'] / oracle['floor']:.1f} times chance")
        right &= _shows_emotion(seed, of_seed)
    return right


def _shows_emotion(seed: int, runs: list[Path]) -> bool:
    for entries in gather([run for run in runs if read_record(run)["protocol"]["track"] == "emotion"]).values():
        for entry in entries:
            area = entry.result(AREA, EMOTION_JUDGE)
            if entry.name == "emotion-vae" and area is not None:
                print(f"seed {seed}: emotion-vae's {AREA} {area['value']:.3f} [{area['low']:.3f}, {area['high']:.3f}]")
                return bool(area["low"] > area["floor"])
    return True


if __name__ == "__main__":
    sys.exit(0 if main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs")) else 1)
