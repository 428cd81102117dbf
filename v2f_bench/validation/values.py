"""A record's numbers computed once more from its per-trial values, as the harness computes them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from v2f_bench.harness.numbers import number_of
from v2f_bench.harness.slices import slices_of
from v2f_bench.interfaces import Measure
from v2f_bench.record import Record, Result, column_name

TOLERANCE = 1e-9  # of numbers between 0 and 1 that other builds of the libraries sum in another order


def recompute(record: Record, trials: pd.DataFrame) -> tuple[list[str], int, list[str]]:
    """What differs, how many numbers were computed again, and the measures that cannot be computed from values.

    A statistic of all faces together, such as a Fréchet distance, has no per-trial values.

    Args:
        trials: the table of the run, one row a trial (see `record.read_trials`).
    """
    table = trials.reset_index()
    if "applicable" in table:
        table = table[table["applicable"].astype(bool)].reset_index(drop=True)
    differences: list[str] = []
    computed, whole = 0, []
    for result in record.results:
        name = column_name(result.measure, result.judge)
        if result.aggregate is None:
            whole.append(name)
        elif name not in table:
            differences.append(f"{name}: the record has a number, the table of trials no column")
        else:
            differences += _different(result, table, name)
            computed += 1
    return differences, computed, whole


def _different(result: Result, table: pd.DataFrame, name: str) -> Iterator[str]:
    values = table[name].to_numpy(float)
    speakers = table["speaker"].to_numpy()
    assert result.aggregate is not None
    measure = Measure(
        result.measure, result.better, result.unit, result.failure_policy, values=values, aggregate=result.aggregate
    )
    number = number_of(measure, speakers)
    recomputed = {
        **dict(zip(("value", "low", "high"), number.interval, strict=True)),
        **{"n": number.trials, "expected": len(table), "speakers": len(number.speakers)},
    }
    for field, computed in recomputed.items():
        stated = getattr(result, field)
        if not same(stated, computed):
            yield f"{name}: {field} is {stated} in the record, {computed} from the values"
    by_group = {(one.by, one.group): one for one in slices_of(measure, table)}
    for one in result.slices:
        again = by_group.get((one.by, one.group))
        if again is None:
            yield f"{name}: no trial is in the group {one.by} {one.group}"
            continue
        for field in ("value", "low", "high", "n", "speakers", "small"):
            stated, computed = getattr(one, field), getattr(again, field)
            if not same(stated, computed):
                where = f"{field} of {one.by} {one.group}"
                yield f"{name}: {where} is {stated} in the record, {computed} from the values"
    if missing := [key for key in by_group if key not in {(one.by, one.group) for one in result.slices}]:
        yield f"{name}: the record lacks the group{'s' * (len(missing) > 1)} {', '.join(' '.join(k) for k in missing)}"


def same(stated: float | None, computed: float | None, tolerance: float = TOLERANCE) -> bool:
    """Numbers that agree; None and NaN are no number."""
    missing = [number is None or bool(np.isnan(number)) for number in (stated, computed)]
    if any(missing):
        return all(missing)
    assert stated is not None
    assert computed is not None
    return math.isclose(stated, computed, rel_tol=tolerance, abs_tol=tolerance)
