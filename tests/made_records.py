"""Made-up runs on disk: records, per-trial values and influences, for tests of what is made of them."""

from dataclasses import replace

import numpy as np
import pandas as pd

from v2f_bench.leaderboard.columns import Column
from v2f_bench.leaderboard.differences import compared
from v2f_bench.leaderboard.samples import Samples
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
    Unavailable,
    find_records,
    read_records,
    write_record,
)
from v2f_bench.stats import mean_interval

JUDGE = "made-judge"
R5, RANK, COSINE = "retrieval/R@5", "retrieval/normalised-mean-rank", "identity-cosine/target"
BETTER = {R5: "higher", RANK: "lower", COSINE: "higher"}
# Speakers with different numbers of trials: the mean over trials is not the mean over speakers.
SPEAKERS = np.repeat([f"s{i:02d}" for i in range(30)], [1 + i % 4 for i in range(30)])


def made_values(seed=0, of_rank=0.3, of_r5=0.2):
    """Per-trial values in which the trials of one speaker go together."""
    rng = np.random.default_rng(seed)
    speaker = np.unique(SPEAKERS, return_inverse=True)[1]
    shared = rng.normal(size=30)[speaker]
    return {
        R5: (shared + rng.normal(size=len(SPEAKERS)) < np.quantile(shared, of_r5)).astype(float),
        RANK: of_rank + 0.1 * shared + 0.02 * rng.normal(size=len(SPEAKERS)),
    }


def result(measure, values, judge=JUDGE, **changes):
    value, low, high = float(np.mean(values)), float(np.mean(values)) - 0.05, float(np.mean(values)) + 0.05
    if len(values) == len(SPEAKERS):
        value, low, high = mean_interval(np.asarray(values, float), SPEAKERS, method="expanded")
    made = Result(
        metric=measure.split("/")[0],
        measure=measure,
        judge=judge,
        value=value,
        low=low,
        high=high,
        n=len(values),
        expected=len(values),
        failed=0,
        speakers=30,
        floor=0.05,
        floor_is="chance",
        ceiling=0.91,
        ceiling_is="real-photo",
        ceiling_n=len(values),
        aggregate="mean",
        better=BETTER.get(measure, "higher"),
        unit="fraction",
        failure_policy="a missing face is not retrieved",
        headline=True,
        slices=[],
        details=None,
    )
    return replace(made, **changes)


def unavailable(measure, reason):
    return Unavailable(measure, measure, None, reason)


def judge_facts(name=JUDGE, **changes):
    made = JudgeFacts(name, "1", "identity", "5" * 64, "nobody", "", {}, True, "")
    return replace(made, **changes)


def made_record(name="ours", values=None, seed=0, extra=(), result_changes=None, **changes):
    """A record; `changes` are of its fields, or of a field's own by a name with two underscores."""
    values = values if values is not None else made_values(seed)
    results = [result(m, v, **(result_changes or {})) for m, v in values.items()]
    record = Record(
        schema=SCHEMA,
        run=f"seed{seed}",
        method=MethodFacts(name, "made", "1", "abcdef0123456789", "", "", ["voice"], False, []),
        core=CoreFacts("1", "learning", "scoring"),
        answers=[],
        options={},
        preset="",
        dataset=DatasetFacts("made-data", "1", {}, "", "", 9, 0, "c" * 64),
        protocol=ProtocolFacts(
            **{"name": "identity-v2", "track": "identity", "hash": "hash-one", "sample_rate": 16000, "resolution": 64},
            **{"face_check": "mtcnn 1", "gallery": 30, "trials": len(SPEAKERS), "speakers": 30},
            splits={split: SplitFacts(9, 30) for split in ("train", "validation", "test")},
        ),
        applicable=len(SPEAKERS),
        seed=seed,
        judges=[judge_facts()],
        judges_missing=[],
        failures={},
        results=[*results, *(one for one in extra if isinstance(one, Result))],
        unavailable=[one for one in extra if isinstance(one, Unavailable)],
        circumstances={"checkpoint": StageFacts(device="cpu", threads=2, finished="2026-01-01T00:00:00+0000")},
    )
    for path, value in changes.items():
        part, _, field = path.partition("__")
        record = replace(record, **{part: replace(getattr(record, part), **{field: value}) if field else value})
    return record


def write_run(folder, record, values):
    """The folder of a finished run with these per-trial values, by measure."""
    folder.mkdir(parents=True)
    write_record(folder, record)
    trials = pd.DataFrame({"trial": [f"t{i:03d}" for i in range(len(SPEAKERS))], "speaker": SPEAKERS})
    columns = {f"{measure} @ {JUDGE}": value for measure, value in values.items()}
    pd.concat([trials, pd.DataFrame(columns)], axis=1).to_parquet(folder / TRIALS, index=False)
    pd.DataFrame({"speaker": np.unique(SPEAKERS)}).to_parquet(folder / INFLUENCE, index=False)
    return folder


def made_run(root, name="ours", values=None, seed=0, **changes):
    """The folder of a finished run; `changes` as of `made_record`."""
    values = values if values is not None else made_values(seed)
    folder = root / f"run{len(list(root.glob('*')))}"
    return write_run(folder, made_record(name, values, seed, **changes), values)


def records_in(folders):
    """The records of run folders, or of all below one."""
    folders = folders if isinstance(folders, list) else find_records(folders)

    def refuse(line):
        raise AssertionError(line)

    return read_records(folders, refuse)


def difference_of(one, other, measure, judge):
    """The paired difference of two entries of one table, with its interval."""
    column, pair = Column(measure, judge, "neither"), (one, other)
    (comparison,) = compared([pair], column, Samples(pair, [column]))
    return comparison.difference
