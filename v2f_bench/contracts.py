"""What a plugin class must bring, checked when it is registered: a mistake is one line there, not a traceback later."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from v2f_bench.interfaces import NEEDS, Card, Dataset, FilmJudge, Judge, Method, Metric
from v2f_bench.interfaces.judge import JUDGE_KINDS
from v2f_bench.interfaces.metric import FILM_ROLES, ROLES
from v2f_bench.interfaces.options import unsettable

KINDS: dict[str, type] = {"method": Method, "dataset": Dataset, "metric": Metric, "judge": Judge}
TRACKS = ("identity", "emotion")


def problem_of(kind: str, plugin: Any) -> str:
    """What is wrong with a class that a plugin registers as a `kind`; "" where nothing is."""
    contract = KINDS[kind]
    if not (inspect.isclass(plugin) and issubclass(plugin, contract)):
        return f"{plugin!r} is not a subclass of v2f_bench.{contract.__name__}"
    if inspect.isabstract(plugin):
        missing = ", ".join(sorted(getattr(plugin, "__abstractmethods__", ())))
        return f"{plugin.__name__} does not implement {missing}"
    name = getattr(plugin, "name", None)
    if not (isinstance(name, str) and name and all(c.isalnum() or c in "-_." for c in name) and name[0].isalnum()):
        return f"{plugin.__name__}.name must be text of letters, digits, '-', '_' and '.', not {name!r}"
    problem = next(_CHECKS[kind](plugin), "")
    return f"{plugin.__name__}{problem}" if problem else ""


def _of_method(cls: type[Method]) -> Iterator[str]:
    yield from _of_options(cls.options)
    yield from _of_tracks(cls.tracks)
    if unknown := set(cls.needs) - set(NEEDS):
        yield f".needs has {', '.join(sorted(unknown))}; there is: {', '.join(NEEDS)}"
    for name, preset in dict(cls.presets).items():
        if not isinstance(preset, cls.options):
            yield f".presets[{name!r}] must be {cls.options.__name__}(...), not {type(preset).__name__}"
    if isinstance(cls.trained_with, str):
        yield ".trained_with must be a tuple of names, not one text"
    if cls.variations and cls.vary is Method.vary:
        yield " lists variations but has no `vary`"


def _of_dataset(cls: type[Dataset]) -> Iterator[str]:
    yield from _of_options(cls.options)
    yield from _of_tracks(cls.tracks)
    if not isinstance(getattr(cls, "card", None), Card):
        yield ".card must be a v2f_bench.Card: origin, licence and consent terms"


def _of_metric(cls: type[Metric]) -> Iterator[str]:
    yield from _of_tracks(cls.tracks)
    judged_by = getattr(cls, "judged_by", ())
    if isinstance(judged_by, str) or not judged_by:
        yield ".judged_by must be a tuple of kinds of judge"
    elif unknown := set(judged_by) - set(JUDGE_KINDS):
        yield f".judged_by has {', '.join(sorted(unknown))}; there is: {', '.join(JUDGE_KINDS)}"
    for what in ("floor", "ceiling"):
        if getattr(cls, what) not in (*ROLES, *FILM_ROLES, *([""] if what == "floor" else [])):
            yield f".{what} is {getattr(cls, what)!r}; there is: {', '.join((*ROLES, *FILM_ROLES))}"


def _of_judge(cls: type[Judge]) -> Iterator[str]:
    if not hasattr(cls, "kind"):
        yield " does not say its `kind`"
    elif isinstance(cls.kind, str) and cls.kind not in JUDGE_KINDS:
        yield f".kind is {cls.kind!r}; there is: {', '.join(JUDGE_KINDS)}"
    elif isinstance(cls.kind, str) and JUDGE_KINDS[cls.kind].of_films != issubclass(cls, FilmJudge):
        yield f" must be a v2f_bench.{'FilmJudge' if JUDGE_KINDS[cls.kind].of_films else 'Judge'}, of kind {cls.kind}"


def _of_options(options: Any) -> Iterator[str]:
    if not (inspect.isclass(options) and dataclasses.is_dataclass(options)):
        yield ".options must be a dataclass"
        return
    if not options.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        yield ".options must be a frozen dataclass: @dataclass(frozen=True)"
    nothing = dataclasses.MISSING
    lacking = [f.name for f in dataclasses.fields(options) if f.default is nothing and f.default_factory is nothing]
    if lacking:
        yield f".options: {', '.join(lacking)} must have a default"
        return
    for name, kind in unsettable(options):
        yield f".options: {name} is of type {kind}, which cannot be set from the command line"


def _of_tracks(tracks: Any) -> Iterator[str]:
    if isinstance(tracks, str) or not tracks:
        yield f".tracks must be a set of tracks: {', '.join(TRACKS)}"
    elif unknown := set(tracks) - set(TRACKS):
        yield f".tracks has {', '.join(sorted(unknown))}; there is: {', '.join(TRACKS)}"


_CHECKS: dict[str, Callable[[Any], Iterator[str]]] = {
    "method": _of_method,
    "dataset": _of_dataset,
    "metric": _of_metric,
    "judge": _of_judge,
}
