"""`report.html`: one page a run, or one for several, that opens from disk and asks nothing of any network."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from v2f_bench import __version__
from v2f_bench.files import write_text_whole
from v2f_bench.interfaces import BenchError, Progress
from v2f_bench.interfaces.options import value_in_words
from v2f_bench.leaderboard import Board, leaderboard
from v2f_bench.leaderboard.groups import LABELS
from v2f_bench.leaderboard.measure_titles import measure_title
from v2f_bench.record import Record, Result, Slice, StageFacts, column_name, read_trials
from v2f_bench.render.page import page
from v2f_bench.report.cards import Card, Sheet, card
from v2f_bench.report.curves import Plot, loss_plots, rank_plots
from v2f_bench.report.people import People, faces_of, open_people
from v2f_bench.report.trials import choices, telling_results

REPORT = "report.html"
CHECKPOINT = "checkpoint"  # where training left its losses
HEAT = 9  # shades of a confusion matrix


@dataclass(frozen=True)
class Confusion:
    """How often each label was judged as which: `rows` by label, each cell with its shade, 0 to 9."""

    title: str
    columns: list[str]
    rows: list[tuple[str, list[tuple[float, int]]]]
    left_out: str


@dataclass(frozen=True)
class SliceTable:
    """The headline measures in the groups of one label."""

    label: str
    groups: list[str]
    rows: list[tuple[str, list[Slice | None]]]


@dataclass(frozen=True)
class Section:
    """What a page says of one run."""

    name: str
    folder: Path
    record: Record
    losses: list[Plot]
    ranks: list[Plot]
    confusions: list[Confusion]
    slices: list[SliceTable]
    sheets: list[Sheet]
    options: list[tuple[str, str]]
    stages: list[tuple[str, StageFacts]]
    notice: str  # of its people; "" where they may be shown
    problem: str  # why there are no trials


def report_page(
    runs: Mapping[Path, Record], boards: Sequence[Board], people: Mapping[Path, People], shown: bool = True
) -> str:
    """The page of some runs.

    Args:
        runs: those that the page is about, by folder.
        boards: tables in which they stand beside others.
        people: of each of `runs`, the voices and photographs of its data set.
        shown: False leaves every voice and face out, those that methods made too.
    """
    hashes = {record.protocol.hash for record in runs.values()}
    return page(
        "report.html",
        boards=[board for board in boards if board.protocol.hash in hashes],
        plain_fields=plain_fields,
        sections=[_section(folder, record, people[folder], shown) for folder, record in runs.items()],
        version=__version__,
    )


def write_reports(runs: Mapping[Path, Record], data_root: Path | None, progress: Progress) -> list[Path]:
    """`report.html` in the folder of each run, with all of them in its table; returns the pages.

    One that cannot be made is named with the reason: the run itself is no worse for that.
    """
    boards = leaderboard(dict(runs)).boards
    people = open_people(runs, data_root, progress)
    written = []
    with progress.bar("reports", len(runs)) as bar:
        for folder, record in runs.items():
            try:
                write_text_whole(folder / REPORT, report_page({folder: record}, boards, people))
                written.append(folder / REPORT)
            except (BenchError, OSError) as error:
                progress.line(f"no report of {folder}: {error}")
            bar.advance()
    return written


def _section(folder: Path, record: Record, people: People, shown: bool) -> Section:
    try:
        trials, problem = read_trials(folder), ""
    except BenchError as error:
        trials, problem = pd.DataFrame(), str(error)
    return Section(
        name=f"{record.method.name}, seed {record.seed}",
        folder=folder,
        record=record,
        losses=loss_plots(folder / CHECKPOINT),
        ranks=rank_plots(record, trials) if len(trials) else [],
        confusions=[_confusion(one) for one in record.results if one.details and "confusion" in one.details],
        slices=[table for label in LABELS if (table := _slice_table(record, label)).groups],
        sheets=_sheets(folder, record, trials, people, shown) if len(trials) else [],
        options=[(name, value_in_words(value)) for name, value in record.options.items()],
        stages=list(record.circumstances.items()),
        notice=_notice(record, shown),
        problem=problem,
    )


def _sheets(folder: Path, record: Record, trials: pd.DataFrame, people: People, shown: bool) -> list[Sheet]:
    made = {record.method.name: faces_of(folder)}
    telling = telling_results(record)
    known: dict[str, Card] = {}

    def of(trial: str) -> Card:
        if trial not in known:
            row = trials.loc[trial]
            lines = [_measured(one, row) for one in telling]
            known[trial] = card(trial, row, record.protocol.track, people, made, lines, shown)
        return known[trial]

    return [Sheet(one.title, one.how, [of(trial) for trial in one.trials]) for one in choices(record, trials)]


def _measured(result: Result, row: pd.Series[Any]) -> str:
    value = row[column_name(result.measure, result.judge)]
    number = "no number" if pd.isna(value) else f"{value:.3f}"
    return f"{measure_title(result.measure)} {number} ({result.judge})"


def _confusion(result: Result) -> Confusion:
    """In shares of each row: rows have different numbers of trials."""
    details = result.details or {}
    rows = []
    for label, cells in zip(details["row_labels"], details["confusion"], strict=True):
        total = sum(cells)
        shares = [cell / total if total else 0.0 for cell in cells]
        rows.append((f"{label} ({total:g})", [(share, round(share * HEAT)) for share in shares]))
    unknown = {**details.get("not_known_to_judge", {}), "without a label": details.get("without_label", 0)}
    left_out = ", ".join(f"{label} {count}" for label, count in unknown.items() if count)
    return Confusion(f"{result.measure}, {result.judge}", list(details["column_labels"]), rows, left_out)


def _slice_table(record: Record, label: str) -> SliceTable:
    headlines = [one for one in record.results if one.headline]
    slices = {id(one): {part.group: part for part in one.slices if part.by == label} for one in headlines}
    groups = list(dict.fromkeys(group for of_one in slices.values() for group in of_one))
    rows = [
        (f"{measure_title(one.measure, one.better)} ({one.judge})", [slices[id(one)].get(group) for group in groups])
        for one in headlines
        if slices[id(one)]
    ]
    return SliceTable(label, groups, rows)


def _notice(record: Record, shown: bool) -> str:
    dataset = record.dataset
    if dataset.may_be_shown == "yes" or not shown:
        return ""
    says = "forbids" if dataset.may_be_shown == "no" else "does not say that it allows"
    return (
        f"The card of {dataset.name} {says} showing its people's faces and voices. This page holds some: keep it to "
        "yourself, or make one without them (v2f-bench report --no-people)."
    )


def plain_fields(facts: StageFacts) -> list[tuple[str, str]]:
    """What a stage says of its circumstances, as far as it is known."""
    values = {field.name: getattr(facts, field.name) for field in dataclasses.fields(facts)}
    values["packages"] = ", ".join(f"{name} {version}" for name, version in facts.packages.items())
    return [(name.replace("_", " "), str(value)) for name, value in values.items() if value not in ("", None, 0, {})]
