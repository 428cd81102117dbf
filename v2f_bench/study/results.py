"""What a study says: plain values, and their file `study-results.json`.

`human_results` is what a leaderboard takes from it: a number a method whose source is people.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from v2f_bench.files import write_text_whole
from v2f_bench.interfaces import DataError
from v2f_bench.record import number_or_none

FORMAT, VERSION = "v2f-bench study results", 1


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval over raters and items. NaN where it cannot be had."""

    value: float
    low: float
    high: float
    n: int  # answers
    raters: int
    items: int  # speakers


@dataclass(frozen=True)
class MethodResult:
    """What people say of one method."""

    method: str  # its label in the study
    run: str
    seed: int
    estimate: Estimate
    unadjusted: Estimate  # over the faces that were shown: trials without a face left out
    p_chance: float  # that it does no better or worse than guessing, two-sided
    p_chance_holm: float  # corrected for the number of methods
    expected: int  # trials that it should have a face for
    missing: int  # ... and has not; they count as `Results.failed`
    groups: tuple[GroupResult, ...]  # by labels of the speakers


@dataclass(frozen=True)
class GroupResult:
    """A method's number on the speakers of one group."""

    by: str
    group: str
    estimate: Estimate


@dataclass(frozen=True)
class Comparison:
    """`first` less `second`, paired by raters and items."""

    first: str
    second: str
    estimate: Estimate
    p: float
    p_holm: float


@dataclass(frozen=True)
class Agreement:
    """Krippendorff's nominal alpha of the answers to questions about methods; NaN, and why, where it cannot be had."""

    alpha: float
    units: int  # questions that two raters or more answered
    ratings: int
    unavailable: str = ""


@dataclass(frozen=True)
class Strength:
    """A Bradley-Terry strength: log-odds beside the mean of those it is comparable with. NaN where it has none."""

    name: str
    strength: float
    low: float
    high: float
    scale: int  # strengths of one number can be compared; from 1


@dataclass(frozen=True)
class Strengths:
    """Bradley-Terry strengths of a study of pairs; `ties`: the share of comparisons that were ties."""

    strengths: tuple[Strength, ...]
    ties: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Analysis:
    """All numbers over one choice of raters."""

    raters: int
    methods: tuple[MethodResult, ...]
    calibration: Estimate | None  # real photographs; None where the design shows none
    floor: Estimate | None
    comparisons: tuple[Comparison, ...]
    agreement: Agreement
    strengths: Strengths | None  # of studies of pairs


@dataclass(frozen=True)
class Results:
    """The results of a study. `kept` is over the raters that the rules keep, `everybody` over all."""

    study: str
    design: str
    measure: str
    modality: str
    track: str
    dataset: str
    protocol: Mapping[str, str]
    responsible: str
    chance: float
    failed: float  # what a trial without a face counts as
    rules: Mapping[str, float]
    kept: Analysis
    everybody: Analysis
    excluded: Mapping[str, tuple[str, ...]]  # of each rater who was left out, by number: the reasons
    refused: Mapping[str, str]  # of each file or session that was not scored: the reason


@dataclass(frozen=True)
class HumanResult:
    """One number of one run, as a record and a leaderboard take it: its source is people."""

    method: str
    run: str
    seed: int
    measure: str  # "human-..."
    value: float
    low: float
    high: float
    n: int  # answers
    raters: int
    items: int
    chance: float
    p_chance: float  # corrected for the number of methods
    calibration: Estimate | None
    floor: Estimate | None
    expected: int
    missing: int
    study: str
    protocol: str  # its hash: only numbers of one protocol, and of one study, are compared
    source: str = "people"
    better: str = "higher"


def human_results(results: Results) -> list[HumanResult]:
    """The study's number for each run, over the raters that the rules keep; none for real voices."""
    return [
        HumanResult(
            method=each.method,
            run=each.run,
            seed=each.seed,
            measure=results.measure,
            value=each.estimate.value,
            low=each.estimate.low,
            high=each.estimate.high,
            n=each.estimate.n,
            raters=each.estimate.raters,
            items=each.estimate.items,
            chance=results.chance,
            p_chance=each.p_chance_holm,
            calibration=results.kept.calibration,
            floor=results.kept.floor,
            expected=each.expected,
            missing=each.missing,
            study=results.study,
            protocol=results.protocol["hash"],
        )
        for each in results.kept.methods
        if each.run
    ]


def write_results(path: Path, results: Results) -> None:
    """The results as JSON: the fields above by name, null for NaN, and `human`, the list of `human_results`."""
    content = {
        "format": FORMAT,
        "version": VERSION,
        **_plain(results),
        "human": [_plain(each) for each in human_results(results)],
    }
    write_text_whole(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_human_results(path: Path) -> list[HumanResult]:
    """The list of `human_results` back from a results file. DataError where it is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        if (content["format"], content["version"]) != (FORMAT, VERSION):
            raise ValueError(f"{content['format']} {content['version']}")
        return [_human(each) for each in content["human"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not readable as the results of a study ({error})") from None


def _human(content: dict[str, Any]) -> HumanResult:
    def known(values: dict[str, Any]) -> dict[str, Any]:
        return {name: math.nan if value is None else value for name, value in values.items()}

    def estimate(values: dict[str, Any] | None) -> Estimate | None:
        return None if values is None else Estimate(**known(values))

    calibration, floor = estimate(content.pop("calibration")), estimate(content.pop("floor"))
    return HumanResult(calibration=calibration, floor=floor, **known(content))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return number_or_none(value) if isinstance(value, float) else value
