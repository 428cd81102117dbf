"""Generated faces against galleries: which faces are in a gallery, and where the speaker's own face ranks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from v2f_bench.interfaces import Evidence
from v2f_bench.interfaces.labels import standard_label
from v2f_bench.metrics.vectors import all_cosines, answers, unit, usable
from v2f_bench.stats import rank_of_target

if TYPE_CHECKING:
    import pandas as pd

AGE_BANDS = (30, 45, 60)  # years at which one band ends and the next begins


@dataclass(frozen=True)
class Lineup:
    """Every generated face beside every gallery face.

    cosines: float64 [n, g]; NaN where the face of either side cannot be judged.
    target: int [n], the column of the speaker's own face; 0 where there is none.
    failed: bool [n], there is no generated face that can be judged.
    undefined: bool [n], there is no face of the speaker in the gallery that can be judged.
    judged: bool [g], which gallery faces can be judged.
    """

    cosines: np.ndarray
    target: np.ndarray
    failed: np.ndarray
    undefined: np.ndarray
    judged: np.ndarray

    @classmethod
    def of(cls, evidence: Evidence) -> Lineup:
        generated, gallery = answers(evidence), evidence.seen["gallery"]
        judged, place = usable(unit(gallery)), places(evidence)
        return cls(
            cosines=all_cosines(generated, gallery),
            target=np.maximum(place, 0),
            failed=~usable(unit(generated)),
            undefined=(place < 0) | ~np.append(judged, False)[place],
            judged=judged,
        )

    def ranked(self, taking_part: np.ndarray) -> Ranking:
        """Ranks in the gallery that `taking_part`, bool [n, g], leaves to each trial."""
        taking_part = taking_part & self.judged
        size = taking_part.sum(axis=1)
        # Who stands alone in the gallery is found by anybody: that says nothing about the method.
        undefined = self.undefined | (size < 2)
        if not taking_part.size:
            return Ranking(size, size + 1, size, self.failed, undefined)
        above, ties = rank_of_target(np.where(taking_part, np.nan_to_num(self.cosines), -np.inf), self.target)
        # Where the speaker's own face takes no part there is nothing to rank; the numbers must still be ranks.
        return Ranking(np.where(undefined, 0, above), np.where(undefined, 1, ties), size, self.failed, undefined)


@dataclass(frozen=True)
class Ranking:
    """Of each trial, arrays [n]: how many gallery faces score above the speaker's, how many as it does (itself
    included), and how many there are; whether there is no face that can be judged; whether a rank would say nothing."""

    above: np.ndarray
    ties: np.ndarray
    size: np.ndarray
    failed: np.ndarray
    undefined: np.ndarray

    def per_trial(self, values: np.ndarray, when_failed: float) -> np.ndarray:
        return np.where(self.undefined, np.nan, np.where(self.failed & ~np.isnan(values), when_failed, values))

    def mean(self, values: np.ndarray) -> float | None:
        """The mean over the trials that count."""
        values = values[~self.undefined]
        return float(values.mean()) if len(values) else None


@dataclass(frozen=True)
class Pictures:
    """The real pictures of test speakers that can be judged, those of the gallery and the reference set, each once.

    vectors: float64 [p, D], of length 1.
    speakers: text [p].
    """

    vectors: np.ndarray
    speakers: np.ndarray

    @classmethod
    def of(cls, evidence: Evidence) -> Pictures:
        rows = further(evidence)
        vectors = unit(np.concatenate([evidence.seen["gallery"], evidence.seen["reference"][rows]]))
        speakers = np.concatenate([evidence.gallery["speaker"], evidence.reference["speaker"].iloc[rows]])
        return cls(vectors[usable(vectors)], speakers[usable(vectors)])

    def templates(self, people: pd.Series) -> np.ndarray:
        """The sum of each person's vectors: float64 [len(people), D]; NaN for a person without any."""
        place = positions(self.speakers, people)
        sums = np.zeros((len(people), self.vectors.shape[1]))
        np.add.at(sums, place[place >= 0], self.vectors[place >= 0])
        sums[np.bincount(place[place >= 0], minlength=len(people)) == 0] = np.nan
        return sums


def further(evidence: Evidence) -> np.ndarray:
    """The rows of the reference set that are not pictures of the gallery: int [r]."""
    if "clip" not in evidence.reference or "clip" not in evidence.gallery:
        return np.arange(len(evidence.reference))
    return np.flatnonzero(~evidence.reference["clip"].isin(evidence.gallery["clip"]))


def strata(evidence: Evidence) -> dict[str, np.ndarray]:
    """Which gallery faces stand beside each speaker's: bool [n, g], by the prefix of the measures' names.

    "" all; "within-sex/" those of the speaker's sex, so that hearing the sex alone gains nothing; "within-sex-and-age/"
    also of the speaker's age band. Absent where the gallery has no such labels; nobody for a speaker without one.
    """
    place = places(evidence)
    galleries = {"": np.ones((len(evidence.trials), len(evidence.gallery)), bool)}
    sex, age = sexes(evidence.gallery), age_bands(evidence.gallery)
    same_sex = _same(sex, place)
    if (sex != "").any():
        galleries["within-sex/"] = same_sex
        if (age >= 0).any():
            galleries["within-sex-and-age/"] = same_sex & _same(np.where(age < 0, "", age.astype(str)), place)
    return galleries


def places(evidence: Evidence) -> np.ndarray:
    """The row of the gallery with the speaker of each trial: int [n]; -1 for none."""
    return positions(evidence.trials["speaker"], evidence.gallery["speaker"])


def positions(names: Iterable[str], among: Iterable[str]) -> np.ndarray:
    """The row of each name in `among`, whose names are different: int [n]; -1 for none."""
    row = {name: number for number, name in enumerate(among)}
    return np.array([row.get(name, -1) for name in names], dtype=int)


def known_labels(table: pd.DataFrame, column: str) -> np.ndarray:
    """The labels of a column under their shared names: text [n]; "" where a label, or the column, is missing."""
    if column not in table:
        return np.full(len(table), "", dtype=object)
    known = table[column].notna()
    return np.array(
        [standard_label(str(x)) if there else "" for x, there in zip(table[column], known, strict=True)], dtype=object
    )


def sexes(table: pd.DataFrame) -> np.ndarray:
    return known_labels(table, "sex")


def ages(table: pd.DataFrame) -> np.ndarray:
    """Years: float [n]; NaN where the age, or the column, is missing."""
    import pandas as pd

    if "age" not in table:
        return np.full(len(table), np.nan)
    return pd.to_numeric(table["age"], errors="coerce").to_numpy(dtype=float)


def age_bands(table: pd.DataFrame) -> np.ndarray:
    """The band of each age: int [n]; -1 where it is not known."""
    years = ages(table)
    return np.where(np.isnan(years), -1, np.digitize(years, AGE_BANDS))


def _same(labels: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Which gallery faces have the label of the one at `place`, int [n]: bool [n, g]."""
    own = np.append(labels, "")[place]
    return (own[:, None] == labels[None, :]) & (own != "")[:, None]
