"""How long a table of many methods takes, and how much memory: made-up runs, three trials a speaker.

    python benchmarks/leaderboards.py                                40 rows of 3 seeds, 381 trials, 8 measures: 15 s
    python benchmarks/leaderboards.py --rows 3334 --speakers 167     10,000 records of 501 trials: 20 s, 2 GiB

Writes the records to a temporary folder, and times `v2f-bench leaderboard` on it as a process of its own, once cold and
then `--repeats` times. Prints seconds of the clock and of the processors, and peak memory; exits 1 above the limits
given there. Above 100 rows pairs are not compared.
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
TRIALS_EACH = 3  # of a speaker
BASELINES = 7
LIMIT, LARGE_LIMIT = 15.0, 20.0  # seconds, of tables with and without comparisons
MEMORY = 2048  # MiB
MANY = 100  # rows


def made_results(values: np.ndarray, speakers: np.ndarray, exact: bool) -> list[Result]:
    """The numbers of one run: `values` is float [measures, trials]. `exact`: with bootstrapped intervals."""
    names = ["retrieval/R@5", *(f"identity-cosine/part-{number}" for number in range(1, len(values)))]
    return [_result(name, row, speakers, exact) for name, row in zip(names, values, strict=True)]


def _result(name: str, values: np.ndarray, speakers: np.ndarray, exact: bool) -> Result:
    value, low, high = float(values.mean()), float(values.mean()) - 0.05, float(values.mean()) + 0.05
    if exact:
        value, low, high = mean_interval(values, speakers, method="expanded", resamples=500)
    people = len(speakers) // TRIALS_EACH
    return Result(
        **{"metric": name.split("/")[0], "measure": name, "judge": JUDGE, "value": value, "low": low, "high": high},
        **{"n": len(values), "expected": len(values), "failed": 0, "speakers": people, "floor": 0.04, "ceiling": 0.9},
        **{"floor_is": "chance", "ceiling_is": "real-photo", "ceiling_n": len(values), "aggregate": "mean"},
        **{"better": "higher", "unit": "fraction", "failure_policy": "worst", "headline": True, "slices": []},
        details=None,
    )


def write_runs(root: Path, rows: int, seeds: int, measures: int, people: int) -> None:
    """`rows` methods, the first seven of them baselines, `seeds` runs each, whose quality rises from row to row."""
    rng = np.random.default_rng(0)
    speakers = np.repeat([f"S{number:04d}" for number in range(people)], TRIALS_EACH)
    speaker = np.unique(speakers, return_inverse=True)[1]
    splits = {split: SplitFacts(500, people) for split in ("train", "validation", "test")}
    protocol = ProtocolFacts(
        **{"name": "identity-v2", "track": "identity", "hash": "made", "sample_rate": 16_000, "resolution": 64},
        **{"face_check": "mtcnn 1", "gallery": people, "trials": len(speakers), "speakers": people, "splits": splits},
    )
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
        applicable=len(speakers),
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
            shared = rng.standard_normal((measures, people))[:, speaker] + 0.1 * rng.standard_normal((measures, 1))
            values = shared + rng.standard_normal(shared.shape) + 2 * row / rows
            values[0] = values[0] > 1.5
            folder = root / f"m{row:02d}" / f"seed{seed}"
            folder.mkdir(parents=True)
            results = made_results(values, speakers, exact=rows <= MANY)
            method = replace(blank.method, name=f"m{row:02d}", baseline=row < BASELINES)
            write_record(folder, replace(blank, run=f"{row}-{seed}", method=method, seed=seed, results=results))
            columns = {column_name(one.measure, JUDGE): v for one, v in zip(results, values, strict=True)}
            trials = pd.DataFrame(
                {"trial": [f"t{n:04d}" for n in range(len(speakers))], "speaker": speakers, **columns}
            )
            trials.to_parquet(folder / TRIALS, index=False)
            pd.DataFrame({"speaker": np.unique(speakers)}).to_parquet(folder / INFLUENCE, index=False)


def main() -> bool:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rows", 40), ("seeds", 3), ("measures", 8), ("speakers", 127), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_runs(Path(folder), given.rows, given.seeds, given.measures, given.speakers)
        command = [sys.executable, "-m", "v2f_bench", "leaderboard", folder]
        seconds = []
        for _ in range(1 + given.repeats):
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds.append(time.perf_counter() - start)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    memory, best = used.ru_maxrss / 1024, min(seconds)
    of_processors = (used.ru_utime + used.ru_stime) / len(seconds)
    print(
        f"{given.rows} rows × {given.seeds} seeds × {TRIALS_EACH * given.speakers} trials, {given.measures} measures: "
        f"cold {seconds[0]:.1f} s, best of {len(seconds)} {best:.1f} s, {of_processors:.1f} s of processors each, "
        f"{memory:.0f} MiB"
    )
    return best <= (LIMIT if given.rows <= MANY else LARGE_LIMIT) and memory <= MEMORY


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
