"""Plan: how many raters and items a wanted difference needs, by simulating studies and scoring them.

A rater r answers an item i under a method m rightly with logit(p) = mu_m + a_r + b_i, where a_r and b_i are normal with
the given standard deviations: a rater and an item are better or worse with both methods. The mu_m are such that the
share over all raters and items is the one that is asked for. Who is asked what is as in a real study (schedule.py), and
the test is that of its scoring (stats/two_way.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from v2f_bench.interfaces import Progress, UsageError
from v2f_bench.stats import two_way_test
from v2f_bench.study.schedule import Scheduler

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(61)
ALPHA = 0.05


@dataclass(frozen=True)
class World:
    """What is simulated: the shares of two methods, and the standard deviations of raters and items in logits."""

    better: float = 0.72
    worse: float = 0.65
    rater_sd: float = 0.4
    item_sd: float = 1.0


@dataclass(frozen=True)
class Planned:
    """One size of a study: its power, and the mean half width of the interval of the better method's share."""

    raters: int
    items: int
    power: float
    half_width: float


def plan_studies(
    world: World,
    raters: Sequence[int],
    items: Sequence[int],
    trials: int,
    studies: int,
    seed: int,
    progress: Progress,
) -> list[Planned]:
    """Every number of raters with every number of items, `trials` questions a rater, half of them on each method.

    `power` is the share of `studies` simulated studies in which the two methods are found to differ (p < .05).
    """
    for share in (world.better, world.worse):
        if not 0 < share < 1:
            raise UsageError(f"a share lies between 0 and 1, not at {share}")
    sizes = [(r, i) for r in raters for i in items]
    planned = []
    with progress.bar("simulate studies", len(sizes)) as bar:
        for r, i in sizes:
            if trials > 2 * i:
                raise UsageError(f"{trials} questions a rater about two methods need {-(-trials // 2)} items, not {i}")
            planned.append(_simulated(world, r, i, trials, studies, np.random.default_rng([seed, r, i])))
            bar.advance()
    return planned


def logit_of_share(share: float, deviation: float) -> float:
    """The mean of a normal logit with that deviation whose probability is `share` in the mean."""
    weights = WEIGHTS / WEIGHTS.sum()
    return float(brentq(lambda mean: (weights * expit(mean + deviation * NODES)).sum() - share, -40, 40))


def _simulated(world: World, raters: int, items: int, trials: int, studies: int, rng: np.random.Generator) -> Planned:
    deviation = float(np.hypot(world.rater_sd, world.item_sd))
    mean = np.array([logit_of_share(share, deviation) for share in (world.better, world.worse)])
    scheduler = Scheduler(np.ones((items, 2), bool), [str(item) for item in range(items)], [1.0, 1.0], rng)
    slots = [(rater, slot) for rater in range(raters) for slot in scheduler.next_list(trials)]
    rater = np.array([each for each, _ in slots])
    item = np.array([slot.item for _, slot in slots])
    method = np.array([slot.condition for _, slot in slots])
    logits = mean[method] + world.rater_sd * rng.normal(size=(studies, raters))[:, rater]
    logits += world.item_sd * rng.normal(size=(studies, items))[:, item]
    answers = (rng.random(logits.shape) < expit(logits)).astype(float)
    significant, widths = 0, []
    for row in answers:
        significant += two_way_test(row, rater, item, method, (1.0, -1.0)).p_value(0.0) < ALPHA
        first = method == 0
        widths.append(two_way_test(row[first], rater[first], item[first]).half_width)
    return Planned(raters, items, significant / studies, float(np.mean(widths)))
