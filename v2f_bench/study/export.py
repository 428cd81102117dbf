"""Export: from runs to a folder that can be given out, and the key to it."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from v2f_bench.interfaces import Progress, UsageError
from v2f_bench.study.designs import Design, Modality, design_named
from v2f_bench.study.folder import KEY, SITE, Key, Rules, StudiedMethod, study_id
from v2f_bench.study.items import Item, choose_items
from v2f_bench.study.media import write_media
from v2f_bench.study.page import public_data, write_page
from v2f_bench.study.permission import check_permission
from v2f_bench.study.questions import Asked, Questionnaire, Size
from v2f_bench.study.recruit import rater_codes, write_recruiting
from v2f_bench.study.runs import Material

FILE_TIME = 946_684_800  # of every file: the beginning of the year 2000


@dataclass(frozen=True)
class ExportRequest:
    """What the experimenter asks for."""

    design: str
    modality: Modality = "face"
    items: int = 100
    size: Size = field(default_factory=Size)
    seed: int | None = None  # None: drawn
    voice_seconds: float = 5.0
    rules: Rules = field(default_factory=Rules)
    contact: str = ""
    consent: tuple[str, ...] = ()  # paragraphs instead of the default text
    completion_code: str = ""
    redirect: str = ""
    url: str = ""  # where the site will stand
    responsible: str = ""


@dataclass(frozen=True)
class Exported:
    """What was made: the key, what each rater does, and in words what is not as asked for."""

    key: Key
    questions: int
    minutes: int
    notes: tuple[str, ...]


def export_study(material: Material, request: ExportRequest, output: Path, progress: Progress) -> Exported:
    """Write the study to `output`, a folder that appears whole or not at all.

    Raises:
        UsageError: the data set must not be shown, or the design does not fit the runs.
        DataError: there are too few trials.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UsageError(f"{output} is there already: a study is never written over another one; name a new folder")
    check_permission(material.dataset, material.card, request.responsible)
    seed = secrets.randbits(48) if request.seed is None else request.seed
    rng = np.random.default_rng(seed)
    missing = {run.label: run.missing() for run in material.runs}
    items = _items(material, request.items, {trial for trials in missing.values() for trial in trials}, rng)
    emotions = set(material.trials["emotion"]) if "emotion" in material.trials else set()
    design = design_named(request.design)(material.track, sorted(emotions), request.modality)
    methods = [run.label for run in material.runs]
    questionnaire = Questionnaire(design, items, methods, request.size, rng)
    lists = [questionnaire.next_list() for _ in range(request.size.lists)]
    unfinished = output.with_name(f".{output.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    site = unfinished / SITE
    (site / "media").mkdir(parents=True)
    media = write_media(material, design, lists, request.voice_seconds, site / "media", rng, progress)
    public = public_data(
        design,
        lists,
        media,
        consent=request.consent,
        contact=request.contact,
        credit=f"{material.card.title}. Licence: {material.card.licence}.",
        completion_code=request.completion_code,
        redirect=request.redirect,
        rng=rng,
    )
    key = _key(study_id(public), seed, design, material, items, lists, missing, request)
    text = key.to_json().encode()
    (unfinished / KEY).write_bytes(text)
    write_page(site, {"id": key.study, "key": hashlib.sha256(text).hexdigest(), **public})
    write_recruiting(unfinished, rater_codes(len(lists), rng), request.url)
    for path in [*site.rglob("*"), site]:
        os.utime(path, (FILE_TIME, FILE_TIME))
    if output.exists():
        output.rmdir()  # empty, as seen above
    unfinished.rename(output)
    return Exported(key, len(lists[0]), public["minutes"], tuple(_notes(key, request, questionnaire, lists)))


def _items(material: Material, count: int, missing: set[str], rng: np.random.Generator) -> list[Item]:
    """Items from the trials for which every run has a face."""
    trials = material.trials
    for run in material.runs:
        trials = trials[trials["trial"].isin(run.expected)]
    return choose_items(trials[~trials["trial"].isin(missing)].reset_index(drop=True), count, rng)


def _key(
    study: str,
    seed: int,
    design: Design,
    material: Material,
    items: Sequence[Item],
    lists: Sequence[Sequence[Asked]],
    missing: dict[str, dict[str, str]],
    request: ExportRequest,
) -> Key:
    methods = {
        run.label: StudiedMethod(
            name=run.name,
            run=run.run,
            seed=run.seed,
            folder=str(run.folder.resolve()),
            faces=run.faces.content,
            expected=len(run.expected),
            missing=tuple(missing[run.label]),
        )
        for run in material.runs
    }
    return Key(
        study=study,
        design=design.name,
        measure=design.measure,
        modality=request.modality,
        track=material.track,
        seed=seed,
        dataset=material.dataset,
        licence=material.card.licence,
        may_be_shown=material.card.may_be_shown,
        responsible=request.responsible,
        protocol=material.protocol,
        methods=methods,
        items={item.trial: {"speaker": item.speaker, **item.labels} for item in items},
        answers=tuple(design.answers),
        chance=design.chance,
        failed=design.chance if design.failed is None else design.failed,
        rules=request.rules,
        completion_code=request.completion_code,
        lists=tuple(tuple(each.question for each in questions) for questions in lists),
    )


def _notes(
    key: Key, request: ExportRequest, questionnaire: Questionnaire, lists: Sequence[Sequence[Asked]]
) -> list[str]:
    notes = []
    speakers = len({item["speaker"] for item in key.items.values()})
    if len(key.items) < request.items:
        notes.append(f"{len(key.items)} items, not {request.items}: there are no more trials that fit")
    if speakers < len(key.items):
        notes.append(
            f"{len(key.items)} items of {speakers} speakers: intervals rest on speakers, so more of these help"
        )
    if len(lists[0]) < questionnaire.wanted:
        notes.append(f"{len(lists[0])} questions a rater, not {questionnaire.wanted}: there are no more different ones")
    for label, method in key.methods.items():
        if method.missing:
            notes.append(
                f"{label} has no face for {len(method.missing)} of {method.expected} trials: these are not shown, and "
                f"count as {key.failed:.2f} in its result"
            )
    if not all(item["sex"] for item in key.items.values()):
        notes.append("the sex of some speakers is not known: their faces stand against those of any others")
    if not request.contact and not request.consent:
        notes.append("the consent text names nobody who is responsible: give a contact")
    if key.responsible:
        notes.append(f"shown on the responsibility of {key.responsible}")
    return notes
