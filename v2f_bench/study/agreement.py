"""How far raters agree beyond chance: Krippendorff's alpha, by evalica."""

from __future__ import annotations

import math

import pandas as pd

from v2f_bench.study.results import Agreement

EXTRA = "needs the extra `study`: pip install 'v2f-bench[study]'"


def agreement(raters: pd.Series, units: pd.Series, answers: pd.Series) -> Agreement:
    """Krippendorff's alpha for nominal data (Krippendorff 2018, chapter 12) of `answers` to `units` by `raters`.

    1 is full agreement, 0 is what chance gives, below it raters contradict each other. Units that a single rater
    answered say nothing. Where all answers are one and the same, there is no agreement beyond chance to be measured.
    """
    try:
        from evalica import alpha
    except ImportError:
        return Agreement(math.nan, 0, 0, EXTRA)
    codes = pd.Series(pd.factorize(answers)[0], index=answers.index, dtype=float)
    table = pd.DataFrame({"rater": raters, "unit": units, "code": codes}).pivot(
        index="rater", columns="unit", values="code"
    )
    table = table.loc[:, table.notna().sum() > 1]
    ratings = int(table.notna().to_numpy().sum())
    if table.empty:
        return Agreement(math.nan, 0, 0, "no question was answered by two raters")
    if table.stack().nunique() < 2:
        return Agreement(math.nan, table.shape[1], ratings, "all answers are the same")
    return Agreement(float(alpha(table).alpha), table.shape[1], ratings)
