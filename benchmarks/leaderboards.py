"""How long a table of many methods takes: 40 rows of 3 seeds over 381 trials of 127 speakers, made up.

    python benchmarks/leaderboards.py [--rows 40] [--seeds 3] [--measures 8]

Writes the records to a temporary folder, and times `v2f-bench leaderboard` on it as a process of its own, once cold and
then `--repeats` times. Prints seconds and peak memory; exits 1 above the limit of 15 s.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from v2f_bench.record import (
    INFLUENCE,
    SCHEMA,
    TRIALS,
    CoreFacts,
    DatasetFacts,
    JudgeFacts,
    MethodFacts,
    ProtocolFacts,
    Record,
    Result,
    SplitFacts,
    StageFacts,
    column_name,
    write_record,
)
from v2f_bench.stats import mean_interval

JUDGE = "in-domain-identity"
SPEAKERS = np.repeat([f"S{number:04d}" for number in range(127)], 3)
BASELINES = 7
LIMIT = 15.0  # seconds


def made_results(values: np.ndarray, measures: int) -> list[Result]:
    """The numbers of one run: `values` is float [measures, trials]."""
    names = ["retrieval/R@5", *(f"identity-cosine/part-{number}" for number in range(1, measures))]
    return [_result(name, row) for name, row in zip(names, values, strict=True)]


def _result(name: str, values: np.ndarray) -> Result:
    value, low, high = mean_interval(values, SPEAKERS, method="expanded", resamples=500)
    return Result(
        **{"metric": name.split("/")[0], "measure": name, "judge": JUDGE, "value": value, "low": low, "high": high},
        **{"n": len(values), "expected": len(values), "failed": 0, "speakers": 127, "floor": 0.04, "ceiling": 0.9},
        **{"floor_is": "chance", "ceiling_is": "real-photo", "ceiling_n": len(values), "aggregate": "mean"},
        **{"better": "higher", "unit": "fraction", "failure_policy": "worst", "headline": True, "slices": []},
        details=None,
    )


def write_runs(root: Path, rows: int, seeds: int, measures: int) -> None:
    """`rows` methods, the first seven of them baselines, `seeds` runs each, whose quality rises from row to row."""
    rng = np.random.default_rng(0)
    speaker = np.unique(SPEAKERS, return_inverse=True)[1]
    splits = {split: SplitFacts(500, 127) for split in ("train", "validation", "test")}
    protocol = ProtocolFacts("identity-v2", "identity", "made", 16_000, 64, "mtcnn 1", 127, len(SPEAKERS), 127, splits)
    blank = Record(
        schema=SCHEMA,
        run="",
        method=MethodFacts("", "made", "1", "", "", "", ["voice"], False, []),
        core=CoreFacts("1", "", ""),
        answers=[],
        options={},
        preset="",
        dataset=DatasetFacts("made-up", "1", {}, "", "", 1000, 0, ""),
        protocol=protocol,
        applicable=len(SPEAKERS),
        seed=0,
        judges=[JudgeFacts(JUDGE, "1", "identity", "", "", "", {}, True, "")],
        judges_missing=[],
        failures={},
        results=[],
        unavailable=[],
        circumstances={"checkpoint": StageFacts(device="cpu")},
    )
    for row in range(rows):
        for seed in range(seeds):
            shared = rng.standard_normal((measures, 127))[:, speaker] + 0.1 * rng.standard_normal((measures, 1))
            values = shared + rng.standard_normal(shared.shape) + 2 * row / rows
            values[0] = values[0] > 1.5
            folder = root / f"m{row:02d}" / f"seed{seed}"
            folder.mkdir(parents=True)
            results = made_results(values, measures)
            method = replace(blank.method, name=f"m{row:02d}", baseline=row < BASELINES)
            write_record(folder, replace(blank, run=f"{row}-{seed}", method=method, seed=seed, results=results))
            columns = {column_name(one.measure, JUDGE): v for one, v in zip(results, values, strict=True)}
            trials = pd.DataFrame(
                {"trial": [f"t{n:04d}" for n in range(len(SPEAKERS))], "speaker": SPEAKERS, **columns}
            )
            trials.to_parquet(folder / TRIALS, index=False)
            pd.DataFrame({"speaker": np.unique(SPEAKERS)}).to_parquet(folder / INFLUENCE, index=False)


def main() -> bool:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rows", 40), ("seeds", 3), ("measures", 8), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_runs(Path(folder), given.rows, given.seeds, given.measures)
        command = [sys.executable, "-m", "v2f_bench", "leaderboard", folder]
        seconds = []
        for _ in range(1 + given.repeats):
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds.append(time.perf_counter() - start)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    best = min(seconds[1:])
    print(
        f"{given.rows} rows × {given.seeds} seeds × {len(SPEAKERS)} trials, {given.measures} measures: cold "
        f"{seconds[0]:.1f} s, then {best:.1f} s (best of {given.repeats}), {memory:.0f} MiB"
    )
    return best <= LIMIT


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
