"""Make a bench: find a data set's folder, prepare the data set, and make the protocol of a track over it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from v2f_bench.data.lists import QuestionList
from v2f_bench.data.protocol import NO_FACE_CHECK, Protocol
from v2f_bench.data.tracks import protocol_of
from v2f_bench.data.variants import DEFAULT_FORM, Form, Variant, subset_of
from v2f_bench.harness.bench import Bench
from v2f_bench.harness.frame_judge import frame_judge_name
from v2f_bench.harness.prepare import face_size, prepare
from v2f_bench.harness.workplace import Workplace
from v2f_bench.interfaces import DataError, Dataset, Judge, UsageError


def make_bench(
    dataset: Dataset,
    workplace: Workplace,
    track: str = "identity",
    lists: Sequence[QuestionList] = (),
    face_check: tuple[Judge | None, str] = (None, NO_FACE_CHECK),
    form: Form = DEFAULT_FORM,
) -> Bench:
    """Prepare the data set, unless that is done already, and make the protocol of a track over it.

    Args:
        lists: published lists of questions, for the protocol.
        face_check: the detector, started, and its name in the protocol (see `face_check.find_detector`).

    Raises:
        DataError: no clip of the data set can be used, or too few for the protocol.
    """
    store = prepare(dataset, workplace, face_size(form.resolution))
    if store.clips.empty:
        reasons = "; ".join(store.left_out["reason"].head(3))
        raise DataError(f"{dataset.name}: no clip can be used ({len(store.left_out)} left out: {reasons}, ...)")
    lists = [each.by_originals(store.copies) for each in lists]
    detector, name = face_check
    return Bench(dataset, store, make_protocol(dataset, store.clips, track, lists, name, form), detector)


def make_protocol(
    dataset: Dataset,
    clips: pd.DataFrame,
    track: str,
    lists: Sequence[QuestionList] = (),
    face_check: str = NO_FACE_CHECK,
    form: Form = DEFAULT_FORM,
) -> Protocol:
    """The protocol of a track over the usable clips of a data set, with the split that the data set's options name."""
    options = dataset.media_options
    if options.get("frame_judge", "none") != "none":  # by name: a judge card may lie elsewhere on another machine
        options["frame_judge"] = frame_judge_name(options["frame_judge"])
    description: dict[str, Any] = {"name": dataset.name, "version": dataset.version, "options": options}
    if dataset.labels:
        description["labels"] = dataset.labels
    split_of_clips = dataset.split_clips(clips)
    subset = subset_of(dataset.complete(), clips)
    variant = Variant(dataset.split_name, split_of_clips is not None, subset, face_check, form)
    split_of = dataset.split(sorted(clips["speaker"].unique())) if split_of_clips is None else split_of_clips
    return protocol_of(track, description, clips, split_of, lists, variant)


def open_dataset(cls: type[Dataset], options: Any, root: Path | None) -> Dataset:
    """A data set at its folder. `root` and errors are as for `data_folder`."""
    return cls(options, data_folder(cls, root))


def data_folder(cls: type[Dataset], root: Path | None) -> Path | None:
    """The absolute path of a data set's folder: `root`, or what its environment variable names.

    Returns:
        None for a data set that needs no folder.

    Raises:
        UsageError: the data set needs a folder, and neither `root` nor its environment variable names one; or it needs
            none and `root` names one.
    """
    if not cls.root_variable:
        if root is not None:
            raise UsageError(f"{cls.name} needs no folder, so its data root must be left out (not {root})")
        return None
    named = root or (Path(os.environ[cls.root_variable]) if os.environ.get(cls.root_variable) else None)
    if named is None:
        raise UsageError(
            f"{cls.name} needs its folder: give its data root, or set {cls.root_variable}. "
            f"`v2f-bench info {cls.name}` shows which files belong there and how to get them."
        )
    return named.expanduser().resolve()
